"""Rules about the columns that a spec names: that they exist and hold what they are named for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dlspec.data.columns import no_numbers, place_of_feature, place_of_target
from dlspec.data.datasets import Column, ColumnKind, Description
from dlspec.data.features import Feature, infer
from dlspec.data.features.base import truth_of
from dlspec.data.language import written_on
from dlspec.data.section import DataSpec
from dlspec.data.signature import HOLDS, INPUT_TARGET
from dlspec.data.target import Sequenced, TagOfWords, Tags, TargetType
from dlspec.language.diagnostics import Diagnostic, Severity
from dlspec.language.words import did_you_mean, one_of
from dlspec.spec.other_words import ALL_COLUMNS
from dlspec.spec.spec import Spec


def column_problems(spec: Spec, description: Description) -> Iterator[Diagnostic]:
    """Names of columns that the data do not have, and keys that their layout has no use for."""
    for code, message, help in description.remarks:
        yield Diagnostic(code, message, spec.key_span("data"), Severity.WARNING, help)
    for rule in (
        _unknown_columns,
        _inputs_beside_features,
        _wrong_features,
        _wrong_targets,
        _second_test_part,
        _keys_of_another_layout,
        _target_among_features,
        _no_weight,
    ):
        yield from rule(spec, description)


Place = tuple[str | int, ...]
"""Where something stands in a spec."""


def _named(spec: Spec) -> Iterator[tuple[str, Place]]:
    """Every column that the spec names, and where."""
    data, model = spec.data, spec.model
    keys: list[tuple[str | None, Place]] = [(data.time_name, ("time", "column"))]
    keys += [(name, place_of_target(data, i)) for i, name in enumerate(data.target_names)]
    keys += [(data.group, ("group",)), (data.split.group, ("split", "group")), (data.split.column, ("split", "column"))]
    keys += [(data.weight, ("weight",))]
    keys += [(name, place_of_feature(data, name)) for name in data.feature_names or []]
    for name, place in keys:
        if name is not None and not (name == INPUT_TARGET == data.target and place == ("target",)):
            yield name, ("data", *place)
    for given, names in (model.columns_of_inputs or {}).items():
        for i, name in enumerate(names):
            yield name, ("model", "inputs", given, "features", i)
    for given, own in _of_outputs(spec).items():
        for i, name in enumerate(own.target_names):
            yield name, ("model", "outputs", given, *place_of_target(own, i))


def _of_outputs(spec: Spec) -> dict[str, DataSpec]:
    """Of a network that names its outputs, `data` as if each were the only one."""
    outputs = spec.model.outputs or {}
    return {name: spec.data.model_copy(update={"target": output.target}) for name, output in outputs.items()}


def _unknown_columns(spec: Spec, description: Description) -> Iterator[Diagnostic]:
    for name, place in _named(spec):
        if name not in description.names:
            message = f"the data have no column `{name}`"
            help: str | None
            parts = [part.strip() for part in name.split(",")]
            if name == INPUT_TARGET and place[0] == "model" and place[-1] == "target":
                help = (
                    "`input` is given back where it is the only target: `target: input` under `data`, without `outputs`"
                )
            elif name.lower() in ALL_COLUMNS and place[1] == "features":
                help = "leave `features` out: the network sees every column that fits"
            elif name.startswith("-") and name[1:] in description.names and place[1] == "features":
                out = {given.removeprefix("-") for given in spec.data.feature_names or []} | {
                    *spec.data.target_names,
                    *description.targets,
                }
                seen = [other for other in description.names if other not in out]
                help = f"`features` lists what is seen: write `features: [{', '.join(seen)}]`"
            elif len(parts) > 1 and {*parts} <= {*description.names}:
                help = f"write `{place[1]}: [{', '.join(parts)}]`"
            else:
                help = did_you_mean(name, description.names)
            yield Diagnostic("unknown-column", message, spec.span(*place), help=help)


def _inputs_beside_features(spec: Spec, description: Description) -> Iterator[Diagnostic]:
    """Where the network has several inputs, each feature goes into one of them, and they take nothing else."""
    data, inputs = spec.data, spec.model.columns_of_inputs or {}
    for given, names in inputs.items():
        for i, name in enumerate(names):
            fed = isinstance(data.target_type, Sequenced) and name in data.target_names
            if data.features and name in description.names and name not in data.features and not fed:
                yield Diagnostic(
                    "unknown-column",
                    f"`{name}` is not among the `features` of `data`",
                    spec.span("model", "inputs", given, "features", i),
                    help=f"add `{name}` to `features`, or leave `features` out",
                )
    taken = {name for names in inputs.values() for name in names}
    for name in (data.feature_names or []) if taken else []:
        if name not in taken:
            yield Diagnostic(
                "wrong-value",
                f"`{name}` is among the `features` of `data`, and no input takes it",
                data.span(*place_of_feature(data, name)),
                help=f"add `{name}` to an input, or take it out of `features`",
            )


def _wrong_features(spec: Spec, description: Description) -> Iterator[Diagnostic]:
    """Features that are listed twice, or hold what they are not named for."""
    data = spec.data
    names = data.feature_names or []
    for i, name in enumerate(names):
        if name in names[:i]:
            span = spec.span("data", "features", i)
            yield Diagnostic("repeated-column", f"`{name}` is listed twice", span, help="remove it")
        elif name not in _targets(spec, description) or description.layout == "series":
            problem = _of_feature(spec, description, name)
            if problem is not None:
                yield problem


def _of_feature(spec: Spec, description: Description, name: str) -> Diagnostic | None:
    data, column, kind = spec.data, description.column(name), spec.data.feature_type(name)
    if kind is not None and description.layout == "series":
        message = "types of features are of single samples, and these data are a series"
        span = data.span(*place_of_feature(data, name))
        return Diagnostic("only-for-samples", message, span, help="list the names alone")
    if kind is not None and column and (column.kind not in kind.takes or bool(column.shape) != kind.of_arrays):
        return _of_typed_feature(spec, column, kind)
    all_read = name not in description.not_settled
    refused = kind.refuses(column, all_read=all_read) if kind is not None and column else None
    if refused is not None:
        message, help = refused
        return Diagnostic("wrong-value", message, data.span(*place_of_feature(data, name)), help=help)
    if name == (data.time_name or description.time):
        return _no_feature(spec, name, "time", "numbers here")
    if column and kind is None and column.kind not in ("number", *no_numbers(description)):
        wanted = "numbers, words, texts or times" if no_numbers(description) else "numbers here"
        return _no_feature(spec, name, column.kind, wanted)
    return None


def _of_typed_feature(spec: Spec, column: Column, kind: Feature) -> Diagnostic:
    """A column that does not hold what its type takes."""
    name, fitting = column.name, infer(column)
    wanted = "pictures" if kind.of_arrays else " or ".join(HOLDS[other] for other in kind.takes)
    help = f"write `{name}: {fitting.type_name}`" if fitting and not column.shape else "leave it out"
    if kind.of_arrays:
        help += f"; where it names files, write `images: {{path: {_table(spec)}, column: {name}}}`"
    elif column.shape:
        help = f"write `{name}: image`, or leave the type out"
    message = f"`{name}` holds {_held(column)}, and `{kind.type_name}` takes {wanted}"
    return Diagnostic("wrong-value", message, spec.data.span(*place_of_feature(spec.data, name)), help=help)


def _targets(spec: Spec, description: Description) -> Sequence[str]:
    of_outputs = [name for own in _of_outputs(spec).values() for name in own.target_names]
    return [*spec.data.target_names, *of_outputs] or description.targets


def _second_test_part(spec: Spec, description: Description) -> Iterator[Diagnostic]:
    drawn = isinstance(spec.data.split.test, int | float) and spec.is_written("data", "split", "test")
    if description.test_rows and drawn:
        message = f"these data bring their own test part, {description.test_rows:,} samples"
        yield Diagnostic("wrong-split", message, spec.key_span("data", "split", "test"), help="remove `test`")


def _keys_of_another_layout(spec: Spec, description: Description) -> Iterator[Diagnostic]:
    """Keys that are for a series alone, or for single samples."""
    data = spec.data
    if description.layout == "samples":
        if data.missing_of_samples != data.missing:
            message = "the holes of a series are filled from the values around them, and these data are single samples"
            help = "write `missing: median`, `mean`, `drop` or a number"
            yield Diagnostic("only-for-series", message, spec.key_span("data", "missing"), help=help)
        for key in ("window", "predict", "time", "group", "duplicates", "resample"):
            if getattr(data, key) not in (None, "error"):
                message = f"`{key}` is for a series, and these data are single samples"
                help = f"write `split: {{group: {data.group}}}`" if key == "group" else f"remove `{key}`"
                if key == "window" and data.table:
                    help = f"write `series: {', '.join(data.table)}` in place of `table`, or remove `window`"
                yield Diagnostic("only-for-series", message, spec.key_span("data", key), help=help)
        return
    if data.missing in ("mean", "median"):
        message = f"`missing: {data.missing}` is for single samples, and in a series the values around a hole are known"
        help = "write `missing: previous`, `interpolate` or `drop`"
        yield Diagnostic("only-for-samples", message, spec.key_span("data", "missing"), help=help)
    for key in ("duplicates", "resample"):
        asked = getattr(data, key) not in (None, "error")
        if asked and data.time is None and description.time is None:
            message = f"`{key}` needs the times of the rows"
            yield Diagnostic("no-time", message, spec.key_span("data", key), help="name their column: `time: COLUMN`")
    if data.labels is not None:
        message = "`labels` keeps some of the labels of single samples, and a series has none"
        help = "use `limit` to train on fewer windows"
        yield Diagnostic("only-for-samples", message, spec.key_span("data", "labels"), help=help)


def _target_among_features(spec: Spec, description: Description) -> Iterator[Diagnostic]:
    data = spec.data
    if written_on(data):  # what is seen lies before what is predicted
        return
    for name in (data.feature_names or []) if description.layout == "samples" else []:
        if name in _targets(spec, description):
            message = f"`{name}` is the target, so the network would see its own answer"
            span = data.span(*place_of_feature(data, name))
            yield Diagnostic("target-among-features", message, span, help=f"remove `{name}` from `features`")


def _table(spec: Spec) -> str:
    """The file of a table, as the spec names it."""
    return (spec.data.table or ["TABLE"])[0]


def _wrong_targets(spec: Spec, description: Description) -> Iterator[Diagnostic]:
    """Targets that hold what cannot be predicted, or not together."""
    for name, own in _of_outputs(spec).items():
        yield from _of_targets(own, own.target_names, description, ("model", "outputs", name), spec)
    if spec.data.target_names or not spec.model.outputs:
        yield from _of_targets(spec.data, spec.data.target_names or description.targets, description, ("data",), spec)


def _of_targets(
    data: DataSpec, names: Sequence[str], description: Description, place: Place, spec: Spec
) -> Iterator[Diagnostic]:
    """
    Args:
        names: of the columns that are predicted together.
        place: of what names them.
    """
    said = data.target_type
    columns = [description.column(name) for name in names]
    for i, column in enumerate(columns):
        if column is None:
            continue
        problem, help = _of_target(column, said) if said else (None, None)
        if not said and len(columns) == 1:
            problem, help = _of_one_target(column, description)
        elif not said:
            problem, help = _of_several_targets(column, columns, description)
        if problem:
            yield Diagnostic("wrong-value", problem, spec.span(*place, *place_of_target(data, i)), help=help)


Problem = tuple[str | None, str | None]
"""What is wrong with a column, and what helps; None: nothing is."""


def _of_target(column: Column, said: TargetType) -> Problem:
    """A target that does not hold what its type takes."""
    type_name = "tags" if isinstance(said, Tags | TagOfWords) else "sequence" if isinstance(said, Sequenced) else said
    needed = NEEDED[type_name]
    if column.shape and column.kind == needed and said in ("category", "numeric"):
        return None, None
    if column.shape and said == "category":
        message = (
            f"`{column.name}` holds fractions, or more than 100 different numbers, and `category` takes the number of "
            "a class at each place"
        )
        return message, f"write `target: {{{column.name}: numeric}}`, or save the number of the class at each place"
    if said == "next" and (column.kind != needed or column.shape):
        help = "`next` is the next word, or character, of a text; write `numeric` or `category` for other columns"
        return f"`{column.name}` holds {_held(column)}, and `next` takes text", help
    if isinstance(said, TagOfWords) and (column.kind != needed or column.shape):
        message = f"`{column.name}` holds {_held(column)}, and tags of words stand in a column of text of a `table`"
        return message, "write a tag for each word into that column, with spaces between them"
    if type_name == "sequence" and (column.kind != needed or column.shape):
        help = "write a text in each row, such as items with spaces between them"
        return f"`{column.name}` holds {_held(column)}, and `sequence` takes text", help
    if column.kind != needed or column.shape:
        help = "leave the type out" if column.shape or column.kind != "number" else "types are of columns of files"
        return f"`{column.name}` holds {_held(column)}, and `{type_name}` takes {HOLDS[needed]}", help
    if said == "boolean" and not truth_of(column.classes):
        shown = one_of(column.classes[:4]) if column.classes else "nothing"
        return f"`{column.name}` holds {shown}, and `boolean` is yes or no", "write 1 and 0 in its place"
    return None, None


def _of_one_target(column: Column, description: Description) -> Problem:
    """One target is a number or a class."""
    if column.kind in ("number", "class") and (not column.shape or column.numbered):
        return None, None
    tags = description.layout == "samples" and column.kind == "text"
    help = (
        f"write `target: {{{column.name}: next}}` to predict its next word, `{{sequence: words, feed_back: …}}` to "
        "write it word by word, `{sequence: characters}` with `loss: ctc` to read it off timesteps, or `tags` if it "
        "holds several labels, with `,` between them; "
        '`{sequence: " "}` if it has a tag for each word of another column'
        if tags
        else None
    )
    if column.shape:
        help = f"write `target: {{{column.name}: category}}` for a class at each place, or `numeric` for a number"
    return f"`{column.name}` holds {_held(column)}, which cannot be predicted here", help


def _of_several_targets(column: Column, columns: Sequence[Column | None], description: Description) -> Problem:
    """Several targets are numbers, or each is said with yes or no."""
    if column.kind == "number" and not column.shape:
        return None, None
    if description.layout == "series":
        return f"`{column.name}` holds {_held(column)}, and several targets of a series are numbers", None
    if not truth_of(column.classes):
        return f"`{column.name}` holds {_held(column)}, and several targets are numbers, or yes or no each", None
    others = [other.name for other in columns if other and not truth_of(other.classes)]
    if not others:
        return None, None
    message = (
        f"`{column.name}` is yes or no, and `{others[0]}` is not in the training part; "
        "several targets are all numbers, or all yes or no"
    )
    return message, f"write 1 and 0 in `{column.name}`, which are numbers too, or predict them one by one"


NEEDED: dict[str, ColumnKind] = {
    "category": "class",
    "boolean": "class",
    "numeric": "number",
    "tags": "tags",
    "next": "text",
    "sequence": "text",
}
"""Type of a target -> the kind of column that it takes."""


def _held(column: Column) -> str:
    return "arrays" if column.shape else HOLDS[column.kind]


def _no_feature(spec: Spec, name: str, kind: str, wanted: str) -> Diagnostic:
    return Diagnostic(
        "wrong-value",
        f"`{name}` holds {HOLDS[kind]}, and features are {wanted}",
        spec.data.span(*place_of_feature(spec.data, name)),
        help="leave it out of `features`",
    )


def _no_weight(spec: Spec, description: Description) -> Iterator[Diagnostic]:
    """A column that cannot say how much a sample counts."""
    name, column = spec.data.weight, description.column(spec.data.weight or "")
    if column is None:
        return
    span = spec.span("data", "weight")
    if name in _targets(spec, description):
        message = f"`{name}` is the target, and cannot say how much a sample counts"
        yield Diagnostic("wrong-value", message, span, help="name another column, or remove `weight`")
    elif column.kind != "number" or column.shape:
        message = f"`{name}` holds {_held(column)}, and how much a sample counts is a number"
        yield Diagnostic("wrong-value", message, span, help="name a column of numbers, or remove `weight`")
