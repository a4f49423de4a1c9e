"""Spec and description of the data -> Signature: what a network must take and give. No data are loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dlspec.data.columns import guess_time, no_numbers
from dlspec.data.datasets import Column, Description
from dlspec.data.features import FEATURES, Feature, infer
from dlspec.data.features.base import MANY, truth_of
from dlspec.data.section import DataSpec
from dlspec.data.signature import HOLDS, INPUT_TARGET, Label, Signature, Target, Task, share_out
from dlspec.data.sources.rows import MAX_CLASSES
from dlspec.data.split import Window
from dlspec.data.target import Tags
from dlspec.language.diagnostics import Diagnostic
from dlspec.language.fields import did_you_mean
from dlspec.language.shapes import Shape
from dlspec.spec.named_columns import column_problems
from dlspec.spec.spec import Spec


def read_signature(spec: Spec, description: Description) -> tuple[Signature | None, list[Diagnostic]]:
    """The signature, and what is wrong with the names of columns. None: it cannot be known."""
    problems = list(column_problems(spec, description))
    data = spec.data
    time = data.time or description.time or guess_time(description)
    targets = {name: target_of(description, output.target) for name, output in (spec.model.outputs or {}).items()}
    names = data.target_names or [t.name for t in targets.values() if t][:1]
    names = names or ([INPUT_TARGET] if spec.unrolls else list(description.targets))
    if not names:
        where = next(key for key in data.sources if getattr(data, key) is not None)
        problems.append(
            Diagnostic(
                "missing-key",
                "`target` is missing: the column to predict",
                spec.key_span("data", where),
                help=did_you_mean("", description.names) or "add `target: …`, or `target: input` to give it back",
            )
        )
        return None, problems
    target_name = ", ".join(names)
    back = names == [INPUT_TARGET] and INPUT_TARGET not in description.names
    target = Target(INPUT_TARGET, "input") if back else _target(description, names, data)
    if target is None or None in targets.values():
        return None, problems
    problem = _wrong_classes(spec, target)
    if problem is not None:
        return None, [*problems, problem]
    predicted = {*names, *(t.name for t in targets.values() if t)}
    group = data.group if description.layout == "series" else data.split.group
    predicted |= {name for name in (group, data.split.column) if name}
    chosen = data.feature_names or list(
        dict.fromkeys(name for _, names in (spec.model.columns_of_inputs or {}).items() for name in names)
    )
    if back and description.layout == "samples":
        predicted |= {*description.targets}  # the label of a built-in set is no part of a sample
    series = description.layout == "series"
    chosen = chosen or [name for name in description.features if name not in predicted]
    chosen = chosen or [
        column.name
        for column in description.columns
        if column.name not in (time, group)
        and (series or column.name not in predicted)
        and _by_itself(column, description)
    ]
    # a name that is not there counts as a number, so that shapes are still checked
    features = tuple(description.column(name) or Column(name) for name in chosen)
    if not features:
        by_name = next(
            (c for c in description.columns if c.kind in no_numbers(description) and c.name not in predicted), None
        )
        problems.append(
            Diagnostic(
                "no-features",
                f"no column is left for the network to see besides `{target_name}`",
                spec.key_span("data"),
                help="predict another column; or, if a row is a timestep, write `series` in place of `table`"
                if data.table and not by_name
                else f"name one: `features: {{{by_name.name}: {by_name.kind}}}`"
                if by_name
                else "predict another column",
            )
        )
        return None, problems
    pictures = [c for c in features if c.shape]
    task = _task(target, series=series)
    shape: Shape
    if series:
        if data.window is None:
            problems.append(
                Diagnostic(
                    "missing-key",
                    "a series needs `window`: how many timesteps the network sees",
                    spec.key_span("data"),
                    help="add `window: {length: 30, horizon: 1}` under `data`",
                )
            )
            return None, problems
        shape = (None, data.window.length, len(features))
    elif pictures and len(features) > 1:
        problems.append(
            Diagnostic(
                "wrong-value",
                f"`{pictures[0].name}` holds arrays, such as pictures, and cannot stand beside other features",
                spec.span("data", "features") if data.features else spec.key_span("model", "inputs"),
                help=f"write `features: {pictures[0].name}`",
            )
        )
        return None, problems
    else:
        shape = (None, *features[0].shape) if pictures else (None, len(features))
    types: tuple[Feature, ...] = ()
    widths = [1] * len(features)
    if not series and not pictures:
        types = tuple(data.feature_type(column.name) or infer(column) or FEATURES["numeric"]() for column in features)
        widths = [given.width(column) for given, column in zip(types, features, strict=True)]
        shape = (None, sum(widths))
    shared = spec.model.columns_of_inputs
    inputs = share_out(shared, shape, chosen, widths)
    if back:
        words = next((c for c, given in zip(features, types, strict=False) if given.raw != "number"), None)
        if words is not None:
            problems.append(
                Diagnostic(
                    "wrong-target",
                    f"`target: {INPUT_TARGET}` gives back numbers, and `{words.name}` holds {HOLDS[words.kind]}",
                    spec.span("data", "target") if data.target else spec.key_span("data"),
                    help=f"list the features without `{words.name}`",
                )
            )
            return None, problems
        sizes = tuple(size for size in shape[1:] if size is not None)
        target = replace(target, shape=sizes, inside=data.inside(types))
    known = {name: target for name, target in targets.items() if target}
    window = data.window if series else None
    rows = description.test_rows
    words = description.column(data.split.column) if data.split.column else None
    signature = Signature(
        task, shape, features, target, inputs, known, time if window else None, window, rows, types, tuple(widths),
        description.validation_rows, group, words.classes if words else None, shared,
    )  # fmt: skip
    return signature, problems


def _by_itself(column: Column, description: Description) -> bool:
    """Whether the network sees a column that the spec does not name: numbers, and of a table words that come again."""
    words = column.kind == "class" and description.layout == "samples" and len(column.classes) <= MANY
    return column.kind == "number" or words


def target_of(description: Description, name: str) -> Target | None:
    """What the column asks of a network; None where it is not there or cannot be predicted."""
    column = description.column(name)
    if column is None or column.kind not in ("number", "class") or column.shape:
        return None
    return Target(name, "class" if column.classes else "number", column.classes, column.unit)


def _target(description: Description, names: Sequence[str], data: DataSpec) -> Target | None:
    """What the columns ask of a network; None: what they hold cannot be predicted, or not together."""
    columns = [column for name in names if (column := description.column(name))]
    said, series = data.target_type, description.layout == "series"
    if len(columns) < len(names) or any(column.shape for column in columns):
        return None
    name = ", ".join(names)
    if isinstance(said, Tags):
        tags = tuple(Label(tag, name, tag) for tag in columns[0].classes)
        return Target(name, "labels", labels=tags, separator=said.tags) if columns[0].kind == "tags" else None
    if len(columns) > 1 and said != "numeric" and not series:
        words = [(truth_of(column.classes), column) for column in columns]
        labels = tuple(
            Label(column.name, column.name, word, next(other for other in column.classes if other != word))
            for word, column in words
            if word is not None
        )
        if len(labels) == len(columns):
            return Target(name, "labels", labels=labels)
    ahead = series and data.window and data.window.steps > 1 and columns[0].kind == "number"
    if said == "numeric" or len(columns) > 1 or ahead:
        return _numbers(name, columns, data.window if series else None)
    return target_of(description, name)


def _numbers(name: str, columns: Sequence[Column], window: Window | None) -> Target | None:
    """The columns as numbers, at each of the timesteps of a series that are predicted."""
    steps = range(window.horizon, window.reach + 1) if window else range(1)
    if any(column.kind != "number" for column in columns):
        return None
    units = {column.unit for column in columns}
    unit = columns[0].unit if len(units) == 1 else None
    if len(columns) == len(steps) == 1:
        return Target(name, "number", unit=unit)
    each = tuple(Column(column.name, unit=column.unit) for column in columns for _ in steps)
    return Target(name, "number", unit=unit, columns=each, steps=(*steps,) * len(columns) if window else ())


def _wrong_classes(spec: Spec, target: Target) -> Diagnostic | None:
    """A class needs others beside it, and each takes an output of the network."""
    span = spec.span("data", "target") if spec.data.target else spec.key_span("data")
    count = len(target.classes or target.labels)
    what = "tag" if target.separator else "label" if target.labels else "class"
    if target.kind == "class" and count < 2:
        of = f"one class, `{target.classes[0]}`" if target.classes else "no class"
        message = f"`{target.name}` has {of}, and so there is nothing to tell apart"
        return Diagnostic("one-class", message, span, help="predict another column, or add samples of another class")
    if target.kind == "labels" and not count:
        return Diagnostic("one-class", f"`{target.name}` has no tag in any row", span, help="predict another column")
    if count > MAX_CLASSES:
        message = f"`{target.name}` has more than {MAX_CLASSES:,} different {what}{'es' if what == 'class' else 's'}"
        cure = "take rare ones together" + (", or check what separates them" if target.separator else "")
        return Diagnostic("too-many-classes", f"{message}, and a network has an output for each", span, help=cure)
    return None


def _task(target: Target, *, series: bool) -> Task:
    if target.kind == "input":
        return "reconstruction"
    if series:
        return "class_series" if target.kind == "class" else "series"
    return target.kind
