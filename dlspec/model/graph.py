"""Spec -> Graph: the layers in order with their shapes, parameters and FLOPs. No Keras."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from dlspec.data.signature import INPUT, NetworkInput, Signature
from dlspec.language.diagnostics import Diagnostic, Label, Span
from dlspec.language.fields import did_you_mean, one_of
from dlspec.language.yaml import to_inline_yaml
from dlspec.model.layers import LayerSpec, ModelItem, Shape, ShapeError, Wire, show_shape
from dlspec.model.layers.base import Path
from dlspec.model.layers.combining import Group, Repeat
from dlspec.model.layers.core import Lookup, Output
from dlspec.model.layers.mirroring import ending_like
from dlspec.spec.spec import Broken, ModelSpec

MAX_LAYERS = 20_000
"""Layers that a network may have once `repeat` is laid out."""


@dataclass(frozen=True)
class GraphLayer:
    """A layer with its place in the network.

    Args:
        name: as given, or its type and a number: `lstm_1`.
        index: its place among the layers, from the inputs up.
        path: its place in the spec.
        written: the item of the spec that it comes from; for a layer that `skip` adds, that is the `skip`.
        inputs: names of the layers and inputs that it takes.
        input_shapes, output_shape: batch first; None where nothing is known, because of a mistake above it.
        parameters: how many numbers it holds; none where it shares those of another layer.
        flops: operations of one sample forward, a multiply-add being two.
        activations: values of one sample that training keeps.
        shares: the layer whose weights it uses.
        mirrors: of the decoder that `unroll` adds, the layer of the encoder that it leads back through.
    """

    name: str
    index: int
    path: Path
    layer: LayerSpec
    written: ModelItem
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape | None, ...]
    output_shape: Shape | None
    parameters: int = 0
    flops: int = 0
    activations: int = 0
    shares: str | None = None
    mirrors: str | None = None

    @property
    def input_shape(self) -> Shape | None:
        """The shape of the first input, which most layers have alone."""
        return self.input_shapes[0] if self.input_shapes else None

    @property
    def type_name(self) -> str:
        return self.written.type_name

    @property
    def text(self) -> str:
        """The layer as one would write it, without its name and where it takes its input: `lstm: 64`."""
        plain = self.written if isinstance(self.written, LayerSpec) else self.layer
        return to_inline_yaml(plain.model_copy(update={"name": None, "from_": None}).brief())


@dataclass(frozen=True)
class Graph:
    """A network with shapes.

    Args:
        outputs: names of the layers whose output is the network's.
        complete: false when there were too many layers to lay them all.
    """

    inputs: tuple[NetworkInput, ...]
    layers: tuple[GraphLayer, ...]
    outputs: tuple[str, ...]
    complete: bool = True

    @property
    def input_shape(self) -> Shape | None:
        return self.inputs[0].shape

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def flops(self) -> int:
        """Of one sample forward."""
        return sum(layer.flops for layer in self.layers)

    @property
    def activations(self) -> int:
        """Values of one sample that training keeps until it comes back."""
        return sum(layer.activations for layer in self.layers)

    @property
    def hidden(self) -> list[GraphLayer]:
        """Layers with weights below the outputs; normalizations belong to others."""
        weighted = [
            layer
            for layer in self.layers
            if layer.layer.has_weights and not layer.layer.follows_code and not layer.mirrors
        ]
        if self.unrolled:
            return [layer for layer in weighted if layer.shares is None]
        if len(self.outputs) == 1:  # the last one makes the output, also where an activation follows it
            return [layer for layer in weighted[:-1] if layer.shares is None]
        return [layer for layer in weighted if layer.name not in self.outputs and layer.shares is None]

    @property
    def unrolled(self) -> bool:
        """Whether it ends in a decoder that mirrors its layers."""
        return bool(self.layers) and self.layers[-1].mirrors is not None

    def inside(self, data: bool) -> dict[str, bool]:
        """Name of a layer or input -> whether what comes out of it lies in [0, 1], given whether the data do."""
        found = {given.name: data for given in self.inputs}
        for layer in self.layers:
            found[layer.name] = layer.layer.in_unit_interval(all(found.get(source, False) for source in layer.inputs))
        return found

    @property
    def output_shape(self) -> Shape | None:
        return self[self.outputs[0]].output_shape

    def __getitem__(self, name: str) -> GraphLayer:
        return self.by_name[name]

    def needed_by(self, names: Iterable[str]) -> set[str]:
        """These names, and those of all layers and inputs that they depend on."""
        open_ = list(names)
        needed = set(open_)
        while open_:
            at = self.by_name.get(open_.pop())
            for source in at.inputs if at else ():
                if source not in needed:
                    needed.add(source)
                    open_.append(source)
        return needed

    def origin(self, name: str) -> str:
        """The layer or input that made the values under this name, below the layers that only pass them on."""
        while name in self.by_name and self[name].layer.passes_values and len(self[name].inputs) == 1:
            (name,) = self[name].inputs
        return name

    @cached_property
    def by_name(self) -> dict[str, GraphLayer]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def consumers(self) -> dict[str, list[str]]:
        """Name of a layer or input -> names of the layers that take what comes out of it."""
        found: dict[str, list[str]] = {name: [] for name in (*(given.name for given in self.inputs), *self.by_name)}
        for layer in self.layers:
            for source in layer.inputs:
                found.setdefault(source, []).append(layer.name)
        return found


def make_graph(
    model: ModelSpec, signature: Signature | None, unrolled_at: Span | None = None
) -> tuple[Graph, list[Diagnostic]]:
    """Lays the layers from the inputs up.

    A layer that cannot take its input is reported once; what follows goes on with what is known of its output.

    Args:
        unrolled_at: where the spec says that a decoder follows, which mirrors the layers; None: there is none.
    """
    ground = _Ground(model, signature, unrolled_at)
    inputs = signature.inputs if signature else _unknown_inputs(model)
    for given in inputs:
        ground.known[given.name] = Wire(given.name, given.shape)
    first = ground.known[inputs[0].name] if len(inputs) == 1 else NOWHERE
    complete = True
    try:
        last = ground.walk(model.layers, first, ("model", "layers"))
        outputs = [ground.output(name, wanted.from_, last) for name, wanted in (model.outputs or {}).items()]
        if not outputs:
            outputs = [ground.unroll(last, unrolled_at) if unrolled_at and not ground.unrolled else last]
    except _TooManyLayers as error:
        ground.problems.append(error.problem)
        ground.layers[-1] = replace(ground.layers[-1], output_shape=None)  # what would come next is not known
        outputs, complete = [Wire(ground.layers[-1].name, None)], False
    names = tuple(wire.source for wire in outputs)
    return Graph(inputs, tuple(ground.layers), names, complete), ground.problems


NOWHERE = Wire("", None)
"""What the first layer takes when there are several inputs and it names none."""


def _unknown_inputs(model: ModelSpec) -> tuple[NetworkInput, ...]:
    return tuple(NetworkInput(name, None) for name in model.inputs or [INPUT])


class _TooManyLayers(Exception):
    def __init__(self, problem: Diagnostic) -> None:
        self.problem = problem


class _Ground:
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
            more = times * item.times if isinstance(item, Repeat) else times
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
