"""How good the network is, seen on the test part."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from dlspec.evaluation.metrics import METRICS, judged_by
from dlspec.views.report import (
    figures,
    language_figures,
    mixture_figures,
    place_figures,
    quantile_figures,
    sequence_figures,
    stage_figures,
    tag_figures,
)
from dlspec.views.report.code_figures import comparing_figures
from dlspec.views.report.decoded_figures import decoded_figures
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    from dlspec.runs import Run

MOST_VALUES = 8
"""Of several numbers or labels, those that are drawn one by one."""
MOST_LABELS = 40
"""Labels that stand beside each other in a figure, the most frequent ones."""


def comparison_figure(run: Run) -> Shown:
    """The metric of the verdict as bars."""
    name = judged_by(run.data.target.judged_as, list(run.metrics.test))
    scores = {who: found[name] for who, found in run.metrics.scores().items()}
    metric = METRICS[name]
    title = f"{metric.heading(run.data.target.unit)}, {metric.better} is better"
    return Shown(figures.comparison(scores, metric.unit == "percent", zero=any(map(isfinite, metric.bounds))), title)


def fold_figure(run: Run) -> Shown | None:
    """The metric of the verdict on every fold, as dots; None: there are no folds."""
    folds = run.metrics.folds
    if folds is None:
        return None
    metric = METRICS[judged_by(run.data.target.judged_as, list(run.metrics.test))]
    name = metric.type_name
    values = {who: own[name].values for who, own in folds.of_all()}
    title = f"{metric.heading(run.data.target.unit)} of each fold, {metric.better} is better"
    return Shown(figures.folds(values, metric.unit == "percent"), title, "A dot is a fold, the line their mean.")


def shown_group(run: Run) -> str | None:
    """Of several series, that with the largest test part, which figures show; None: there is one series."""
    if run.data.group is None:
        return None
    return str(run.predictions["group"].astype(str).value_counts().sort_index().idxmax())


def result_figures(run: Run) -> list[Shown]:
    """How good it is, seen on the test part."""
    import pandas as pd

    table, target, task = run.predictions, run.data.target, run.data.task
    baselines = list(run.metrics.baselines)
    if task == "reconstruction":
        return _given_back(run)
    if target.tokens:
        return language_figures.language_figures(run)
    if target.of_words:
        return tag_figures.tag_figures(run)
    if target.written:
        return sequence_figures.sequence_figures(run)
    if target.places:
        return place_figures.place_figures(run)
    if task == "labels":
        return _of_labels(run)
    if task in ("class", "class_series"):
        shown = comparing_figures(run)
        shown += [_plane(run)] if "plane:axes" in run.pictures else []
        if "bent:" in "".join(run.pictures):
            shown.append(_bent(run))
        if task == "class_series":
            shown.append(_in_time(run))
        classes = target.classes
        truth, guessed = table["truth"].astype(str).to_numpy(), table["network"].astype(str).to_numpy()
        shown.append(
            Shown(
                figures.confusion(truth, guessed, classes),
                "What was taken for what",
                f"The {len(truth)} samples of {run.judged_on}. A perfect network has numbers on the diagonal only.",
                wide=False,
            )
        )
        if len(run.pictures.get("wrong:pictures", ())):
            shown.append(_wrong(run))
        return shown
    if target.values:
        return _of_several(run)
    group = shown_group(run)
    if group is not None:
        table = table[table["group"].astype(str) == group]
    truth, network = table["truth"].to_numpy(), table["network"].to_numpy()
    alike = ("quantiles", "gaussian")  # for all samples
    guesses = {name: table[name].to_numpy() for name in baselines if name not in alike}
    unit = f" ({target.unit})" if target.unit else ""
    label = f"{target.name}{unit}" if group is None else f"{target.name} of {group}{unit}"
    if task == "number":
        bands = []
        if target.levels:
            bands = [quantile_figures.band_figure(run, table, None, label), quantile_figures.calibration_figure(run)]
        elif target.mixture:
            bands = mixture_figures.of_one(run, table, None, label)
        return [
            *bands,
            Shown(
                figures.against_truth(truth, network, run.judged_on, unit),
                "Predicted against true",
                "Points on the line are exactly right.",
                wide=False,
            ),
            Shown(figures.residuals(np.arange(len(truth)), truth, network, f"truth − network{unit}", "test sample"),
                  "What is left over", "Without a pattern, the network has used what it was given."),
        ]  # fmt: skip
    dated = bool(run.pictures["series:dated"])
    times = pd.to_datetime(table["time"]).to_numpy() if dated else table["row"].to_numpy()
    assert run.data.window is not None, "a series has a window"
    horizon = run.data.window.horizon
    steps = "the next timestep" if horizon == 1 else f"{horizon} timesteps ahead"
    late = "one step" if horizon == 1 else f"{horizon} steps"
    count = 1 if group is None else run.predictions["group"].nunique()
    which = "" if group is None else f"Shown is `{group}`, one of {count} series. "
    bands = []
    if target.levels:
        bands = [quantile_figures.band_figure(run, table, times, label), quantile_figures.calibration_figure(run)]
    elif target.mixture:
        bands = mixture_figures.of_one(run, table, times, label)
    return [
        *bands,
        Shown(
            figures.forecast(times, truth, network, guesses, label, run.judged_on),
            "Forecasts against truth",
            f"{which}Each forecast is for {steps}, from what was known then. Persistence runs beside the truth, {late} "
            "late; where the network's line lies on it, it hides it, and has learnt no more than that.",
        ),
        Shown(
            figures.residuals(times, truth, network, f"truth − network{unit}", ""),
            "What is left over",
            "Errors without a pattern, around zero, are what is left when nothing more can be learnt from the past. "
            "A drift to one side or waves are something that the network missed.",
        ),
        _change_figure(run.pictures["series:last"][table.index], truth, network, unit),
    ]


def _change_figure(last: np.ndarray, truth: np.ndarray, network: np.ndarray, unit: str) -> Shown:
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


def _given_back(run: Run) -> list[Shown]:
    """Inputs beside what comes back, how far off that is, and the plane of a code of two numbers."""
    table, pictures, shape = run.predictions, run.pictures, run.data.input_shape
    names = ["network", *run.metrics.baselines]
    rows = {"input": pictures["given_back:truth"], **{name: pictures[f"given_back:{name}"] for name in names}}
    shown = []
    if run.data.window is None and len(shape) >= 2:
        images = {name: values.reshape(-1, *shape) for name, values in rows.items()}
        shown.append(
            Shown(
                figures.picture_rows(images),
                "What comes back",
                "Samples of the test part, and what is given back of them.",
            )
        )
    elif run.data.window is not None:
        first = {name: values.reshape(-1, *shape)[:, :, 0] for name, values in rows.items()}
        column = run.data.features[0].name
        shown.append(
            Shown(
                stage_figures.lines_given_back(first),
                "What comes back",
                f"Windows of `{column}` in the test part, as the network sees them, and what is given back of them.",
            )
        )
    else:
        features = [feature.name for feature in run.data.features]
        shown.append(
            Shown(
                stage_figures.values_given_back(rows["input"], rows["network"], features),
                "What comes back",
                "Each value of some samples of the test part, as the network sees it, and what is given back of it. "
                "Points on the line are exactly right.",
                wide=False,
            )
        )
    errors = {name: table[name].to_numpy() for name in names}
    shown.append(
        Shown(
            stage_figures.error_counts(errors),
            "How far off",
            f"The squared error of each sample of {run.judged_on}. What stands far to the right is unlike what the "
            "network was trained on; `dlspec predict` gives the error of every row.",
        )
    )
    if "code:points" in pictures:
        shown.append(
            Shown(
                stage_figures.code_plane(pictures["code:points"], pictures.get("code:classes")),
                "The code",
                "Where the two numbers of the code put each sample of the test part."
                + (" Its class, which the network was not told, is the color." if "code:classes" in pictures else ""),
                wide=False,
            )
        )
    return [*shown, *decoded_figures(run)]


def _plane(run: Run) -> Shown:
    pictures, classes = run.pictures, run.data.target.classes
    points = {part: (pictures[f"plane:{part}"], pictures[f"plane:{part}_classes"]) for part in ("train", "test")}
    names = [feature.name for feature in run.data.features]
    if len(names) == 1:  # an array of two values
        names = [f"{names[0]} {place}" for place in (1, 2)]
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


def _of_several(run: Run) -> list[Shown]:
    """How good each of several numbers is."""
    values, table = run.data.target.values, run.predictions
    errors = {
        who: [float(((table[f"{who}:{name}"] - table[f"truth:{name}"]) ** 2).mean() ** 0.5) for name in values]
        for who in run.metrics.scores()
    }
    shares = {
        who: [own / (of or 1.0) for own, of in zip(each, errors["network"], strict=True)]
        for who, each in errors.items()
    }
    pairs = {
        name: (table[f"truth:{name}"].to_numpy(), table[f"network:{name}"].to_numpy()) for name in values[:MOST_VALUES]
    }
    few = "" if len(values) <= MOST_VALUES else f" The first {MOST_VALUES} of {len(values)}."
    bands = []
    if run.data.target.levels:
        bands = [*quantile_figures.bands_of_several(run), quantile_figures.calibration_figure(run)]
    elif run.data.target.mixture:
        bands = mixture_figures.of_several(run)
    return [
        *bands,
        Shown(
            figures.by_value(values, shares, joined=bool(run.data.target.steps)),
            "The error of each value",
            f"RMSE on {run.judged_on}, that of the network being 1: a simple guess above 1 does worse than it.",
        ),
        Shown(
            figures.several_against_truth(pairs),
            "Predicted against true",
            f"Points on the line are exactly right.{few}",
        ),
    ]


def _in_time(run: Run) -> Shown:
    """What was said when."""
    table, classes, group = run.predictions, run.data.target.classes, shown_group(run)
    if group is not None:
        table = table[table["group"].astype(str) == group]
    said = {
        name: np.array([classes.index(word) for word in table[name].astype(str)])
        for name in ("truth", "network", *(["persistence"] if "persistence" in table else []))
    }
    which = "" if group is None else f" of `{group}`, one of {run.predictions['group'].nunique()} series,"
    return Shown(
        figures.strips(table["row"].to_numpy(), said, classes),
        "What was said when",
        f"{run.judged_on.capitalize()}{which} from the first row to the last, a color for each class. Where the strips "
        "differ, it was wrong.",
    )


def _of_labels(run: Run) -> list[Shown]:
    """How well each label is told."""
    values, table, by_target = run.data.target.values, run.predictions, run.metrics.by_target
    often = sorted(values, key=lambda name: -int(table[f"truth:{name}"].sum()))
    named, drawn = ([name for name in values if name in often[:most]] for most in (MOST_LABELS, MOST_VALUES))
    shares = {
        name: [table[f"network:{name}"][table[f"truth:{name}"] == there].to_numpy() for there in (1, 0)]
        for name in drawn
    }
    first = f" The {MOST_VALUES} most frequent of {len(values)}." if len(values) > MOST_VALUES else ""
    apart = Shown(
        figures.shares_of_labels(shares),
        "What the network says where a label is there, and where it is not",
        f"How often it gives the label which probability. A perfect network has all of one color at the right, all of "
        f"the other at the left.{first}",
    )
    known = list(by_target[values[0]]["network"])
    if not known:  # the spec names none that judges a single label
        return [apart]
    metric = METRICS[judged_by("labels", known)]
    scores = {who: [by_target[name][who][metric.type_name] for name in named] for who in by_target[values[0]]}
    few = f", the {MOST_LABELS} most frequent of {len(values)}" if len(values) > MOST_LABELS else ""
    each = Shown(
        figures.by_value(named, scores, joined=False),
        f"{metric.label} of each label{few}",
        f"On {run.judged_on}, {metric.better} is better.",
    )
    return [each, apart]


def _wrong(run: Run) -> Shown:
    pictures = run.pictures
    count = min(10, len(pictures["wrong:pictures"]))
    titles = [
        f"{guess},\nnot {truth}"
        for guess, truth in zip(pictures["wrong:guessed"][:count], pictures["wrong:truth"][:count], strict=True)
    ]
    return Shown(
        figures.picture_rows({"": pictures["wrong:pictures"][:count]}, titles),
        "Its surest mistakes",
        "Test samples that it was most sure of and wrong about: what it took each for, and what it is.",
    )
