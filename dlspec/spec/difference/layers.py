"""Layers that come, go, change, move or get another name: two networks side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dlspec.language.registry import brief_of
from dlspec.language.shapes import Shape, show_shape
from dlspec.model.graph import Graph, GraphLayer
from dlspec.model.section import Broken
from dlspec.spec.difference.keys import KeyChange, Place, changed_arguments
from dlspec.spec.origins import show_place
from dlspec.spec.spec import Spec

Pair = tuple[GraphLayer | None, GraphLayer | None]
"""A layer of the old network and what it is in the new one; None: it is not there."""
MOST = 250_000
"""With more pairs of layers to choose from, those at the same place are taken for the same."""


@dataclass(frozen=True)
class LayerChange:
    """A layer that is not as it was.

    Args:
        how: `added`, `removed`, `changed`, `moved`, `renamed`, `takes other input`; `follows` where it is only its
            shapes or parameters that differ, because of what is before it.
        old_name, new_name: None where it is not there.
        text: the layer as one would write it, without its name.
        arguments: those that differ.
        old_shape, new_shape: of its output, the batch first.
        old_parameters, new_parameters: None where they are not known.
        old_inputs, new_inputs: names of what it takes.
        place: where it is written, such as `line 12`.
    """

    how: tuple[str, ...]
    old_name: str | None
    new_name: str | None
    text: str
    arguments: tuple[KeyChange, ...]
    old_shape: Shape | None
    new_shape: Shape | None
    old_parameters: int | None
    new_parameters: int | None
    old_inputs: tuple[str, ...]
    new_inputs: tuple[str, ...]
    place: str

    @property
    def name(self) -> str:
        """`h1 → hidden` where it is another one than before."""
        if "renamed" in self.how:
            return f"{self.old_name} → {self.new_name}"
        return self.new_name or self.old_name or ""

    @property
    def what(self) -> str:
        """What is otherwise, in words."""
        parts = [f"{change.key}: {change.text}" for change in self.arguments]
        if {"added", "removed"} & {*self.how}:
            parts.append(self.text)
        if "moved" in self.how:
            parts.append(f"now behind {', '.join(self.new_inputs)}")
        elif "takes other input" in self.how:
            parts.append(f"input: {', '.join(self.old_inputs)} → {', '.join(self.new_inputs)}")
        return "; ".join(parts)

    @property
    def shape(self) -> str:
        """Of its output: `(batch, 64) → (batch, 32)`."""
        return _arrow(self, show_shape(self.old_shape), show_shape(self.new_shape))

    @property
    def parameters(self) -> str:
        old, new = ("not known" if n is None else f"{n:,}" for n in (self.old_parameters, self.new_parameters))
        return _arrow(self, old, new)

    def as_json(self) -> dict[str, Any]:
        return {
            "how": list(self.how),
            "old_name": self.old_name,
            "new_name": self.new_name,
            "layer": self.text,
            "arguments": [change.as_json() for change in self.arguments],
            "old_output_shape": None if self.old_shape is None else list(self.old_shape[1:]),
            "new_output_shape": None if self.new_shape is None else list(self.new_shape[1:]),
            "old_parameters": self.old_parameters,
            "new_parameters": self.new_parameters,
            "old_inputs": list(self.old_inputs),
            "new_inputs": list(self.new_inputs),
            "place": self.place,
        }


def _arrow(change: LayerChange, old: str, new: str) -> str:
    if change.old_name is None or change.new_name is None:
        return new if change.old_name is None else old
    return new if old == new else f"{old} → {new}"


class Networks(NamedTuple):
    """Two networks whose layers are side by side.

    Args:
        changes: in the order of the new network; a layer that is gone is where it was.
        names: of layers that are in both, the old one -> the new one.
    """

    changes: list[LayerChange]
    names: Mapping[str, str]


def compare_networks(old: Spec, new: Spec, old_graph: Graph, new_graph: Graph) -> Networks:
    """Layers are found again by name, and without one by what they are and where they stand.

    Layers that could not be read are left out; if there are any, so are those of which only shapes differ.
    """
    pairs, moved = _with_moved(_align(old_graph.layers, new_graph.layers))
    names = {before.name: now.name for before, now in pairs if before and now}
    sources = _Sources(old_graph, new_graph, names, {now.name for _, now in pairs if now and now.name in moved})
    found = []
    for before, now in pairs:
        change = _compare(before, now, old, new, sources, moved)
        if change is not None:
            found.append(change)
    if any(has_broken(graph) for graph in (old_graph, new_graph)):
        found = [change for change in found if change.how != ("follows",)]
    return Networks(found, names)


def has_broken(graph: Graph) -> bool:
    """Whether some layer could not be read, so that shapes and costs are not known."""
    return any(isinstance(layer.layer, Broken) for layer in graph.layers)


def _compare(
    before: GraphLayer | None, now: GraphLayer | None, old: Spec, new: Spec, sources: _Sources, moved: set[str]
) -> LayerChange | None:
    how, arguments = [], list[KeyChange]()
    one = now or before
    assert one is not None, "a pair has a layer"
    if any(pair and isinstance(pair.layer, Broken) for pair in (before, now)):
        return None
    if before is None or now is None:
        how.append("added" if before is None else "removed")
    else:
        places = Place(old.document, before.path), Place(new.document, now.path)
        arguments = changed_arguments(before.layer, now.layer, *places)
        replaced = type(before.layer) is not type(now.layer)
        given = before.layer.name or now.layer.name
        how += ["changed"] * bool(arguments or replaced)
        how += ["renamed"] * bool(given and before.name != now.name)
        how += ["moved"] * (now.name in moved)
        how += ["takes other input"] * (now.name not in moved and sources.differ(before, now))
        sizes = ((x.output_shape, _parameters(x)) for x in (before, now))
        if not how and len({*sizes}) == 1:
            return None
        if replaced:
            was, is_ = (brief_of(x.layer.model_copy(update={"name": None, "from_": None})) for x in (before, now))
            arguments = [KeyChange("layer", was, is_, "", "")]
    spec = new if now else old
    place = show_place(spec.document, spec.key_span(*one.path, one.written.type_name))
    return LayerChange(
        tuple(how) or ("follows",),
        before.name if before else None,
        now.name if now else None,
        one.text,
        tuple(arguments),
        before.output_shape if before else None,
        now.output_shape if now else None,
        _parameters(before) if before else None,
        _parameters(now) if now else None,
        before.inputs if before else (),
        now.inputs if now else (),
        place if now else f"old {place}",
    )


def _parameters(layer: GraphLayer) -> int | None:
    return None if None in layer.input_shapes else layer.parameters


# --- which layer is which


def _align(old: Sequence[GraphLayer], new: Sequence[GraphLayer]) -> list[Pair]:
    """Pairs in order, chosen so that as many layers as possible are found again (Needleman and Wunsch, 1970)."""
    before, now = [_Known.of(layer) for layer in old], [_Known.of(layer) for layer in new]
    start, end = 0, 0
    while start < min(len(old), len(new)) and before[start] == now[start]:
        start += 1
    while end < min(len(old), len(new)) - start and before[-1 - end] == now[-1 - end]:
        end += 1
    pairs: list[Pair] = [*zip(old[:start], new[:start], strict=True)]
    rows, columns = len(old) - end - start, len(new) - end - start

    def likeness(i: int, j: int) -> int:
        return before[start + i].likeness(now[start + j])

    best = _best_scores(rows, columns, likeness) if rows * columns <= MOST else None
    i = j = 0
    while i < rows or j < columns:
        score = likeness(i, j) if i < rows and j < columns else 0
        if score and (best is None or best[i][j] == best[i + 1][j + 1] + score):
            pairs.append((old[start + i], new[start + j]))
            i, j = i + 1, j + 1
        elif i < rows and (j == columns or best is None or best[i][j] == best[i + 1][j]):
            pairs.append((old[start + i], None))
            i += 1
        else:
            pairs.append((None, new[start + j]))
            j += 1
    return [*pairs, *zip(old[len(old) - end :], new[len(new) - end :], strict=True)]


def _best_scores(rows: int, columns: int, likeness: Callable[[int, int], int]) -> list[list[int]]:
    """The most that layers from each pair of places on can have in common."""
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i in reversed(range(rows)):
        for j in reversed(range(columns)):
            score = likeness(i, j)
            together = best[i + 1][j + 1] + score if score else 0
            best[i][j] = max(together, best[i + 1][j], best[i][j + 1])
    return best


class _Known(NamedTuple):
    """What a layer is known again by.

    Args:
        name: the one that was given; None where it is its type and a number, which changes with the layers before it.
    """

    name: str | None
    type_name: str
    arguments: str

    @classmethod
    def of(cls, layer: GraphLayer) -> _Known:
        plain = layer.layer.model_copy(update={"name": None, "from_": None})
        if plain.begins_with is not None:
            plain = plain.model_copy(update={"state_from": None})
        return cls(layer.layer.name, plain.type_name, repr(plain.written()))

    @property
    def known_by(self) -> object:
        """What a layer that has moved has kept: its name and type, or without a name all that it is."""
        return self[:2] if self.name is not None else self

    def likeness(self, other: _Known) -> int:
        """How much speaks for the two being the same layer; 0: they are not."""
        if Broken.type_name in (self.type_name, other.type_name):
            return 1
        same_type, same = self.type_name == other.type_name, self[1:] == other[1:]
        if self.name is not None and self.name == other.name:
            return 8 if same else 6 if same_type else 5
        if self.name is not None and other.name is not None:
            return 4 if same else 0
        if self.name is not None or other.name is not None:
            return 5 if same else 2 if same_type else 0
        return 7 if same else 3 if same_type else 0


def _with_moved(pairs: list[Pair]) -> tuple[list[Pair], set[str]]:
    """The pairs, where a layer that is gone in one place and new in another is one; and the new names of those."""
    gone: dict[object, list[GraphLayer]] = {}
    for before, now in pairs:
        if before and now is None:
            gone.setdefault(_Known.of(before).known_by, []).append(before)
    moved: dict[str, GraphLayer] = {}
    for before, now in pairs:
        alike = gone.get(_Known.of(now).known_by) if now and before is None else None
        if now and alike:
            moved[now.name] = alike.pop(0)
    taken = {before.name for before in moved.values()}
    joined: list[Pair] = []
    for before, now in pairs:
        if before is None and now is not None and now.name in moved:
            joined.append((moved[now.name], now))
        elif now is not None or before is None or before.name not in taken:
            joined.append((before, now))
    return joined, {*moved}


class _Sources:
    """What layers take, seen past those that are new, gone or moved: a layer put in between changes no other."""

    def __init__(self, old: Graph, new: Graph, names: Mapping[str, str], moved: set[str]) -> None:
        self.old, self.new = old, new
        self.names = {**{given.name: given.name for given in old.inputs}, **names}
        self.stay_in_old = {before for before, now in self.names.items() if now not in moved}
        self.stay_in_new = {self.names[before] for before in self.stay_in_old}

    def differ(self, before: GraphLayer, now: GraphLayer) -> bool:
        if len(before.inputs) != len(now.inputs):
            return True
        for was, is_ in zip(before.inputs, now.inputs, strict=True):
            old = {self.names.get(name, name) for name in self._past(self.old, was, self.stay_in_old)}
            if not old & {*self._past(self.new, is_, self.stay_in_new)}:
                return True
        return False

    def _past(self, graph: Graph, name: str, stay: set[str]) -> Iterator[str]:
        open_, seen = [name], set[str]()
        while open_:
            at = open_.pop()
            if at in seen:
                continue
            seen.add(at)
            layer = graph.by_name.get(at)
            if layer is None or at in stay:
                yield at
            else:
                open_ += layer.inputs
