"""Rules about the data and their parts."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.checks.base import Checked, rule
from dlspec.diagnostics import Diagnostic, Severity


@rule
def split_leaves_data(checked: Checked) -> Iterator[Diagnostic]:
    """Validation and test together must leave something to train on; stopping early needs validation."""
    spec = checked.spec
    if not spec.has("data"):
        return
    split = spec.data.split
    if split.validation + split.test >= 1:
        yield Diagnostic(
            "split-too-large",
            f"validation {split.validation:g} and test {split.test:g} leave nothing to train on",
            spec.span("data", "split"),
            help="write shares that add up to less than 1, such as `{validation: 0.15, test: 0.15}`",
        )
    stopping = spec.train.early_stopping
    if spec.has("train") and stopping and stopping.monitor == "val_loss" and split.validation == 0:
        yield Diagnostic(
            "nothing-to-monitor",
            "`early_stopping` watches the validation loss, and `split` keeps no validation part",
            spec.key_span("train", "early_stopping"),
            help="write `split: {validation: 0.15, …}` under `data`, or `monitor: loss`",
        )


@rule
def windows_fit_into_parts(checked: Checked) -> Iterator[Diagnostic]:
    """Each part of a series must hold a window and its target; of a long file the rows are only about known."""
    spec, rows = checked.spec, checked.rows
    if checked.signature is None or checked.signature.window is None or not rows:
        return
    window, split = checked.signature.window, spec.data.split
    needed = window.length + (spec.data.predict not in (None, "level")) + window.horizon
    shares = {"training": 1 - split.validation - split.test, "validation": split.validation, "test": split.test}
    for name, share in shares.items():
        if share > 0 and needed > 1.1 * share * rows + 1:
            yield Diagnostic(
                "too-few-rows",
                f"the {name} part has about {round(share * rows)} of {rows} rows, and one window with its target takes "
                f"{needed}",
                spec.key_span("data", "window"),
                Severity.WARNING,
                help="write a smaller `length`, or a larger share under `split`",
            )
            return


@rule
def series_keep_their_order(checked: Checked) -> Iterator[Diagnostic]:
    """A series split at random is trained on the days around those that it is tested on."""
    spec, signature = checked.spec, checked.signature
    if signature is None or spec.data.split.by is None:
        return
    needed = "time" if signature.task == "series" else "random"
    if spec.data.split.by == needed:
        return
    if needed == "time":
        message = "a series split at random is tested on what stands between its training samples"
    else:
        message = "these data have no order in time to split by"
    yield Diagnostic(
        "wrong-split", message, spec.span("data", "split", "by"), help=f"write `by: {needed}`, or leave it out"
    )
