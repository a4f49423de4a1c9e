"""The tables of a comparison, for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dlspec.evaluation.metrics import METRICS
from dlspec.language.yaml import to_inline_yaml

if TYPE_CHECKING:
    from dlspec.runs.side_by_side import Difference, SideBySide

ABSENT = "—"
Sort = Literal["own", "quiet", ""]


@dataclass(frozen=True)
class Grid:
    """A table.

    Args:
        heads: of its columns, the first of which names rows.
        sorts: of each row: `own` is a network, `quiet` stands back.
        numbers: whether its cells are numbers.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sorts: tuple[Sort, ...] = ()
    numbers: bool = False

    def lines(self) -> Iterator[tuple[Sort, tuple[str, ...]]]:
        yield from zip(self.sorts or [""] * len(self.rows), self.rows, strict=True)


def grids(found: SideBySide) -> list[Grid]:
    """Metrics, then the keys of the specs that differ, then what else does."""
    return [
        _metrics(found),
        *_of_differences("spec", found.names, found.keys),
        *_of_differences("surroundings", found.names, found.surroundings),
    ]


def _metrics(found: SideBySide) -> Grid:
    """Of each run the network and the baselines; figures that differ can be told from each other."""
    metrics = [run.metrics for run in found.runs]
    units = {run.data.target.unit for run in found.runs}
    unit = units.pop() if len(units) == 1 else None
    scored = [(run, who, scores) for run, own in enumerate(metrics) for who, scores in own.scores().items()]
    names = list(dict.fromkeys(name for own in metrics for name in own.test))
    cells = {}
    for name in names:
        there = [name in scores for *_, scores in scored]
        shown = iter(METRICS[name].show_all([scores[name] for *_, scores in scored if name in scores]))
        cells[name] = [next(shown) if known else ABSENT for known in there]
    rows: list[tuple[str, ...]] = []
    sorts: list[Sort] = []
    for place, (run, who, _) in enumerate(scored):
        network = who == "network"
        rows.append((found.names[run] if network else f"  {who}", *(cells[name][place] for name in names)))
        sorts.append("own" if network else "")
        if network and metrics[run].test_intervals:
            rows.append(("  95% confidence", *map(metrics[run].shown_interval, names)))
            sorts.append("quiet")
        folds = metrics[run].folds
        if network and folds is not None:
            spreads = [folds.test.get(name) for name in names]
            of_all = (
                ABSENT if own is None else METRICS[name].show_spread(own.mean, own.sd)
                for name, own in zip(names, spreads, strict=True)
            )
            rows.append((f"  over {len(folds.parts)} folds", *of_all))
            sorts.append("quiet")
    targets = list(dict.fromkeys(run.data.target.name for run in found.runs))
    heads = ("", *(METRICS[name].heading(unit) for name in names))
    return Grid(f"test part: {', '.join(targets)}", heads, tuple(rows), tuple(sorts), numbers=True)


def _of_differences(title: str, names: Sequence[str], found: Sequence[Difference]) -> list[Grid]:
    rows = tuple((own.name, *map(_shown, own.values)) for own in found)
    return [Grid(title, (title, *names), rows)] if rows else []


def _shown(value: Any) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "none"
    return to_inline_yaml(value) if isinstance(value, dict | list | bool | float) else str(value)


def text_of(grid: Grid) -> str:
    """The table as plain text."""
    table = [grid.heads, *grid.rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(grid.heads))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.rjust(width) if grid.numbers and place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    title = [grid.title] if grid.title != grid.heads[0] else []
    return "\n".join([*title, line(grid.heads), "  ".join("─" * width for width in widths), *map(line, grid.rows)])
