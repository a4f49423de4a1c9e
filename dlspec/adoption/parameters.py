"""Several stretches of layers of the same types -> one of them with parameters, and the values of each."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from dlspec.adoption.items import Item, Parameter, Reference, walk
from dlspec.model.from_keras.words import defaults_of
from dlspec.model.layers import LAYERS

SIZES = ("filters", "units", "output_dim", "key_dim", "num_heads", "value_dim", "target_shape", "expanded", "reduced",
         "output_shape", "times")  # fmt: skip
"""Arguments that say how large a layer is: of these one must be given, and others are often a multiple of it."""
WHOLE_SHAPES = ("target_shape", "output_shape")
"""Arguments of which one number has a better name elsewhere."""
LARGEST_FACTOR = 64
_fresh = itertools.count(-1, -1)


class Unlike(Exception):
    """The stretches have more in them that differs than a block can say."""


@dataclass(frozen=True)
class Slot:
    """A parameter of a block.

    Args:
        default: None: it must be given.
        values: of each use.
    """

    name: str
    default: Any
    values: tuple[Any, ...]


@dataclass
class _Differing:
    """A value that is not the same in all stretches.

    Args:
        key: the argument that it is of.
        word: the layer that it was found in first.
        count: in how many places it stands.
        last: the place of the last one.
    """

    key: str
    word: str
    values: tuple[Any, ...]
    count: int = 0
    last: int = 0
    made: Parameter | None = None

    @property
    def is_size(self) -> bool:
        return self.key in SIZES and self.key != "times" and all(_is_whole(value) for value in self.values)


def parametrize(stretches: Sequence[Sequence[Item]]) -> tuple[tuple[Item, ...], tuple[Slot, ...]]:
    """The body of a block that stands for all of them, and its parameters.

    Raises:
        Unlike: one block cannot stand for all.
    """
    return _Parametrizing(stretches).run()


class _Parametrizing:
    def __init__(self, stretches: Sequence[Sequence[Item]]) -> None:
        self.stretches = stretches
        self.places = [{item.number: i for i, item in enumerate(walk(stretch))} for stretch in stretches]
        self.fresh = [next(_fresh) for _ in self.places[0]]
        self.differing: dict[str, _Differing] = {}
        self.at = 0

    def run(self) -> tuple[tuple[Item, ...], tuple[Slot, ...]]:
        self._list(self.stretches, first=True)  # to see what differs
        slots = self._named()
        self.at = 0
        return tuple(self._list(self.stretches, first=True)), slots

    # --- both times

    def _list(self, lists: Sequence[Sequence[Item]], first: bool = False) -> list[Item]:
        return [self._item(items, first and i == 0) for i, items in enumerate(zip(*lists, strict=True))]

    def _item(self, items: Sequence[Item], first: bool) -> Item:
        one = items[0]
        paths = tuple(tuple(self._list([item.paths[i] for item in items])) for i in range(len(one.paths)))
        place = self.at
        self.at += 1
        arguments = {
            key: self._value(key, one.word, tuple(item.arguments[key] for item in items), place)
            for key in one.arguments
        }
        sources: Any = None
        if not first or any(len(item.sources or ()) > 1 for item in items):
            sources = self._sources(items, place)
        return replace(one, number=self.fresh[place], arguments=arguments, paths=paths, sources=sources, name=None)

    def _sources(self, items: Sequence[Item], place: int) -> Any:
        if any(item.sources is None for item in items):
            return None
        found = []
        for values in zip(*(item.sources or () for item in items), strict=True):
            refs = tuple(Reference(value) if isinstance(value, int) else value for value in values)
            made = self._value("before", items[0].word, refs, place)
            found.append(made.number if isinstance(made, Reference) else made)
        return tuple(found)

    def _value(self, key: str, word: str, values: tuple[Any, ...], place: int) -> Any:
        """The value that all have, or what stands for it."""
        if any(isinstance(value, Reference) for value in values):
            return self._reference(key, word, values, place)
        own = any(isinstance(value, Parameter) for value in values)  # of the block that the stretches stand in
        if not own and all(_same(value, values[0]) for value in values):
            return values[0]
        lists = all(isinstance(value, list) and len(value) == len(values[0]) for value in values)
        if lists and values[0] and not any(isinstance(each, list | dict) for each in values[0]):
            return [self._value(key, word, tuple(value[i] for value in values), place) for i in range(len(values[0]))]
        return self._differs(key, word, values, place)

    def _reference(self, key: str, word: str, values: tuple[Any, ...], place: int) -> Any:
        inside = [
            here.get(value.number) if isinstance(value, Reference) else None
            for value, here in zip(values, self.places, strict=True)
        ]
        if inside[0] is not None and len(set(inside)) == 1:
            return Reference(self.fresh[inside[0]])
        if any(each is not None for each in inside):
            raise Unlike
        return values[0] if len(set(values)) == 1 else self._differs(key, word, values, place)

    def _differs(self, key: str, word: str, values: tuple[Any, ...], place: int) -> Any:
        if any(value is None for value in values):
            raise Unlike
        found = self.differing.setdefault(_text(values), _Differing(key, word, values))
        if found.made is not None:
            return found.made
        found.count += 1
        found.last = place
        if found.key in WHOLE_SHAPES:
            found.key = key
        return values[0]

    # --- once all is seen

    def _named(self) -> tuple[Slot, ...]:
        """Parameters for what differs; a multiple of another one is calculated of it."""
        every = [*self.differing.values()]
        own: list[_Differing] = []
        bases: dict[int, _Differing] = {}
        for found in sorted(every, key=lambda found: -found.count):
            base = next((base for base in own if _factor(found, base) is not None), None)
            if base is None:
                own.append(found)
            else:
                bases[id(found)] = base
        own.sort(key=every.index)
        names: dict[int, str] = {}
        for found in sorted(own, key=lambda found: (-found.last, found.key)):
            names[id(found)] = self._name(found, own, {*names.values()})
        for found in every:
            base = bases.get(id(found), found)
            found.made = Parameter(names[id(base)], _factor(found, base) or Fraction(1))
        slots = [Slot(names[id(found)], _default(found), found.values) for found in own]
        return tuple(sorted(slots, key=lambda slot: slot.default is not None))

    @staticmethod
    def _name(found: _Differing, own: Sequence[_Differing], taken: set[str]) -> str:
        key = {"target_shape": "channels", "output_shape": "channels"}.get(found.key, found.key)
        if key not in taken:
            return key
        main = max((each for each in own if each.key == found.key), key=lambda each: each.last)
        pairs = [*zip(found.values, main.values, strict=True)]
        pairs = [pair for pair in pairs if all(isinstance(each, int) for each in pair)]
        if found.is_size and main.is_size and pairs:
            for word, fits in (("expanded", all(a >= b for a, b in pairs)), ("reduced", all(a <= b for a, b in pairs))):
                if fits and word not in taken:
                    return word
        number = 2
        while f"{key}_{number}" in taken:
            number += 1
        return f"{key}_{number}"


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _text(values: tuple[Any, ...]) -> str:
    return repr(values)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Parameter) or (isinstance(value, int) and not isinstance(value, bool))


def _factor(found: _Differing, base: _Differing) -> Fraction | None:
    """By which whole number one is larger, or smaller, than the other in every use; None: by none."""
    if not (found.is_size and base.is_size):
        return None
    ratios = {_ratio(value, other) for value, other in zip(found.values, base.values, strict=True)}
    (ratio, *more) = ratios
    if more or ratio is None or 1 not in (ratio.numerator, ratio.denominator):
        return None
    return ratio if max(ratio.numerator, ratio.denominator) <= LARGEST_FACTOR else None


def _ratio(value: Any, other: Any) -> Fraction | None:
    if isinstance(value, Parameter) and isinstance(other, Parameter):
        return value.factor / other.factor if value.name == other.name else None
    if isinstance(value, Parameter) or isinstance(other, Parameter) or not value or not other:
        return None
    return Fraction(value, other)


def _default(found: _Differing) -> Any:
    """What most uses have, of what is no size."""
    if found.key in SIZES or any(isinstance(value, Reference) for value in found.values):
        return None
    counts = Counter(repr(value) for value in found.values if not isinstance(value, Parameter))
    if not counts:
        return None
    usual = repr(defaults_of(found.word).get(found.key)) if found.word in LAYERS else ""
    best = max(counts, key=lambda text: (counts[text], text == usual))
    if counts[best] * 2 < len(found.values):
        return None
    return next(value for value in found.values if repr(value) == best)
