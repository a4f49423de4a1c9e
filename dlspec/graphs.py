"""Spec -> Graph: the layers in order with their shapes, parameters and FLOPs. No Keras."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from dlspec.diagnostics import Diagnostic, Label
from dlspec.layers import LayerSpec, Shape, ShapeError, show_shape
from dlspec.layers.core import Output
from dlspec.signature import Signature
from dlspec.source import to_inline_yaml
from dlspec.spec import Spec


@dataclass(frozen=True)
class GraphLayer:
    """A layer with its place in the network.

    Args:
        name: as given, or its type and a number: `lstm_1`.
        index: its place in `model`.
        input_shape, output_shape: batch first; None where nothing is known, because of a mistake above it.
        parameters: how many numbers it holds.
        flops: operations of one sample forward, a multiply-add being two.
    """

    name: str
    index: int
    layer: LayerSpec
    input_shape: Shape | None
    output_shape: Shape | None
    parameters: int = 0
    flops: int = 0


@dataclass(frozen=True)
class Graph:
    """A network with shapes."""

    input_shape: Shape | None
    layers: tuple[GraphLayer, ...]

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def flops(self) -> int:
        """Of one sample forward."""
        return sum(layer.flops for layer in self.layers)

    @property
    def hidden(self) -> list[GraphLayer]:
        """Layers with weights below the output, which is the last of them; normalizations belong to others."""
        return [layer for layer in self.layers if layer.layer.weighted and not layer.layer.follows_code][:-1]

    @property
    def output_shape(self) -> Shape | None:
        return self.layers[-1].output_shape

    def __getitem__(self, name: str) -> GraphLayer:
        return next(layer for layer in self.layers if layer.name == name)


def make_graph(spec: Spec, signature: Signature | None) -> tuple[Graph, list[Diagnostic]]:
    """Walks the layers from the input up.

    A layer that cannot take its input is reported once; what follows goes on with what is known of its output.
    """
    problems: list[Diagnostic] = []
    input_shape = shape = signature.input_shape if signature else None
    placed: list[GraphLayer] = []
    for index, (layer, name) in enumerate(zip(spec.model, layer_names(spec.model), strict=True)):
        if isinstance(layer, Output) and signature:
            layer = _resolve_output(layer, signature)
        before = shape
        try:
            shape = layer.infer(before)
        except ShapeError as error:
            problems.append(_explain(error, spec, index, layer, before, placed))
            before = None
            try:
                shape = layer.infer(None)
            except ShapeError:  # wrong whatever comes in
                shape = None
        sized = before is not None
        placed.append(
            GraphLayer(
                name,
                index,
                layer,
                before,
                shape,
                layer.parameters(before) if sized and before else 0,
                layer.flops(before) if sized and before else 0,
            )
        )
    return Graph(input_shape, tuple(placed)), problems


def layer_names(layers: list[LayerSpec]) -> list[str]:
    """The given names, and for the rest the type with a number that counts layers of that type."""
    taken = {layer.name for layer in layers if layer.name}
    counts: Counter[str] = Counter()
    names = []
    for layer in layers:
        if layer.name:
            names.append(layer.name)
            continue
        while True:
            sort = layer.counted_as
            counts[sort] += 1
            name = sort if sort == "output" and counts[sort] == 1 else f"{sort}_{counts[sort]}"
            if name not in taken:
                break
        names.append(name)
    return names


def _resolve_output(layer: Output, signature: Signature) -> Output:
    target = signature.target
    return layer.model_copy(
        update={"units": layer.units or target.units, "activation": layer.activation or target.activation}
    )


def _explain(
    error: ShapeError,
    spec: Spec,
    index: int,
    layer: LayerSpec,
    shape: Shape | None,
    placed: list[GraphLayer],
) -> Diagnostic:
    """Names the layer that cannot take its input, and the one above it that is to blame."""
    assert shape is not None, "without an input shape nothing can fail"
    kind = layer.kind
    span = spec.key_span("model", index, kind.type_name)
    wanted = len(kind.axes) + 1 if kind.axes is not None else len(shape)
    if wanted == len(shape):  # the axes are right and their sizes are not
        notes = () if placed else (f"the data give {show_shape(shape)}",)
        return Diagnostic("shape-mismatch", error.message, span, help=error.help, notes=notes)
    culprit = _culprit(placed, len(shape), wanted)
    if culprit is None:
        return Diagnostic(
            "shape-mismatch",
            error.message,
            span,
            help=_reshape_help(shape, wanted, kind.type_name),
            notes=(f"the data give {show_shape(shape)}",),
        )
    culprit_span = spec.key_span("model", culprit.index, culprit.layer.type_name)
    repaired = culprit.layer.with_axes(wanted)
    help: str | None
    if repaired is not None:
        help = f"write `{to_inline_yaml(repaired.brief())}` on line {culprit_span.line}"
    elif culprit.input_shape is not None and len(culprit.input_shape) == wanted:
        help = f"remove `{culprit.layer.type_name}` on line {culprit_span.line}"
    else:
        help = _reshape_help(shape, wanted, kind.type_name)
    why = culprit.layer.why_shape().format(shape=show_shape(culprit.output_shape))
    return Diagnostic("shape-mismatch", error.message, span, help=help, labels=(Label(culprit_span, why),))


def _culprit(placed: list[GraphLayer], axes: int, wanted: int) -> GraphLayer | None:
    """The nearest layer above that could give the wanted axes, else the one that made them what they are."""
    changed = None
    for above in reversed(placed):
        if above.output_shape is None or len(above.output_shape) != axes:
            break
        if above.layer.with_axes(wanted) is not None:
            return above
        if changed is None and (above.input_shape is None or len(above.input_shape) != axes):
            changed = above
        if above.layer.axes is not None:
            break  # it needs the axes that it gets, so nothing above it can change
    return changed


def _reshape_help(shape: Shape, wanted: int, name: str) -> str | None:
    sizes = [size for size in shape[1:] if size is not None]
    if wanted == 2:
        return f"put `flatten` above `{name}`"
    if wanted == len(shape) + 1 and len(sizes) == len(shape) - 1:
        added = [*sizes, 1]
        return f"put `reshape: {added}` above `{name}`"
    return None
