"""Rules about `sampling`, the layer that draws the code of a variational autoencoder, and the loss beside it."""

from __future__ import annotations

from collections.abc import Iterator

from dlspec.language.diagnostics import Diagnostic, Label, Severity
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers.sampling import Sampling, samplings
from dlspec.spec.checks.base import Checked, rule
from dlspec.spec.spec import Spec

ONE_SIDED = ("relu", "relu6", "sigmoid", "hard_sigmoid", "softplus", "exponential", "softmax", "squareplus")
"""Activations that are never negative, as the logarithm of a variance below one is."""
SUMS = ("squared_error", "cross_entropy")


@rule
def sampling_takes_a_mean_and_a_variance(checked: Checked) -> Iterator[Diagnostic]:
    """The mean and the logarithm of the variance come out of two layers, and the latter may be negative."""
    spec, graph = checked.spec, checked.graph
    if not spec.has("model"):
        return
    for layer in graph.layers:
        if not isinstance(layer.layer, Sampling) or len(layer.inputs) != 2:
            continue
        mean, log_var = layer.inputs
        if graph.origin(mean) == graph.origin(log_var):
            yield Diagnostic(
                "wrong-value",
                f"`{layer.name}` takes its mean and its variance from one layer, `{graph.origin(mean)}`",
                spec.span(*layer.path, layer.type_name, "from"),
                help="name two layers with weights of their own: `from: [mean, log_var]`",
            )
            continue
        yield from _never_negative(spec, graph, layer)


def _never_negative(spec: Spec, graph: Graph, layer: GraphLayer) -> Iterator[Diagnostic]:
    below = graph.by_name.get(graph.origin(layer.inputs[1]))
    activation = getattr(below.layer, "activation", None) if below is not None else None
    if below is None or activation not in ONE_SIDED:
        return
    yield Diagnostic(
        "bounded-variance",
        f"`{activation}` is never negative, so that no variance of `{layer.name}` comes below 1",
        spec.span(*below.path, below.type_name, "activation"),
        Severity.WARNING,
        labels=(Label(spec.span(*layer.path, layer.type_name, "from", 1), "taken for the logarithm of a variance"),),
        help="leave `activation` out of the layer that gives the logarithm of the variance",
    )


@rule
def divergence_stands_beside_a_sum(checked: Checked) -> Iterator[Diagnostic]:
    """The divergence is a sum over the code: beside a mean over the values of a sample it counts many times as much."""
    spec, graph, signature = checked.spec, checked.graph, checked.signature
    if signature is None or not spec.has("train") or not spec.has("model") or signature.target.kind != "input":
        return
    loss, values = spec.train.loss, signature.target.units
    drawn = [layer for layer in samplings(graph) if isinstance(layer.layer, Sampling) and layer.layer.kl > 0]
    if loss is None or loss.type_name in SUMS or values < 2 or not drawn or not loss.fits(signature.target):
        return
    first = drawn[0]
    assert isinstance(first.layer, Sampling), "others were left out"
    inside = "binary" in loss.of and signature.target.inside
    yield Diagnostic(
        "mean-beside-divergence",
        f"`{loss.type_name}` is a mean over the {values:,} values of a sample, and the divergence of `{first.name}` a "
        f"sum over its code: beside it the divergence counts {values:,} times as much as beside a sum",
        spec.span(*spec.place_of_loss),
        Severity.WARNING,
        labels=(Label(spec.key_span(*first.path, first.type_name), "adds the divergence"),),
        help=f"write `loss: {'cross_entropy' if inside else 'squared_error'}`, or `kl: {first.layer.kl / values:.3g}` "
        f"in `{first.name}`",
    )
