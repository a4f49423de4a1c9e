"""Section `model` -> Graph: lays the layers from the inputs up and infers their shapes. No Keras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path as FilePath

from dlspec.data.signature import INPUT, NetworkInput, Signature
from dlspec.language.diagnostics import Diagnostic, Severity, Span
from dlspec.language.shapes import Path, Shape, ShapeError, UnknownSize
from dlspec.model.graph import Borrowed, Graph, GraphLayer
from dlspec.model.laid import Laid
from dlspec.model.layer_messages import LayerMessages
from dlspec.model.layer_names import LayerNames
from dlspec.model.layers import LayerSpec, ModelItem, Wire
from dlspec.model.layers.core import Lookup, Output, at_places
from dlspec.model.layers.mirroring import ending_like
from dlspec.model.section import Broken, ModelSpec, OutputSpec

MAX_LAYERS = 20_000
"""Layers that a network may have once `repeat` is laid out."""


def make_graph(
    model: ModelSpec, signature: Signature | None, unrolled_at: Span | None = None
) -> tuple[Graph, list[Diagnostic]]:
    """Lays the layers from the inputs up.

    A layer that cannot take its input is reported once; what follows goes on with what is known of its output.

    Args:
        unrolled_at: where the spec says that a decoder follows, which mirrors the layers; None: there is none.
    """
    builder = GraphBuilder(model, signature, unrolled_at)
    inputs = signature.inputs if signature else _unknown_inputs(model)
    for given in inputs:
        builder.laid.known[given.name] = Wire(given.name, given.shape)
    first = builder.laid.known[inputs[0].name] if len(inputs) == 1 else NOWHERE
    complete, layers = True, builder.laid.layers
    try:
        end = builder.walk(model.layers, first, ("model", "layers"))
        outputs = [builder.output(name, wanted, end) for name, wanted in (model.outputs or {}).items()]
        if not outputs:
            outputs = [builder.unroll(end, unrolled_at) if unrolled_at and not builder.unrolled else end]
    except _TooManyLayers as error:
        builder.problems.append(error.problem)
        last = replace(layers[-1], output_shape=None)  # what would come next is not known
        layers[-1], outputs, complete = last, [Wire(last.name, None)], False
    graph = Graph(inputs, tuple(layers), tuple(wire.source for wire in outputs), complete)
    return graph.without_dead_ends() if complete else graph, builder.problems


NOWHERE = Wire("", None)
"""What the first layer takes when there are several inputs and it names none."""


def _unknown_inputs(model: ModelSpec) -> tuple[NetworkInput, ...]:
    return tuple(NetworkInput(name, None) for name in model.inputs or [INPUT])


class _TooManyLayers(Exception):
    def __init__(self, problem: Diagnostic) -> None:
        self.problem = problem


class GraphBuilder:
    """What layers are laid on: names them, infers their shapes, and keeps what is wrong."""

    def __init__(self, model: ModelSpec, signature: Signature | None, unrolled_at: Span | None) -> None:
        self.model = model
        self.signature = signature
        self.unrolled_at = unrolled_at
        self.problems: list[Diagnostic] = []
        self.laid = Laid()
        self.names = LayerNames(model, self.problems)
        self.messages = LayerMessages(model, self.laid, self.names)
        self.unrolled = False

    # --- what items call

    def walk(self, items: Sequence[ModelItem], wire: Wire, path: Path) -> Wire:
        for i, item in enumerate(items):
            place = (*path, i)
            wire = item.lay(self, self._wires(item, wire, place), place)
        return wire

    def place(
        self,
        layer: LayerSpec,
        wires: Sequence[Wire],
        path: Path,
        written: ModelItem | None = None,
        borrowed: Borrowed | None = None,
    ) -> Wire:
        written = written or layer
        if isinstance(layer, Output) and self.unrolled_at and not self.model.outputs and len(wires) == 1:
            return self.unroll(wires[0], self.unrolled_at)
        if isinstance(layer, Output) and self.signature:
            layer = self._resolve(layer, self.signature, wires[0].shape if len(wires) == 1 else None)
        elif isinstance(layer, Output):  # nobody knows whether the target has axes
            layer = at_places(layer)
        if isinstance(layer, Lookup) and layer.input_dim is None and self.signature and len(wires) == 1:
            tokens = self.signature.tokens(self.laid.origin(wires[0].source))
            layer = layer.model_copy(update={"input_dim": tokens})
        values = wires if layer.begins_with is None else wires[:-1]
        problem = self.messages.wrong_number(layer, values, written, path)
        if problem:
            self.problems.append(problem)
            wires = [Wire(wire.source, None) for wire in wires]
        name = self.names.of(layer, self.laid.known)
        return self._add(layer, name, wires, path, written, fits=problem is None, borrowed=borrowed)

    def place_again(
        self, name: str, wires: Sequence[Wire], path: Path, written: ModelItem, borrowed: Borrowed | None = None
    ) -> Wire:
        first = self.laid.layer_of(self.laid.known.get(name))
        unused = self.names.unused(f"{first.name if first else name}_again", self.laid)
        if first is None:
            place = self.messages.value_at(path, written.type_name)
            self.problems.append(self.messages.unknown_name(name, place))
            return self._add(Broken(), unused, wires, path, written, fits=False)
        if first.layer.takes_table:
            table = next(layer for layer in self.laid.layers if layer.name == first.inputs[1])
            again = self.names.unused(f"{table.name}_again", self.laid)
            wires = [*wires, self._add(table.layer, again, wires, path, written, table.name)]
            problem = self.messages.other_sizes(table, self.laid.layers[-1])
        else:
            problem = self.messages.state_again(first, path, written)
            problem = problem or self.messages.wrong_number(first.layer, wires, written, path)
        if problem:
            self.problems.append(problem)
            return self._add(Broken(), unused, wires, path, written, fits=False)
        shared = self._add(first.layer, unused, wires, path, written, first.name, borrowed=borrowed)
        problem = self.messages.other_sizes(first, self.laid.layers[-1])
        if problem:
            self.problems.append(problem)
        return shared

    def call(self, name: str, wire: Wire) -> Wire:
        self.laid.known[name] = wire
        return wire

    def state_for(self, layer: LayerSpec, path: Path) -> Wire:
        name = layer.begins_with
        assert name is not None, "it begins with a state"
        place = self.messages.value_at(path, layer.type_name, "state_from")
        wire = self.laid.known.get(name)
        source = self.laid.layer_of(wire)
        problem = self.messages.wrong_state(layer, source, place)
        if wire is None:
            problem = self.messages.unknown_name(name, place)
        if problem:
            self.problems.append(problem)
        return wire or Wire(name, None)

    def unused(self, name: str, *, given: bool = False) -> str:
        return name if given and name not in self.laid.known else self.names.unused(name, self.laid.known)

    def folder_of(self, path: Path) -> FilePath:
        return self.model.folder_of(*path[1:])

    def refuse(
        self,
        problem: str,
        code: str,
        at: Path,
        name: str,
        wires: Sequence[Wire],
        written: ModelItem,
        *,
        help: str | None = None,
        certain: bool = True,
    ) -> Wire:
        severity = Severity.ERROR if certain else Severity.WARNING
        last = at[-1] == written.type_name
        span = (self.model.key_span if last else self.model.span)(*at[1:])
        self.problems.append(Diagnostic(code, problem, span, severity, help=help))
        path = at[: at.index(written.type_name)]
        return self.call(name, self._add(Broken(), name, wires, path, written, fits=False))

    def output(self, name: str, given: OutputSpec, last: Wire) -> Wire:
        """The output layer of a network that names its outputs."""
        path, source = ("model", "outputs", name), given.from_
        wire = last
        if source is not None:
            if source not in self.laid.known:
                self.problems.append(self.messages.unknown_name(source, self.messages.value_at(path, "from")))
            wire = self.laid.known.get(source, NOWHERE)
        return self.place(given.layer(name), [wire], path)

    def unroll(self, wire: Wire, place: Span) -> Wire:
        """The decoder of a deep autoencoder: the mirrors of all layers that lead to the wire, the nearest first.

        Args:
            place: where the spec asks for it.
        """
        self.unrolled = True
        inside = self.signature is not None and self.signature.target.inside
        above = list(self.laid.above(wire))
        for i, layer in enumerate(above):
            if isinstance(layer.layer, Broken):
                return Wire(wire.source, None)
            mirror: tuple[LayerSpec, ...] | None = () if len(layer.inputs) == 1 else None
            if mirror is not None and layer.input_shape is not None:
                mirror = layer.layer.mirror(layer.input_shape)
            if mirror is None:
                self.problems.append(self.messages.no_mirror(layer, place))
                return Wire(wire.source, None)
            below = [layer.layer for layer in above[i + 1 :]]
            for number, part in enumerate(ending_like(mirror, below, inside)):
                name = f"{layer.name}_mirror" + (f"_{number + 1}" if number else "")
                name = self.names.unused(name, self.laid)
                wire = self._add(part, name, [wire], layer.path, part, mirrors=layer.name)
        return wire

    # --- how

    def _add(
        self,
        layer: LayerSpec,
        name: str,
        wires: Sequence[Wire],
        path: Path,
        written: ModelItem,
        shares: str | None = None,
        fits: bool = True,
        mirrors: str | None = None,
        borrowed: Borrowed | None = None,
    ) -> Wire:
        if len(self.laid.layers) >= MAX_LAYERS:
            raise _TooManyLayers(self.messages.grows_too_far(MAX_LAYERS, written, path))
        shapes = [wire.shape for wire in wires]
        counts = (0, 0, 0)
        shape: Shape | None = None
        try:
            shape = layer.infer(*shapes) if fits else None
            sizes = [size for size in shapes if size is not None]
            if fits and len(sizes) == len(shapes):
                counts = layer.counts(*sizes)
                layer = layer.sized(*sizes)
        except ShapeError as error:
            if not isinstance(error, UnknownSize) or (self.signature is not None and not self.problems):
                self.problems.append(self.messages.wrong_shape(error, layer, wires, path, written))
            shapes = [None for _ in shapes]
            try:
                shape = layer.infer(*shapes)
            except ShapeError:  # wrong whatever comes in
                shape = None
        if shares:
            counts = (0, *counts[1:])
        inputs, index = tuple(wire.source for wire in wires), len(self.laid.layers)
        return self.laid.add(
            GraphLayer(
                name, index, path, layer, written, inputs, tuple(shapes), shape, *counts, shares, mirrors, borrowed
            )
        )

    def _wires(self, item: ModelItem, wire: Wire, path: Path) -> list[Wire]:
        """What leads to an item: the layers that it names, or the one above it."""
        if item.from_ is None:
            if wire is NOWHERE:
                self.problems.append(self.messages.follows_nothing(item, path))
            return [wire]
        wires = []
        for i, name in enumerate(item.from_):
            found = self.laid.known.get(name)
            if found is None:
                place = self.messages.value_at(path, item.type_name, "from", i)
                self.problems.append(self.messages.unknown_name(name, place))
            wires.append(found or Wire(name, None))
        if len(wires) > 1 and not isinstance(item, LayerSpec) and not item.takes_several:
            self.problems.append(self.messages.takes_one_input(item, item.from_, path))
        return wires

    @staticmethod
    def _resolve(layer: Output, signature: Signature, below: Shape | None) -> Output:
        """The output layer with the units and the activation that its target asks for.

        Args:
            below: the shape that it takes.
        """
        target = signature.targets.get(layer.name or "", signature.target)
        units = layer.units or target.units_over(below)
        found = {"units": units, "activation": layer.activation or target.activation}
        if not target.places and not target.fits_places(below):
            resolved = layer.model_copy(update=found)
            resolved = resolved.as_fitted(target.fitted) if target.fitted else resolved
            return resolved.starting(target.start) if target.values_each else resolved
        return at_places(layer, texts=target.aligned, **found)
