"""The layers of a spec as they are written there: blocks as functions, repeats as loops, variables as names.

The layers of the graph are taken one after the other on the way, with all that was filled in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from dlspec.ejection.copying import snippet_names
from dlspec.ejection.expressions import Names
from dlspec.ejection.frame import FLOWS, PLACE, Frame, NotFolded, indented, python_name, returning
from dlspec.ejection.layers import layer_call
from dlspec.ejection.python import Code, call, literal
from dlspec.ejection.script import RESERVED, Script
from dlspec.language.yaml import Node
from dlspec.model.graph import GraphLayer
from dlspec.model.layers import LayerSpec
from dlspec.spec.composition.blocks import OWN_KEYS, Block, split_item


@dataclass
class Structure:
    """Writes items of a spec into frames.

    Args:
        layers: of the graph, in order.
        blocks: of the spec.
        names: of its variables.
        needed: names of layers that the script asks the network for.
        referred: names that `from` and the outputs mention.
        comment: gives the comment of a block.
    """

    script: Script
    layers: Sequence[GraphLayer]
    blocks: Mapping[str, Block]
    names: Names
    needed: frozenset[str]
    referred: frozenset[str]
    comment: Callable[[Block], str]
    place: int = 0
    functions: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    """Block -> its function, and the statements of it."""

    def walk(self, frame: Frame, items: Sequence[Node], here: Code, flow: str) -> Code:
        """Lays items one after the other, the first on what `here` holds; returns what holds the end.

        Args:
            flow: the variable that is led through them.

        Raises:
            NotFolded: they cannot be written so.
        """
        for item in items:
            name, arguments = split_item(item)
            if name is not None and name in self.blocks:
                here = self._use(frame, self.blocks[name], arguments, here, flow)
            elif name in self._groups:
                here = self._groups[name](frame, arguments, here, flow)
            else:
                here = self._layer(frame, name, arguments, flow)
        return here

    @property
    def _groups(self) -> dict[str | None, Callable[[Frame, Node | None, Code, str], Code]]:
        return {
            "repeat": self._repeat,
            "skip": self._skip,
            "branches": self._branches,
            "shared": self._shared,
            "split": self._split,
            "layer_scale": self._with_table,
            "position_embedding": self._with_table,
        }

    def _layer(self, frame: Frame, name: str | None, arguments: Node | None, flow: str) -> Code:
        layer = self._take()
        if layer.layer.type_name != name:
            raise NotFolded(f"`{layer.layer.type_name}` stands where `{name}` is written")
        return self._apply(frame, layer, self._written(frame, type(layer.layer), arguments), flow)

    def _apply(self, frame: Frame, layer: GraphLayer, written: Mapping[str, Code], flow: str) -> Code:
        made = layer_call(layer.layer, self._name_of(frame, layer), written)
        is_shared = any(other.shares == layer.name for other in self.layers)
        return frame.apply(layer, made, self._target(frame, layer, flow), kept=is_shared)

    def _target(self, frame: Frame, layer: GraphLayer, flow: str) -> Code:
        """The variable of what comes out of a layer: its own one where something refers to it."""
        mentioned = {layer.name, getattr(layer.written, "name", None)} & self.referred
        return frame.variable(getattr(layer.written, "name", None) or layer.name) if mentioned else Code(flow)

    def _written(self, frame: Frame, kind: type[LayerSpec], arguments: Node | None) -> dict[str, Code]:
        """Arguments that are written with variables -> how."""
        given = {} if arguments is None else kind.unfold(arguments.plain())[0]
        found: dict[str, Code] = {}
        for key, value in given.items() if isinstance(given, dict) else ():
            if "$" in str(value) and key not in OWN_KEYS:
                written = frame.names.source(value)
                found |= {} if written is None else {key: written}
        return found

    def _name_of(self, frame: Frame, layer: GraphLayer) -> str | None:
        """How the layer is called; None: as Keras calls it."""
        needed = layer.name in self.needed
        if not needed and getattr(layer.written, "name", None) is None:
            return None
        if not frame.is_block and not frame.loops:
            return layer.name
        if frame.is_block or frame.loops > 1:
            if needed:
                raise NotFolded(f"`{layer.name}` is in a block or a loop in a loop, and asked for by its name")
            return None
        frame.rounds.append(layer.name)
        return Code(f"{PLACE}{len(frame.rounds) - 1}{PLACE}")

    def _take(self) -> GraphLayer:
        if self.place == len(self.layers):
            raise NotFolded("the graph has fewer layers")
        self.place += 1
        return self.layers[self.place - 1]

    # --- groups

    def _repeat(self, frame: Frame, arguments: Node | None, here: Code, flow: str) -> Code:
        times, items = _child(arguments, "times"), _items(_child(arguments, "layers"))
        count, shown = frame.names.value(times), frame.names.source(times.plain())
        if not isinstance(count, int) or shown is None:
            raise NotFolded("a loop of a number that nobody knows")
        if here != flow:
            frame.assign(flow, here)
            frame.held = {name: Code(flow) if held == here else held for name, held in frame.held.items()}
        above, around, taken, first, rounds = frame.lines, frame.rounds, {*frame.taken}, None, []
        frame.loops += 1
        for _ in range(count):
            frame.lines, frame.rounds, frame.taken = [], [], {*taken}
            end = self.walk(frame, items, Code(flow), flow)
            if end != flow or first not in (None, frame.lines):
                raise NotFolded("rounds of a loop differ")
            first = frame.lines
            rounds.append(frame.rounds)
        frame.loops, frame.chain, frame.lines, frame.rounds = frame.loops - 1, None, above, around
        names = [_formula(each) for each in zip(*rounds, strict=True)]
        variable = "i" if any("{i" in name for name in names) else "_"
        frame.put(f"for {variable} in range({literal(shown)}):")
        for line in first or ():
            frame.lines.append(re.sub(f"{PLACE}(\\d+){PLACE}", lambda found: names[int(found[1])], line))
        return Code(flow)

    def _skip(self, frame: Frame, arguments: Node | None, here: Code, flow: str) -> Code:
        before, frame.chain = dict(frame.held), None
        beside = flow
        if here == flow:  # what is added at the end must not be overwritten
            deeper = FLOWS.index(flow) + 1 if flow in FLOWS else len(FLOWS)
            beside = FLOWS[deeper] if deeper < len(FLOWS) else frame.variable("inner")
        self.walk(frame, _items(_listed(arguments, "layers")), here, beside)
        frame.held = {**before, **frame.held}
        return self._apply(frame, self._take(), {}, flow)

    def _branches(self, frame: Frame, arguments: Node | None, here: Code, flow: str) -> Code:
        before, frame.chain, taken = dict(frame.held), None, {*frame.taken}
        above = flow if flow.startswith("path") else "path"
        for number, path in enumerate(_items(_listed(arguments, "paths")), 1):
            self.walk(frame, _items(path), here, frame.variable(f"{above}_{number}"))
        frame.held = {**before, **frame.held}
        end = self._apply(frame, self._take(), {}, flow)
        frame.taken = taken | {end}  # the paths have done their work
        return end

    def _shared(self, frame: Frame, arguments: Node | None, here: Code, flow: str) -> Code:
        given = arguments.plain() if arguments is not None else None
        names = given.get("layers") if isinstance(given, dict) else given
        for _ in names if isinstance(names, list) else [names]:
            layer = self._take()
            if layer.shares not in frame.layers:
                raise NotFolded(f"`{layer.shares}` is not at hand")
            here = frame.apply(layer, frame.layers[layer.shares], self._target(frame, layer, flow))
        return here

    def _split(self, frame: Frame, arguments: Node | None, here: Code, flow: str) -> Code:
        frame.chain = None
        end, before = here, dict(frame.held)
        names = _items(_child(arguments, "into"))
        for number, _ in enumerate(names, 1):
            layer = self._take()
            last = number == len(names)
            mentioned = layer.name in self.referred or getattr(layer.layer, "name", None) in self.referred
            target = Code(flow) if last and not mentioned else frame.variable(layer.layer.name or layer.name)
            end = frame.apply(layer, layer_call(layer.layer), target)
            frame.held = {**before, **frame.held}
        return end

    def _with_table(self, frame: Frame, arguments: Node | None, here: Code, flow: str) -> Code:
        """What a table of weights is added to, or multiplied by."""
        frame.chain, before = None, dict(frame.held)
        table = self._take()
        frame.apply(table, layer_call(table.layer, self._name_of(frame, table)), frame.variable(table.layer.type_name))
        frame.held = {**before, **frame.held}
        return self._apply(frame, self._take(), {}, flow)

    # --- blocks

    def _use(self, frame: Frame, block: Block, arguments: Node | None, here: Code, flow: str) -> Code:
        given = _of_use(block, arguments)
        if any(key in given for key in OWN_KEYS):
            raise NotFolded("a block that is used with `from` or `name`")
        values = {**self.names.values}
        keywords = {}
        for name, default in block.parameters.items():
            values[name] = (frame.names if name in given else self.names).value(given.get(name, default))
            if values[name] is None or isinstance(values[name], dict):
                raise NotFolded(f"the parameter `{name}` is more than a plain value")
            if name in given:
                keywords[self._parameter(name)] = frame.names.source(given[name].plain())
        inner = Frame(Names(values, self._called_in(block)), {}, is_block=True, masks=frame.masks)
        inner.taken |= {self._parameter(name) for name in block.parameters}
        inner.held = {name: Code("x") for name, held in frame.held.items() if held == here}
        end = self.walk(inner, block.layers, Code("x"), "x")
        frame.chain = None
        frame.assign(flow, call(self._function(block, inner, end), here, **keywords))
        frame.hold(self.layers[self.place - 1].name, Code(flow))
        return Code(flow)

    def _called_in(self, block: Block) -> Callable[[str], Code]:
        return lambda name: Code(self._parameter(name)) if name in block.parameters else self.names.called(name)

    def _parameter(self, name: str) -> str:
        """What a parameter of a block is called: not as a function or a module, nor as what is led through."""
        called = python_name(name)
        others = {python_name(each) for each in self.blocks} | RESERVED | snippet_names() | {*FLOWS}
        return f"{called}_" if called in others else called

    def _function(self, block: Block, inner: Frame, end: Code) -> str:
        """The function of a block, which is written once: its uses must agree on it."""
        body = returning(inner.lines, end)
        if block.name in self.functions:
            name, known = self.functions[block.name]
            if known != body:
                raise NotFolded(f"uses of `{block.name}` differ")
            return name
        name = self.script.new_name(python_name(block.name))
        self.functions[block.name] = name, body
        needed = [self._parameter(each) for each in block.needed]
        others = [each for each in block.parameters if each not in block.needed]
        defaults = [
            f"{self._parameter(each)}={literal(self.names.source(block.parameters[each].plain()))}" for each in others
        ]
        lines = [
            f"def {name}({', '.join(['x', *needed, *defaults])}):",
            f'    """{self.comment(block)}"""',
            *indented(body),
        ]
        self.script.define("model", "\n".join(lines))
        return name


def _child(arguments: Node | None, key: str) -> Node:
    found = None if arguments is None else arguments.child(key)
    if found is None:
        raise NotFolded(f"no `{key}`")
    return found


def _listed(arguments: Node | None, key: str) -> Node:
    """A list that may stand behind the name of its group, without its key."""
    if arguments is not None and isinstance(arguments.value, list):
        return arguments
    return _child(arguments, key)


def _items(node: Node) -> list[Node]:
    if not isinstance(node.value, list):
        raise NotFolded("no list")
    return node.value


def _of_use(block: Block, arguments: Node | None) -> dict[str, Node]:
    """What the use of a block gives to it."""
    if arguments is None or arguments.value is None:
        return {}
    if isinstance(arguments.value, dict):
        return dict(arguments.value)
    if block.short is None:
        raise NotFolded(f"`{block.name}` takes no value")
    return {block.short: arguments}


def _formula(names: Sequence[str]) -> str:
    """The names of a layer in each round of a loop as source: `f"h_{i + 1}"`.

    Raises:
        NotFolded: there is no such rule.
    """
    if len({*names}) == 1 and len(names) == 1:
        return literal(names[0])
    found = [re.fullmatch(r"(.*?)(\d+)", name) for name in names]
    if not all(found):
        raise NotFolded(f"`{names[0]}` is not numbered")
    starts, numbers = {match[1] for match in found if match}, [int(match[2]) for match in found if match]
    steps = {after - before for before, after in pairwise(numbers)}
    if len(starts) != 1 or len(steps) != 1:
        raise NotFolded(f"`{names[0]}` is not numbered in steps")
    (start,), (step,) = starts, steps
    factor = "i" if step == 1 else f"{step} * i"
    return f'f"{start}{{{factor}{f" + {numbers[0]}" if numbers[0] else ""}}}"'
