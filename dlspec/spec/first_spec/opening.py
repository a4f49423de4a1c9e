"""How a file is to be opened, where it does not say that itself: what a first spec writes of it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dlspec.data.sources.formats import Dialect
from dlspec.data.sources.formats.excel import Excel
from dlspec.data.sources.formats.separated import Separated
from dlspec.data.sources.looks import holds_values
from dlspec.data.sources.rows import RowsFiles
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.yaml.encodings import NAMES
from dlspec.spec.first_spec.saying import Said, say

MOST_SETTINGS = 4


@dataclass(frozen=True)
class Opened:
    """A file that can be read.

    Args:
        settings: keys of `data` that it takes.
        why: of each of them, what it is for.
    """

    source: RowsFiles
    settings: Mapping[str, Any] = field(default_factory=dict)
    why: Mapping[str, Said] = field(default_factory=dict)


def opened(data: str, folder: Path, kind: type[RowsFiles]) -> Opened:
    """A file of rows, with what has to be said so that it is read as it is meant.

    Args:
        kind: whether its rows are samples or timesteps.

    Raises:
        DataError: it cannot be read, whatever is said.
    """
    found = Opened(kind((data,), folder))
    for _ in range(MOST_SETTINGS):
        try:
            header = found.source.files[0].header()
            if found.source.dialect.header is None and holds_values(header, found.source.files[0].first_rows()):
                found = _with(found, "header", False, say("the first line holds values, and no names"))
            found.source.describe()
        except DataError as error:
            better = _better(found, error)
            if better is None:
                raise
            found = better
            continue
        break
    return found


def _better(found: Opened, error: DataError) -> Opened | None:
    """With one thing more that is said; None: nothing would help."""
    code, file = error.diagnostics[0].code, found.source.files[0]
    if code == "no-sheet" and isinstance(file, Excel):
        first, *others = file.sheets()
        return _with(found, "sheet", first, say("or {others}", others=", ".join(others)))
    if code == "data-unreadable" and isinstance(file, Separated) and found.source.dialect.encoding is None:
        encoding = file.likely_encoding()
        return (
            None
            if encoding is None
            else _with(found, "encoding", encoding, say("not UTF-8, but {name}", name=NAMES[encoding][0]))
        )
    if code == "ambiguous-number" and isinstance(file, Separated):
        column, value = file.signs_in_doubt
        mark = "," if "," in value else "."
        semicolons = file.separator == ";"
        key = "decimal" if (mark == "," and semicolons) else "thousands"
        why = say("so that {value} in {column} is {read}", value=value, column=column, read=_read(value, mark, key))
        return _with(found, key, mark, why)
    return None


def _read(value: str, mark: str, key: str) -> str:
    return value.replace(mark, "." if key == "decimal" else "")


def _with(found: Opened, key: str, value: Any, why: Said) -> Opened:
    dialect: Dialect = replace(found.source.dialect, **{key: value})
    return Opened(replace(found.source, dialect=dialect), {**found.settings, key: value}, {**found.why, key: why})
