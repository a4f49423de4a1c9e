"""Trains a run again, and says whether the same came of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from dlspec.runs.checksums import fitting_together
from dlspec.runs.folder import Run
from dlspec.runs.records.predictions import sample_columns
from dlspec.runs.run import start
from dlspec.runtime.environment import Change, changes

if TYPE_CHECKING:
    import numpy as np

    from dlspec.runs.listener import Listener
    from dlspec.training.progress import HistoryRow

TOLERANCE = 1e-3
"""How far two trainings may be apart, relative to the scale of what is compared, to count as the same.

Where rounding alone differs (other threads, kernels of oneDNN, XLA), trainings end 1e-7 to 2e-4 apart, as long as they
do not make more of it; those that do end 1e-1 apart, with another network. See `docs/design/0017-replay.md`.
"""
Verdict = Literal["equal", "equal within tolerance", "differs"]
RESULTS = ("train", "validation", "test", "baselines", "folds", "compare")
"""What of `metrics.json` are numbers that training led to."""


class Pair(NamedTuple):
    """Numbers of both runs.

    Args:
        name: where they stand.
        scale: what their difference is divided by; 0: the largest of them.
    """

    name: str
    before: Any
    now: Any
    scale: float = 0.0


def _unlike(name: str) -> Pair:
    """Where there are no two numbers to be compared."""
    return Pair(name, [], 0)


@dataclass(frozen=True)
class Comparison:
    """How far something is from what it was.

    Args:
        what: `weights`, `losses`, `predictions` or `metrics`.
        equal: whether it is the same to the last bit.
        difference: the largest, relative to the scale; infinite where there is nothing to compare with.
        where: its place, or, where that says more, what is wrong there.
    """

    what: str
    equal: bool
    difference: float = 0.0
    where: str = ""

    @property
    def close(self) -> bool:
        return self.difference <= TOLERANCE


@dataclass(frozen=True)
class Replay:
    """What came of training a run again.

    Args:
        run: the run that was trained again.
        folder: that of the new run; None where it was not kept.
        scores: metric -> value on the test part, then and now.
        changes: what differs in libraries, device, threads and the like.
        deterministic: whether the machine gives the same bits for the same spec.
    """

    run: Path
    folder: Path | None
    comparisons: tuple[Comparison, ...]
    scores: Mapping[str, tuple[float | None, float | None]]
    changes: tuple[Change, ...]
    deterministic: bool = field(default=True)

    @property
    def verdict(self) -> Verdict:
        if all(found.equal for found in self.comparisons):
            return "equal"
        return "equal within tolerance" if all(found.close for found in self.comparisons) else "differs"

    @property
    def sentence(self) -> str:
        """The verdict with its reason."""
        if self.verdict == "equal":
            return "Equal: weights, losses, predictions and metrics are the same to the last bit."
        worst = max(self.comparisons, key=lambda found: found.difference)
        if self.verdict == "equal within tolerance":
            return (
                f"Equal within tolerance: the largest difference is {worst.difference:.1g} of its scale, among the "
                f"{worst.what}{_in(worst)}; up to {TOLERANCE:g} counts as equal."
            )
        found = ", ".join(_apart(one) for one in self.comparisons if not one.close)
        return f"Differs by more than {TOLERANCE:g} of its scale: {found}. {self._reason}"

    @property
    def _reason(self) -> str:
        known = [change.name for change in self.changes if change.known]
        if known:
            return f"Not as it was: {', '.join(known)}."
        if self.changes:
            return f"Nothing is recorded of {', '.join(change.name for change in self.changes)} then."
        if not self.deterministic:
            return "A GPU gives the same bits every time only with `runtime: {deterministic: true}`."
        return "Libraries, device, threads and data are as they were: the files of the run may have been changed."

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "tolerance": TOLERANCE,
            "run": str(self.run),
            "folder": None if self.folder is None else str(self.folder),
            "comparisons": [
                asdict(found) | {"difference": found.difference if math.isfinite(found.difference) else None}
                for found in self.comparisons
            ],
            "test": {name: {"before": before, "now": now} for name, (before, now) in self.scores.items()},
            "changes": [asdict(change) for change in self.changes],
        }


def _in(found: Comparison) -> str:
    return f" ({found.where})" if found.where else ""


def _apart(found: Comparison) -> str:
    if math.isinf(found.difference):
        return f"{found.what} ({found.where})"
    return f"{found.what} by {found.difference:.2g}{_in(found)}"


def replay(run: Run, *, out: str | Path | None, listener: Listener | None) -> Replay:
    """Trains the resolved spec of a run again and compares.

    Args:
        out: a folder for the new run; None: it is deleted after the comparison.

    Raises:
        DataError: the run is not finished, or its data are not what they were.
    """
    run.check_finished()
    with ExitStack() as stack:
        folder = Path(out) if out is not None else Path(stack.enter_context(TemporaryDirectory(prefix="dlspec_")))
        again = start(run.spec, out=folder, listener=listener, original=run)
        before, now = run.metrics.test, again.metrics.test
        with fitting_together(run.folder):
            comparisons = (
                compare_numbers("weights", _weights(run, again)),
                compare_numbers("losses", _losses(run, again)),
                compare_numbers("predictions", _of_each_output(_predictions, run, again)),
                compare_numbers("metrics", _of_each_output(_metrics, run, again)),
            )
        return Replay(
            run.folder,
            None if out is None else folder,
            comparisons,
            {name: (before.get(name), now.get(name)) for name in dict.fromkeys([*before, *now])},
            tuple(changes(run.environment.as_json(), again.environment.as_json())),
            again.spec.runtime.deterministic or "GPU" not in again.environment.device,
        )


def _of_each_output(pairs: Callable[[Run, Run], Iterator[Pair]], run: Run, again: Run) -> Iterator[Pair]:
    """Pairs of two runs, of several outputs of each of them."""
    if not run.outputs:
        yield from pairs(run, again)
    for name, own in run.outputs.items():
        for pair in pairs(own, again.outputs[name]):
            yield pair._replace(name=f"{pair.name} of {name}")


def compare_numbers(what: str, pairs: Iterable[Pair]) -> Comparison:
    """The largest difference of all, and whether there is any."""
    import numpy as np

    found = Comparison(what, equal=True)
    for name, before, now, scale in pairs:
        old, new = np.asarray(before), np.asarray(now)
        if old.dtype == new.dtype and old.shape == new.shape and old.tobytes() == new.tobytes():
            continue
        difference = _difference(old, new, scale)
        if found.equal or difference > found.difference:
            found = Comparison(what, False, difference, name)
    return found


def _difference(before: np.ndarray, now: np.ndarray, scale: float) -> float:
    import numpy as np

    if before.shape != now.shape:
        return math.inf
    a, b = (np.asarray(values, "float64") for values in (before, now))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if same.all():
        return 0.0
    a, b = a[~same], b[~same]
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return math.inf
    return float(np.abs(a - b).max() / (scale or max(np.abs(a).max(), np.abs(b).max())))


def _weights(run: Run, again: Run) -> Iterator[Pair]:
    """The arrays of `model.keras`; the scale is that of a layer, since its arrays are added up."""
    from dlspec.training.values import as_array

    old, new = ([(weight.path, as_array(weight)) for weight in one.model.weights] for one in (run, again))
    if [values.shape for _, values in old] != [values.shape for _, values in new]:
        yield _unlike("the networks have other layers")
        return
    scales: dict[str, float] = {}
    for path, values in old:
        layer = path.rpartition("/")[0]
        scales[layer] = max(scales.get(layer, 0.0), _largest(values))
    for (path, values), (_, others) in zip(old, new, strict=True):
        yield Pair(f"`{path}`", values, others, scales[path.rpartition("/")[0]])


def _losses(run: Run, again: Run) -> Iterator[Pair]:
    """Losses and measures of every epoch; the scale is the largest of a stage."""
    stages: dict[str, tuple[list[HistoryRow], list[HistoryRow]]] = {}
    for side, one in enumerate((run, again)):
        for row in one.history:
            stages.setdefault(row.stage, ([], []))[side].append(row)
    for stage, (old, new) in stages.items():
        if len(old) != len(new):
            yield _unlike(f"`{stage}` had {len(old)} epochs and has {len(new)}")
            continue
        for column in dict.fromkeys(["loss", "val_loss", *(name for row in (*old, *new) for name in row.measures)]):
            values, others = ([_number(row[column]) for row in rows] for rows in (old, new))
            yield Pair(f"`{column}` of `{stage}`", values, others, _largest(values))


def _predictions(run: Run, again: Run) -> Iterator[Pair]:
    """`predictions.csv`; the scale is the spread of the truth, or 1 for probabilities."""
    import numpy as np

    old, new = run.predictions, again.predictions
    names = [str(name) for name in old]
    samples = sample_columns(old)
    if names != list(new) or not old[samples].equals(new[samples]):
        yield _unlike("they are of other samples")
        return
    for name in (name for name in names if name not in samples):
        if old[name].dtype.kind not in "biuf":  # the likeliest class: of how many samples it is another
            flips = old[name].astype(str) != new[name].astype(str)
            yield Pair(f"another `{name}`", 0.0, float(flips.mean()), 1.0)
            continue
        truth = f"truth:{name.partition(':')[2]}" if ":" in name else "truth"
        of = truth if truth in names and old[truth].dtype.kind in "biuf" else name
        spread = 1.0 if name.startswith("p(") else _largest(np.ptp(old[of].to_numpy("float64")))
        yield Pair(f"`{name}`", old[name].to_numpy(), new[name].to_numpy(), spread)


def _metrics(run: Run, again: Run) -> Iterator[Pair]:
    """Numbers of `metrics.json`; the scale is that of the metric on the test part, baselines included."""
    old, new = (
        {path: value for part in RESULTS if part in found for path, value in _leaves(found[part], (part,))}
        for found in (run.metrics.as_json(), again.metrics.as_json())
    )
    scales: dict[str, float] = {}
    for path, value in old.items():
        if path[0] in ("test", "baselines"):
            scales[path[-1]] = max(scales.get(path[-1], 0.0), _largest(value))
    for path in dict.fromkeys([*old, *new]):
        name = ".".join(path)
        if path in old and path in new:
            scale = next((scales[part] for part in path if part in scales), 0.0)
            yield Pair(f"`{name}`", old[path], new[path], scale)
        else:
            yield _unlike(f"only one of the runs has `{name}`")


def _leaves(values: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every number with its path; what cannot be computed is no number. Spreads follow from the rest."""
    if isinstance(values, Mapping):
        pairs: Iterable[tuple[Any, Any]] = values.items()
    elif isinstance(values, list):
        pairs = enumerate(values)
    elif isinstance(values, str | bool):
        return
    else:
        yield path, _number(values)
        return
    for key, value in pairs:
        if key not in ("sd", "seeds", "seed"):
            yield from _leaves(value, (*path, str(key)))


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _largest(values: Any) -> float:
    """The largest magnitude among numbers, of those that are finite."""
    import numpy as np

    sizes = np.abs(np.asarray(values, "float64"))
    return float(sizes[np.isfinite(sizes)].max(initial=0.0))
