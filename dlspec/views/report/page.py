"""Puts a run's numbers and figures into the page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.data.sources import FileSource
from dlspec.data.training_rows import deciding_source
from dlspec.evaluation.metrics import METRICS, show_number
from dlspec.runs.records.metrics import Scores
from dlspec.views.drawing import Marks, draw_svg
from dlspec.views.highlighting import highlight
from dlspec.views.report import figures
from dlspec.views.report.learning import learning_figures
from dlspec.views.report.results import comparison_figure, fold_figure, result_figures, shown_group
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    from jinja2 import Environment

    from dlspec.runs import Run
    from dlspec.runs.evaluating import Evaluated

HERE = Path(__file__).parent
STYLE = HERE / "style.css"


def render(run: Run) -> str:
    """The whole page as HTML text; nothing in it is loaded from elsewhere."""
    spec, metrics, data = run.spec, run.metrics, run.data
    network, stages = run.graph, run.plan
    started = datetime.fromisoformat(run.environment.started)
    learning = learning_figures(run)
    return _filled_in(
        "page.html",
        spec=spec,
        about=_about(run),
        run_name=run.folder.resolve().name,
        started=f"{started:%d %B %Y, %H:%M}",
        require=metrics.require,
        results=_results(run, run.outputs),
        learning=learning,
        data_figures=data_figures(run),
        number=show_number,
        data=data,
        network_svg=draw_svg(network, Marks(stages.pretrained, stages.frozen)),
        parameters=network.parameters,
        flops=network.flops,
        resolved=highlight(run.resolved_text),
        environment={
            key: ", ".join(value) or "nothing" if key == "compiled_by_xla" and value is not None else value
            for key, value in run.environment.as_json().items()
            if key != "started"
        },
    )


def render_evaluation(found: Evaluated) -> str:
    """The page of a run that is judged by other data."""
    tested = any(each.chance is not None for each in found.differences)
    return _filled_in(
        "evaluation.html",
        spec=found.spec,
        file=found.file.name,
        run_name=found.folder.resolve().name,
        require=[each for own in (found, *found.others.values()) for each in own.metrics.require],
        results=_results(found, found.each_output),
        rows=found.rows,
        judged=found.judged,
        of_texts=found.data.target.tokens is not None,
        differences=found.differences,
        how_compared=COMPARED + (TESTED if tested else NOT_TESTED),
    )


def _results(run: Run, outputs: Mapping[str, Run]) -> list[dict[str, Any]]:
    """What the page says of the result, of several outputs of each by its name."""
    return [
        {
            "output": name,
            "target": own.data.target.name,
            "verdict": own.metrics.verdict,
            "notes": own.metrics.notes,
            "headings": _headings(own),
            "scores": _score_rows(own),
            "judged_on": own.judged_on,
            "compared": comparison_figure(own),
            "folds": own.metrics.folds,
            "fold_rows": _fold_rows(own),
            "fold_figure": fold_figure(own),
            "figures": result_figures(own),
        }
        for name, own in (outputs or {"": run}).items()
    ]


COMPARED = (
    "Apart: the largest difference of the shares of both data that are below any value; of words and classes, half the "
    "sum of the differences of their shares. "
)
TESTED = (
    "By chance: how probable such a distance is where both are alike, by the tests of Kolmogorov and Smirnov, and of "
    "Pearson, corrected for the number of columns (Holm, 1979). Named are distances of 10% or more below 0.01."
)
NOT_TESTED = "Rows that follow each other, or belong to groups, are not independent, so that no test is made."


def _filled_in(template: str, **values: Any) -> str:
    page: str = _templates().get_template(template).render(css=STYLE.read_text(encoding="utf-8"), **values)
    return page


@cache
def _templates() -> Environment:
    """They are compiled once, however many reports are drawn."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(HERE, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def data_figures(run: Run) -> list[Shown]:
    """What it was trained on."""
    pictures, target = run.pictures, run.data.target
    if run.data.task == "series":
        times = pictures["series:times"]
        if pictures["series:dated"]:
            times = times.astype("datetime64[us]")
        unit = f" ({target.unit})" if target.unit else ""
        group = shown_group(run)
        of = f" of {group}" if group is not None else ""
        middle = ", watched on the middle part" if run.data.parts.validation else ""
        return [
            Shown(
                figures.split_line(
                    times, pictures["series:values"], pictures["series:ends"], f"{target.name}{of}{unit}"
                ),
                "The series and its split",
                f"Split by time: the network is trained on the past{middle}, and judged on the end.",
            )
        ]
    found = []
    if "some:pictures" in run.pictures:
        shown, titles = run.pictures["some:pictures"], run.pictures["some:truth"].tolist()
        found.append(Shown(figures.picture_rows({"": shown}, titles), "Some of the training samples"))
    if run.data.class_counts and not target.tokens and not target.written:
        each = "with each label" if target.kind == "labels" else "of each class"
        if target.of_words:
            counted = figures.class_counts(run.data.class_counts, "words")
            return [*found, Shown(counted, "Words with each tag")]
        what = "Places" if target.places else "Samples"
        found.append(Shown(figures.class_counts(run.data.class_counts), f"{what} {each}"))
    return found


def _about(run: Run) -> str:
    source = deciding_source(run.spec.data, run.spec.seed)
    if isinstance(source, FileSource):
        return ", ".join(Path(path).name for path in source.paths)
    return source.describe().about


def _headings(run: Run) -> list[str]:
    return [METRICS[name].heading(run.data.target.unit, run.data.target.covered) for name in run.metrics.test]


def _fold_rows(run: Run) -> list[tuple[str, list[str]]]:
    """The network and the baselines over all folds: mean ± sd of each metric."""
    folds = run.metrics.folds
    if folds is None:
        return []
    return [
        (name, [METRICS[metric].show_spread(found.mean, found.sd) for metric, found in own.items()])
        for name, own in folds.of_all()
    ]


def _score_rows(run: Run) -> list[dict[str, Any]]:
    """Rows of the table: the network and the baselines on the test part, then the network on the other parts."""
    from dlspec.evaluation.baselines import BASELINES

    metrics = run.metrics
    rows: list[tuple[str, str, Scores, str]] = [("network", f"on {run.judged_on}", metrics.test, "own")]
    rows += [(name, BASELINES[name].in_words, scores, "") for name, scores in metrics.baselines.items()]
    rows += [
        ("network", f"on the {part} part", scores, "quiet")
        for part, scores in (("validation", metrics.validation), ("train", metrics.train))
        if scores
    ]
    best = {}
    for name in metrics.test:
        values = [scores[name] for scores in metrics.scores().values()]
        known = [value for value in values if value is not None]
        ranked = known and METRICS[name].ranks
        best[name] = (min if METRICS[name].better == "lower" else max)(known) if ranked else None
    shown = metrics.shown()
    found = [
        {
            "name": name,
            "words": words,
            "sort": sort,
            "cells": [
                (METRICS[m].show(value), False)
                if sort == "quiet"
                else (shown[m][name], value is not None and value == best[m])
                for m, value in scores.items()
            ],
        }
        for name, words, scores, sort in rows
    ]
    if metrics.test_intervals:
        ends = [(metrics.shown_interval(name), False) for name in metrics.test]
        words = "95% confidence interval"
        found.insert(1, {"name": "", "words": words, "sort": "quiet", "cells": ends})
    return found
