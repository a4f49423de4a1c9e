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
    finds the last one. A layer in the use of a block has an address as well, `gated.2.skipped` for the second use of
    the block `gated`; uses inside of others are counted there: `outer.1.gated.2.skipped`.

    Args:
        given: the names of the model, and of each use of a block in order, as `found` has them once all are laid out;
            none: every layer is called as it is written.
    """

    def __init__(self, given: Sequence[dict[str, None]] = ()) -> None:
        self.found: list[dict[str, None]] = [{}]
        self._copies = range(0)
        self._inside = [0]
        self._paths = [""]
        self._uses = Counter[str]()
        self._addresses: dict[str, str] = {}
        self._unclear: set[str] = set()
        self._called = _numbered(given)
        self._last: dict[str, str] = {}

    @property
    def clash(self) -> bool:
        """Whether a name is given in several places."""
        return max(Counter(name for names in self.found for name in names).values(), default=0) > 1

    def enter(self, block: str | None = None) -> None:
        """A block is used; None: a `repeat` lays a copy."""
        path = self._paths[self._inside[-1]]
        if block is not None:
            path += f"{block}."
            self._uses[path] += 1
            path += f"{self._uses[path]}."
        self.found.append({})
        self._paths.append(path)
        self._inside.append(len(self.found) - 1)

    def leave(self) -> None:
        self._inside.pop()

    def end_repeat(self, first: int) -> None:
        """A `repeat` was laid, whose first copy is the place of this number; see `found`."""
        self._copies = range(first, len(self.found))

    def copies(self, name: str) -> list[str]:
        """What a layer is called in the copies of the `repeat` just above, from the first to the last."""
        return [self._name(place, name) for place in self._copies if name in self.found[place]]

    def names_of_copies(self) -> list[str]:
        """The names that layers have in these copies."""
        return list(dict.fromkeys(name for place in self._copies for name in self.found[place]))

    def give(self, name: Node) -> Node:
        """The name of a layer, or a list of names."""
        if isinstance(name.value, list):
            return replace(name, value=[self.give(each) for each in name.value])
        if not isinstance(name.value, str):
            return name
        place = self._inside[-1]
        self.found[place][name.value] = None
        own = self._last[name.value] = self._name(place, name.value)
        if self._paths[place]:
            address = self._paths[place] + name.value
            if self._addresses.setdefault(address, own) != own:
                self._unclear.add(address)
        return called(name, own)

    @property
    def addresses(self) -> dict[str, str]:
        """Address -> what the layer is called, of those that mean one layer."""
        return {address: name for address, name in self._addresses.items() if address not in self._unclear}

    def refer(self, names: Node) -> Node:
        """What refers to layers: a name, or a list of them."""
        if isinstance(names.value, list):
            return replace(names, value=[self.refer(name) for name in names.value])
        if not isinstance(names.value, str):
            return names
        for place in reversed(self._inside):
            if names.value in self.found[place]:
                return called(names, self._name(place, names.value))
        for place in reversed(self._inside):
            if (address := self._paths[place] + names.value) in self._addresses:
                return called(names, self._addresses[address])
        return called(names, self._last.get(names.value, names.value))

    def _name(self, place: int, name: str) -> str:
        return self._called[place].get(name, name) if place < len(self._called) else name


def called(node: Node, name: str) -> Node:
    """The node of a name with the name that the layer has in the whole."""
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
