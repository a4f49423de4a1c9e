"""Several devices, each with a part of every batch."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.language.diagnostics import Diagnostic, Label
from dlspec.model.layers.imaging import moves_pixels
from dlspec.spec.checks.base import Checked, rule
from dlspec.spec.checks.pretraining import entries_to_check


@rule
def batches_can_be_parted(checked: Checked) -> Iterator[Diagnostic]:
    """The loss of a batch must be the mean over its samples, and nothing else may be of a batch as a whole."""
    spec = checked.spec
    if not spec.has("runtime") or spec.runtime.distribute is None:
        return
    place, loss = spec.key_span("runtime", "distribute"), spec.train.loss
    if spec.runtime.xla == "on":
        yield Diagnostic(
            "wrong-value",
            "what runs on several devices is not compiled by XLA",
            spec.span("runtime", "xla"),
            labels=(Label(place, "several devices"),),
            help="remove `xla`, or `distribute`",
        )
    if loss is not None and loss.of_batch:
        yield Diagnostic(
            "wrong-value",
            f"`{loss.type_name}` is of a batch as a whole, which several devices do not see",
            spec.span(*spec.place_of_loss),
            labels=(Label(place, "each has a part of the batch"),),
            help="choose a loss that is the mean over the samples, or remove `distribute`",
        )
    if checked.signature is not None and checked.signature.target.written:
        yield Diagnostic(
            "wrong-value",
            f"texts of `{checked.signature.target.name}` are read on one device, and not on parts of a batch"
            if checked.signature.target.aligned
            else f"texts of `{checked.signature.target.name}` are of unequal lengths, by which a batch would have to "
            "be parted among several devices",
            place,
            help="remove `distribute`: one device trains on them",
        )
        return
    moves = any(moves_pixels(layer.layer) for layer in checked.graph.layers)
    signature = checked.signature
    numbered = signature is not None and signature.target.numbered and not signature.others
    if signature is not None and (numbered or (signature.target.places and moves)):
        yield Diagnostic(
            "wrong-value",
            f"on each of several devices other pixels of `{signature.target.name}` count, and by how many do a "
            "batch would have to be parted",
            place,
            help="remove `distribute`: one device trains on masks",
        )
    for entry in entries_to_check(checked):
        if getattr(entry.method, "persistent", False):
            yield Diagnostic(
                "wrong-value",
                "`persistent` chains go on from batch to batch, and several devices have parts of each",
                spec.span(*entry.path, "persistent"),
                labels=(Label(place, "several devices"),),
                help="remove `persistent`, or `distribute`",
            )
