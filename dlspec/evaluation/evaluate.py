"""A trained network and held-out data -> metrics beside the baselines, and a sentence of verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dlspec.data.arrays import is_read_later
from dlspec.data.features.shifted import UNKNOWN_CLASS
from dlspec.data.features.text import UNKNOWN, FittedSequence
from dlspec.data.forms import INTERVAL
from dlspec.data.preparation import Part, Prepared
from dlspec.data.preparation.language import counted_tokens, unknown_tokens
from dlspec.data.preparation.tags import TagCounts
from dlspec.data.signature import Signature, Target
from dlspec.evaluation import aligned, codes, sequences
from dlspec.evaluation.fitted import Fitted
from dlspec.evaluation.fitted_quantiles import as_quantiles
from dlspec.evaluation.judged import Judged
from dlspec.evaluation.metrics import show_number
from dlspec.evaluation.mixtures import split
from dlspec.evaluation.outcome import Verdict
from dlspec.evaluation.require import ALL, requirements
from dlspec.evaluation.score_intervals import Bounds, worth
from dlspec.evaluation.scores import Scorer, Scores
from dlspec.evaluation.section import EvaluateSpec
from dlspec.evaluation.verdict import judge, losses_of
from dlspec.language.diagnostics.errors import TrainingError
from dlspec.language.words import one_of
from dlspec.model.mixtures import FLOOR
from dlspec.training.masked import masked
from dlspec.training.values import predict

Array = np.ndarray
CUTS = {"target": "value", "class": "class", "series": "series", "span": "span"}
"""In `metrics.json`, and how `Scorer` calls it."""
MUCH = 0.02
"""Of the deviation of a number, which a component of its mixture should be able to be narrower than."""
ROUNDED = 12**-0.5
"""Of the distance between values that repeat: the deviation of what rounds to one of them. A narrower component says
more than the data can."""
SPIKES = 0.05
"""The share of mixtures that such components may be before it is said."""
READ_AGAIN = 20_000
"""Of a training part that is not in memory, samples that it is judged by."""


@dataclass(frozen=True)
class Evaluation:
    """All results.

    Args:
        predictions: of the test part, of the network and each baseline.
        losses: of each sample of the test part, of the network and each baseline.
        scorer: of the test part.
        fitted: the baselines.
        below: of an output that was fitted after training, what `metrics.json` says of what comes to it; else empty.
    """

    train: Scores
    validation: Scores
    test: Scores
    baselines: dict[str, Scores]
    verdict: Verdict
    predictions: dict[str, Array]
    losses: dict[str, Array]
    notes: tuple[str, ...]
    scorer: Scorer
    fitted: dict[str, Fitted]
    below: dict[str, Any]

    @cached_property
    def intervals(self) -> dict[str, Bounds | None]:
        """Of the metrics of the test part; of trainings aside nobody asks for them."""
        return self.scorer.intervals(self.predictions["network"])

    def as_json(self) -> dict[str, Any]:
        """What `metrics.json` holds."""
        return {
            **cuts_of(self.scorer, self.predictions),
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
            "test_intervals": {name: list(ends) if ends else None for name, ends in self.intervals.items()},
            "baselines": self.baselines,
            "verdict": self.verdict.model_dump(mode="json"),
            **self.below,
            "notes": [*self.notes, *coverage_in_words(self.scorer.data.signature.target, self.test, self.intervals)],
        }


def cuts_of(scorer: Scorer, predictions: Mapping[str, Array]) -> dict[str, Any]:
    """The metrics of each value, class and series alone, where there are several."""
    cuts = {f"by_{cut}": getattr(scorer, f"by_{own}")(predictions) for cut, own in CUTS.items()}
    return {name: cut for name, cut in cuts.items() if cut}


def required(
    section: EvaluateSpec,
    data: Judged,
    predictions: Mapping[str, Array],
    scores: Mapping[str, float | None],
    intervals: Mapping[str, Any],
    verdict: Verdict,
) -> list[dict[str, Any]]:
    """What came of everything that a spec requires, as `metrics.json` has it.

    Args:
        scores, intervals, verdict: of all samples, or of all folds.
    """

    def against(baseline: str) -> Verdict:
        if baseline == ALL:
            return verdict
        own = {baseline: predictions[baseline]} if baseline in predictions else {}
        return judge(data, predictions["network"], own)

    return [found.as_json() for found in requirements(section.require or {}, scores, intervals, against)]


def evaluate(section: EvaluateSpec, network: Any, data: Prepared, *, stops_early: bool = False) -> Evaluation:
    """Metrics of every part, baselines on the test part, and the verdict; all in the target's own units.

    Args:
        stops_early: whether early stopping looked at the validation part.
    """
    metrics = section.metrics or []
    data = masked(network, data)

    def predicted(part: Part) -> Array:
        return predictions_of(network, data, part)

    def scores(part: Part) -> Scores:
        return Scorer(metrics, data, part).scores(predicted(part)) if len(part) else {}

    on_test = predicted(data.test)
    if not np.isfinite(on_test).all():
        raise TrainingError.of(
            "loss-not-finite",
            "the trained network puts out values that are no numbers",
            help="lower `learning_rate` under `train`, or add `clipnorm: 1` to the optimizer",
        )
    train = data.train
    if is_read_later(train.inputs) and len(train) > READ_AGAIN:
        train = train.at(np.linspace(0, len(train) - 1, READ_AGAIN).astype(int))
    fitted = {baseline.type_name: baseline.fit(data) for baseline in section.baselines or []}
    truth, levels = np.asarray(data.test.truth), data.signature.target.levels
    guesses = {name: as_quantiles(found.guess(data.test), truth, levels) for name, found in fitted.items()}
    notes = [*_notes(data, stops_early), *(note for found in fitted.values() for note in found.notes)]
    below = codes.facts_of(network, data)
    notes += [codes.in_words(data, below)] if below else []
    if data.signature.target.mixture:
        notes += [*likelihood_in_words(data, on_test), *narrowest_in_words(data)]
    scorer, predictions = Scorer(metrics, data, data.test), {"network": on_test, **guesses}
    if scorer.without_own_scale and any(metric.type_name == "mase" for metric in metrics):
        several = scorer.without_own_scale
        names = one_of(several[:5]) + (f" and {len(several) - 5:,} more" if len(several) > 5 else "")
        notes.append(f"MASE of {names} is scaled by the changes of all series, since their training part has none.")
    return Evaluation(
        scores(train),
        scores(data.validation),
        scorer.scores(on_test),
        {name: scorer.scores(guess) for name, guess in guesses.items()},
        judge(data, on_test, guesses),
        predictions,
        {who: losses_of(data, guess) for who, guess in predictions.items()},
        tuple(notes),
        scorer,
        fitted,
        below,
    )


def coverage_in_words(
    target: Target, scores: Mapping[str, float | None], intervals: Mapping[str, Any]
) -> Iterator[str]:
    """That the band of quantiles, or the interval of a mixture, covers less, or more, than it should, where that is
    hardly chance."""
    covered, ends = scores.get("coverage"), intervals.get("coverage")
    if covered is None or ends is None:
        return
    first, last = target.covered[0], target.covered[-1]
    promised = last - first
    if ends[0] <= promised <= ends[1]:
        return
    narrow, what = covered < promised, "the interval of the mixture" if target.mixture else "the band"
    yield (
        f"Between the quantiles {first!r} and {last!r} {100 * promised:.4g}% of what is true should lie, and "
        f"{covered:.1%} does ({ends[0]:.1%} to {ends[1]:.1%}): {what} is too {'narrow' if narrow else 'wide'}. "
        "`dlspec predict --intervals` moves it by the test part, so that it covers as much as is asked."
    )


def predictions_of(network: Any, data: Prepared, part: Part) -> Array:
    """What a network says of the samples of a part, in the target's own units; texts are written, see `sequences`."""
    target = data.signature.target
    if target.aligned:
        return sequences.alone(aligned.read(predict(network, part.inputs), target))
    if target.written:
        return sequences.predicted(network, part, target)
    return data.to_units(predict(network, part.inputs), part)


def weights_in_words(weights: Array) -> str:
    """What it means that test samples count differently."""
    alike = worth(len(weights), weights)
    return (
        "Samples count by their weight: in the loss, in all metrics, in the baselines and in the verdict. The "
        f"{len(weights):,} samples weigh {weights.min():.4g} to {weights.max():.4g}, and tell as much as {alike:,.0f} "
        "of equal weight."
    )


def tokens_in_words(signature: Signature, test: Part) -> list[str]:
    """What metrics of tokens are means of, and how many of these nobody can know."""
    unit, unknown, count = signature.target.tokens, unknown_tokens(test), counted_tokens(test)
    known, places = len(signature.target.classes) - 1, signature.target.places[0]
    said = [
        f"Metrics are means over the {count:,} {unit} that are predicted, each of which counts once; the first of each "
        f"text has nothing before it. The network and the baselines look back over up to {places:,} {unit}, to the "
        "beginning of a window and not beyond; intervals and the verdict take each window as a whole. "
        "`predictions.csv` has of each window the mean log loss, by which it counts."
    ]
    if unknown:
        said.append(
            f"{unknown:,} of these {count:,} {unit} are none of the {known:,} that the training part tells apart; they "
            "count as one unknown token, which is predicted like any other."
        )
    return said


def tags_in_words(data: Prepared) -> list[str]:
    """What metrics of tags are means of, and what is not judged or not known."""
    (text,), test = data.signature.features, data.test
    vocabulary = data.preprocessing.columns[0]
    assert isinstance(vocabulary, FittedSequence), "words are seen in their order"
    unknown = int((np.asarray(test.inputs) == UNKNOWN).sum())
    values = data.columns[text.name][np.asarray(test.rows)]
    found = TagCounts.of(text.name, values, np.asarray(test.truth), unknown)
    return [*found.in_words(vocabulary.length, len(vocabulary.vocabulary))]


def sequences_in_words(target: Target, test: Part) -> list[str]:
    """How texts were written, and which of them nobody can write."""
    assert target.written is not None, "texts are written"
    if target.aligned:
        return _read_in_words(target, test)
    how = "the likeliest item at each place" if target.written.beam == 1 else f"a beam search of {target.written.beam}"
    said = [
        f"Texts are written from a start symbol on, by {how}, up to {target.places[0] - 1:,} {target.written.unit} and "
        "the end; what is written sees the inputs and what was written before. `exact_match` and `edit_distance`, the "
        "baselines and the verdict are of these texts. `teacher_forced_accuracy` is of single items behind the true "
        "ones, as in training."
    ]
    unknown = int((np.asarray(test.truth) == UNKNOWN_CLASS).any(axis=1).sum()) if len(test) else 0
    if unknown:
        said.append(
            f"{unknown:,} of {len(test):,} texts have an item that is not told apart, or more items than are written, "
            "and count as wrong."
        )
    return said


def likelihood_in_words(data: Judged, found: Array) -> Iterator[str]:
    """What figures of mixtures are of, and that some of them gain by naming single values, where values repeat.

    Args:
        found: of the network, for the samples of `data.test`.
    """
    target = data.signature.target
    units = "each number in its own units" if target.columns else "in its own units"
    yield (
        f"Log likelihood is the mean logarithm of the density at what is true, {units}, in nats: in other units all "
        "figures move by the same constant, so that what counts are differences. The loss of training is minus that of "
        "scaled numbers. Metrics of one number are of the mean of the mixture, for which RMSE is smallest; coverage "
        f"and width are of the interval between its quantiles {INTERVAL[0]} and {INTERVAL[1]}."
    )
    truth = np.asarray(data.test.truth, "float64").reshape(len(data.test), -1)
    weights, _, deviations = split(found.reshape(*truth.shape, -1))
    for place, name in enumerate(target.values or (target.name,)):
        values = np.unique(truth[:, place])
        if len(values) < 2 or len(values) > len(truth) / 2:
            continue
        step = float(np.median(np.diff(values)))
        share = (weights[:, place] * (deviations[:, place] < ROUNDED * step)).sum(axis=-1).mean()
        if share > SPIKES:
            yield (
                f"{share:.0%} of the mixtures of `{name}` are components narrower than what rounds its values, which "
                f"lie {show_number(step)} apart: naming single values has a high density there, and knows no more. "
                "Do not trust the verdict; write fewer components, or `quantiles`, whose loss does not gain by that."
            )


def narrowest_in_words(data: Prepared) -> Iterator[str]:
    """That components of mixtures can be no narrower than is much beside the deviation of a number."""
    target, scale = data.signature.target, data.preprocessing.target
    assert scale is not None, "a number has a scale"
    truth = np.asarray(data.train.truth, "float64").reshape(len(data.train), -1)
    for name, least, spread in zip(
        target.values or (target.name,), FLOOR / np.abs(scale.scale), truth.std(axis=0), strict=True
    ):
        if 0 < spread < least / MUCH:
            yield (
                f"No component of the mixture of `{name}` can be narrower than {show_number(least)}, and the deviation "
                f"of `{name}` in the training part is {show_number(spread)}. Write `scale: standard` under `data`; "
                f"where it is there, give `{name}` in other units, or less a constant."
            )


def _read_in_words(target: Target, test: Part) -> list[str]:
    """How texts were read off timesteps, and which of them nobody can read."""
    assert target.written is not None, "texts are read"
    how = (
        "the likeliest of items and blank at each timestep (the best path)"
        if target.written.beam == 1
        else f"a prefix beam search of {target.written.beam}"
    )
    said = [
        f"Texts are read by {how}. `exact_match`, the baselines and the verdict are of whole texts; `edit_distance` is "
        f"the error rate of {target.written.unit}."
    ]
    unknown = int((np.asarray(test.truth) == UNKNOWN_CLASS).any(axis=1).sum()) if len(test) else 0
    if unknown:
        said.append(
            f"{unknown:,} of {len(test):,} texts have an item that the training part does not have, or are longer than "
            "all texts of the run, and count as wrong."
        )
    return said


def _notes(data: Prepared, stops_early: bool) -> list[str]:
    """What a reader should know to understand the result."""
    notes = [*data.notes]
    if data.test.weights is not None:
        notes.append(weights_in_words(data.test.weights))
    if is_read_later(data.train.inputs) and len(data.train) > READ_AGAIN:
        notes.append(f"The figures of the training part are of {READ_AGAIN:,} samples of it, drawn evenly.")
    if len(data.unlabeled) and stops_early:
        notes.append(
            f"Beside the {len(data.train):,} labels trained on, early stopping looked at the {len(data.validation):,} "
            "labelled samples of the validation part."
        )
    if data.left_out:
        notes.append(
            f"{data.left_out:,} unlabeled samples were left out of pretraining, as they stand in the validation or "
            "test part."
        )
    if data.signature.task == "reconstruction":
        notes.append(
            "Errors are of the inputs as the network sees them, which is scaled. The squared error is summed over all "
            "values of a sample."
        )
    if data.signature.target.written:
        notes += sequences_in_words(data.signature.target, data.test)
    elif data.signature.target.tokens:
        notes += tokens_in_words(data.signature, data.test)
    elif data.signature.target.of_words:
        notes += tags_in_words(data)
    elif data.signature.target.places:
        notes.append(
            "Metrics are means over all places; intervals and the verdict take each sample as a whole, since the "
            "places of one are alike. `predictions.csv` has of each sample "
            + ("the share of places that are wrong." if data.signature.target.classes else "the mean squared error.")
        )
    if data.signature.target.levels:
        notes.append(
            "MAE, RMSE and other metrics of one number are of the median, for which MAE is smallest, and not RMSE; "
            "pinball loss is of all quantiles, and coverage and width of the first and the last."
        )
    if data.signature.target.kind == "labels":
        notes.append("`by_target` in `metrics.json` has the metrics of every label alone.")
    if data.signature.target.is_mixed:
        notes.append(
            "Metrics with a unit are means over the targets, each divided by its deviation in the training part; "
            "`by_target` in `metrics.json` has every target in its own unit."
        )
    elif data.signature.target.columns:
        notes.append(
            "Metrics are means over all values that are predicted; `by_target` in `metrics.json` has each of them."
        )
    target, change, window = data.signature.target, data.preprocessing.change, data.signature.window
    if data.gaps and window is not None:
        number = data.gaps.number
        one = f"one of {number:,} gaps in time, steps" if number > 1 else "a gap in time, a step"
        lost = f"{data.gaps.windows:,} window{'s' * (data.gaps.windows != 1)}"
        notes.append(f"Left out: {lost} across {one} of more than {window.gap:g} times the usual one.")
    if data.signature.task != "series" or len(target.names) > 1:
        return notes
    assert window is not None, "a series has a window"
    trained, tested = np.asarray(data.train.truth), np.asarray(data.test.truth)
    low, high = trained.min(), trained.max()
    outside = float(((tested < low) | (tested > high)).mean())
    drift = (
        f"{outside:.0%} of the test values of `{target.name}` lie outside the range of the training part "
        f"({show_number(low)} to {show_number(high)})"
    )
    if change == "level":
        if outside > 0.1:
            notes.append(
                f"{drift}, and a network that puts out the level itself cannot follow it there. "
                "`predict: return` or `predict: difference` lets it put out the change instead."
            )
        return notes
    what = "logarithmic return" if change == "return" else "change"
    over = "to the next timestep" if window.horizon == 1 else f"over the next {window.horizon} timesteps"
    notes.append(
        f"The network sees every column as its {what} from timestep to timestep, and puts out the {what} of "
        f"`{target.name}` {over}. The metrics are of the level: the last known value and the predicted {what} together."
        + (
            f" {drift}: a network that sees levels would have to guess at what it has never seen."
            if outside > 0.1
            else ""
        )
    )
    return notes
