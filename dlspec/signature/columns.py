"""What is wrong with the columns that a spec names, and where it names them."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.datasets import ColumnKind, Description
from dlspec.diagnostics import Diagnostic
from dlspec.features import infer
from dlspec.fields import did_you_mean
from dlspec.signature.base import HOLDS, INPUT_TARGET, TIME_NAMES, named_inputs
from dlspec.spec import Spec


def column_problems(spec: Spec, description: Description) -> Iterator[Diagnostic]:
    """Names of columns that the data do not have, and keys that their layout has no use for."""
    data = spec.data
    named: list[tuple[str | None, tuple[str | int, ...]]] = [
        (data.time, ("data", "time")),
        *((name, place_of_target(spec, i)) for i, name in enumerate(data.target_names)),
        (data.group, ("data", "group")),
        (data.split.group, ("data", "split", "group")),
        (data.split.column, ("data", "split", "column")),
    ]
    named += [(name, place_of_feature(spec, name)) for name in data.feature_names or []]
    for given, names in named_inputs(spec):
        named += [(name, ("model", "inputs", given, "features", i)) for i, name in enumerate(names)]
    for given, output in (spec.model.outputs or {}).items():
        named.append((output.target, ("model", "outputs", given, "target")))
    for name, path in named:
        if name == INPUT_TARGET and data.target == INPUT_TARGET and path == ("data", "target"):
            continue
        if name is not None and name not in description.names:
            yield Diagnostic(
                "unknown-column",
                f"the data have no column `{name}`",
                spec.span(*path),
                help=did_you_mean(name, description.names),
            )
    for given, names in named_inputs(spec):
        for i, name in enumerate(names):
            if data.features and name in description.names and name not in data.features:
                yield Diagnostic(
                    "unknown-column",
                    f"`{name}` is not among the `features` of `data`",
                    spec.span("model", "inputs", given, "features", i),
                    help=f"add `{name}` to `features`, or leave `features` out",
                )
    names = data.feature_names or []
    taken = {name for _, own in named_inputs(spec) for name in own}
    for name in names if taken else []:
        if name not in taken:
            yield Diagnostic(
                "wrong-value",
                f"`{name}` is among the `features` of `data`, and no input takes it",
                spec.span(*place_of_feature(spec, name)),
                help=f"add `{name}` to an input, or take it out of `features`",
            )
    for i, name in enumerate(names):
        if name in names[:i]:
            yield Diagnostic("repeated-column", f"`{name}` is listed twice", spec.span("data", "features", i))
            continue
        column, place = description.column(name), place_of_feature(spec, name)
        if name in (*data.target_names, description.target)[: max(1, len(data.target_names))] and (
            description.layout == "samples"
        ):
            continue  # the network would see its own answer, whatever it holds
        kind = data.feature_type(name)
        if kind is not None and description.layout == "series":
            message = "types of features are of single samples, and these data are a series"
            yield Diagnostic("only-for-samples", message, spec.span(*place), help="list the names alone")
        elif kind is not None and column and (column.kind not in kind.takes or column.shape):
            held = "arrays" if column.shape else HOLDS[column.kind]
            fitting, wanted = infer(column), " or ".join(HOLDS[other] for other in kind.takes)
            yield Diagnostic(
                "wrong-value",
                f"`{name}` holds {held}, and `{kind.type_name}` takes {wanted}",
                spec.span(*place),
                help=f"write `{name}: {fitting.type_name}`" if fitting and not column.shape else "leave it out",
            )
        elif name == (data.time or description.time):
            yield _no_feature(spec, name, "time", "numbers here")
        elif column and kind is None and column.kind not in ("number", *no_numbers(description)):
            wanted = "numbers, words, texts or times" if no_numbers(description) else "numbers here"
            yield _no_feature(spec, name, column.kind, wanted)
    kinds = ("number",) if description.layout == "series" or len(data.target_names) > 1 else ("number", "class")
    targets = data.target_names or [name for name in [description.target] if name]
    for i, target in enumerate(targets):
        column = description.column(target)
        said = data.target_type
        needed: ColumnKind = "class" if said == "category" else "number"
        if column and said and column.kind != needed:
            help = "leave the type out" if column.shape or column.kind != "number" else "types are of columns of files"
            message = f"`{target}` holds {HOLDS[column.kind]}, and `{said}` takes {HOLDS[needed]}"
            yield Diagnostic("wrong-value", message, spec.span(*place_of_target(spec, i)), help=help)
        elif column and (column.kind not in kinds or column.shape or (len(targets) > 1 and column.classes)):
            held = "pictures" if column.shape else "labels" if column.classes else HOLDS[column.kind]
            among = "cannot be predicted here" if len(targets) == 1 else "several targets are numbers"
            message = f"`{target}` holds {held}, {'which ' if len(targets) == 1 else 'and '}{among}"
            yield Diagnostic("wrong-value", message, spec.span(*place_of_target(spec, i)))
    drawn = isinstance(data.split.test, int | float) and spec.source.written("data", "split", "test")
    if description.test_rows and drawn:
        yield Diagnostic(
            "wrong-split",
            f"these data bring their own test part, {description.test_rows:,} samples",
            spec.key_span("data", "split", "test"),
            help="remove `test`",
        )
    if description.layout == "samples":
        for key in ("window", "predict", "time", "group"):
            if getattr(data, key) is not None:
                yield Diagnostic(
                    "only-for-series",
                    f"`{key}` is for a series, and these data are single samples",
                    spec.key_span("data", key),
                    help=f"write `split: {{group: {data.group}}}`" if key == "group" else f"remove `{key}`",
                )
        for name in names:
            if name in targets:
                yield Diagnostic(
                    "target-among-features",
                    f"`{name}` is the target, so the network would see its own answer",
                    spec.span(*place_of_feature(spec, name)),
                    help=f"remove `{name}` from `features`",
                )
    else:
        if data.missing != "error":
            yield Diagnostic(
                "only-for-samples",
                "`missing` is for single samples, and in a series every timestep is needed",
                spec.key_span("data", "missing"),
                help="remove `missing`, and fill in the values of the file",
            )
        if data.labels is not None:
            yield Diagnostic(
                "only-for-samples",
                "`labels` keeps some of the labels of single samples, and a series has none",
                spec.key_span("data", "labels"),
                help="use `limit` to train on fewer windows",
            )


def place_of_target(spec: Spec, place: int) -> tuple[str | int, ...]:
    """Where the spec names one of the targets."""
    given = spec.data.target
    if isinstance(given, dict):
        return ("data", "target", next(iter(given)))
    return ("data", "target", place) if isinstance(given, list) else ("data", "target")


def place_of_feature(spec: Spec, name: str) -> tuple[str | int, ...]:
    """Where the spec names a feature."""
    by_name = ("data", "features", name)
    if isinstance(spec.data.features, dict) and spec.source.written(*by_name):
        return by_name
    return ("data", "features", (spec.data.feature_names or []).index(name))


def _no_feature(spec: Spec, name: str, kind: str, wanted: str) -> Diagnostic:
    return Diagnostic(
        "wrong-value",
        f"`{name}` holds {HOLDS[kind]}, and features are {wanted}",
        spec.span(*place_of_feature(spec, name)),
        help="leave it out of `features`",
    )


def guess_time(description: Description) -> str | None:
    if description.layout != "series":
        return None
    return next((name for name in description.names if name.lower() in TIME_NAMES), None)


def no_numbers(description: Description) -> tuple[str, ...]:
    """The kinds of columns that may be features although they hold no numbers."""
    return ("class", "time", "text") if description.layout == "samples" else ()
