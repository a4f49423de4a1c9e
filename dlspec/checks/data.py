"""Rules about the data and their parts."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.checks.base import Checked, rule
from dlspec.diagnostics import Diagnostic


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
