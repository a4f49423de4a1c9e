"""What is said of layers that cannot be laid where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlspec.language.diagnostics import Diagnostic, Label, Span
from dlspec.language.shapes import Path, Shape, ShapeError, show_shape
from dlspec.language.words import did_you_mean, one_of
from dlspec.language.yaml import to_inline_yaml
from dlspec.model.graph import GraphLayer
from dlspec.model.laid import Laid
from dlspec.model.layer_names import LayerNames
from dlspec.model.layers import LayerSpec, ModelItem, Wire
from dlspec.model.layers.base import Group
from dlspec.model.section import Broken, ModelSpec

ABOVE = frozenset({"previous", "prev", "last", "above", "before"})
"""What people write for the layer above."""


@dataclass(frozen=True)
class LayerMessages:
    """Diagnostics at their places in a section `model`."""

    model: ModelSpec
    laid: Laid
    names: LayerNames

    def at(self, path: Path, type_name: str) -> Span:
        """Where an item begins."""
        return self.model.key_span(*path[1:], type_name)

    def value_at(self, path: Path, *below: str | int) -> Span:
        """Where a value below an item stands."""
        return self.model.span(*path[1:], *below)

    def unknown_name(self, name: str, span: Span) -> Diagnostic:
        """`from` or `shared` names what is not there, or not yet."""
        if name in self.names or name in self.laid:
            return Diagnostic(
                "unknown-layer-name",
                f"`{name}` stands below, and a layer takes its input from layers above it",
                span,
                help="move it above this layer",
            )
        known = self.laid.known
        help = did_you_mean(name, known, otherwise=f"the last ones are {one_of(list(known)[-6:])}")
        if name in ABOVE:
            help = "leave `from` out: a layer takes the one above it"
        return Diagnostic("unknown-layer-name", f"no layer above is named `{name}`", span, help=help)

    def follows_nothing(self, item: ModelItem, path: Path) -> Diagnostic:
        """It is the first of a network with several inputs, and names none of them."""
        inputs = list(self.laid.known)
        return Diagnostic(
            "missing-key",
            f"`{item.type_name}` follows no layer, and the network has {len(inputs)} inputs",
            self.at(path, item.type_name),
            help=f"add `from: {inputs[0]}`",
        )

    def takes_one_input(self, item: ModelItem, given: Sequence[str], path: Path) -> Diagnostic:
        """An item that is no layer names several."""
        return Diagnostic(
            "wrong-number-of-inputs",
            f"`{item.type_name}` takes one input, got {len(given)}",
            self.value_at(path, item.type_name, "from"),
            help=f"merge them first: `concatenate: {{from: [{', '.join(given)}]}}`",
        )

    def wrong_number(
        self, layer: LayerSpec, wires: Sequence[Wire], written: ModelItem, path: Path
    ) -> Diagnostic | None:
        """A layer gets fewer or more inputs than it takes; None: it does not."""
        least, most = layer.takes
        if least <= len(wires) <= (most or len(wires)) or (written is not layer and isinstance(written, Group)):
            return None
        if len(wires) < least:
            return Diagnostic(
                "wrong-number-of-inputs",
                f"`{layer.type_name}` needs at least {least} inputs, got {len(wires)}",
                self.at(path, written.type_name),
                help=f"name them: `{layer.type_name}: {{from: [{', '.join(list(self.laid.known)[-2:])}]}}`",
            )
        return Diagnostic(
            "wrong-number-of-inputs",
            f"`{layer.type_name}` takes {'one input' if most == 1 else f'{most} inputs at most'}, got {len(wires)}",
            self.value_at(path, written.type_name, "from"),
            help=f"merge them first: `concatenate: {{from: [{', '.join(wire.source for wire in wires)}]}}`"
            if most == 1
            else f"name {most} of them",
        )

    def wrong_state(self, layer: LayerSpec, source: GraphLayer | None, place: Span) -> Diagnostic | None:
        """A layer begins with the state of one that has none for it; None: it does not.

        Args:
            source: the layer; None: an input of the network.
            place: of `state_from`.
        """
        kind, units = layer.type_name, getattr(layer, "units", None)
        if source is None:
            message = f"`{layer.begins_with}` is an input of the network, and only a layer has a state"
            return Diagnostic("wrong-state", message, place, help=f"name a layer `{kind}` above")
        if isinstance(source.layer, Broken):
            return None
        label = Label(self.at(source.path, source.type_name), f"`{source.name}` stands here")
        if type(source.layer) is not type(layer):
            message = f"`{kind}` begins with the state of another `{kind}`, and `{source.name}` is `{source.type_name}`"
            inner = getattr(source.layer, "layer", None)
            help = f"name a layer `{kind}`, or write `{source.name}` as `{kind}`"
            if inner is not None and type(inner) is type(layer):
                help = f"write `{source.name}` as `{kind}` alone: inside another layer it has no state for others"
            return Diagnostic("wrong-state", message, place, labels=(label,), help=help)
        theirs = getattr(source.layer, "units", None)
        if theirs != units:
            message = f"the state of `{source.name}` has {theirs:,} units, and this layer {units:,}"
            return Diagnostic("wrong-state", message, place, labels=(label,), help=f"write `units: {theirs}` here")
        return None

    def state_again(self, first: GraphLayer, path: Path, written: ModelItem) -> Diagnostic | None:
        """A layer that begins with the state of another one is applied once more; None: it does not."""
        if first.layer.begins_with is None:
            return None
        return Diagnostic(
            "wrong-state",
            f"`{first.name}` begins with the state of `{first.layer.begins_with}`, and cannot be applied once more",
            self.value_at(path, written.type_name),
            labels=(Label(self.at(first.path, first.type_name), "begins with a state here"),),
            help="remove `state_from` there, or write another layer in place of `shared`",
        )

    def other_sizes(self, first: GraphLayer, again: GraphLayer) -> Diagnostic | None:
        """A layer that is used again would need other weights; None: it would not."""
        shape = again.input_shapes[0]
        fits = shape is None or again.layer.takes_again(shape)
        if fits and len({_weights(layer) for layer in (first, again)} - {None}) < 2:
            return None
        return Diagnostic(
            "shape-mismatch",
            f"`{first.name}` takes {show_shape(first.input_shape)}, and is given {show_shape(again.input_shape)} here",
            self.at(again.path, again.type_name),
            labels=(Label(self.at(first.path, first.type_name), "made for its input here"),),
            help="the same weights need inputs of the same size; write another layer instead of `shared`",
        )

    def no_mirror(self, layer: GraphLayer, place: Span) -> Diagnostic:
        """`unroll` cannot lead back through a layer.

        Args:
            place: where the spec asks for it.
        """
        why = "has no mirror" if len(layer.inputs) == 1 else f"takes {len(layer.inputs)} inputs"
        return Diagnostic(
            "cannot-unroll",
            f"`unroll` leads back through every layer, and `{layer.name}` {why}",
            self.at(layer.path, layer.type_name),
            labels=(Label(place, "unrolled because of this"),),
            help="write `then: fine_tune` with `target: input`, and the decoder as layers of the model",
        )

    def grows_too_far(self, most: int, written: ModelItem, path: Path) -> Diagnostic:
        """There are more layers than a network may have."""
        message = f"the network grows past {most:,} layers here"
        return Diagnostic("expands-too-far", message, self.at(path, written.type_name), help="write smaller `times`")

    def wrong_shape(
        self, error: ShapeError, layer: LayerSpec, wires: Sequence[Wire], path: Path, written: ModelItem
    ) -> Diagnostic:
        """Names the layer that cannot take its input, and the one above it that is to blame."""
        kind = layer.kind
        wires = wires if layer.begins_with is None else wires[:-1]
        span = self.at(path, written.type_name if not isinstance(layer, Broken) else kind.type_name)
        above = list(self.laid.above(wires[0]))
        shape = wires[0].shape
        data_note = () if above else (f"the data give {show_shape(shape)}",)
        if written is not layer and isinstance(written, Group):  # a merge that the item itself adds
            ends = error.help or "let every path end in the same shape; an empty path may need a layer such as `dense`"
            return Diagnostic("shape-mismatch", f"in `{written.type_name}`, {error.message}", span, help=ends)
        if shape is None or len(wires) > 1:
            labels = tuple(
                Label(self.at(at.path, at.type_name), f"gives {show_shape(at.output_shape)}")
                for wire in wires
                if (at := self.laid.layer_of(wire))
            )
            return Diagnostic("shape-mismatch", error.message, span, help=error.help, labels=labels)
        wanted = len(kind.axes) + 1 if kind.axes is not None else len(shape)
        if wanted == len(shape):  # the axes are right and their sizes are not
            return Diagnostic("shape-mismatch", error.message, span, help=error.help, notes=data_note)
        culprit = _culprit(above, len(shape), wanted)
        if culprit is None:
            cure = _reshape_help(shape, wanted, kind.type_name)
            return Diagnostic("shape-mismatch", error.message, span, help=cure, notes=data_note)
        culprit_span = self.at(culprit.path, culprit.type_name)
        repaired = culprit.layer.with_axes(wanted)
        if repaired is not None:
            cure = f"write `{to_inline_yaml(repaired.brief())}` on line {culprit_span.line}"
        elif (
            culprit.input_shape is not None
            and len(culprit.input_shape) == wanted
            and not (wanted == 2 and culprit.layer.has_weights)  # which was not written to be flattened away
        ):
            cure = f"remove `{culprit.layer.type_name}` on line {culprit_span.line}"
        else:
            cure = _reshape_help(shape, wanted, kind.type_name)
        why = culprit.layer.why_shape().format(shape=show_shape(culprit.output_shape))
        return Diagnostic("shape-mismatch", error.message, span, help=cure, labels=(Label(culprit_span, why),))


def _weights(layer: GraphLayer) -> int | None:
    shapes = [shape for shape in layer.input_shapes if shape is not None]
    return layer.layer.counts(*shapes)[0] if shapes and len(shapes) == len(layer.input_shapes) else None


def _culprit(above: Sequence[GraphLayer], axes: int, wanted: int) -> GraphLayer | None:
    """The nearest layer above that could give the wanted axes, else the one that made them what they are."""
    changed = None
    for layer in above:
        if layer.output_shape is None or len(layer.output_shape) != axes:
            break
        if layer.layer.with_axes(wanted) is not None:
            return layer
        if changed is None and (layer.input_shape is None or len(layer.input_shape) != axes):
            changed = layer
        if layer.layer.axes is not None:
            break  # it needs the axes that it gets, so nothing above it can change
    return changed


def _reshape_help(shape: Shape, wanted: int, name: str) -> str | None:
    sizes = [size for size in shape[1:] if size is not None]
    if wanted == 2:
        return f"put `flatten` above `{name}`"
    if wanted == len(shape) + 1 and len(sizes) == len(shape) - 1:
        added = [*sizes, 1]
        return f"put `reshape: {added}` above `{name}`"
    if wanted > len(shape) == 2 and sizes:
        return f"write `dense` for numbers in a row, or put a `reshape` of the {sizes[0]:,} above `{name}`"
    return None
