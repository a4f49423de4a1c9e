"""`evaluate.require`: what a result must reach, so that a run that falls short can be told from one that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import PlainValidator, ValidationError

from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.outcome import Verdict
from dlspec.language.fields import SpecModel, Text, joined_errors, mistake, rebuild_error, show_value
from dlspec.runtime.records import Record

BEATS = "beats"
"""The key that names what the network must beat."""
ALL = "baselines"
"""In place of a baseline: the best of them."""


class Limit(SpecModel):
    """What a metric must reach.

    Args:
        at_least, at_most: of a score the least, of an error the most.
        interval: whether the worse end of its interval must reach it, too.
    """

    at_least: float | None = None
    at_most: float | None = None
    interval: bool = False

    def model_post_init(self, context: object) -> None:
        if (self.at_least is None) == (self.at_most is None):
            message = "a metric has `at_least` or `at_most`, of a score the first and of an error the second"
            raise mistake("wrong-value", message, help="write one of them, such as `{at_least: 0.9, interval: true}`")

    @property
    def value(self) -> float:
        found = self.at_most if self.at_least is None else self.at_least
        assert found is not None, "there is one of them"
        return found


def _read(value: Any) -> dict[str, float | str | Limit]:
    if not isinstance(value, dict) or not value:
        help = "write what the result must reach, such as `require: {accuracy: 0.9}`, or `require: {beats: baselines}`"
        message = f"`require` is a mapping from metrics to what they must reach, got {show_value(value)}"
        raise mistake("wrong-type", message, help=help)
    found: dict[str, float | str | Limit] = {}
    errors = []
    for name, written in value.items():
        try:
            found[str(name)] = _read_one(str(name), written)
        except ValidationError as error:
            errors.append(rebuild_error(error, "require", lambda line: line, below=(name,)))
    if errors:
        raise joined_errors(errors, "require")
    return found


def _read_one(name: str, written: Any) -> float | str | Limit:
    if isinstance(written, dict) and name != BEATS:
        return Limit.model_validate(written)
    if name == BEATS and isinstance(written, str):
        return written
    if name != BEATS and isinstance(written, int | float) and not isinstance(written, bool):
        return float(written)
    if name == BEATS:
        problem = mistake(
            "wrong-type",
            f"`{BEATS}` names a baseline, or `{ALL}` for the best of them, got {show_value(written)}",
            help=f"write `{BEATS}: {ALL}`",
        )
    else:
        message = f"`{name}` must reach a number, got {show_value(written)}"
        problem = mistake("wrong-type", message, help=f"write `{name}: 0.9`, or `{name}: {{at_least: 0.9}}`")
    raise ValidationError.from_exception_data("require", [{"type": problem, "loc": (), "input": written}])


Require = Annotated[dict[str, Any], PlainValidator(_read, json_schema_input_type=dict[Text, float | Text | Limit])]


class Requirement(Record):
    """Whether something that was required was reached.

    Args:
        what: the metric, or `beats`.
        asked: what it had to reach: a number, or a baseline.
        found: the metric's value, or the worse end of its interval; None: it cannot be told.
    """

    what: str
    asked: float | str
    found: float | None = None
    met: bool
    sentence: str


def requirements(
    require: Mapping[str, Any],
    scores: Mapping[str, float | None],
    intervals: Mapping[str, Any],
    verdict_against: Callable[[str], Verdict],
) -> Iterator[Requirement]:
    """What came of everything that is required.

    Args:
        scores: metric -> its value.
        intervals: metric -> both ends; None: they cannot be told.
        verdict_against: what the verdict is against a baseline, or all of them.
    """
    for what, asked in require.items():
        if what == BEATS:
            yield _beats(asked, verdict_against(asked))
        else:
            yield _reaches(what, asked, scores.get(what), intervals.get(what))


def _beats(asked: str, verdict: Verdict) -> Requirement:
    whom = "the best baseline" if asked == ALL else f"`{asked}`"
    met = verdict.outcome == "better"
    why = {"too_few": "too few to tell", "alone": "there is no baseline"}.get(verdict.outcome, "it does not")
    sentence = f"Required: to beat {whom}: {'it does' if met else why}."
    return Requirement(what=BEATS, asked=asked, found=verdict.gain, met=met, sentence=sentence)


def _reaches(what: str, asked: float | Limit, value: float | None, ends: Any) -> Requirement:
    metric = METRICS[what]
    limit, lower = asked.value if isinstance(asked, Limit) else asked, metric.better == "lower"
    found, of = value, ""
    if isinstance(asked, Limit) and asked.interval:
        found, of = (None if ends is None else ends[1 if lower else 0]), " at the worse end of its interval"
    met = found is not None and (found <= limit if lower else found >= limit)
    bound = f"{metric.label} of at {'most' if lower else 'least'} {metric.show(limit)}{of}"
    says = (
        "cannot be told"
        if found is None
        else f"reached, {metric.show(found)}"
        if met
        else f"it is {metric.show(found)}"
    )
    return Requirement(what=what, asked=limit, found=found, met=met, sentence=f"Required: {bound}: {says}.")
