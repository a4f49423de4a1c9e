"""Is one network better than another, by the samples that both were tested on?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlspec.data.signature import is_mixed
from dlspec.data.sources import FILE_SOURCES
from dlspec.evaluation.mcnemar import McNemar, mcnemar
from dlspec.evaluation.metrics import JUDGED, METRICS, show_apart, show_number
from dlspec.evaluation.outcome import Outcome, Verdict
from dlspec.runs.folder import Run
from dlspec.runs.records.predictions import sample_columns, values_in

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from dlspec.evaluation.intervals import Dependence

KEYS = ("row", "group", "time")
"""Columns of `predictions.csv` that tell samples of the same data apart."""


@dataclass(frozen=True)
class Paired:
    """Two runs on the same test rows, sample by sample.

    Args:
        samples: that both were tested on.
        verdict: on the second, by what it gains over the first; None: it cannot be told, see `why_not`.
        p: how often chance alone gives such a difference; None: the samples are too few.
        mcnemar: of classes; None: see `why_no_mcnemar`.
    """

    samples: int
    verdict: Verdict | None = None
    p: float | None = None
    mcnemar: McNemar | None = None
    why_not: str = ""
    why_no_mcnemar: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "samples": self.samples,
            "verdict": self.verdict.model_dump(mode="json") if self.verdict else None,
            "p": self.p,
            "mcnemar": self.mcnemar._asdict() if self.mcnemar else None,
            "why_not": self.why_not,
            "why_no_mcnemar": self.why_no_mcnemar,
        }


def pair(first: Run, second: Run, names: Sequence[str], specs: Sequence[Mapping[str, Any]]) -> Paired:
    """Compares two finished runs by the rule of the verdict: see `dlspec.evaluation.verdict`.

    Args:
        names: what the two are called in sentences.
        specs: their resolved specs, as plain values.
    """
    from dlspec.evaluation.verdict import interval_of_gain, verdict_of

    if first.data.fingerprint != second.data.fingerprint:
        return Paired(0, why_not="they are of different data")
    kind = first.data.target.judged_as
    if _predicted(first) != _predicted(second):
        return Paired(0, why_not="they predict different things")
    where = ("split", *FILE_SOURCES)  # the data are the same, wherever they lie
    seen = [{key: value for key, value in spec["data"].items() if key not in where} for spec in specs]
    if kind == "input" and seen[0] != seen[1]:
        return Paired(0, why_not="what the networks see, and give back, is made differently of the data")
    tables = _in_one_order(first.predictions, second.predictions)
    if tables is None:
        return Paired(0, why_not=_rows_differ(first.predictions, second.predictions))
    one, other = tables
    weights = [table["weight"].to_numpy("float64") if "weight" in table else None for table in (one, other)]
    if not _same_weights(*weights):
        return Paired(len(one), why_not="their test rows are the same, and count differently")
    truth = [name for name in sample_columns(one) if name not in KEYS]
    if not one[truth].equals(other[truth]):
        return Paired(0, why_not="their test rows are the same, and what is true of them is not")
    grouped = any("group" in spec["data"].get("split", {}) for spec in specs)
    dependence, missing = _dependence(first, second, one, grouped=grouped)
    if missing:
        return Paired(len(one), why_not=missing)
    loss, other_loss = _losses(first, one), _losses(second, other)
    if weights[0] is not None:
        loss, other_loss = (each * weights[0] / weights[0].mean() for each in (loss, other_loss))
    gain = loss - other_loss
    found = interval_of_gain(gain, dependence, kind, first.data.target.answers, weights[0])
    a, b = names
    says: dict[Outcome, str] = {
        "better": f"`{b}` is better than `{a}`",
        "worse": f"`{b}` is worse than `{a}`",
        "level": f"It is not shown that one of `{a}` and `{b}` is better",
        "too_few": f"Too few to tell whether `{a}` or `{b}` is better",
    }
    metrics = [run.metrics.test for run in (second, first)]
    if all(JUDGED[kind] in own for own in metrics):
        label = METRICS[JUDGED[kind]].label
        shown = METRICS[JUDGED[kind]].show_all([own[JUDGED[kind]] for own in metrics])
    else:
        label = {"class": "share of wrong classes", "number": "mean squared error"}.get(kind, "mean loss")
        shown = show_apart([float(other_loss.mean()), float(loss.mean())], show_number)
    verdict = verdict_of(kind, found, says, f"{label} {shown[0]} against {shown[1]}", label, a)
    test, why = _mcnemar(kind, gain, dependence)
    if first.data.target.places and not first.data.target.written:
        test, why = None, "McNemar's test is of one class a sample, and these have one at each place"
    if weights[0] is not None:
        test, why = None, "McNemar's test takes all samples alike, and these have weights"
    return Paired(len(gain), verdict, found.p, test, why_no_mcnemar=why)


def _same_weights(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    import numpy as np

    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)


def _predicted(run: Run) -> tuple[Any, ...]:
    target = run.data.target
    named = target.kind, target.name, target.classes, target.values, target.labels
    form = target.form, target.levels
    return *named, target.places, target.tokens, *form, target.written and target.written.unit


def _in_one_order(one: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Both tables with their samples in the same order; None where they are of other samples."""
    keys = [name for name in KEYS if name in one]
    if keys != [name for name in KEYS if name in other] or len(one) != len(other):
        return None
    if not one[keys].equals(other[keys]):
        one, other = (table.sort_values(keys, kind="stable", ignore_index=True) for table in (one, other))
        if one[keys].duplicated().any() or not one[keys].equals(other[keys]):
            return None
    return one, other


def _rows_differ(one: pd.DataFrame, other: pd.DataFrame) -> str:
    keys = [name for name in KEYS if name in one and name in other]
    shared = len(one[keys].drop_duplicates().merge(other[keys].drop_duplicates()))
    both = f"{shared:,} of {len(one):,} and {len(other):,} rows are in both"
    return f"their test rows differ ({both}), so that their figures are of different samples"


def _losses(run: Run, table: pd.DataFrame) -> np.ndarray:
    """What the network is judged by, of each sample."""
    import numpy as np

    from dlspec.evaluation.verdict import losses

    target = run.data.target
    if target.kind == "input" or target.places:  # the table has these
        return table["network"].to_numpy("float64")
    if target.kind == "class":
        places = table["truth"].map({name: place for place, name in enumerate(target.classes)}).to_numpy()
        return losses("class", places, table[[f"p({name})" for name in target.classes]].to_numpy())
    if target.form != "value":
        ends = [f":{value}" for value in target.values] or [""]
        known = table[[f"truth{end}" for end in ends]].to_numpy("float64")
        spreads = np.array(target.deviations or np.ones(len(ends)))
        found = values_in(table, run.data).reshape(len(table), len(ends), -1)
        return losses(target.form, known, found, spreads, target.levels)
    if not target.values:
        return losses("number", table["truth"].to_numpy("float64"), table["network"].to_numpy("float64"))
    truth, guess = (
        table[[f"{who}:{name}" for name in target.values]].to_numpy("float64") for who in ("truth", "network")
    )
    by = None if target.labels else np.array(target.deviations) if target.deviations else np.ones(len(target.values))
    return losses(target.kind, truth, guess, by)


def _dependence(first: Run, second: Run, table: pd.DataFrame, *, grouped: bool) -> tuple[Dependence, str]:
    """What samples have in common; or what is not recorded that this takes.

    Args:
        grouped: whether the spec names groups of single samples.
    """
    import pandas as pd

    from dlspec.data.split import Window
    from dlspec.evaluation.intervals import Dependence
    from dlspec.evaluation.verdict import dependence_along

    target = first.data.target
    if not target.labels and is_mixed([*target.columns()]) and not target.deviations:
        return Dependence(), "older runs do not record by what the errors of several targets are divided"
    groups = table["group"].to_numpy() if "group" in table else None
    windows = [run.data.window for run in (first, second)]
    if target.tokens and groups is None:
        return dependence_along(table["row"].to_numpy(), None, None, 1), ""
    if windows[0] is None or windows[1] is None:
        if groups is None and grouped:
            return Dependence(), "older runs do not record the groups of the test rows"
        return Dependence(groups), ""
    times = None
    if "time" in table:
        times = pd.to_datetime(table["time"]).to_numpy() if first.data.dated else table["time"].to_numpy()
    reach = max(Window(**window.as_json()).overlap for window in windows if window is not None)
    return dependence_along(table["row"].to_numpy(), groups, times, reach), ""


def _mcnemar(kind: str, gain: np.ndarray, dependence: Dependence) -> tuple[McNemar | None, str]:
    """McNemar's test of classes, or why there is none."""
    if kind != "class":
        return None, "McNemar's test is of classes"
    if dependence.groups is not None or dependence.times is not None:
        what = "belong to groups" if dependence.times is None else "follow each other in time"
        return None, f"McNemar's test takes samples to be independent, and these {what}"
    return mcnemar(int((gain < 0).sum()), int((gain > 0).sum())), ""
