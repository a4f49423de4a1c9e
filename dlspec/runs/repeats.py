"""Trainings beside that of the run: with other seeds, or on other folds. What is done is kept, and not done again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np

from dlspec.evaluation.metrics import Metric, judged_by
from dlspec.language.words import one_of
from dlspec.runs.folder import rows_of_output
from dlspec.runs.job import Job, new_network, outputs_of
from dlspec.runs.records.metrics import Spread
from dlspec.runtime.archives import BROKEN, read_arrays, with_checksum, without_checksum
from dlspec.runtime.files import write_json, written_whole
from dlspec.runtime.records import Record, damaged, read_record, unreadable
from dlspec.spec.spec import Spec
from dlspec.training.progress import Hooks, StageListener

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.evaluation.evaluate import Evaluation
    from dlspec.training.plan import Plan, Stage
    from dlspec.training.progress import HistoryRow

Entry = TypeVar("Entry", bound=Record)

ROWS, LOSS = "rows", "loss:"


class Done(NamedTuple, Generic[Entry]):
    """What came of a training.

    Args:
        losses: who guesses -> of each row that it was tested on.
        rows: these rows of the data.
    """

    entry: Entry
    losses: Mapping[str, np.ndarray]
    rows: np.ndarray

    @classmethod
    def of(cls, entry: Entry, data: Prepared, evaluation: Evaluation) -> Done[Entry]:
        return cls(entry, evaluation.losses, np.asarray(data.test.rows))


class Kept(Generic[Entry]):
    """What came of trainings, in a file that holds those which are done, and beside it their losses.

    Args:
        path: of the file.
        kind: of its entries.
        key: the fields that tell one from another.
        scores: what each entry holds scores of, as the training of the run itself.

    Raises:
        DataError: the file is damaged.
    """

    def __init__(self, path: Path, kind: type[Entry], key: Sequence[str], scores: Mapping[str, Collection[str]]):
        self.path, self.key, self.rivals = path, key, list(scores.get("baselines", ()))
        done: list[Entry] = read_record(path, list[kind]) if path.is_file() else []  # type: ignore[valid-type]
        for entry in done:
            for place, names in scores.items():
                there = list(entry[place])
                if there != list(names):
                    raise damaged(path, [f"`{place}` is of {one_of(there)}, and should be of {one_of(names)}"])
        self.entries: dict[tuple[Any, ...], Entry] = {self._key(entry): entry for entry in done}

    def has(self, key: tuple[Any, ...]) -> bool:
        """Whether what has this key is done."""
        return key in self.entries and self._losses(key).is_file()

    def keep(self, made: Done[Entry], key: tuple[Any, ...]) -> None:
        """Writes what came of a training."""
        path = self._losses(key)
        assert self._key(made.entry) == key, "what is made has the key that was asked for"
        self.path.parent.mkdir(exist_ok=True)
        arrays = {ROWS: made.rows, **{f"{LOSS}{who}": made.losses[who] for who in ("network", *self.rivals)}}
        with written_whole(path) as draft, draft.open("wb") as file:
            np.savez(file, **with_checksum(arrays))  # type: ignore[arg-type]
        self.entries[key] = made.entry
        write_json(self.path, [entry.as_json() for entry in self.entries.values()])

    def _losses(self, key: tuple[Any, ...]) -> Path:
        return self.path.with_name("-".join([self.path.stem, *map(str, key)]) + ".npz")

    def read(self, key: tuple[Any, ...]) -> Done[Entry]:
        """What has this key, which is done."""
        entry, path = self.entries[key], self._losses(key)
        try:
            arrays = without_checksum(read_arrays(path))
        except BROKEN as error:
            raise unreadable(path, error) from None
        names = [ROWS, *(f"{LOSS}{name}" for name in ("network", *self.rivals))]
        if list(arrays) != names or {values.shape for values in arrays.values()} != {arrays[ROWS].shape}:
            raise damaged(path, [f"it should hold {one_of(names)}, equally long"])
        rows = arrays.pop(ROWS)
        return Done(entry, {name.removeprefix(LOSS): losses for name, losses in arrays.items()}, rows)

    def _key(self, entry: Entry) -> tuple[Any, ...]:
        return tuple(entry[name] for name in self.key)


def once(kept: Sequence[Kept[Entry]], make: Callable[[], Sequence[Done[Entry]]], *key: Any) -> Sequence[Done[Entry]]:
    """What has this key, of each output; all is made where something is not done yet.

    Args:
        kept: what came of each of several outputs, or of the only one.
    """
    if all(each.has(key) for each in kept):
        return [each.read(key) for each in kept]
    made = make()
    for each, own in zip(kept, made, strict=True):
        each.keep(own, key)
    return made


class Judged(NamedTuple):
    """What came of one of several outputs of a training, or of the only one, which has no name.

    Args:
        job, network: as if it were the only one.
        history: in which the loss is that of this output.
    """

    name: str
    job: Job
    network: Any
    evaluation: Evaluation
    history: Sequence[HistoryRow]

    @property
    def judged_by(self) -> str:
        """The metric that a verdict is said with."""
        return judged_by(self.job.data.signature.target.judged_as, list(self.evaluation.test))


def train_aside(job: Job, spec: Spec, data: Prepared, plan: Plan, words: str) -> list[Judged]:
    """Trains the network of a plan from its random start, and evaluates each output; nothing of it is kept.

    Args:
        words: what is trained, for the listener.
    """
    from dlspec.evaluation.evaluate import evaluate
    from dlspec.training.trainer import Trainer

    job.listener.note(words)
    network = new_network(spec, plan, data)
    hooks = Hooks(_Aside(job.listener, words))
    history = Trainer(spec.training, plan, data, network, hooks, taken=job.taken).run()
    found = []
    for name, own, alone in outputs_of(replace(job, spec=spec, data=data, plan=plan), network):
        stops = spec.train.early_stopping is not None
        evaluation = evaluate(own.spec.evaluate, alone, own.data, stops_early=stops)
        found.append(Judged(name, own, alone, evaluation, rows_of_output(history, name) if name else history))
    return found


def spread(values: Sequence[float | None]) -> Spread:
    """Mean and standard deviation of several trainings; of one there is no deviation.

    None is a value that cannot be computed, and counts in neither.
    """
    given = np.array([value for value in values if value is not None], "float64")
    return Spread(
        mean=float(given.mean()) if len(given) else None,
        sd=float(given.std(ddof=1)) if len(given) > 1 else None,
        values=tuple(None if value is None else float(value) for value in values),
    )


def show_spreads(spreads: Sequence[Spread], metric: type[Metric]) -> list[str]:
    """`mean (sd deviation)` of each; means that differ can be told from each other."""
    means = metric.show_all([each.mean for each in spreads])
    return [
        mean if each.sd is None else f"{mean} (sd {metric.show(each.sd)})"
        for mean, each in zip(means, spreads, strict=True)
    ]


@dataclass(frozen=True)
class _Aside(StageListener):
    """Tells of a training beside the run only how far it is."""

    listener: StageListener
    words: str

    def epoch_ends(self, stage: Stage, row: HistoryRow) -> None:
        self.listener.goes_on(f"{self.words}: {stage.name}, epoch {row.epoch} of {stage.epochs}")

    def wants_stop(self) -> bool:
        return self.listener.wants_stop()
