"""`predictions.csv`: the test part, a row a sample."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dlspec.runs.records.data import DataRecord, TargetRecord
from dlspec.runtime.cells import from_cell
from dlspec.runtime.records import damaged, unreadable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SAMPLE = ("row", "group", "time", "weight", "truth")
"""Columns that say which sample it is, and how much it counts."""
MOST_BYTES = 2**32
"""A table of predictions has no more."""


def read_predictions(path: Path, data: DataRecord, baselines: Sequence[str]) -> pd.DataFrame:
    """Truth, the network's prediction and each baseline's.

    Args:
        data: what was predicted.
        baselines: those that guessed too.

    Raises:
        DataError: the file is not what dlspec writes; each column that is missing or holds something else is named.
    """
    import pandas as pd

    who = ["truth", "network", *baselines]
    classes = who if data.target.kind == "class" and not data.target.places else []
    classes = ["truth", "written"] if data.target.written else classes
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
        table = pd.read_csv(
            path,
            encoding="utf-8",
            dtype=dict.fromkeys([*classes, "group"], str),
            keep_default_na=False,
            na_values={name: [""] for name in _header(path) if name not in (*classes, "group")},
        )
    except (OSError, ValueError, csv.Error) as error:  # those of pandas are ValueErrors too
        raise unreadable(path, error) from None
    for name in table:
        if name in (*classes, "group"):
            table[name] = table[name].map(from_cell)
    problems = list(_problems(table, data, who))
    if problems:
        raise damaged(path, problems)
    return table


def others_of(name: str, target: TargetRecord) -> list[str]:
    """The columns of what gives a number, without the one that has the name of the number: of quantiles without the
    median; of a mixture all that is told of it, and its weights, means and deviations."""
    if target.form == "value":
        return []
    own = [*target.told_of(name), *(target.names_of(name) if target.mixture else ())]
    return [each for each in own if each != name]


def values_in(table: pd.DataFrame, data: DataRecord) -> np.ndarray:
    """What the network gives numbers by in a table of predictions, quantiles or a mixture, (samples, values), of
    several numbers (samples, numbers, values)."""
    import numpy as np

    target = data.target
    names = [target.names_of(f"network:{value}") for value in target.values]
    if not names:
        return table[target.names_of("network")].to_numpy("float64")
    return np.stack([table[own].to_numpy("float64") for own in names], axis=1)


def ends_in(table: pd.DataFrame, data: DataRecord) -> np.ndarray:
    """The first and the last quantile that the network gives, (samples, numbers, 2); see `values_in`."""
    import numpy as np

    target = data.target
    ends = [target.told_of(f"network{end}") for end in ([f":{value}" for value in target.values] or [""])]
    chosen = [[own[1], own[2]] if target.mixture else [own[0], own[-1]] for own in ends]
    return np.stack([table[own].to_numpy("float64") for own in chosen], axis=1)


def sample_columns(table: pd.DataFrame) -> list[str]:
    """The columns that say which samples were predicted, and what is true of them."""
    return [str(name) for name in table if name in SAMPLE or str(name).startswith("truth:")]


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file, strict=True), [])


def _problems(table: pd.DataFrame, data: DataRecord, who: Sequence[str]) -> Iterator[str]:
    """What is wrong with its columns."""
    target = data.target
    numbers = ["row"]
    if target.written:
        yield from (f"it has no column `{name}`" for name in ("truth", "written") if name not in table)
    if target.kind == "class" and not target.places:
        for name in who:
            if name not in table:
                yield f"it has no column `{name}`"
                continue
            strange = table.loc[~table[name].isin(target.classes), name]
            if len(strange):
                yield f"`{name}` holds {strange.iloc[0]!r}, which is none of the classes"
        numbers += [f"p({label})" for label in target.classes]
    elif target.values:
        numbers += [f"{name}:{value}" for name in who for value in target.values]
        numbers += [name for value in target.values for name in others_of(f"network:{value}", target)]
    elif target.form != "value":
        numbers += [*who, *others_of("network", target)]
    else:
        numbers += who[1:] if target.kind == "input" or target.places else who
    for name in numbers:
        if name not in table:
            yield f"it has no column `{name}`"
        elif table[name].dtype.kind not in "iufb":
            yield f"`{name}` holds what is no number"
        elif table[name].isna().any() and name.partition(":")[0] not in who[2:]:  # a baseline may have no guess
            yield f"`{name}` lacks a value"
    if data.group is not None and "group" not in table:
        yield "it has no column `group`"
    if "weight" in table and not (table["weight"].dtype.kind in "iuf" and (table["weight"] >= 0).all()):
        yield "`weight` holds what is no weight"
    if data.dated and data.window is not None:
        yield from _wrong_times(table)
    if not len(table):
        yield "it has no rows"


def _wrong_times(table: pd.DataFrame) -> Iterator[str]:
    import pandas as pd

    if "time" not in table:
        yield "it has no column `time`"
    elif pd.to_datetime(table["time"], errors="coerce", format="ISO8601").isna().any():
        yield "`time` holds what is no time"
