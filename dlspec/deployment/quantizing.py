"""What weights of 8 bits cost: the metric of the whole test part, before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.deployment.proof import by_keras
from dlspec.evaluation.metrics.quantiles import pinball
from dlspec.evaluation.mixtures import log_density
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.quantities import show_bytes
from dlspec.runs.samples import raw_rows

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.deployment.base import ExportTarget
    from dlspec.runs.folder import Run

Array = np.ndarray
Raw = Mapping[str, Array]

ALLOWED_SHARE, ALLOWED_MORE = 0.005, 0.01
"""How much accuracy may be lost, and by how much an error or a loss may grow."""
LEAST_SMALLER = 0.1
"""By how much a file must be smaller."""
AT_ONCE = 512
LEAST_PROBABILITY = 1e-7
ALLOWED_NATS = 0.01
"""Of the log likelihood of mixtures, which may be lost: the density at what is true is 1% smaller."""


@dataclass(frozen=True)
class Cost:
    """A metric of the test part as the run has it, and of the quantized file.

    Args:
        metric: `accuracy` of classes, `rmse` of numbers, `pinball` of their quantiles, `log_likelihood`
            of mixtures, `loss` (the cross-entropy) of
            labels.
        values: what each figure is of; of several numbers their names.
        rows: of the test part, all of them.
    """

    metric: str
    values: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    rows: int

    @property
    def worst(self) -> int | None:
        """The place of the first figure of which too much is lost."""
        for place, (before, after) in enumerate(zip(self.before, self.after, strict=True)):
            if self.metric == "accuracy":
                lost = before - after > ALLOWED_SHARE
            elif self.metric == "log_likelihood":  # of which no share can be taken: it may be zero, or negative
                lost = before - after > ALLOWED_NATS
            else:
                lost = after > before * (1 + ALLOWED_MORE)
            if lost or not np.isfinite(after):
                return place
        return None

    def as_json(self) -> dict[str, Any]:
        single = len(self.before) == 1
        return {
            "metric": self.metric,
            "of": list(self.values),
            "before": self.before[0] if single else list(self.before),
            "after": self.after[0] if single else list(self.after),
            "rows": self.rows,
        }


def quantized_well(
    run: Run, target: ExportTarget, written: Any, model: Any, path: Path, exported: Callable[[Raw], Array]
) -> dict[str, Any]:
    """What a quantized file costs and saves, for its receipt.

    Args:
        written: the `keras.Model` that is exported.
        model: the saved model, whole.
        path: the quantized file.
        exported: it, raw columns -> outputs.

    Raises:
        DataError: it costs too much, or saves too little.
    """
    saved = smaller_by(target, written, path)
    cost = cost_of(run, model, exported)
    check_cost(target, cost)
    return {**cost.as_json(), "smaller_by": saved}


def smaller_by(target: ExportTarget, model: Any, path: Path) -> float:
    """By which share a quantized file is smaller than the same in float32.

    Args:
        path: the quantized file.

    Raises:
        DataError: it is less than `LEAST_SMALLER`.
    """
    with TemporaryDirectory(prefix=".dlspec-export-", dir=path.parent) as folder:
        plain = Path(folder) / path.name
        target.model_copy(update={"quantize": False}).write(model, plain)
        before, after = (sum(each.stat().st_size for each in target.files(place)) for place in (plain, path))
    if after > before * (1 - LEAST_SMALLER):
        raise DataError.of(
            "cannot-export",
            f"weights of 8 bits do not pay for this network: the file has {show_bytes(after)}, and with weights of 32 "
            f"bits {show_bytes(before)}",
            help="leave `--quantize` out",
        )
    return 1 - after / before


def check_cost(target: ExportTarget, cost: Cost) -> None:
    """Raises `DataError` where too much is lost."""
    place = cost.worst
    if place is None:
        return
    before, after = cost.before[place], cost.after[place]
    if cost.metric == "accuracy":
        said, most = f"an accuracy of {100 * after:.2f}% instead of {100 * before:.2f}%", "half a point"
    elif cost.metric == "log_likelihood":
        said, most = f"a log likelihood of {after:.5g} instead of {before:.5g}", f"{ALLOWED_NATS} nats"
    else:
        of = cost.values[place]
        names = {"rmse": f"an RMSE of `{of}`", "pinball": f"a pinball loss of `{of}`", "loss": "a loss"}
        name = names[cost.metric]
        said, most = f"{name} of {after:.5g} instead of {before:.5g}", "1%"
    raise DataError.of(
        "export-differs",
        f"with weights of 8 bits the file of the format `{target.type_name}` has on the {cost.rows:,} rows of the test "
        f"part {said}; more than {most} is lost, and it was not kept",
        help="leave `--quantize` out",
    )


def cost_of(run: Run, model: Any, exported: Callable[[Raw], Array]) -> Cost:
    """Reads the data of a run again, and measures what an exported file makes of its whole test part.

    Args:
        model: the saved model, whole.
        exported: raw columns -> outputs, as the model gives them.

    Raises:
        DataError: the data are not what they were, or there is no test part.
    """
    data = _data_of(run)
    count, given, found, truths = len(data.test), [], [], []
    for first in range(0, count, AT_ONCE):
        places = np.arange(first, min(count, first + AT_ONCE))
        raw = raw_rows(data, run.predictor, places)
        both = by_keras(model, raw), exported(raw)
        if run.data.target.kind == "input":  # of which the truth is the input, as the network sees it
            both = _errors(run, both[0], raw), _errors(run, both[1], raw)
        given.append(both[0])
        found.append(both[1])
        truths.append(np.asarray(data.test.at(places).truth))
    truth = np.concatenate(truths)
    metric, measure = _measure(run.data.target.judged_as)
    values = run.data.target.values if run.data.target.kind == "number" else ()
    if metric == "pinball":
        measure = partial(_pinball, levels=run.data.target.levels)
    before, after = (measure(truth, np.concatenate(outputs).astype("float64")) for outputs in (given, found))
    return Cost(metric, tuple(values) or (run.data.target.name,), before, after, count)


def _data_of(run: Run) -> Prepared:
    from dlspec.runs.job import data_of

    why = "its data have changed since"
    try:
        data = data_of(run)
        if data.fingerprint == run.data.fingerprint and len(data.test):
            return data
    except DataError as error:
        why = error.diagnostics[0].message
    raise DataError.of(
        "no-samples",
        f"what quantizing costs cannot be measured on the test part of `{run.folder}`: {why}",
        help="run the spec again, or leave `--quantize` out",
    )


def _errors(run: Run, outputs: Array, raw: Raw) -> Array:
    """How far inputs that are given back are off as the network sees them, squared, mean of the values, (samples,)."""
    import pandas as pd

    given = raw if run.data.encoded else next(iter(raw.values()))
    found = run.predictor.given_back(outputs, given, pd.RangeIndex(len(outputs)))
    return found["squared_error"].to_numpy("float64") / outputs[0].size


def _measure(kind: str) -> tuple[str, Callable[[Array, Array], tuple[float, ...]]]:
    known: dict[str, tuple[str, Callable[[Array, Array], tuple[float, ...]]]] = {
        "class": ("accuracy", _accuracy),
        "labels": ("loss", _cross_entropy),
        "input": ("rmse", _of_errors),
        "quantiles": ("pinball", _pinball),
        "mixture": ("log_likelihood", _log_likelihood),
    }
    return known.get(kind, ("rmse", _rmse))


def _accuracy(truth: Array, outputs: Array) -> tuple[float, ...]:
    guess = outputs[:, 0] > 0.5 if outputs.shape[1] == 1 else outputs.argmax(axis=1)
    return (float(np.mean(guess == truth)),)


def _cross_entropy(truth: Array, outputs: Array) -> tuple[float, ...]:
    shares = np.clip(outputs, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return (float(-np.mean(np.where(truth > 0.5, np.log(shares), np.log1p(-shares)))),)


def _rmse(truth: Array, outputs: Array) -> tuple[float, ...]:
    off = outputs.reshape(len(outputs), -1) - truth.reshape(len(truth), -1)
    return tuple(np.sqrt(np.mean(off**2, axis=0)).tolist())


def _pinball(truth: Array, outputs: Array, levels: tuple[float, ...] = ()) -> tuple[float, ...]:
    found = pinball(truth.reshape(len(truth), -1), outputs, levels)
    return tuple(found.mean(axis=(0, 2)).tolist())


def _log_likelihood(truth: Array, outputs: Array) -> tuple[float, ...]:
    return tuple(log_density(truth.reshape(len(truth), -1), outputs).mean(axis=0).tolist())


def _of_errors(truth: Array, errors: Array) -> tuple[float, ...]:
    return (float(np.sqrt(np.mean(errors))),)
