"""The rows of a series: read, put in the order of time, and brought to even steps as the spec says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from dlspec.data.datasets import Columns
from dlspec.data.even_steps import Policy, policy_of
from dlspec.data.preparation.columns import classes_of, data_error, numbers_of, of_each, times_of, together, words_of
from dlspec.data.preparation.evening import Evened, check_steps, even_out, in_parts
from dlspec.data.preparation.splitting import Given
from dlspec.data.section import DataSpec
from dlspec.data.signature import Signature
from dlspec.language.diagnostics.errors import DataError

Array = np.ndarray


@dataclass(frozen=True)
class Rows:
    """The rows of a series, in the order of time.

    Args:
        numbers: the features, and the targets that are numbers.
        labels: of each target of classes, the class of each row, -1 where it is not known.
        form: how times are written.
        given: how many of the last rows are the parts that the data bring.
        evened: what became of rows and holes; None: all is as in the data.
        turned: whether the data have the newest row first.
    """

    columns: Columns
    numbers: Columns
    labels: Columns
    times: Array | None
    groups: Array | None
    form: str | None
    given: Given
    evened: Evened | None = None
    turned: bool = False

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def origin(self) -> Array | None:
        """The row of the data that each row comes from, -1 where it comes from none; None: they are the same."""
        if self.evened is not None:
            return len(self.evened.origin) - 1 - self.evened.origin if self.turned else self.evened.origin
        return np.arange(len(self))[::-1] if self.turned else None

    def leads_to_truth(self, names: tuple[str, ...]) -> Array | None:
        """Whether the values of some columns were given, and not filled in, (rows,) bool; None: all were."""
        filled = [self.evened.filled[name] for name in names if name in self.evened.filled] if self.evened else []
        return ~np.any(filled, axis=0) if filled else None

    @property
    def unsure(self) -> Array | None:
        return self.evened.unsure if self.evened is not None else None

    @property
    def counts(self) -> Mapping[str, int]:
        """What was left out, put together and filled in: see `Evened`; `filled COLUMN` for each column."""
        if self.evened is None:
            return {}
        filled = {f"filled {name}": int(values.sum()) for name, values in self.evened.filled.items()}
        return {name: count for name, count in {**self.evened.counts, **filled}.items() if count}


def rows_of_series(
    section: DataSpec,
    signature: Signature,
    columns: Columns,
    fold: int,
    policy: Policy | None = None,
    besides: Sequence[str] = (),
) -> Rows:
    """Reads the columns that a series needs.

    Args:
        besides: columns of numbers that are needed besides features and targets.
        policy: what is done about holes, repeats and steps; None: as the section says.

    Raises:
        DataError: what is wrong with values and times, all of it.
    """
    policy = policy or policy_of(section)
    turned = False
    try:
        read = _Read.of(section, signature, columns, fold, policy, besides)
    except DataError as error:
        if all(problem.code != "time-not-increasing" for problem in error.diagnostics) or any(Given.of(signature)):
            raise
        columns = {name: values[::-1] for name, values in columns.items()}
        try:
            read = _Read.of(section, signature, columns, fold, policy, besides)
        except DataError:
            raise error from None
        turned = True
    given = Given.of(signature)
    if not policy.changes_rows:
        return Rows(columns, read.numbers, read.labels, read.times, read.groups, read.form, given, turned=turned)
    try:
        evened, given = _evened(read, policy, given)
        if policy.missing == "error":
            check_steps(evened)
    except DataError as error:
        (problem,) = error.diagnostics
        key = next((key for key in ("resample", "duplicates", "missing") if section.is_written(key)), "missing")
        raise data_error(section, problem.code, problem.message, key, help=problem.help) from None
    whole: Columns = dict(evened.columns)
    if signature.time is not None and evened.times is not None:
        whole[signature.time] = evened.times
    if signature.group is not None and evened.groups is not None:
        whole[signature.group] = evened.groups
    numbers = {name: numbers_of(section, name, evened.columns) for name in read.numbers}
    labels = {own.target.name: classes_of(section, own, evened.columns) for own in of_classes(signature)}
    return Rows(whole, numbers, labels, evened.times, evened.groups, read.form, given, evened, turned)


@dataclass(frozen=True)
class _Read:
    """Columns as they were read, with holes where they may have some.

    Args:
        labels: of each target of classes, words where there may be holes, else the number of each class.
    """

    numbers: Columns
    labels: Columns
    groups: Array | None = None
    times: Array | None = None
    form: str | None = None

    @classmethod
    def of(
        cls,
        section: DataSpec,
        signature: Signature,
        columns: Columns,
        fold: int,
        policy: Policy,
        besides: Sequence[str],
    ) -> _Read:
        groups = words_of(section, signature.group, columns, "group") if signature.group else None
        names = [column.name for column in signature.features]
        targets = [own.target for own in signature.of_outputs if own.target.kind == "number"]
        needed = dict.fromkeys([*names, *(name for target in targets for name in target.names), *besides])
        count = len(next(iter(columns.values())))
        trained = None if groups is not None else section.split.bounds(count, fold, *Given.of(signature)[::-1])[0]
        holes = policy.changes_rows

        def words(own: Signature) -> Array:
            if holes:
                return numbers_of(section, own.target.name, columns, holes=True, raw="word")
            return classes_of(section, own, columns)

        classes = {own.target.name: own for own in of_classes(signature)}
        numbers, labels, timed = together(
            lambda: of_each(needed, lambda name: numbers_of(section, name, columns, holes=holes)),
            lambda: of_each(classes, lambda name: words(classes[name])),
            lambda: times_of(section, signature.time, columns, groups, trained=trained, repeats=policy.allows_repeats),
        )
        times, form = timed or (None, None)
        return cls(numbers, labels, groups, times, form)


def of_classes(signature: Signature) -> list[Signature]:
    """The signature of each output whose target is a class."""
    return [own for own in signature.of_outputs if own.target.kind == "class"]


def _evened(read: _Read, policy: Policy, given: Given) -> tuple[Evened, Given]:
    """The series with even steps, each part that the data bring by itself, and how long these are then."""
    columns = {**read.numbers, **read.labels}
    count = len(next(iter(columns.values())))
    ends = [0, count - sum(given), count - given.test, count]
    parts = []
    for first, end in pairwise(ends):
        if end > first:
            rows = slice(first, end)
            own = {name: values[rows] for name, values in columns.items()}
            times, groups = (None if each is None else each[rows] for each in (read.times, read.groups))
            part = even_out(own, times, groups, policy)
            parts.append(replace(part, origin=np.where(part.origin >= 0, part.origin + first, -1)))
    sizes = [len(part.origin) for part in parts]
    found = Given(
        sizes[-1 - (given.test > 0)] if given.validation else 0,
        sizes[-1] if given.test else 0,
    )
    return in_parts(parts), found
