"""Puts a comparison into a page, in the style of the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dlspec.evaluation.metrics import METRICS, judged_by
from dlspec.views.comparison import figures
from dlspec.views.comparison.grids import grids
from dlspec.views.comparison.sentences import sentences
from dlspec.views.report.page import STYLE
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    from dlspec.runs.side_by_side import SideBySide
    from dlspec.training.progress import HistoryRow

HERE = Path(__file__).parent


def render(found: SideBySide) -> str:
    """The whole page as HTML text; nothing in it is loaded from elsewhere."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([HERE, STYLE.parent], encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    verdicts = [pair.verdict for pair in found.pairs]
    outcome = verdicts[0].outcome if len(verdicts) == 1 and verdicts[0] is not None else ""
    first, *others = sentences(found)
    metrics, *differences = grids(found)
    return environment.get_template("page.html").render(
        css=STYLE.read_text(encoding="utf-8"),
        names=found.names,
        folders=[str(run.folder) for run in found.runs],
        outcome=outcome,
        first=first,
        others=others,
        metrics=metrics,
        differences=differences,
        result=[*_dots(found), *_gains(found)],
        curves=_curves(found),
    )


def _dots(found: SideBySide) -> list[Shown]:
    """The metric that all are judged by; nothing where they have none in common."""
    kinds = {run.data.target.judged_as for run in found.runs}
    shared = [name for name in found.runs[0].metrics.test if all(name in run.metrics.test for run in found.runs)]
    if len(kinds) > 1 or not shared:
        return []
    metric = METRICS[judged_by(kinds.pop(), shared)]
    name = metric.type_name
    known = {
        label: (run.metrics.test[name], run.metrics)
        for label, run in zip(found.names, found.runs, strict=True)
        if run.metrics.test[name] is not None
    }
    if len(known) < len(found.runs):
        return []
    units = {run.data.target.unit for run in found.runs}
    title = f"{metric.heading(units.pop() if len(units) == 1 else None)}, {metric.better} is better"
    svg = figures.dots(
        {label: value for label, (value, _) in known.items()},
        [own.test_intervals.get(name) for _, own in known.values()],
        [own.baselines.get(own.verdict.against, {}).get(name) for _, own in known.values()],
        title,
        metric.unit == "percent",
    )
    caption = (
        "A dot is a run on its test part, the bar where it lies with 95% confidence, the gray line its best simple "
    )
    warned = "" if found.same_data else " The runs are of different data."
    return [Shown(svg, "Each run by itself", f"{caption}guess.{warned}")]


def _gains(found: SideBySide) -> list[Shown]:
    """What each run gains over the first, of those that could be paired."""
    told = {
        name: (pair.verdict.gain or 0.0, pair.verdict.gain_interval, pair.verdict.gain_of)
        for name, pair in zip(found.names[1:], found.pairs, strict=True)
        if pair.verdict is not None
    }
    if len(told) < len(found.pairs):
        return []
    of = next(iter(told.values()))[2]
    share = of == "accuracy"
    title = f"gain in {of}, percentage points" if share else f"less {of}"
    svg = figures.gains({name: (gain, ends) for name, (gain, ends, _) in told.items()}, title, share)
    caption = (
        "On the same test rows, sample by sample. Right of the line a run is better; a bar that crosses it could be "
    )
    return [Shown(svg, f"Gain over {found.names[0]}", f"{caption}due to chance.")]


def _curves(found: SideBySide) -> list[Shown]:
    runs: dict[str, dict[str, list[HistoryRow]]] = {}
    for name, run in zip(found.names, found.runs, strict=True):
        own = runs.setdefault(name, {})
        for row in run.history:
            own.setdefault(row.stage, []).append(row)
    caption = "Mean loss of each epoch: whole lines of samples that were held out, broken ones of those trained on."
    return [Shown(figures.curves(runs), "Loss", caption)] if any(runs.values()) else []
