"""How often a verdict names a winner where there is none: `python -m tests.benchmarks.verdicts [DRAWS]`.

Errors of a network and of its rivals are made up, no model is trained. In each cell 4,000 test parts are drawn twice:
without a difference, where a winner is a false verdict (asked: at most 7%), and with one of half a standard deviation
of the gain, which is to be found. Where the test part is worth too few independent samples, the verdict is refused.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlspec.evaluation.intervals import (
    INDEPENDENT,
    Dependence,
    Interval,
    interval_of_mean,
    interval_of_trainings,
)

Array = np.ndarray
Random = np.random.Generator


@dataclass(frozen=True)
class Cell:
    """A kind of test part.

    Args:
        name: what is drawn.
        gains: of a network over each of its rivals, equally good, (rivals, samples).
        dependence: what the verdict knows of the samples besides.
        given: to `interval_of_mean`.
        rows: that each of several trainings is tested on, whose gains stand one behind the other; none: it is one
            network that is judged.
        share: rows that a training is tested on, by rows that it is trained on.
    """

    name: str
    gains: Callable[[Random], Array]
    dependence: Dependence = INDEPENDENT
    given: dict[str, Any] = field(default_factory=dict)
    rows: tuple[Array, ...] = ()
    share: float = 0.0

    def judge(self, gain: Array, rivals: int = 1) -> Interval:
        """Of the gains over one rival."""
        if not self.rows:
            return interval_of_mean(gain, self.dependence, rivals=rivals, **self.given)
        gains = np.split(gain, np.cumsum([len(own) for own in self.rows])[:-1])
        groups, times, reach = self.dependence

        def dependence(some: Array) -> Dependence:
            return Dependence(groups, None if times is None else some, reach)

        return interval_of_trainings(gains, self.rows, dependence, self.share, rivals=rivals, **self.given)


@dataclass(frozen=True)
class Found:
    """Shares of all draws: verdicts that are false, that are refused, and differences that are found."""

    false: float
    refused: float
    power: float


def autoregressive(random: Random, shape: tuple[int, int], carried: float) -> Array:
    """Series of errors of which each carries over a part to the next, (series, timesteps)."""
    from scipy.signal import lfilter

    drawn = random.normal(size=(shape[0], shape[1] + 300)) * (1 - carried**2) ** 0.5
    return np.asarray(lfilter([1], [1, -carried], drawn, axis=1)[:, 300:])


def overlapping(random: Random, shape: tuple[int, int], horizon: int) -> Array:
    """Errors of forecasts so many timesteps ahead: sums of what nobody could know, (series, timesteps)."""
    summed = np.cumsum(random.normal(size=(shape[0], shape[1] + horizon)), axis=1)
    return np.asarray((summed[:, horizon:] - summed[:, :-horizon]) / horizon**0.5)


def squared_gains(errors: Array) -> Array:
    """Of the first over each of the others."""
    return np.asarray(errors[1:] ** 2 - errors[:1] ** 2)


def cells() -> Iterator[Cell]:
    for count in (10, 20, 48, 100, 1000):
        yield Cell(f"rows, n = {count}", lambda r, n=count: squared_gains(r.normal(size=(2, n))))
    for rivals in (3, 8):
        for count in (10, 48, 1000):
            name = f"rows, n = {count}, best of {rivals} rivals"
            yield Cell(name, lambda r, n=count, k=rivals: squared_gains(r.normal(size=(k + 1, n))))
    for horizon in (1, 12, 24):
        for count in (25, 48, 120, 200, 1000):
            along = Dependence(times=np.arange(count), reach=horizon)
            name = f"horizon {horizon}, n = {count}"
            yield Cell(name, lambda r, n=count, h=horizon: squared_gains(overlapping(r, (2, n), h)), along)
    for carried in (0.5, 0.9, 0.97):
        for count in (48, 200, 1000):
            name = f"errors AR {carried}, n = {count}"
            along = Dependence(times=np.arange(count))
            yield Cell(name, lambda r, n=count, c=carried: squared_gains(autoregressive(r, (2, n), c)), along)
    for carried in (0.5, 0.9, 0.97):
        for count in (200, 1000):
            name = f"gains AR {carried}, n = {count}"
            along = Dependence(times=np.arange(count))
            yield Cell(name, lambda r, n=count, c=carried: autoregressive(r, (1, n), c), along)
    for carried in (0.0, 0.9):
        for count in (48, 200, 1000):

            def classes(random: Random, n: int = count, c: float = carried) -> Array:
                right = autoregressive(random, (2, n), c) < 0.8
                return right[:1].astype("float64") - right[1:]

            along, least = Dependence(times=np.arange(count)), {"least": 2 / (count + 2)}
            yield Cell(f"classes, carried over {carried}, n = {count}", classes, along, least)
    for groups in (10, 20, 40):
        for uneven in (False, True):
            sizes = np.random.default_rng(groups).geometric(0.1, groups) + 1 if uneven else np.full(groups, 20)
            of = np.repeat(np.arange(groups), sizes)

            def grouped(random: Random, of: Array = of, groups: int = groups) -> Array:
                shared = random.normal(size=(2, groups))[:, of]
                return squared_gains(shared * 0.7 + random.normal(size=(2, len(of))) * 0.7)

            yield Cell(f"{groups} groups{', uneven' * uneven}", grouped, Dependence(groups=of))
    yield from _trainings()


def lucky(random: Random, gains: Array, rows: tuple[Array, ...], luck: float, shared: float) -> Array:
    """Gains, (1, samples), of trainings one behind the other, each a little better or worse than usual: by so many
    standard errors of its mean gain, and a share of that alike in all, since they are trained on the same rows.

    Args:
        gains: of each row, (1, rows).
    """
    error = gains.std() / len(rows[0]) ** 0.5
    drawn = (1 - shared) ** 0.5 * random.normal(size=len(rows)) + shared**0.5 * random.normal()
    return np.concatenate([gains[:, own] + luck * error * by for own, by in zip(rows, drawn, strict=True)], axis=1)


def _trainings() -> Iterator[Cell]:
    for luck in (0.0, 1.0):
        luckily = f", luck {luck:g}" if luck else ""
        for folds in (3, 5, 10):
            for count in (60, 600):
                rows = tuple(np.arange(count).reshape(folds, -1))

                def folded(random: Random, rows: tuple[Array, ...] = rows, n: int = count, by: float = luck) -> Array:
                    return lucky(random, squared_gains(random.normal(size=(2, n))), rows, by, 1 / len(rows))

                yield Cell(f"{folds} folds, n = {count}{luckily}", folded, rows=rows, share=1 / (folds - 1))
        for folds in (3, 5):
            for horizon in (1, 12):
                rows = tuple(np.arange(100 * folds).reshape(folds, -1))

                def walked(random: Random, rows: tuple[Array, ...] = rows, h: int = horizon, by: float = luck) -> Array:
                    errors = overlapping(random, (2, 100 * len(rows)), h)
                    return lucky(random, squared_gains(errors), rows, by, 1 / len(rows))

                along = Dependence(times=np.arange(1), reach=horizon)
                name = f"{folds} tests of 100 in a row, horizon {horizon}{luckily}"
                yield Cell(name, walked, along, rows=rows, share=0.2)
        for seeds in (3, 5, 10):
            of_seed = np.random.default_rng(0)
            drawn = tuple(of_seed.permutation(500)[:75] for _ in range(seeds))
            for name, rows, share in (
                ("the same 100 rows", (np.arange(100),) * seeds, 0.0),
                ("75 of 500 rows each", drawn, 75 / 350),
            ):

                def seeded(random: Random, rows: tuple[Array, ...] = rows, by: float = luck) -> Array:
                    pool = random.normal(size=(1, 500))
                    own = lucky(random, pool, rows, by, 0.0 if len(rows[0]) == 100 else 0.15)
                    return own + 0.5 * random.normal(size=own.shape)

                yield Cell(f"{seeds} seeds, {name}{luckily}", seeded, rows=rows, share=share)


def measure(cell: Cell, draws: int) -> Found:
    """What comes of so many test parts."""
    random = np.random.default_rng(0)
    false = refused = found = 0
    spread = float(np.std([cell.gains(random)[0] for _ in range(200)]))
    for _ in range(draws):
        gains = cell.gains(random)
        gain = gains[gains.mean(axis=1).argmin()]  # over the best rival
        interval = cell.judge(gain, rivals=len(gains))
        if interval.low is None or interval.high is None:
            refused += 1
            continue
        false += interval.low > 0 or interval.high < 0
        other = cell.judge(gains[0] + spread / 2)
        found += other.low is not None and other.low > 0
    return Found(false / draws, refused / draws, found / draws)


def main(draws: int) -> None:
    began = time.perf_counter()
    print(f"{'cell':42}  false  refused  half a deviation found")
    for cell in cells():
        found = measure(cell, draws)
        mark = "  <- more than 7%" if found.false > 0.07 else ""
        print(f"{cell.name:42} {found.false:6.1%} {found.refused:8.1%} {found.power:8.1%}{mark}", flush=True)
    print(f"{draws:,} draws a cell, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
