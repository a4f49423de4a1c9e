"""Names of layers are local to the use of a block: it may be used twice, and two blocks may have the same names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from dlspec.language.yaml import Node


class LocalNames:
    """The names that a model and each use of a block give to layers, and what they are called in the whole.

    A name that is given in several places is numbered where blocks are used; the model itself keeps its own. What
    refers to a name finds that of its own block first, then that of the block around it, and so on; from outside it
    finds the last one.

    Args:
        given: the names of the model, and of each use of a block in order, as `found` has them once all are laid out;
            none: every layer is called as it is written.
    """

    def __init__(self, given: Sequence[dict[str, None]] = ()) -> None:
        self.found: list[dict[str, None]] = [{}]
        self._inside = [0]
        self._called = _numbered(given)
        self._last: dict[str, str] = {}

    @property
    def clash(self) -> bool:
        """Whether a name is given in several places."""
        return max(Counter(name for names in self.found for name in names).values(), default=0) > 1

    def enter(self) -> None:
        """A block is used."""
        self.found.append({})
        self._inside.append(len(self.found) - 1)

    def leave(self) -> None:
        self._inside.pop()

    def give(self, name: Node) -> Node:
        """The name of a layer, or a list of names."""
        if isinstance(name.value, list):
            return replace(name, value=[self.give(each) for each in name.value])
        if not isinstance(name.value, str):
            return name
        place = self._inside[-1]
        self.found[place][name.value] = None
        self._last[name.value] = self._name(place, name.value)
        return _called(name, self._last[name.value])

    def refer(self, names: Node) -> Node:
        """What refers to layers: a name, or a list of them."""
        if isinstance(names.value, list):
            return replace(names, value=[self.refer(name) for name in names.value])
        if not isinstance(names.value, str):
            return names
        for place in reversed(self._inside):
            if names.value in self.found[place]:
                return _called(names, self._name(place, names.value))
        return _called(names, self._last.get(names.value, names.value))

    def _name(self, place: int, name: str) -> str:
        return self._called[place].get(name, name) if place < len(self._called) else name


def _called(node: Node, name: str) -> Node:
    return node if node.value == name else replace(node, value=name)


def _numbered(given: Sequence[dict[str, None]]) -> list[dict[str, str]]:
    """Of each place, the names that are called otherwise."""
    often = Counter(name for names in given for name in names)
    taken, numbers = {*often}, Counter[str]()
    called: list[dict[str, str]] = []
    for place, names in enumerate(given):
        own: dict[str, str] = {}
        for name in names if place else ():
            while often[name] > 1 and name not in own:
                numbers[name] += 1
                tried = f"{name}_{numbers[name]}"
                if tried not in taken:
                    own[name] = tried
                    taken.add(tried)
        called.append(own)
    return called
