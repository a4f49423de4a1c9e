"""What a list of layers is made of, before it is text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from dlspec.model.from_keras.words import arguments_of
from dlspec.model.layers import LayerSpec


@dataclass(frozen=True)
class Parameter:
    """What stands in a block in place of a value: a parameter, or a number made of one.

    Args:
        factor: what the parameter is multiplied by.
    """

    name: str
    factor: Fraction = Fraction(1)

    @property
    def text(self) -> str:
        """`$filters`, `$(4 * filters)`, `$(filters // 2)`."""
        if self.factor == 1:
            return f"${self.name}"
        large, small = self.factor.numerator, self.factor.denominator
        product = self.name if large == 1 else f"{large} * {self.name}"
        return f"$({product})" if small == 1 else f"$({product} // {small})"


@dataclass(frozen=True)
class Variable:
    """What stands in place of a value that many layers have: a variable of the spec."""

    name: str
    text: str


@dataclass(frozen=True)
class Reference:
    """A layer, or an input of the network, that the use of a block names, by its number."""

    number: int


Source = int | Parameter
"""Where an input comes from: the number of a layer or of an input of the network, or what the use of a block says."""


@dataclass(frozen=True, eq=False)
class Item:
    """An entry of a list of layers.

    Args:
        word: a layer type, `skip`, `branches`, `repeat`, `shared`, or the name of a block.
        number: of the layer that comes out of it last.
        arguments: all of a layer, those with defaults included; of the use of a block its parameters.
        paths: the lists of layers that it holds.
        sources: what `from` says; None: it takes what is above it.
        name: that of the layer in Keras, where it says something.
        fixed: it is referred to by its name from anywhere, so that it is no part of a block.
        layers: of `shared`, the numbers of the layers.
        defaults: of the use of a block, what its parameters are where they are left out; None: it is a layer.
        first, last: of the use of a block, and of `repeat`, what they begin and end with.
    """

    word: str
    number: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    paths: tuple[tuple[Item, ...], ...] = ()
    sources: tuple[Source, ...] | None = None
    name: str | None = None
    fixed: bool = False
    layers: tuple[int, ...] = ()
    defaults: Mapping[str, Any] | None = None
    first: Item | None = None
    last: Item | None = None
    _texts: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    def text(self, make: Callable[[], str], key: str = "") -> str:
        """A text of the item, which is made once."""
        if key not in self._texts:
            self._texts[key] = make()
        return self._texts[key]


def of_layer(layer: LayerSpec, number: int, **more: Any) -> Item:
    """An item of a single layer."""
    return Item(layer.type_name, number, arguments_of(layer), **more)


def walk(items: Iterable[Item]) -> Iterator[Item]:
    """All items, those inside before the one that holds them: the order in which layers are laid."""
    for item in items:
        for path in item.paths:
            yield from walk(path)
        yield item


def numbers_named(item: Item) -> Iterator[int]:
    """The layers that an item itself names, not those inside it."""
    yield from (source for source in item.sources or () if isinstance(source, int))
    yield from item.layers
    yield from (value.number for value in item.arguments.values() if isinstance(value, Reference))
