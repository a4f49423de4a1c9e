"""Specs, networks, runs and what was found about them, as a notebook shows them.

HTML without scripts, ids or rules of style: a notebook's page belongs to others. Colors are read on a light page and on
a dark one; the text has the notebook's own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import singledispatch
from html import escape

from dlspec.data.sources.reading import briefly
from dlspec.evaluation.metrics import METRICS
from dlspec.language.diagnostics import Diagnostic, render_text
from dlspec.language.diagnostics.errors import DiagnosticError
from dlspec.language.diagnostics.text import visible
from dlspec.model.graph import Graph
from dlspec.runs.evaluating import Evaluated
from dlspec.runs.folder import Run, open_run
from dlspec.runs.listing import summarize
from dlspec.spec.checks import check
from dlspec.spec.spec import Spec
from dlspec.views.comparison import RunComparison
from dlspec.views.difference import SpecDiff
from dlspec.views.drawing import draw_svg
from dlspec.views.highlighting import highlight
from dlspec.views.resolved import write_resolved

LINE = "rgba(128,128,128,.35)"
TABLE = "border-collapse:collapse;margin:.5em 0;font-variant-numeric:tabular-nums"
CODE = "background:none;color:inherit;font-size:.9em;line-height:1.4;max-height:36em;overflow:auto;margin:.5em 0"
QUIET = "opacity:.7"
MARKS = {"key": 'style="color:#3b82f6"', "comment": f'style="{QUIET}"', "number": 'style="color:#d97706"'}


def to_html(value: object) -> str:
    """The value; where what it is made of cannot be read, why."""
    try:
        parts = list(_parts(value))
    except DiagnosticError as error:
        parts = [_problems(error.diagnostics, error.texts)]
    return f'<div style="color:inherit;overflow-x:auto">{"".join(parts)}</div>'


@singledispatch
def _parts(value: object) -> Iterable[str]:
    raise TypeError(f"nothing draws a {type(value).__name__}")


@_parts.register
def _graph(graph: Graph) -> Iterable[str]:
    yield draw_svg(graph, inline=True)
    if not graph.complete:
        yield _line("There are too many layers; those that are drawn are the first.")


@_parts.register
def _spec(spec: Spec) -> Iterable[str]:
    yield _title(spec.name, spec.description)
    with briefly():
        found = check(spec.document).errors
    document = spec.document
    written = document.texts.get(document.file, "") if found else write_resolved(spec)
    yield f'<pre style="{CODE}">{highlight(visible(written), MARKS)}</pre>'
    if found:
        yield _problems(found, document.texts)


@_parts.register
def _run(run: Run) -> Iterable[str]:
    summary = summarize(open_run(run.folder).folder)
    yield _title(run.spec.name, f"{run.folder}")
    yield _line(f"{summary.state}{summary.reason and f': {summary.reason}'}")
    if not run.finished:
        yield _line("It has no results yet.")
        return
    yield from _results(run)


@_parts.register
def _evaluated(found: Evaluated) -> Iterable[str]:
    yield _title(found.spec.name, f"{found.folder}, judged by {found.file}")
    yield _line(f"judged: {found.judged_in_words}")
    yield from _results(found)
    rows = [
        (
            each.column,
            each.measure,
            "–" if each.apart is None else f"{each.apart:.0%}",
            "–" if each.chance is None else f"{each.chance:.2g}",
            each.sentence,
        )
        for each in found.differences
    ]
    own = [row for row, each in enumerate(found.differences) if each.drifted]
    heads = ("column", "compared", "apart", "by chance", "")
    yield _table("what is different about these data", heads, rows, right=(2, 3), own=own)


def _results(run: Run) -> Iterable[str]:
    """What came of it, of several outputs of each."""
    outputs = getattr(run, "each_output", None) or run.outputs
    for name, own in (outputs or {"": run}).items():
        if name:
            yield _line(f"{name}: {own.data.target.name}")
        yield from _results_of(own)


def _results_of(run: Run) -> Iterable[str]:
    """The verdict, the metrics of the network and the baselines, and what a reader should know."""
    metrics = run.metrics
    yield _line(metrics.verdict.sentence, "font-weight:600")
    shown = metrics.shown()
    rows = [[who, *(cells[who] for cells in shown.values())] for who in metrics.scores()]
    if metrics.test_intervals:
        rows.insert(1, ["95% confidence", *(metrics.shown_interval(name) for name in metrics.test)])
    heads = ["", *(METRICS[name].heading(run.data.target.unit, run.data.target.covered) for name in metrics.test)]
    yield _table(f"{run.judged_on}: {run.data.target.name}", heads, rows, right=range(1, len(heads)), own=(0,))
    if metrics.folds is not None:
        yield _line(metrics.folds.sentence)
    yield from (_line(note, QUIET) for note in metrics.notes)


@_parts.register
def _comparison(comparison: RunComparison) -> Iterable[str]:
    for grid in comparison.grids:
        own = [row for row, (sort, _) in enumerate(grid.lines()) if sort == "own"]
        right = range(1, len(grid.heads)) if grid.numbers else ()
        yield _table(grid.title, grid.heads, grid.rows, right=right, own=own)
    yield from map(_line, comparison.sentences)


@_parts.register
def _difference(difference: SpecDiff) -> Iterable[str]:
    yield _title(f"{difference.old.name} → {difference.new.name}", difference.sentence)
    for block in difference.blocks():
        yield _table(block.title, block.heads, block.shown, right=block.right)
    yield from (_line(note, QUIET) for note in difference.remarks)


def _title(name: str, about: str) -> str:
    return f'<p style="margin:.3em 0"><b>{_text(name)}</b> <span style="{QUIET}">{_text(about)}</span></p>'


def _line(text: str, style: str = "") -> str:
    return f'<p style="margin:.3em 0;max-width:60em;{style}">{_text(text.replace("`", ""))}</p>'


def _problems(diagnostics: Sequence[Diagnostic], texts: Mapping[str, str]) -> str:
    return f'<pre style="{CODE}">{escape(render_text(diagnostics, texts))}</pre>'


def _table(
    title: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    own: Collection[int] = (),
) -> str:
    """A table.

    Args:
        right: columns of numbers.
        own: rows that stand out.
    """

    def cells(tag: str, row: Sequence[str], weight: str) -> str:
        return "".join(
            f'<{tag} style="text-align:{"right" if i in right else "left"};padding:.2em .8em;'
            f'border-bottom:1px solid {LINE};font-weight:{weight}">{_text(cell)}</{tag}>'
            for i, cell in enumerate(row)
        )

    lines = [cells("td", row, "600" if number in own else "400") for number, row in enumerate(rows)]
    body = "".join(f'<tr style="background:none">{line}</tr>' for line in [cells("th", heads, "400"), *lines])
    caption = f'<caption style="caption-side:top;text-align:left;color:inherit;{QUIET}">{_text(title)}</caption>'
    return f'<table style="{TABLE}">{caption}{body}</table>'


def _text(text: str) -> str:
    return escape(visible(text))
