"""Rules about the layers of the network and how they hang together."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.language.diagnostics import Diagnostic, Label, Severity
from dlspec.language.words import one_of
from dlspec.model.graph import GraphLayer
from dlspec.model.layers.activations import Activating
from dlspec.model.layers.core import Output
from dlspec.model.layers.recurrent import GRU, LSTM
from dlspec.model.layers.regularization import Regularizing
from dlspec.model.masks import masks_of
from dlspec.model.section import Broken
from dlspec.spec.checks.base import Checked, rule


@rule
def every_layer_is_used(checked: Checked) -> Iterator[Diagnostic]:
    """A layer that no output depends on is left out by Keras; an input that none depends on is not looked at."""
    spec, graph = checked.spec, checked.graph
    if not spec.has("model") or any(isinstance(layer.layer, Broken) for layer in graph.layers):
        return
    for layer in graph.layers:
        if layer.name not in graph.reached:
            above = graph.layers[layer.index + 1] if layer.index + 1 < len(graph.layers) else None
            yield Diagnostic(
                "unused-layer",
                f"nothing uses what `{layer.name}` puts out",
                spec.key_span(*layer.path, layer.type_name),
                Severity.WARNING,
                help=f"name it in a `from` further down, or remove it{_why(above)}",
            )
    for given in graph.inputs:
        if given.name not in graph.reached and len(graph.inputs) > 1 and not any("" in x.inputs for x in graph.layers):
            yield Diagnostic(
                "unused-input",
                f"nothing uses the input `{given.name}`",
                spec.key_span("model", "inputs", given.name),
                Severity.WARNING,
                help=f"write `from: {given.name}` in a layer, or remove the input",
            )


def _why(above: GraphLayer | None) -> str:
    if above is None or above.written.from_ is None:
        return ""
    return f"; `{above.name}` below it takes {one_of(above.written.from_)} instead"


FAST_KERNEL = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "recurrent_dropout": 0,
    "unroll": False,
    "use_bias": True,
    "reset_after": True,
}
"""Settings of LSTM and GRU with which a GPU runs the whole sequence in one fast kernel (cuDNN)."""


@rule
def fast_kernel_is_kept(checked: Checked) -> Iterator[Diagnostic]:
    """On a GPU, LSTM and GRU run many times faster with the settings that the fused kernel has."""
    spec, graph = checked.spec, checked.graph
    if not spec.has("model") or (spec.has("runtime") and spec.runtime.device == "cpu"):
        return
    for layer in graph.layers:
        for inner, path in _recurrent(layer):
            for key, wanted in FAST_KERNEL.items():
                value = getattr(inner, key, wanted)
                if value != wanted:
                    shown = str(value).lower() if isinstance(value, bool) else value
                    yield Diagnostic(
                        "slow-on-gpu",
                        f"with `{key}: {shown}`, `{inner.type_name}` leaves the fast kernel of a GPU",
                        spec.span(*path, inner.type_name, key),
                        Severity.WARNING,
                        help=f"write `{key}: {str(wanted).lower()}`"
                        + (", and `dropout` for what comes in" if key == "recurrent_dropout" else "")
                        + "; on a CPU alone it is all the same: `runtime: {device: cpu}`",
                    )


def _recurrent(layer: GraphLayer) -> Iterator[tuple[LSTM | GRU, tuple[str | int, ...]]]:
    """The LSTM or GRU that the layer is, or wraps, and where it stands."""
    if layer.shares is None and isinstance(layer.layer, LSTM | GRU):
        yield layer.layer, layer.path
    wrapped = getattr(layer.layer, "layer", None)
    if layer.shares is None and isinstance(wrapped, LSTM | GRU):
        yield wrapped, (*layer.path, layer.type_name)


@rule
def something_learns(checked: Checked) -> Iterator[Diagnostic]:
    """A network without trainable weights cannot be trained."""
    spec, graph = checked.spec, checked.graph
    if not spec.has("model") or not graph.complete or any(isinstance(x.layer, Broken) for x in graph.layers):
        return
    weighted = [layer for layer in graph.layers if layer.layer.has_weights]
    if any(layer.layer.trainable for layer in weighted) or any(
        isinstance(layer.layer, Output) and layer.layer.fitted for layer in graph.layers
    ):  # the second of which another rule says
        return
    span = spec.key_span("model")
    places = dict.fromkeys(spec.span(*layer.path, layer.type_name, "trainable") for layer in weighted)
    labels = tuple(Label(place, "kept as it is") for place in places)
    yield Diagnostic(
        "nothing-to-train",
        "no layer of the network has weights that are trained",
        span,
        labels=labels,
        help="remove `trainable: false` from a layer" if weighted else "add a layer with weights, such as `output`",
    )


@rule
def nothing_spoils_the_output(checked: Checked) -> Iterator[Diagnostic]:
    """Dropout behind the output, or two activations in a row, is hardly ever meant."""
    spec, graph = checked.spec, checked.graph
    if not spec.has("model"):
        return
    classes = checked.signature and checked.signature.target.kind in ("number", "class", "labels")
    units = checked.signature.target.units if checked.signature and classes else None
    for layer in graph.layers:
        below = graph.by_name.get(layer.inputs[0]) if layer.inputs else None
        ends = layer.name in graph.outputs and (units is None or layer.output_shape in (None, (None, units)))
        if isinstance(layer.layer, Regularizing) and ends:  # else it is told that the output is missing
            yield Diagnostic(
                "dropout-at-output",
                f"`{layer.type_name}` as the last layer spoils the answer while training",
                spec.key_span(*layer.path, layer.type_name),
                Severity.WARNING,
                help="put it above the layer that makes the output",
            )
        activation = getattr(below.layer, "activation", None) if below else None
        if (
            isinstance(layer.layer, Activating)
            and below is not None
            and not isinstance(below.layer, Output)
            and activation not in (None, "linear")
            and getattr(layer.layer, "activation", None) != "linear"  # which changes nothing
        ):
            yield Diagnostic(
                "two-activations",
                f"`{below.name}` has the activation `{activation}` already",
                spec.key_span(*layer.path, layer.type_name),
                Severity.WARNING,
                labels=(Label(spec.span(*below.path, below.type_name, "activation"), "applied before"),),
                help=f"remove it, or leave `activation` out of `{below.name}`",
            )


BETWEEN = ("softmax", "log_softmax", "sparsemax")


@rule
def masks_can_be_taken(checked: Checked) -> Iterator[Diagnostic]:
    """An operation that would mix what a mask covers with what is there is no operation on masked samples."""
    for problem in masks_of(checked.graph).problems:
        layer, maker = problem.layer, problem.maker
        yield Diagnostic(
            "masked-axis",
            problem.error.message,
            checked.spec.key_span(*layer.path, layer.type_name),
            help=problem.error.help,
            labels=(Label(checked.spec.key_span(*maker.path, maker.type_name), "makes the mask"),),
        )


@rule
def masks_are_not_dropped(checked: Checked) -> Iterator[Diagnostic]:
    """Most layers hand a mask on or leave out what is masked; behind one that does neither, padding counts."""
    reads = checked.signature is not None and checked.signature.target.aligned
    for layer, maker in masks_of(checked.graph).dropped:
        yield Diagnostic(
            "dropped-mask",
            f"`{layer.layer.type_name}` drops the mask of its input, so that from here on padding counts as data",
            checked.spec.key_span(*layer.path, layer.type_name),
            Severity.WARNING,
            help=f"take layers that hand the mask on, such as `lstm`, in place of `{layer.layer.type_name}`, or leave "
            f"`{maker.name}` out: then the network learns to say the blank where nothing is"
            if reads
            else f"end in a layer that leaves out what is masked, such as `mean: 1` or `lstm`, above "
            f"`{layer.layer.type_name}`",
            labels=(Label(checked.spec.key_span(*maker.path, maker.type_name), "makes the mask"),),
        )


@rule
def softmax_is_over_several(checked: Checked) -> Iterator[Diagnostic]:
    """Over one unit it is 1 whatever comes in, and nothing is learned through it. Where the network is to end in a
    probability, another rule says so."""
    spec, graph, signature = checked.spec, checked.graph, checked.signature
    if not spec.has("model"):
        return
    ends = signature is not None and signature.target.kind in ("class", "labels")
    for layer in graph.layers:
        if is_constant(layer) and not (ends and layer.name in graph.outputs):
            yield Diagnostic(
                "one-unit-softmax",
                f"`{getattr(layer.layer, 'activation', None)}` over one unit is always 1",
                spec.span(*layer.path, layer.type_name, "activation"),
                help="leave `activation` out, or write `activation: sigmoid`",
            )


def is_constant(layer: GraphLayer) -> bool:
    """Whether a layer puts out ones alone."""
    activation, shape = getattr(layer.layer, "activation", None), layer.output_shape
    return activation in ("softmax", "sparsemax") and shape is not None and shape[-1] == 1 and layer.shares is None


@rule
def hidden_units_do_not_compete(checked: Checked) -> Iterator[Diagnostic]:
    """A softmax below the output makes hidden units add up to one, which is hardly ever meant outside of attention."""
    spec, graph = checked.spec, checked.graph
    if not spec.has("model"):
        return
    for layer in graph.hidden:
        activation = getattr(layer.layer, "activation", None)
        above = graph.consumers[layer.name]
        weighted_above = any(graph[name].layer.has_weights for name in above)
        if activation in BETWEEN and weighted_above and not is_constant(layer):
            yield Diagnostic(
                "hidden-softmax",
                f"`{activation}` below the output makes the units of `{layer.name}` add up to 1",
                spec.span(*layer.path, layer.type_name, "activation"),
                Severity.WARNING,
                help="write `activation: relu` or `tanh` in hidden layers",
            )
