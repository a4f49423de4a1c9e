"""Trainings beside that of the run: with other seeds, or on other folds. What is done is kept, and not done again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlspec.runs.job import Job, new_network
from dlspec.runtime.files import write_json
from dlspec.spec.spec import Spec
from dlspec.training.progress import StageListener

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.evaluation.evaluate import Evaluation
    from dlspec.training.plan import Plan, Stage
    from dlspec.training.progress import HistoryRow


class Kept:
    """What came of trainings, in a file that holds those which are done.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []

    def once(self, make: Callable[[], dict[str, Any]], **key: Any) -> dict[str, Any]:
        """The entry of this key; it is made where there is none yet."""
        for entry in self.entries:
            if all(entry[name] == value for name, value in key.items()):
                return entry
        self.entries.append({**key, **make()})
        self.path.parent.mkdir(exist_ok=True)
        write_json(self.path, self.entries)
        return self.entries[-1]


def train_aside(
    job: Job, spec: Spec, data: Prepared, plan: Plan, words: str
) -> tuple[Evaluation, Sequence[HistoryRow]]:
    """Trains the network of a plan from its random start, and evaluates it; nothing of it is kept.

    Args:
        words: what is trained, for the listener.
    """
    from dlspec.evaluation.evaluate import evaluate
    from dlspec.training.trainer import Trainer

    job.listener.note(words)
    network = new_network(spec, plan, data)
    trainer = Trainer(
        spec.training,
        plan,
        data,
        network,
        listener=_Aside(job.listener, words),
        save=lambda checkpoint: None,
        taken=job.taken,
    )
    history = trainer.run()
    return evaluate(spec.evaluate, network, data, stops_early=spec.train.early_stopping is not None), history


def spread(values: Sequence[float | None]) -> dict[str, Any]:
    """Mean and standard deviation of several trainings; of one there is no deviation.

    None is a value that cannot be computed, and counts in neither.
    """
    given = np.array([value for value in values if value is not None], "float64")
    return {
        "mean": float(given.mean()) if len(given) else None,
        "sd": float(given.std(ddof=1)) if len(given) > 1 else None,
        "values": [None if value is None else float(value) for value in values],
    }


@dataclass(frozen=True)
class _Aside(StageListener):
    """Tells of a training beside the run only how far it is."""

    listener: StageListener
    words: str

    def epoch_ends(self, stage: Stage, row: HistoryRow) -> None:
        self.listener.goes_on(f"{self.words}: {stage.name}, epoch {row.epoch} of {stage.epochs}")
