"""Puts a run's numbers and figures into the page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.diagrams import Marks, draw_svg
from dlspec.metrics import METRICS, show_number
from dlspec.plans import make_plan
from dlspec.reports import figures

if TYPE_CHECKING:
    from dlspec.runs import Run

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Shown:
    """A figure with what to look at in it."""

    svg: str
    title: str
    caption: str = ""
    wide: bool = True


def render(run: Run) -> str:
    """The whole page as HTML text; nothing in it is loaded from elsewhere."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    spec, metrics, data = run.spec, run.metrics, run.data
    network, stages = run.graph, make_plan(spec, run.graph)
    environment = Environment(
        loader=FileSystemLoader(HERE, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    started = datetime.fromisoformat(run.environment["started"])
    result, learning = result_figures(run), learning_figures(run)
    return environment.get_template("page.html").render(
        css=(HERE / "style.css").read_text(encoding="utf-8"),
        spec=spec,
        about=_about(run),
        run_name=run.folder.resolve().name,
        started=f"{started:%d %B %Y, %H:%M}",
        verdict=metrics["verdict"],
        notes=metrics["notes"],
        headings=_headings(run),
        scores=_score_rows(run),
        compared=comparison_figure(run),
        result=result,
        learning=learning,
        data_figures=data_figures(run),
        number=show_number,
        data=data,
        network_svg=draw_svg(network, Marks(tuple(s.layer.name for s in stages.pretraining if s.layer), stages.frozen)),
        parameters=network.parameters,
        flops=network.flops,
        resolved=highlight(run.resolved_text),
        environment={key: value for key, value in run.environment.items() if key != "started"},
    )


def comparison_figure(run: Run) -> Shown:
    """The metric of the verdict as bars."""
    metrics = run.metrics
    name = "accuracy" if run.data["target"]["kind"] == "class" else "rmse"
    if name not in metrics["test"]:
        name = next(iter(metrics["test"]))
    scores = {
        "network": metrics["test"][name],
        **{key: value[name] for key, value in metrics["baselines"].items()},
    }
    metric = METRICS[name]
    title = f"{metric.heading(run.data['target']['unit'])}, {metric.better} is better"
    return Shown(figures.comparison(scores, metric.unit == "percent"), title)


def result_figures(run: Run) -> list[Shown]:
    """How good it is, seen on the test part."""
    import pandas as pd

    table, target, task = run.predictions, run.data["target"], run.data["task"]
    baselines = list(run.metrics["baselines"])
    if task == "class":
        shown = [_plane(run)] if "plane:axes" in run.pictures else []
        if "bent:" in "".join(run.pictures):
            shown.append(_bent(run))
        classes = target["classes"]
        truth, guessed = table["truth"].astype(str).to_numpy(), table["network"].astype(str).to_numpy()
        shown.append(
            Shown(
                figures.confusion(truth, guessed, classes),
                "What was taken for what",
                f"The {len(truth)} test samples. A perfect network has numbers on the diagonal only.",
                wide=False,
            )
        )
        if len(run.pictures.get("wrong:pictures", ())):
            shown.append(_wrong(run))
        return shown
    truth, network = table["truth"].to_numpy(), table["network"].to_numpy()
    guesses = {name: table[name].to_numpy() for name in baselines}
    unit = f" ({target['unit']})" if target["unit"] else ""
    label = f"{target['name']}{unit}"
    if task == "number":
        return [
            Shown(
                figures.against_truth(truth, network, "the test part", unit),
                "Predicted against true",
                "Points on the line are exactly right.",
                wide=False,
            ),
            Shown(figures.residuals(np.arange(len(truth)), truth, network, f"truth − network{unit}", "test sample"),
                  "What is left over", "Without a pattern, the network has used what it was given."),
        ]  # fmt: skip
    dated = bool(run.pictures["series:dated"])
    times = pd.to_datetime(table["time"]).to_numpy() if dated else table["row"].to_numpy()
    horizon = run.data["window"]["horizon"]
    steps = "the next timestep" if horizon == 1 else f"{horizon} timesteps ahead"
    late = "one step" if horizon == 1 else f"{horizon} steps"
    return [
        Shown(
            figures.forecast(times, truth, network, guesses, label),
            "Forecasts against truth",
            f"Each forecast is for {steps}, from what was known then. Persistence runs beside the truth, {late} late; "
            "where the network's line lies on it, it hides it, and has learnt no more than that.",
        ),
        Shown(
            figures.residuals(times, truth, network, f"truth − network{unit}", ""),
            "What is left over",
            "Errors without a pattern, around zero, are what is left when nothing more can be learnt from the past. "
            "A drift to one side or waves are something that the network missed.",
        ),
        _change_figure(run, truth, network, unit),
    ]


def _change_figure(run: Run, truth: np.ndarray, network: np.ndarray, unit: str) -> Shown:
    last = run.pictures["series:values"][run.predictions["row"].to_numpy() - run.data["window"]["horizon"]]
    actual, predicted = truth - last, network - last
    alike = float(np.corrcoef(actual, predicted)[0, 1]) if predicted.std() > 0 and actual.std() > 0 else 0.0
    sign = float((np.sign(actual) == np.sign(predicted))[actual != 0].mean()) if (actual != 0).any() else 0.0
    return Shown(
        figures.against_truth(actual, predicted, "the change from the last known value", unit),
        "Does it know which way?",
        f"The change that came against the change that was forecast: correlation {alike:.2f}, the direction right in "
        f"{sign:.0%} of cases. A flat cloud means that it forecasts next to no change.",
        wide=False,
    )


def learning_figures(run: Run) -> list[Shown]:
    """How it came about: losses of every stage, and what pretraining learnt."""
    stages: dict[str, list[dict[str, Any]]] = {}
    for row in run.history:
        stages.setdefault(row["stage"], []).append(row)
    held_out = run.data["parts"]["validation"] > 0
    captions = "Mean loss of each epoch on the samples trained on"
    captions += " and on those held out; the dot is the lowest." if held_out else "."
    if len(stages) > 1:
        captions += " In pretraining the loss is the reconstruction error of that layer's own input."
    if run.spec.pretrain is not None and run.spec.pretrain.type_name == "denoising_autoencoder" and held_out:
        captions += " The samples trained on are spoiled and the held-out ones are not, so those may come out lower."
    shown = [Shown(figures.loss_curves(stages), "Loss", captions)]
    pictures, shape = run.pictures, run.data["input_shape"]
    depths = {key.split(":", 2)[2]: value for key, value in pictures.items() if key.startswith("reconstructed:")}
    if depths and run.data["task"] != "series" and len(shape) == 2:
        rows = {"original": pictures["originals"].reshape(-1, *shape)}
        rows |= {f"through {name}": values.reshape(-1, *shape) for name, values in depths.items()}
        shown.append(
            Shown(
                figures.picture_rows(rows),
                "What pretraining kept",
                "Held-out samples, and what comes back when they are led up to a layer's code and down again through "
                "the decoders, before fine-tuning. The deeper, the more is left out.",
            )
        )
    elif depths and len(shape) == 2:
        shown.append(_sequences(run, depths))
    for when, words in (("pretrained", "after pretraining"), ("final", "at the end")):
        if f"filters:{when}" in pictures and not (when == "pretrained" and not depths):
            shown.append(
                Shown(
                    figures.filters(pictures[f"filters:{when}"], when),
                    f"First-layer filters {words}",
                    "What each unit of the first layer looks for: red raises it, blue lowers it."
                    if when == "final" or not depths
                    else "Learnt without a single label: red raises a unit, blue lowers it.",
                )
            )
    return shown


def data_figures(run: Run) -> list[Shown]:
    """What it was trained on."""
    pictures, target = run.pictures, run.data["target"]
    if run.data["task"] == "series":
        times = pictures["series:times"]
        if pictures["series:dated"]:
            times = times.astype("datetime64[us]")
        unit = f" ({target['unit']})" if target["unit"] else ""
        middle = ", watched on the middle part" if run.data["parts"]["validation"] else ""
        return [
            Shown(
                figures.split_line(
                    times, pictures["series:values"], pictures["series:ends"], f"{target['name']}{unit}"
                ),
                "The series and its split",
                f"Split by time: the network is trained on the past{middle}, and judged on the end.",
            )
        ]
    if run.data["class_counts"]:
        return [Shown(figures.class_counts(run.data["class_counts"]), "Samples of each class")]
    return []


def highlight(text: str) -> str:
    """YAML as HTML with its keys, comments and numbers marked."""
    marked = []
    for line in text.splitlines():
        if line.startswith("#"):
            marked.append(f'<span class="c">{escape(line)}</span>')
            continue
        safe = escape(line, quote=False)
        safe = re.sub(r"(?<![\w.])(-?\d[\d.]*(?:e[-+]?\d+)?)(?![\w.])", r'<span class="n">\1</span>', safe)
        safe = re.sub(r"([A-Za-z_][\w.]*)(:)(?=\s|$)", r'<span class="k">\1</span>\2', safe)
        marked.append(safe)
    return "\n".join(marked)


def _plane(run: Run) -> Shown:
    pictures, classes = run.pictures, run.data["target"]["classes"]
    points = {part: (pictures[f"plane:{part}"], pictures[f"plane:{part}_classes"]) for part in ("train", "test")}
    names = [feature["name"] for feature in run.data["features"]]
    return Shown(
        figures.plane(pictures["plane:axes"], pictures["plane:probabilities"], points, classes, names),
        "The decision boundary",
        "The color is the probability of each class at every point of the plane; on the dark line both are as likely. "
        "Large points with a white rim are the test part.",
        wide=False,
    )


def _bent(run: Run) -> Shown:
    pictures = run.pictures
    layers: dict[str, dict[str, np.ndarray]] = {}
    for key, value in pictures.items():
        if key.startswith("bent:"):
            _, name, what = key.split(":")
            layers.setdefault(name, {})[what] = value
    line = any("threshold" in view for view in layers.values())
    return Shown(
        figures.bent_planes(
            (pictures["plane:train"], pictures["plane:lines"]), layers, pictures["plane:train_classes"]
        ),
        "How the layers bend the plane",
        "The same points and the same net of lines, as each hidden layer sees them (its two directions of largest "
        "spread). Layer by layer the plane is stretched and folded until the output needs but one straight "
        + ("line, which is drawn across the last one." if line else "cut."),
    )


def _wrong(run: Run) -> Shown:
    pictures = run.pictures
    count = min(10, len(pictures["wrong:pictures"]))
    titles = [
        f"{guess}, not {truth}"
        for guess, truth in zip(pictures["wrong:guessed"][:count], pictures["wrong:truth"][:count], strict=True)
    ]
    return Shown(
        figures.picture_rows({"": pictures["wrong:pictures"][:count]}, titles),
        "Its surest mistakes",
        "Test samples that it was most sure of and wrong about: what it took each for, and what it is.",
    )


def _sequences(run: Run, depths: dict[str, np.ndarray]) -> Shown:
    names = [feature["name"] for feature in run.data["features"]]
    target = run.data["target"]["name"]
    column = names.index(target) if target in names else 0
    name, values = next(reversed(depths.items()))
    shape = (-1, *run.data["input_shape"])
    return Shown(
        figures.sequences(run.pictures["originals"].reshape(shape)[:, :, column], values.reshape(shape)[:, :, column]),
        "What pretraining kept",
        f"Held-out windows of `{names[column]}` as the network sees them, and what the sequence autoencoder gives back "
        f"from one vector, through `{name}`. What has a shape comes back; noise does not.",
    )


def _about(run: Run) -> str:
    return run.spec.data.dataset.describe().about if run.spec.data.dataset else Path(run.spec.data.file[0]).name


def _headings(run: Run) -> list[str]:
    return [METRICS[name].heading(run.data["target"]["unit"]) for name in run.metrics["test"]]


def _score_rows(run: Run) -> list[dict[str, Any]]:
    """Rows of the table: the network and the baselines on the test part, then the network on the other parts."""
    from dlspec.baselines import BASELINES

    metrics = run.metrics
    rows = [("network", "on the test part", metrics["test"], "own")]
    rows += [(name, BASELINES[name].in_words, scores, "") for name, scores in metrics["baselines"].items()]
    rows += [
        ("network", f"on the {part} part", metrics[part], "quiet") for part in ("validation", "train") if metrics[part]
    ]
    best = {}
    for name in metrics["test"]:
        values = [metrics["test"][name], *(scores[name] for scores in metrics["baselines"].values())]
        known = [value for value in values if value is not None]
        best[name] = (min if METRICS[name].better == "lower" else max)(known) if known else None
    return [
        {
            "name": name,
            "words": words,
            "sort": sort,
            "cells": [
                (METRICS[m].show(value), sort != "quiet" and value is not None and value == best[m])
                for m, value in scores.items()
            ],
        }
        for name, words, scores, sort in rows
    ]
