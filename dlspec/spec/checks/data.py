"""Rules about the data and their parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dlspec.data.in_memory import needs_memory
from dlspec.data.signature import Signature
from dlspec.data.source_of import unlabeled_source
from dlspec.data.split import Window
from dlspec.language.diagnostics import Diagnostic, Severity
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.words import did_you_mean
from dlspec.spec.checks.base import Checked, rule, severity_of
from dlspec.spec.spec import Spec


@rule
def labels_can_be_kept(checked: Checked) -> Iterator[Diagnostic]:
    """`labels` keeps some of those that the training part has, where the target has any."""
    spec, signature, rows = checked.spec, checked.signature, checked.rows
    if signature is None or not spec.has("data") or spec.data.labels is None:
        return
    split = spec.data.split
    training = split.sizes(rows, signature.test_rows, signature.validation_rows)[0] if rows else None
    if split.column is not None or split.group is not None:  # shares are as the column or the groups have it
        training = None
    if signature.target.kind == "input":
        yield Diagnostic(
            "no-labels-needed",
            "`labels` hides the rest of the labels, and a network that gives back its input needs none",
            spec.key_span("data", "labels"),
            help="remove `labels`, or write `limit` to train on fewer samples",
        )
    elif isinstance(spec.data.labels, int) and training and spec.data.labels > training + 2:  # rounding
        yield Diagnostic(
            "labels-out-of-range",
            f"`labels` asks for {spec.data.labels}, and the training part has {training}",
            spec.span("data", "labels"),
            help="write fewer, or leave `labels` out",
        )


@rule
def rows_may_stay_in_files(checked: Checked) -> Iterator[Diagnostic]:
    """What looks at all rows together cannot be done row by row, and some data are read whole."""
    spec, signature = checked.spec, checked.signature
    if not spec.has("data") or spec.data.cache != "none":
        return
    data = spec.data
    whole = next((key for key in ("dataset", "text") if getattr(data, key) is not None), None)
    if whole or isinstance(data.arrays, str):
        yield Diagnostic(
            "needs-memory",
            f"{f'`{whole}`' if whole else 'an `.npz` file'} is read whole, and `cache: none` keeps nothing in memory",
            spec.span("data", "cache"),
            help="remove `cache`" if whole else "remove `cache`, or write `.npy` files: `arrays: {x: …, y: …}`",
        )
    of_rows = data.table is not None or data.series is not None
    reason = needs_memory(spec.data, signature) if signature is not None and of_rows else None
    if reason is not None:
        yield Diagnostic(
            "needs-memory",
            f"{reason[1]} needs all rows in memory, and `cache: none` keeps none there",
            spec.span("data", "cache"),
            help="write `cache: memory`, or leave it out",
        )


@rule
def channels_have_scales(checked: Checked) -> Iterator[Diagnostic]:
    """Columns have a scale each as it is; of samples that are arrays, the last axis may have."""
    spec, signature = checked.spec, checked.signature
    if signature is None or not spec.has("data") or spec.data.scale_by is None:
        return
    arrays = any(column.shape for column in signature.features)
    if signature.window is not None or (signature.types and not arrays):
        message = "`scale_by` is of arrays, pictures and sound; each column of rows has its own scale"
    elif spec.data.scale == "none":
        message = "`scale_by` says what has a scale of its own, and `scale: none` leaves all values as they are"
    else:
        return
    yield Diagnostic("wrong-value", message, spec.key_span("data", "scale_by"), help="remove `scale_by`")


@rule
def steps_have_a_future(checked: Checked) -> Iterator[Diagnostic]:
    """What gives back its input predicts no timestep behind it, a number lies in the future, and a class is one."""
    spec, signature = checked.spec, checked.signature
    if signature is None or signature.window is None:
        return
    window, kind = signature.window, signature.target.kind
    yield from _each_is_one_column(checked.spec, signature, window)
    if window.steps > 1 and kind == "input":
        yield Diagnostic(
            "wrong-value",
            "`steps` is of what is predicted, and a network that gives back its input predicts nothing",
            spec.key_span("data", "window", "steps"),
            help="remove `steps`",
        )
    if window.steps > 1 and kind == "class" and not window.each:
        yield Diagnostic(
            "wrong-value",
            f"`steps` is of numbers, and `{signature.target.name}` is a class",
            spec.key_span("data", "window", "steps"),
            help="remove `steps`, and say by `horizon` how far ahead it is predicted",
        )
    if window.horizon == 0 and kind == "number" and not window.each:
        yield Diagnostic(
            "wrong-value",
            f"`horizon: 0` asks what is now, and `{signature.target.name}` is a number, which is forecast",
            spec.span("data", "window", "horizon"),
            help="write `horizon: 1`",
        )
    description = checked.description
    others = [description.column(name) for name in signature.others] if description is not None else []
    beside = any(column is not None and column.kind == "number" for column in others)
    if kind == "class" and spec.data.predict not in (None, "level") and not beside:
        yield Diagnostic(
            "wrong-value",
            f"`predict: {spec.data.predict}` is of numbers, and `{signature.target.name}` is a class",
            spec.span("data", "predict"),
            help="remove `predict`",
        )


def _each_is_one_column(spec: Spec, signature: Signature, window: Window) -> Iterator[Diagnostic]:
    """At every timestep one column is predicted, as it is and one timestep of it."""
    if not window.each:
        return
    place, target = spec.span("data", "window", "target"), signature.target
    if target.kind == "input" or not target.places:
        what = "a network that gives back its input" if target.kind == "input" else "several columns"
        message = f"`target: each` predicts one column at every timestep, and not {what}"
        yield Diagnostic("wrong-value", message, place, help="name one column as `target` of `data`, or remove it here")
        return
    if window.steps > 1:
        message = "`steps` is of windows with one answer, and `target: each` gives one at every timestep"
        yield Diagnostic("wrong-value", message, spec.key_span("data", "window", "steps"), help="remove `steps`")
    if target.kind == "number" and spec.data.predict not in (None, "level"):
        message = f"`predict: {spec.data.predict}` is of the last timestep, and `target: each` predicts at every one"
        yield Diagnostic("wrong-value", message, spec.span("data", "predict"), help="remove `predict`")
    if window.horizon == 0 and target.name in [feature.name for feature in signature.features]:
        yield Diagnostic(
            "sees-the-answer",
            f"`{target.name}` is among the features, and with `horizon: 0` it is the answer at every timestep",
            spec.span("data", "features") if spec.is_written("data", "features") else place,
            help=f"take `{target.name}` out of `features`, or write `horizon: 1` or more",
        )


@rule
def windows_fit_into_parts(checked: Checked) -> Iterator[Diagnostic]:
    """Each part of a series must hold a window and its target; of a long file the rows are only about known."""
    spec, rows = checked.spec, checked.rows
    if checked.signature is None or checked.signature.window is None or not rows:
        return
    window, split, signature = checked.signature.window, spec.data.split, checked.signature
    ahead = 0 if signature.target.kind == "input" else window.reach
    whole = window.span(window.length + (spec.data.predict not in (None, "level"))) + ahead
    for name, size in zip(
        ("training", "validation", "test"),
        split.sizes(rows, signature.test_rows, signature.validation_rows),
        strict=True,
    ):
        reaches_back = name != "training" and ahead > 0 and not window.each  # what is seen may lie before the part
        needed = ahead if reaches_back else whole
        if size > 0 and needed > 1.1 * size + 1:
            takes = (
                f"forecasts go {ahead} timesteps ahead" if reaches_back else f"one window with its target takes {whole}"
            )
            yield Diagnostic(
                "too-few-rows",
                f"the {name} part has about {size} of {rows} rows, and {takes}",
                spec.key_span("data", "window"),
                Severity.WARNING,
                help="write a smaller `length`, or a larger share under `split`",
            )
            return


@rule
def unlabeled_samples_are_alike(checked: Checked) -> Iterator[Diagnostic]:
    """Another source has the features of the first, in the same form, and pretraining to see them."""
    spec, signature = checked.spec, checked.signature
    if not spec.has("data") or spec.data.unlabeled is None:
        return
    entries = spec.pretraining
    if spec.has("pretrain") and all(entry.method.needs_labels for entry in entries):
        why = f"`{entries[-1].method.type_name}` needs labels" if entries else "this spec has none"
        yield Diagnostic(
            "unused-unlabeled",
            f"only pretraining sees `unlabeled` samples, and {why}",
            spec.key_span("data", "unlabeled"),
            Severity.WARNING,
            help="write `method: autoencoder`, or remove `unlabeled`"
            if entries
            else "add `pretrain: {method: autoencoder}`, or remove `unlabeled`",
        )
    source = unlabeled_source(spec.data)
    try:
        description = source.describe() if source else None
    except DataError as error:
        yield from (
            replace(d, severity=severity_of(d.code), notes=("its columns were not checked",)) for d in error.diagnostics
        )
        return
    if signature is None or description is None:
        return
    span = spec.key_span("data", "unlabeled")
    series = description.layout == "series"
    if series != (signature.window is not None):
        yield Diagnostic(
            "unlabeled-mismatch",
            f"rows of `unlabeled` are {'timesteps' if series else 'samples'}, and those of the data are not",
            span,
            help=f"write `{'table' if series else 'series'}` in place of it",
        )
        return
    if signature.group and series and signature.group not in description.names:
        yield Diagnostic(
            "unknown-column",
            f"the unlabeled data have no column `{signature.group}`, which separates several series",
            span,
            help=did_you_mean(signature.group, description.names),
        )
    for feature in signature.features:
        column = description.column(feature.name)
        if column is None:
            yield Diagnostic(
                "unknown-column",
                f"the unlabeled data have no column `{feature.name}`",
                span,
                help=did_you_mean(feature.name, description.names),
            )
        elif column.shape != feature.shape or column.kind != feature.kind:
            yield Diagnostic(
                "unlabeled-mismatch",
                f"`{feature.name}` is of another form in the unlabeled data",
                span,
                help="name a source whose columns are as those of the data",
            )
