"""Section `model` -> Graph: lays the layers from the inputs up and infers their shapes. No Keras."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dlspec.data.signature import INPUT, NetworkInput, Signature
from dlspec.language.diagnostics import Diagnostic, Label, Span
from dlspec.language.fields import did_you_mean, one_of
from dlspec.language.shapes import Path, Shape, ShapeError, show_shape
from dlspec.language.yaml import to_inline_yaml
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.layers import LayerSpec, ModelItem, Wire
from dlspec.model.layers.base import Group
from dlspec.model.layers.core import Lookup, Output
from dlspec.model.layers.mirroring import ending_like
from dlspec.model.section import Broken, ModelSpec

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
        builder.known[given.name] = Wire(given.name, given.shape)
    first = builder.known[inputs[0].name] if len(inputs) == 1 else NOWHERE
    complete = True
    try:
        last = builder.walk(model.layers, first, ("model", "layers"))
        outputs = [builder.output(name, wanted.from_, last) for name, wanted in (model.outputs or {}).items()]
        if not outputs:
            outputs = [builder.unroll(last, unrolled_at) if unrolled_at and not builder.unrolled else last]
    except _TooManyLayers as error:
        builder.problems.append(error.problem)
        builder.layers[-1] = replace(builder.layers[-1], output_shape=None)  # what would come next is not known
        outputs, complete = [Wire(builder.layers[-1].name, None)], False
    names = tuple(wire.source for wire in outputs)
    return Graph(inputs, tuple(builder.layers), names, complete), builder.problems


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
        self.layers: list[GraphLayer] = []
        self.known: dict[str, Wire] = {}
        """What `from` may name, as far as it has been laid; of a name used several times the last one."""
        self._by_name: dict[str, GraphLayer] = {}
        self._given = Counter[str]()
        self._take_names()
        self._counts = Counter[str]()
        self.unrolled = False

    # --- what items call

    def walk(self, items: Sequence[ModelItem], wire: Wire, path: Path) -> Wire:
        for i, item in enumerate(items):
            place = (*path, i)
            wire = item.lay(self, self._wires(item, wire, place), place)
        return wire

    def place(self, layer: LayerSpec, wires: Sequence[Wire], path: Path, written: ModelItem | None = None) -> Wire:
        written = written or layer
        if isinstance(layer, Output) and self.unrolled_at and not self.model.outputs and len(wires) == 1:
            return self.unroll(wires[0], self.unrolled_at)
        if isinstance(layer, Output) and self.signature:
            layer = self._resolve(layer)
        if isinstance(layer, Lookup) and layer.input_dim is None and self.signature and len(wires) == 1:
            layer = layer.model_copy(update={"input_dim": self.signature.tokens(self._origin(wires[0].source))})
        problem = self._wrong_number(layer, wires, written, path)
        if problem:
            self.problems.append(problem)
            wires = [Wire(wire.source, None) for wire in wires]
        return self._add(layer, self._name(layer), wires, path, written, fits=problem is None)

    def place_again(self, name: str, wires: Sequence[Wire], path: Path, written: ModelItem) -> Wire:
        wire = self.known.get(name)
        first = self._by_name.get(wire.source) if wire else None
        if first is None:
            self.problems.append(self._unknown_name(name, self._value_span(path, written.type_name)))
            return self._add(Broken(), self._unused(f"{name}_again"), wires, path, written, fits=False)
        shared = self._add(first.layer, self._unused(f"{first.name}_again"), wires, path, written, first.name)
        again = self.layers[-1]
        weights = {self._weights(layer) for layer in (first, again)} - {None}
        if len(weights) > 1:
            self.problems.append(
                Diagnostic(
                    "shape-mismatch",
                    f"`{first.name}` takes {show_shape(first.input_shape)}, and is given "
                    f"{show_shape(again.input_shape)} here",
                    self._span(path, written.type_name),
                    labels=(Label(self._span(first.path, first.type_name), "made for its input here"),),
                    help="the same weights need inputs of the same size; write another layer instead of `shared`",
                )
            )
        return shared

    def output(self, name: str, source: str | None, last: Wire) -> Wire:
        """The output layer of a network that names its outputs."""
        path = ("model", "outputs", name)
        wire = last
        if source is not None:
            if source not in self.known:
                self.problems.append(self._unknown_name(source, self._value_span(path, "from")))
            wire = self.known.get(source, NOWHERE)
        return self.place(Output(name=name), [wire], path)

    def unroll(self, wire: Wire, place: Span) -> Wire:
        """The decoder of a deep autoencoder: the mirrors of all layers that lead to the wire, the nearest first.

        Args:
            place: where the spec asks for it.
        """
        self.unrolled = True
        inside = self.signature is not None and self.signature.target.inside
        above = list(self._above(wire))
        for i, layer in enumerate(above):
            if isinstance(layer.layer, Broken):
                return Wire(wire.source, None)
            mirror: tuple[LayerSpec, ...] | None = () if len(layer.inputs) == 1 else None
            if mirror is not None and layer.input_shape is not None:
                mirror = layer.layer.mirror(layer.input_shape)
            if mirror is None:
                why = "has no mirror" if len(layer.inputs) == 1 else f"takes {len(layer.inputs)} inputs"
                self.problems.append(
                    Diagnostic(
                        "cannot-unroll",
                        f"`unroll` leads back through every layer, and `{layer.name}` {why}",
                        self._span(layer.path, layer.type_name),
                        labels=(Label(place, "unrolled because of this"),),
                        help="write `then: fine_tune` with `target: input`, and the decoder as layers of the model",
                    )
                )
                return Wire(wire.source, None)
            below = [layer.layer for layer in above[i + 1 :]]
            for number, part in enumerate(ending_like(mirror, below, inside)):
                name = self._unused(f"{layer.name}_mirror" + (f"_{number + 1}" if number else ""))
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
    ) -> Wire:
        if len(self.layers) >= MAX_LAYERS:
            raise _TooManyLayers(
                Diagnostic(
                    "expands-too-far",
                    f"the network grows past {MAX_LAYERS:,} layers here",
                    self._span(path, written.type_name),
                    help="write smaller `times`",
                )
            )
        shapes = [wire.shape for wire in wires]
        counts = (0, 0, 0)
        shape: Shape | None = None
        try:
            shape = layer.infer(*shapes) if fits else None
            sizes = [size for size in shapes if size is not None]
            if fits and len(sizes) == len(shapes):
                counts = layer.counts(*sizes)
        except ShapeError as error:
            self.problems.append(self._explain(error, layer, wires, path, written))
            shapes = [None for _ in shapes]
            try:
                shape = layer.infer(*shapes)
            except ShapeError:  # wrong whatever comes in
                shape = None
        if shares:
            counts = (0, *counts[1:])
        inputs = tuple(wire.source for wire in wires)
        placed = GraphLayer(
            name, len(self.layers), path, layer, written, inputs, tuple(shapes), shape, *counts, shares, mirrors
        )
        self.layers.append(placed)
        self._by_name[name] = placed
        self.known[name] = Wire(name, shape)
        if layer.name and not shares:
            self.known[layer.name] = self.known[name]
        return self.known[name]

    def _wires(self, item: ModelItem, wire: Wire, path: Path) -> list[Wire]:
        """What leads to an item: the layers that it names, or the one above it."""
        if item.from_ is None:
            if wire is NOWHERE:
                inputs = list(self.known)
                self.problems.append(
                    Diagnostic(
                        "missing-key",
                        f"`{item.type_name}` follows no layer, and the network has {len(inputs)} inputs",
                        self._span(path, item.type_name),
                        help=f"add `from: {inputs[0]}`",
                    )
                )
            return [wire]
        wires = []
        for i, name in enumerate(item.from_):
            found = self.known.get(name)
            if found is None:
                self.problems.append(self._unknown_name(name, self._value_span(path, item.type_name, "from", i)))
            wires.append(found or Wire(name, None))
        if len(wires) > 1 and not isinstance(item, LayerSpec):
            self.problems.append(
                Diagnostic(
                    "wrong-number-of-inputs",
                    f"`{item.type_name}` takes one input, got {len(wires)}",
                    self._value_span(path, item.type_name, "from"),
                    help=f"merge them first: `concatenate: {{from: [{', '.join(item.from_)}]}}`",
                )
            )
        return wires

    def _wrong_number(
        self, layer: LayerSpec, wires: Sequence[Wire], written: ModelItem, path: Path
    ) -> Diagnostic | None:
        least, most = layer.takes
        if least <= len(wires) <= (most or len(wires)) or (written is not layer and isinstance(written, Group)):
            return None
        if len(wires) < least:
            return Diagnostic(
                "wrong-number-of-inputs",
                f"`{layer.type_name}` needs at least {least} inputs, got {len(wires)}",
                self._span(path, written.type_name),
                help=f"name them: `{layer.type_name}: {{from: [{', '.join(list(self.known)[-2:])}]}}`",
            )
        return Diagnostic(
            "wrong-number-of-inputs",
            f"`{layer.type_name}` takes {'one input' if most == 1 else f'{most} inputs at most'}, got {len(wires)}",
            self._value_span(path, written.type_name, "from"),
            help=f"merge them first: `concatenate: {{from: [{', '.join(wire.source for wire in wires)}]}}`",
        )

    def _unknown_name(self, name: str, span: Span) -> Diagnostic:
        if name in self._given or any(name == layer.name for layer in self.layers):
            return Diagnostic(
                "unknown-layer-name",
                f"`{name}` stands below, and a layer takes its input from layers above it",
                span,
                help="move it above this layer",
            )
        return Diagnostic(
            "unknown-layer-name",
            f"no layer above is named `{name}`",
            span,
            help=did_you_mean(name, self.known, otherwise=f"the last ones are {one_of(list(self.known)[-6:])}"),
        )

    def _take_names(self) -> None:
        """Names are how `from`, `pretrain`, history and export speak of a layer, so no two may be equal.

        A name that is written once and laid several times, by `repeat` or a block, will be numbered.
        """
        first = dict[str, Span]()
        for key in ("inputs", "outputs"):
            for name in getattr(self.model, key) or {}:
                self._take_name(name, self.model.key_span(key, name), 1, first)
        for item, times, path in _named(self.model.layers, 1, ("model", "layers")):
            self._take_name(_name_of(item), self._value_span(path, item.type_name, "name"), times, first)

    def _take_name(self, name: str, span: Span, times: int, first: dict[str, Span]) -> None:
        if first.setdefault(name, span) == span:
            self._given[name] += times
            return
        self.problems.append(
            Diagnostic(
                "repeated-name",
                f"two layers are named `{name}`",
                span,
                labels=(Label(first[name], "first named here"),),
                help="give each a name of its own",
            )
        )

    def _name(self, layer: LayerSpec) -> str:
        """The given name, numbered where it is laid several times, or the type with a number."""
        if layer.name and self._given[layer.name] < 2:
            return layer.name if layer.name not in self.known else self._unused(layer.name)  # which has been reported
        sort = layer.name or layer.counted_as
        while True:
            self._counts[sort] += 1
            name = sort if sort == "output" and self._counts[sort] == 1 else f"{sort}_{self._counts[sort]}"
            if name not in self._given and name not in self.known:
                return name

    def _unused(self, name: str) -> str:
        tried, number = name, 1
        while tried in self._by_name or tried in self._given:
            number += 1
            tried = f"{name}_{number}"
        return tried

    def _resolve(self, layer: Output) -> Output:
        assert self.signature is not None, "without a target there is nothing to resolve"
        target = self.signature.targets.get(layer.name or "", self.signature.target)
        return layer.model_copy(
            update={"units": layer.units or target.units, "activation": layer.activation or target.activation}
        )

    def _origin(self, name: str) -> str:
        """The layer or input that made the values under this name, below the layers that only pass them on."""
        while (layer := self._by_name.get(name)) and layer.layer.passes_values and len(layer.inputs) == 1:
            (name,) = layer.inputs
        return name

    def _weights(self, layer: GraphLayer) -> int | None:
        shapes = [shape for shape in layer.input_shapes if shape is not None]
        return layer.layer.counts(*shapes)[0] if shapes and len(shapes) == len(layer.input_shapes) else None

    def _span(self, path: Path, type_name: str) -> Span:
        return self.model.key_span(*path[1:], type_name)

    def _value_span(self, path: Path, *below: str | int) -> Span:
        return self.model.span(*path[1:], *below)

    def _explain(
        self, error: ShapeError, layer: LayerSpec, wires: Sequence[Wire], path: Path, written: ModelItem
    ) -> Diagnostic:
        """Names the layer that cannot take its input, and the one above it that is to blame."""
        kind = layer.kind
        span = self._span(path, written.type_name if not isinstance(layer, Broken) else kind.type_name)
        above = list(self._above(wires[0]))
        shape = wires[0].shape
        data_note = () if above else (f"the data give {show_shape(shape)}",)
        if written is not layer and isinstance(written, Group):  # a merge that the item itself adds
            ends = error.help or "let every path end in the same shape; an empty path may need a layer such as `dense`"
            return Diagnostic("shape-mismatch", f"in `{written.type_name}`, {error.message}", span, help=ends)
        if shape is None or len(wires) > 1:
            labels = tuple(
                Label(self._span(at.path, at.type_name), f"gives {show_shape(at.output_shape)}")
                for wire in wires
                if (at := self._by_name.get(wire.source))
            )
            return Diagnostic("shape-mismatch", error.message, span, help=error.help, labels=labels)
        wanted = len(kind.axes) + 1 if kind.axes is not None else len(shape)
        if wanted == len(shape):  # the axes are right and their sizes are not
            return Diagnostic("shape-mismatch", error.message, span, help=error.help, notes=data_note)
        culprit = _culprit(above, len(shape), wanted)
        if culprit is None:
            cure = _reshape_help(shape, wanted, kind.type_name)
            return Diagnostic("shape-mismatch", error.message, span, help=cure, notes=data_note)
        culprit_span = self._span(culprit.path, culprit.type_name)
        repaired = culprit.layer.with_axes(wanted)
        if repaired is not None:
            cure = f"write `{to_inline_yaml(repaired.brief())}` on line {culprit_span.line}"
        elif culprit.input_shape is not None and len(culprit.input_shape) == wanted:
            cure = f"remove `{culprit.layer.type_name}` on line {culprit_span.line}"
        else:
            cure = _reshape_help(shape, wanted, kind.type_name)
        why = culprit.layer.why_shape().format(shape=show_shape(culprit.output_shape))
        return Diagnostic("shape-mismatch", error.message, span, help=cure, labels=(Label(culprit_span, why),))

    def _above(self, wire: Wire) -> Iterator[GraphLayer]:
        """The layers that lead to the wire, the nearest first, as long as there is one way."""
        while (layer := self._by_name.get(wire.source)) is not None:
            yield layer
            if len(layer.inputs) != 1:
                return
            wire = Wire(layer.inputs[0], None)


def _named(items: Sequence[ModelItem], times: int, path: Path) -> Iterator[tuple[ModelItem, int, Path]]:
    """Every item that has a name, how often it is laid, and its place."""
    for i, item in enumerate(items):
        place = (*path, i)
        if _name_of(item):
            yield item, times, place
        if isinstance(item, Group):
            more = times * item.times_laid()
            for key in item.lists:
                inner = getattr(item, key)
                lists = enumerate(inner) if inner and isinstance(inner[0], list) else [(None, inner)]
                for j, each in lists:
                    below = (*place, item.type_name, key) if j is None else (*place, item.type_name, key, j)
                    yield from _named(each, more, below)


def _name_of(item: ModelItem) -> str:
    return getattr(item, "name", None) or ""


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
    return None
