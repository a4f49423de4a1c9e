"""Rules about what the network puts out, and the loss that it is trained by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dlspec.language.diagnostics import Diagnostic, Label, Severity
from dlspec.language.shapes import show_shape
from dlspec.model.layers.core import Output
from dlspec.model.section import Broken
from dlspec.spec.checks.base import Checked, rule
from dlspec.spec.checks.networks import is_constant
from dlspec.spec.spec import Spec

PROBABILITIES = {"sigmoid": ("sigmoid", "hard_sigmoid"), "softmax": ("softmax", "sparsemax")}
"""Activation that a target needs -> those that give what it needs."""


@rule
def output_fits_target(checked: Checked) -> Iterator[Diagnostic]:
    """What the last layer gives must be what the target needs: as many units, and for classes probabilities."""
    spec, signature, graph = checked.spec, checked.signature, checked.graph
    if signature is None or not spec.has("model") or spec.model.outputs:  # an output by name takes what it needs
        return
    last = graph[graph.outputs[0]]
    if isinstance(last.layer, Broken) or last.output_shape is None:
        return
    if spec.unrolls and signature.target.kind != "input":  # which another rule says
        return
    if spec.document.recovered:  # the last layer may stand in a line that could not be read
        return
    if any(isinstance(layer.layer, Output) for layer in graph.layers if layer is not last):  # moving it mends this too
        return
    target = signature.target
    span = spec.key_span(*last.path, last.type_name)
    needs = {
        "number": "one number" if target.units == 1 else f"{target.units} numbers",
        "class": f"{len(target.classes)} classes",
        "labels": f"{target.units} labels",
        "input": f"given back, {target.units} values",
    }[target.kind]
    shaped = target.kind == "input" and last.output_shape == (None, *target.shape)
    if not shaped and last.output_shape != (None, target.units) and None not in last.output_shape[1:]:
        is_output = isinstance(last.layer, Output)
        yield Diagnostic(
            "output-mismatch",
            f"the network ends in {show_shape(last.output_shape)}, and `{target.name}` ({needs}) needs "
            f"{show_shape((None, target.units))}",
            span,
            help="remove `units`: `output` takes what the target needs"
            if is_output
            else "make `output` the last layer; it takes the shape that the target needs"
            + (", or write `then: unroll` under `pretrain`" if target.kind == "input" else ""),
        )
        return
    activation = getattr(last.layer, "activation", None)
    if target.kind in ("class", "labels") and activation not in PROBABILITIES[target.activation]:
        one = target.units == 1
        whole = "" if one or target.kind == "labels" else " that add up to 1"
        yield Diagnostic(
            "one-unit-softmax" if one and activation in PROBABILITIES["softmax"] else "output-mismatch",
            f"`{activation}` over one unit is always 1"
            if one and activation in PROBABILITIES["softmax"]
            else f"{needs} need probabilities{whole}, and the network ends in `{activation or last.layer.type_name}`",
            span,
            help=f"write `activation: {target.activation}`, or make the last layer `output`",
        )


@rule
def loss_fits_target(checked: Checked) -> Iterator[Diagnostic]:
    """A loss for numbers cannot train a classifier's labels, nor the other way round."""
    spec, signature = checked.spec, checked.signature
    if signature is None or not spec.has("train") or spec.train.loss is None:
        return
    target, loss = signature.target, spec.train.loss
    if not loss.fits(target):
        kinds = {"number": "a number", "binary": "two classes or labels", "class": "several classes"}
        fitting = " or ".join(kinds[sort] for sort in loss.of)
        yield Diagnostic(
            "loss-mismatch",
            f"`{loss.type_name}` is for {fitting}, and `{target.name}` is "
            + {"input": "any number", "labels": "labels"}.get(target.kind, kinds[target.loss_of]),
            spec.span("train", "loss"),
            help=f"write `loss: {target.default_loss}`, or leave `loss` out",
        )


@rule
def output_comes_last(checked: Checked) -> Iterator[Diagnostic]:
    """`output` ends the network."""
    spec, graph = checked.spec, checked.graph
    consumers = graph.consumers
    for layer in graph.layers:
        if isinstance(layer.layer, Output) and (consumers[layer.name] or layer.name not in graph.outputs):
            yield Diagnostic(
                "output-not-last",
                "`output` stands before other layers",
                spec.key_span(*layer.path, "output"),
                help="make it the last entry of `model`",
            )


@rule
def reconstruction_stays_inside(checked: Checked) -> Iterator[Diagnostic]:
    """Cross-entropy compares probabilities, so what the network puts out must be some."""
    spec, signature, graph = checked.spec, checked.signature, checked.graph
    if signature is None or not spec.has("train") or spec.train.loss is None or not spec.has("model"):
        return
    last, loss = graph[graph.outputs[0]], spec.train.loss
    target = signature.target
    if target.kind != "input" or "binary" not in loss.of or "number" in loss.of:
        return
    if last.output_shape not in ((None, *target.shape), (None, target.units)):  # which another rule says
        return
    if getattr(loss, "from_logits", False) or isinstance(last.layer, Broken) or graph.inside(False)[last.name]:
        return
    given = spec.is_written("train", "loss")
    yield Diagnostic(
        "output-mismatch",
        f"`{loss.type_name}` compares probabilities, and the network ends in a `{last.type_name}` that puts out any "
        "number",
        spec.key_span(*last.path, last.type_name),
        labels=(Label(spec.span("train", "loss"), "compared by this"),) if given else (),
        help="write `activation: sigmoid` there, or `loss: mse` under `train`",
    )


BOUNDED = {"sigmoid": (0, 1), "hard_sigmoid": (0, 1), "softmax": (0, 1), "tanh": (-1, 1), "softsign": (-1, 1)}
ONE_SIDED = ("relu", "relu6", "softplus", "exponential", "squareplus")


@rule
def numbers_can_be_reached(checked: Checked) -> Iterator[Diagnostic]:
    """A number that is predicted may take any value once it is scaled, and not every activation reaches them."""
    spec, signature, graph = checked.spec, checked.signature, checked.graph
    if signature is None or not spec.has("model") or signature.target.kind != "number":
        return
    last = graph[graph.outputs[0]]
    if is_constant(last) or spec.data.scale == "min_max":  # the target lies in [0, 1] then, which all of them reach
        return
    activation = getattr(last.layer, "activation", None)
    low, high = BOUNDED.get(activation, (None, None)) if isinstance(activation, str) else (None, None)
    if low is None and activation not in ONE_SIDED:
        return
    reached = f"lies between {low} and {high}" if low is not None else "is never negative"
    loss = spec.train.loss if spec.has("train") else None
    if low is None and loss is not None and loss.positive:  # the target is never negative either
        return
    yield Diagnostic(
        "bounded-output",
        f"`{activation}` {reached}, and the scaled `{signature.target.name}` does not",
        spec.span(*last.path, last.type_name, "activation"),
        Severity.WARNING,
        help="leave `activation` out: a number is put out as it is",
    )


def several_outputs(spec: Spec) -> Iterator[Diagnostic]:
    """What stands in the way of training a network of several outputs."""
    if spec.has("model") and spec.model.outputs is not None and len(spec.model.outputs) > 1:
        yield Diagnostic(
            "several-outputs",
            "`run` trains networks of one output in this version",
            spec.key_span("model", "outputs"),
            help="`dlspec.build` gives the network as a Keras model; to run it here, keep one output",
        )


@rule
def one_output_can_be_trained(checked: Checked) -> Iterator[Diagnostic]:
    """A network of several outputs is checked, planned and built, and cannot be run yet."""
    for problem in several_outputs(checked.spec):
        yield replace(problem, severity=Severity.WARNING)
