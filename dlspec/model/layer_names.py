"""Names of layers: what `from`, `pretrain`, history and export call them, so no two may be equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence

from dlspec.language.diagnostics import Diagnostic, Label, Span
from dlspec.language.shapes import Path
from dlspec.model.layers import LayerSpec, ModelItem
from dlspec.model.layers.base import Group
from dlspec.model.section import ModelSpec


class LayerNames:
    """The names that a section `model` gives, and those that are made for the rest.

    A name that is written once and laid several times, by `repeat` or a block, is numbered.

    Args:
        problems: takes what is wrong with the given names.
    """

    def __init__(self, model: ModelSpec, problems: list[Diagnostic]) -> None:
        self.model = model
        self.problems = problems
        self._given = Counter[str]()
        self._counts = Counter[str]()
        first = dict[str, Span]()
        for key in ("inputs", "outputs"):
            for name in getattr(model, key) or {}:
                self._take(name, model.key_span(key, name), 1, first)
        for item, times, path in _items(model.layers, 1, ("model", "layers")):
            for name, place in item.names_given():
                self._take(name, model.span(*path[1:], item.type_name, *place), times, first)

    def __contains__(self, name: str) -> bool:
        """Whether the section gives it."""
        return name in self._given

    def _take(self, name: str, span: Span, times: int, first: dict[str, Span]) -> None:
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

    def of(self, layer: LayerSpec, taken: Container[str]) -> str:
        """The given name, numbered where it is laid several times, or the type with a number."""
        if layer.name and self._given[layer.name] < 2:
            return layer.name if layer.name not in taken else self.unused(layer.name, taken)  # which has been reported
        sort = layer.name or layer.counted_as
        while True:
            self._counts[sort] += 1
            name = sort if sort == "output" and self._counts[sort] == 1 else f"{sort}_{self._counts[sort]}"
            if name not in self and name not in taken:
                return name

    def unused(self, name: str, taken: Container[str]) -> str:
        """The name, with a number where it is taken."""
        tried, number = name, 1
        while tried in taken or tried in self:
            number += 1
            tried = f"{name}_{number}"
        return tried


def _items(items: Sequence[ModelItem], times: int, path: Path) -> Iterator[tuple[ModelItem, int, Path]]:
    """Every item, how often it is laid, and its place."""
    for i, item in enumerate(items):
        place = (*path, i)
        yield item, times, place
        if isinstance(item, Group):
            more = times * item.times_laid()
            for key in item.lists:
                inner = getattr(item, key)
                lists = enumerate(inner) if inner and isinstance(inner[0], list) else [(None, inner)]
                for j, each in lists:
                    below = (*place, item.type_name, key) if j is None else (*place, item.type_name, key, j)
                    yield from _items(each, more, below)
