"""Rows of JSON -> what the network takes: checked by the types of the run, all mistakes at once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .columns import LARGEST, reader_of
from .media import read_media
from .problems import MOST_SAID, Problem, Refused, listed, meant, shown

EXAMPLE = 'write {"rows": [{...}, {...}]}'


@dataclass
class Rows:
    """Rows that were checked.

    Args:
        columns: name of an input -> its values, one of each row.
        count: how many rows.
        warnings: what lies outside the training data.
    """

    columns: dict[str, list[Any]]
    count: int
    warnings: list[Problem] = field(default_factory=list)


def _not_finite(word: str) -> Any:
    raise Refused.of(400, f"the JSON has {word}, which is no number", "write null for a missing number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Refused.of(400, f"{shown(twice)} stands twice in an object of the JSON", "give each name once")
    return found


_DECODER = json.JSONDecoder(parse_constant=_not_finite, object_pairs_hook=_once_each)


def read_json(body: bytes) -> Any:
    """The JSON of a body.

    Raises:
        Refused: it is none.
    """
    try:
        return _DECODER.decode(body.decode())
    except json.JSONDecodeError as error:
        if not body.strip():
            raise Refused.of(400, "the body is empty", EXAMPLE) from None
        said = f"the body is no JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        raise Refused.of(400, said, EXAMPLE) from None
    except UnicodeDecodeError:
        raise Refused.of(400, "the body is not in UTF-8", "write it in UTF-8") from None
    except (RecursionError, ValueError):
        raise Refused.of(400, "the JSON is nested too deeply, or has a number of too many digits", EXAMPLE) from None


class RowReader:
    """Reads the rows of one network.

    Args:
        signature: `signature.json`.
        most: rows of one request.
    """

    def __init__(self, signature: dict[str, Any], most: int) -> None:
        self.most = most
        self.inputs: list[dict[str, Any]] = signature["inputs"]
        self.by_column = all(given.get("shape") == [1] and "column" in given for given in self.inputs)
        if self.by_column:
            missing = signature.get("missing_word") or ""
            self.readers = [(given["column"], given["name"], reader_of(given, missing)) for given in self.inputs]
            self.names = [column for column, _, _ in self.readers]
            self.holes = {given["column"] for given in self.inputs if given.get("may_be_missing")}
            self.called = self._known = set(self.names)
        else:
            self.arrays = [ArrayReader(given) for given in self.inputs]
            self.names = self.arrays[0].names if len(self.arrays) == 1 else [each.name for each in self.arrays]
            self.called = {*self.names, *(name for each in self.arrays for name in each.called)}

    def of_body(self, body: bytes) -> Rows:
        """The rows of a request.

        Raises:
            Refused: with all mistakes.
        """
        return self.read(self._rows_of(read_json(body)))

    def _rows_of(self, value: Any) -> list[Any]:
        if isinstance(value, dict):
            if isinstance(value.get("rows"), list) and len(value) == 1:
                return value["rows"]
            if isinstance(value.get("columns"), dict) and len(value) == 1:
                return self._turned(value["columns"])
            if not self.called.isdisjoint(value):
                return [value]
            unknown = next((key for key in value if key not in ("rows", "columns")), None)
            help = EXAMPLE if unknown is None else f"{EXAMPLE}, or one row by its columns, {listed(self.names)}"
            raise Refused.of(422, "the body has no rows", help)
        if isinstance(value, list):
            return value
        raise Refused.of(422, f"the body is {shown(value)}, where rows are needed", EXAMPLE)

    def _turned(self, columns: dict[str, Any]) -> list[Any]:
        wrong = [name for name, values in columns.items() if not isinstance(values, list)]
        if wrong:
            said = f"`{wrong[0]}` of `columns` is {shown(columns[wrong[0]])}, where a list is needed"
            raise Refused.of(422, said, 'write {"columns": {"' + wrong[0] + '": [...]}}')
        lengths = {len(values) for values in columns.values()}
        if len(lengths) > 1:
            raise Refused.of(422, "the lists of `columns` are not equally long", "write one value of each row in each")
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def read(self, rows: list[Any]) -> Rows:
        """Rows as JSON has them, checked."""
        if not rows:
            raise Refused.of(422, "there are no rows", EXAMPLE)
        if len(rows) > self.most:
            help = f"send them in parts of at most {self.most:,}"
            raise Refused.of(413, f"there are {len(rows):,} rows, more than {self.most:,}", help)
        problems: list[Problem] = []
        warnings: list[Problem] = []
        found = (self._by_column if self.by_column else self._as_arrays)(rows, problems, warnings)
        if problems:
            raise Refused(422, sorted(problems, key=lambda problem: problem.row or 0))
        return Rows(found, len(rows), warnings)

    def _by_column(self, rows: list[Any], problems: list[Problem], warnings: list[Problem]) -> dict[str, list[Any]]:
        known, width = self._known, len(self._known)
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict):
                example = json.dumps(dict.fromkeys(self.names[:2], "..."))
                problems.append(Problem(number, None, f"the row is {shown(row)}, where columns are needed", example))
            elif len(row) != width or row.keys() != known:
                for name in row.keys() - known:
                    slip = len(problems) < MOST_SAID  # which takes its time to find
                    help = f"{meant(name, self.names)} Leave others out" if slip else "leave it out"
                    problems.append(Problem(number, name, f"the network takes no column {shown(name)}", help))
        if len(problems) and any(not isinstance(row, dict) for row in rows):
            return {}
        found: dict[str, list[Any]] = {}
        for column, name, read in self.readers:
            values = found[name] = []
            for number, row in enumerate(rows, 1):
                if column in row:
                    values.append(read(row[column], number, problems, warnings))
                else:
                    help = f'write "{column}": ' + (
                        "null where it is not known" if column in self.holes else "and its value"
                    )
                    problems.append(Problem(number, column, f"the row has no column `{column}`", help))
        return found

    def _as_arrays(self, rows: list[Any], problems: list[Problem], warnings: list[Problem]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {each.name: [] for each in self.arrays}
        for number, row in enumerate(rows, 1):
            for each in self.arrays:
                value = row
                if isinstance(row, dict) and (not each.called.isdisjoint(row) or len(self.arrays) > 1):
                    own = next((key for key in row if key in each.called), each.name)
                    others = [key for key in row if key != own and key not in found]
                    for key in others:
                        help = f"{meant(key, [*found])} Leave others out"
                        problems.append(Problem(number, key, f"the network takes no {shown(key)}", help))
                    value = row.get(own)
                try:
                    values, notes = each.read(value, number)
                except Refused as error:
                    problems += error.problems
                else:
                    found[each.name].append(values)
                    warnings += notes
        return found


class ArrayReader:
    """Reads samples that are arrays: windows of a series, rows of numbers, pictures, sounds.

    Args:
        given: one of `inputs` of `signature.json`.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self.name: str = given["name"]
        self.dtype: str = given["dtype"]
        self.shape: list[int | None] = given["shape"]
        self.rate: int | None = given.get("rate")
        self.every: int = given.get("every", 1)
        self.columns: list[dict[str, Any]] = given.get("columns", [])
        self.named = [column["column"] for column in self.columns]
        if not self.columns and "column" in given:
            self.columns = [given]
        self.by_step = given.get("timesteps") is not None or (len(self.shape) == 2 and len(self.named) > 1)
        self.names = self.named if len(self.named) > 1 or self.by_step else [self.name]
        single = [self.columns[0]["column"]] if len(self.columns) == 1 and not self.by_step else []
        self.called = {self.name, *single}
        self.ranges = [] if given.get("changes") else [(each.get("min"), each.get("max")) for each in self.columns]

    def read(self, value: Any, row: int) -> tuple[np.ndarray, list[Problem]]:
        """A sample in the shape and type that the network takes, and what lies outside the training data.

        Raises:
            Refused: with what is wrong.
        """
        warnings: list[Problem] = []
        if isinstance(value, str) and self.dtype != "string":
            values, warnings = read_media(value, self.shape, self.name, row, self.rate)
        else:
            values = self._array(self._in_order(value, row), row)
        largest = LARGEST.get(self.dtype, 2.0**53)
        if not (np.abs(values) <= largest).all():
            raise self._mistake(row, "has a number that is too large", "write smaller numbers")
        if self.dtype.startswith(("int", "uint")) and (values != np.floor(values)).any():
            raise self._mistake(row, "has numbers that are not whole", "round them")
        return np.asarray(values, self.dtype), warnings + self._outside(values, row)

    def _mistake(self, row: int, said: str, help: str, column: str | None = None) -> Refused:
        return Refused(422, [Problem(row, column or self.name, f"`{column or self.name}` {said}", help)])

    def _in_order(self, value: Any, row: int) -> Any:
        """A sample whose columns are named, as lists."""
        if self.shape == [1] and isinstance(value, int | float):
            return [value]
        if self.by_step and isinstance(value, dict):
            self._check_names(value, row)
            lengths = {len(value[name]) if isinstance(value[name], list) else -1 for name in self.named}
            if -1 in lengths or len(lengths) > 1:
                help = f"write {self.shape[0]} values of each column, in order of time"
                raise self._mistake(row, "needs a list of each column, equally long", help, self.named[0])
            return [list(step) for step in zip(*(value[name] for name in self.named), strict=True)]
        if self.by_step and isinstance(value, list) and any(isinstance(step, dict) for step in value):
            for step in value:
                if not isinstance(step, dict):
                    raise self._mistake(row, "has timesteps with and without names", "write all in one way")
                self._check_names(step, row)
            return [[step[name] for name in self.named] for step in value]
        if not self.by_step and isinstance(value, dict) and self.shape == [len(self.named)]:
            self._check_names(value, row)
            return [value[name] for name in self.named]
        return value

    def _check_names(self, value: dict[str, Any], row: int) -> None:
        found = [
            Problem(row, name, f"the network takes no column {shown(name)}", meant(name, self.named))
            for name in value
            if name not in self.named
        ]
        found += [
            Problem(row, name, f"the row has no column `{name}`", "write its value")
            for name in self.named
            if name not in value
        ]
        if found:
            raise Refused(422, found)

    def _array(self, value: Any, row: int) -> np.ndarray:
        wanted = " x ".join("any" if size is None else str(size) for size in self.shape) or "one"
        how = f"write {wanted} numbers as nested lists"
        if self.by_step:
            apart = f", each {self.every} rows after the one before" if self.every > 1 else ""
            how = f"write {self.shape[0]} timesteps of {listed(self.named)}, the oldest first{apart}"
        elif self.names != [self.name]:
            how = f"write {listed(self.names)}"
        if not isinstance(value, list):
            raise self._mistake(row, f"has {shown(value)}, where {wanted} numbers are needed", how)
        odd = _first_odd(value)
        if odd is not None:
            kind = "lacks a value" if odd[0] is None else f"has {shown(odd[0])}, where a number is needed"
            raise self._mistake(row, kind, "write finite numbers only; no value may be missing")
        try:
            values = np.array(value, "float64")
        except OverflowError:
            raise self._mistake(row, "has a number that is too large", "write smaller numbers") from None
        except ValueError:
            raise self._mistake(row, "has lists that are not equally long", how) from None
        fits = values.ndim == len(self.shape) and all(
            size in (None, given) for size, given in zip(self.shape, values.shape, strict=True)
        )
        if not fits and (*values.shape, 1) == tuple(self.shape):
            return values[..., None]
        if not fits:
            found = " x ".join(map(str, values.shape))
            raise self._mistake(row, f"has {found} numbers, where {wanted} are needed", how)
        return values

    def _outside(self, values: np.ndarray, row: int) -> list[Problem]:
        """What lies outside the training data, the farthest value of each column."""
        found = []
        apart = len(self.ranges) > 1 and values.shape[-1:] == (len(self.ranges),)
        for place, (low, high) in enumerate(self.ranges if apart else self.ranges[:1]):
            if low is None or high is None or not values.size:
                continue
            of = values[..., place] if apart else values
            least, most = float(of.min()), float(of.max())
            for value in [value for value in (least, most) if not low <= value <= high][:1]:
                column = self.named[place] if apart else self.name
                said = f"{value:g} lies outside the training data, {low:g} to {high:g}"
                found.append(Problem(row, column, said))
        return found


def _first_odd(value: list[Any]) -> tuple[Any] | None:
    """The first value in nested lists that is no number; None: all are."""
    for each in value:
        if isinstance(each, list):
            found = _first_odd(each)
            if found is not None:
                return found
        elif isinstance(each, bool) or not isinstance(each, int | float):
            return (each,)
    return None
