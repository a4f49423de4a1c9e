"""Where the boxes of a network stand: in rows by their distance from the input, in columns so that few lines cross.

After Sugiyama, Tagawa and Toda (1981): an edge over several rows passes through an empty place in each of them, places
are sorted by the average of what they hang on, and lie as near to it as their neighbours allow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dlspec.model.graph import Graph

SWEEPS = 4


@dataclass(frozen=True)
class Layout:
    """Places of inputs and layers.

    Args:
        row, column: of each by its name; columns are in units of a box and may be broken numbers from 0 on.
        edges: for each edge its source, its target and the places it runs through, both ends included.
        rows, columns: how many there are.
    """

    row: Mapping[str, int]
    column: Mapping[str, float]
    edges: Sequence[tuple[str, str, list[tuple[float, int]]]]
    rows: int
    columns: float


def lay_out(graph: Graph) -> Layout:
    """Rows and columns of all inputs and layers."""
    row = {given.name: 0 for given in graph.inputs}
    links = []
    for layer in graph.layers:
        sources = [source for source in layer.inputs if source in row]
        row[layer.name] = 1 + max((row[source] for source in sources), default=0)
        links += [(source, layer.name) for source in dict.fromkeys(sources)]
    rows: list[list[str]] = [[] for _ in range(1 + max(row.values()))]
    for name, at in row.items():
        rows[at].append(name)
    routes = []
    for number, (source, target) in enumerate(links):
        between = [f"\0{number}:{at}" for at in range(row[source] + 1, row[target])]
        for at, place in enumerate(between, row[source] + 1):
            rows[at].append(place)
        routes.append([source, *between, target])
    above, below = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for route in routes:
        for upper, lower in pairwise(route):
            above[lower].append(upper)
            below[upper].append(lower)
    _sort(rows, above, below)
    x = _place(rows, above, below)
    left = min(x.values())
    x = {name: value - left for name, value in x.items()}
    at_row = {name: number for number, names in enumerate(rows) for name in names}
    edges = [(route[0], route[-1], [(x[name], at_row[name]) for name in route]) for route in routes]
    return Layout(row, {name: x[name] for name in row}, edges, len(rows), 1 + max(x.values()))


Links = Mapping[str, Sequence[str]]


def _sort(rows: list[list[str]], above: Links, below: Links) -> None:
    """Sorts each row by the average position of what hangs together with it, down and up in turn."""
    for sweep in range(SWEEPS):
        ordered, links = (rows, above) if sweep % 2 == 0 else (rows[::-1], below)
        for fixed, names in pairwise(ordered):
            if len(names) > 1:
                position = {name: number for number, name in enumerate(fixed)}
                own = {name: number for number, name in enumerate(names)}
                names.sort(key=lambda name: _mean([position[o] for o in links[name]], own[name]))


def _place(rows: list[list[str]], above: Links, below: Links) -> dict[str, float]:
    """A column for each name, one apart at least within a row."""
    x = {name: number - (len(names) - 1) / 2 for names in rows for number, name in enumerate(names)}
    for sweep in range(SWEEPS):
        ordered, links = (rows, above) if sweep % 2 == 0 else (rows[::-1], below)
        for names in ordered:
            wanted = [_mean([x[other] for other in links[name]], x[name]) for name in names]
            placed: list[float] = []
            for want in wanted:
                placed.append(max(want, placed[-1] + 1) if placed else want)
            shift = sum(want - got for want, got in zip(wanted, placed, strict=True)) / len(names)
            x.update({name: got + shift for name, got in zip(names, placed, strict=True)})
    return x


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
