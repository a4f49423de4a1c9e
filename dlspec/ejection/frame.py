"""A function of a network that is being written: its statements, and what its variables hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dlspec.ejection.copying import snippet
from dlspec.ejection.expressions import Names
from dlspec.ejection.layers import connected, is_plain
from dlspec.ejection.operations import Taken
from dlspec.ejection.python import Call, Code, statement
from dlspec.model.graph import GraphLayer
from dlspec.model.masks import Masks

FLOWS = ("x", "y", "z")
"""What is led through the layers, and through those of a `skip` beside it."""
OF_SNIPPETS = frozenset(name for file in ("learned", "masking", "distances") for name in snippet(file).definitions)
"""Functions that the layers of a network may call."""
PLACE = "\0"
"""Stands in a loop for the name of a layer, until all rounds are known."""


class NotFolded(Exception):
    """Layers cannot be written as they stand in the spec."""


@dataclass
class Frame:
    """A function that is being written.

    Args:
        names: what a variable or parameter of the spec is called in it.
        held: layer or input -> the variable that holds what comes out of it.
        is_block: whether it is the function of a block.
        lines: its statements so far.
        chain: its layers, as long as each takes what the one before puts out; None: they do not.
        loops: how deep in loops the next statement stands.
        rounds: in a loop, the names that layers have, in order.
    """

    names: Names
    held: dict[str, Code]
    is_block: bool = False
    lines: list[str] = field(default_factory=list)
    chain: list[Call] | None = field(default_factory=list)
    loops: int = 0
    rounds: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=lambda: {*FLOWS, "inputs", "i", *OF_SNIPPETS})
    previous: str = ""
    """The layer or input that the next layer of `chain` must take."""
    masks: Masks = field(default_factory=lambda: Masks({}, {}))
    """The masks of what the layers take."""
    types: dict[str, str | None] = field(default_factory=dict)
    """Layer -> the type it was given."""
    layers: dict[str, Code] = field(default_factory=dict)
    """Layer -> the variable that holds the Keras layer itself, where it is used again."""

    def put(self, line: str) -> None:
        """Adds a statement."""
        indent = "    " * self.loops
        self.lines.append(indent + line.replace("\n", "\n" + indent))

    def assign(self, target: str, value: Any) -> None:
        """Adds `target = value`, broken into lines where it is long."""
        indent = 4 + 4 * self.loops
        self.put(statement(target, value, indent).replace("\n" + " " * indent, "\n"))

    def hold(self, name: str, target: Code) -> None:
        """What comes out of a layer is in a variable from now on, and nothing else is."""
        self.held = {other: variable for other, variable in self.held.items() if variable != target}
        self.held[name] = target

    def variable(self, wanted: str) -> Code:
        """A variable that no other has the name of."""
        name = python_name(wanted)
        while name in self.taken:
            name = f"{name}_"
        self.taken.add(name)
        return Code(name)

    def inputs_of(self, layer: GraphLayer) -> list[Code]:
        """What holds the inputs of a layer.

        Raises:
            NotFolded: something does not hold one of them.
        """
        missing = [name for name in layer.inputs if name not in self.held]
        if missing:
            raise NotFolded(f"`{layer.name}` takes `{missing[0]}`, which is not at hand")
        return [self.held[name] for name in layer.inputs]

    def apply(self, layer: GraphLayer, made: Call | Code, target: Code, *, kept: bool = False) -> Code:
        """Adds the statement that applies a layer.

        Args:
            made: the layer, or the variable that holds it.
            kept: whether the layer is used again.
        """
        if kept and isinstance(made, Call):
            variable = self.variable(f"{getattr(layer.written, 'name', None) or layer.name}_layer")
            self.assign(variable, made)
            self.layers[layer.name] = made = variable
        inputs = self.inputs_of(layer)
        masked = [self.masks.covered.get(source, 0) for source in layer.inputs]
        types = {self.types.get(source) for source in layer.inputs} | {layer.layer.dtype}
        taken = Taken(masked, layer.input_shapes, of_other_type=len(types) > 1)
        applied = connected(layer.layer, made, inputs, taken)
        alone = applied == Call(made, tuple(inputs)) if isinstance(made, Call) else False
        follows = is_plain(layer.layer) and alone and layer.inputs == (self.previous,) and not self.loops
        if self.chain is not None:
            self.chain = [*self.chain, made] if follows and isinstance(made, Call) else None
        self.previous = layer.name
        self.types[layer.name] = layer.layer.dtype
        self.assign(target, applied)
        self.hold(layer.name, target)
        return target


def python_name(wanted: str) -> str:
    """A name that Python takes, in small letters as far as the first one goes: `h-1` becomes `h_1`."""
    import keyword

    name = re.sub(r"\W+", "_", wanted, flags=re.ASCII)
    name = f"_{name}" if name[:1].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) else name


def returning(lines: Sequence[str], end: Code) -> list[str]:
    """Statements that give back what `end` holds: the last one itself, if it is that."""
    *above, last = lines or [""]
    if last.startswith(f"{end} = "):
        # one line may be longer now, and may fit into one where it was broken: `return` is as long as `x = ` and three
        return [*above, f"return {last.removeprefix(f'{end} = ')}"]
    return [*lines, f"return {end}"]


def indented(lines: Sequence[str], by: int = 4) -> list[str]:
    """Lines with spaces in front, those within a statement too."""
    return [" " * by + line.replace("\n", "\n" + " " * by) for line in lines]
