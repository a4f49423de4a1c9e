"""`pandas.read_…` of files of rows: tables, and series."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlspec.data.preparation.times import COMPACT, DATE_FORMS, QUARTER, WEEK
from dlspec.data.sources.formats.base import RowsFormat
from dlspec.data.sources.formats.excel import Excel
from dlspec.data.sources.formats.json_lines import JsonLines
from dlspec.data.sources.formats.parquet import Parquet
from dlspec.data.sources.formats.separated import BLANKS, Separated
from dlspec.data.sources.rows import RowsFiles
from dlspec.ejection.naming import ALIKE, held_names
from dlspec.ejection.python import INDENT, WIDTH, Call, Code, literal, source, statement, width
from dlspec.ejection.script import Script
from dlspec.ejection.subject import Subject

SECTION = "data"
MOST_LEVEL = 2
"""Of the ways to read a column, the last one."""


@dataclass(frozen=True)
class Wanted:
    """What is read of files.

    Args:
        words: columns that are read as text.
        numbers: columns of numbers.
        dates: columns of dates -> how they are written.
        whole: those of the numbers that are whole, and of which float32 does not hold all.
        levels: column -> 0 for the plain way to read it; where that gives other values, one more.
        literal_words: whether words such as `NA` stay words.
        dressed: whether some numbers are read as text, so that separators of thousands stay in all of them.
    """

    words: Sequence[str] = ()
    numbers: Sequence[str] = ()
    dates: Mapping[str, str] = field(default_factory=dict)
    whole: Sequence[str] = ()
    levels: Mapping[str, int] = field(default_factory=dict)
    dressed: bool = False
    literal_words: bool = False

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys([*self.words, *self.numbers, *self.dates]))

    def level(self, column: str) -> int:
        return self.levels.get(column, 0)


def reading(script: Script, subject: Subject, files: RowsFiles, wanted: Wanted) -> list[str]:
    """The lines that read files into `table`."""
    return [*_read_lines(script, subject, files, wanted), *_without_na(files)]


def _without_na(files: RowsFiles) -> list[str]:
    """The line that takes away words for what is missing, of files whose reader knows none."""
    na = files.dialect.na
    if not na or any(isinstance(file, Separated | Excel) for file in files.all_files):
        return []
    numbers = [float(word) for word in na if re.fullmatch(r"[-+]?\d+(\.\d*)?", word)]
    return [statement("table", Call("table.replace", ([*na, *numbers], Code("np.nan"))), INDENT)]


def _read_lines(script: Script, subject: Subject, files: RowsFiles, wanted: Wanted) -> list[str]:
    sources = [part for part in (files, files.validation, files.test) if part is not None]
    paths = [(part, path) for part in sources for path in part.paths]
    calls = [_call(script, format_, wanted) for part in sources for format_ in part.files]
    if len(paths) == 1 and not _is_pattern(*paths[0]):
        return [statement("table", _of_file(calls[0], _path(subject, *paths[0])), 4)]
    if all(call == calls[0] for call in calls):
        one = _of_file(calls[0], Code("file"))
        whole = f"tables = [{literal(one)} for file in files]"
        if INDENT + width(whole) > WIDTH:
            whole = f"tables = [\n        {source(one, 8)}\n        for file in files\n    ]"
        return [_listed(subject, paths), whole, "table = pd.concat(tables, ignore_index=True)"]
    formats = [format_ for part in sources for format_ in part.files]
    each = [_of_file(call, subject.path(f.file.absolute())) for call, f in zip(calls, formats, strict=True)]
    return [statement("tables", each, 4), "table = pd.concat(tables, ignore_index=True)"]


def _of_file(call: Call, path: Code) -> Call:
    return Call(call.name, (path,), call.keywords)


def _path(subject: Subject, part: RowsFiles, path: str) -> Code:
    return subject.path((part.folder / path).absolute())


def _is_pattern(part: RowsFiles, path: str) -> bool:
    return bool(re.search(r"[*?\[]", path)) and not (part.folder / path).exists()


def _listed(subject: Subject, paths: Sequence[tuple[RowsFiles, str]]) -> str:
    """The line that lists the files."""
    found: list[Any] = []
    for part, path in paths:
        if not _is_pattern(part, path):
            found.append(_path(subject, part, path))
            continue
        whole = Path(path)
        first = next(place for place, name in enumerate(whole.parts) if re.search(r"[*?\[]", name))
        base, pattern = Path(*whole.parts[:first]), Path(*whole.parts[first:]).as_posix()
        folder = subject.path((part.folder / base).absolute())
        found.append(Code(f"sorted(({folder}).glob({literal(pattern)}))"))
    if len(found) == 1:
        return f"files = {found[0]}"
    return statement("files", [Code(f"*{each}") if each.startswith("sorted(") else each for each in found], 4)


# --- a call for each format


def _call(script: Script, file: RowsFormat, wanted: Wanted) -> Call:
    """The call that reads a file, without its path."""
    if isinstance(file, Separated):
        return Call("pd.read_csv", (), _of_separated(script, file, wanted))
    if isinstance(file, Excel):
        return Call("pd.read_excel", (), _of_excel(script, file, wanted))
    if isinstance(file, JsonLines):
        return Call("pd.read_json", (), _of_json(file))
    assert isinstance(file, Parquet), "there are four formats"
    return Call("pd.read_parquet", (), {})


def _of_separated(script: Script, file: Separated, wanted: Wanted) -> dict[str, Any]:
    separator, signs = file.separator, file.signs
    found: dict[str, Any] = {}
    if separator != ",":
        found["sep"] = Code(r'r"\s+"') if separator == BLANKS else separator
    if signs.decimal != ".":
        found["decimal"] = signs.decimal
    if signs.thousands and not wanted.dressed:
        found["thousands"] = signs.thousands
    if file.encoding not in ("utf-8-sig", "utf-8"):
        found["encoding"] = file.encoding
    found |= _names(file, found, wanted)
    found |= _missing(file, wanted)
    text = [*wanted.words, *_text_dates(wanted)]
    return found | _as_text(script, text)


def _as_text(script: Script, names: Sequence[str]) -> dict[str, Any]:
    """What says which columns are text, also where it looks like numbers."""
    if len(names) >= ALIKE:
        return {"dtype": Call("dict.fromkeys", (held_names(script, "text_columns", list(names), SECTION), Code("str")))}
    return {"dtype": {name: Code("str") for name in names}} if names else {}


def _missing(file: RowsFormat, wanted: Wanted) -> dict[str, Any]:
    """What says which values are missing; words such as `NA` may be none that are."""
    na = list(file.dialect.na)
    if not wanted.literal_words:
        return {"na_values": na} if na else {}
    return {"keep_default_na": False, "na_values": ["", *na]}


def _text_dates(wanted: Wanted) -> list[str]:
    return [name for name, form in wanted.dates.items() if form == COMPACT or wanted.level(name)]


def _names(file: Separated, arguments: Mapping[str, Any], wanted: Wanted) -> dict[str, Any]:
    """What says the names of columns, where the first line does not say them as pandas reads it."""
    import pandas as pd

    header = [name or f"unnamed_{place}" for place, name in enumerate(file.header())]
    if file.dialect.header is not None:
        return {"header": None, "names": header}
    plain: dict[str, Any] = {name: r"\s+" if isinstance(value, Code) else value for name, value in arguments.items()}
    try:
        own = [str(name) for name in pd.read_csv(file.file, nrows=0, **plain).columns]
    except (ValueError, OSError):
        own = []
    if {*wanted.names} <= {*own}:
        return {}
    return {"header": 0, "names": header}


def _of_excel(script: Script, file: Excel, wanted: Wanted) -> dict[str, Any]:
    found: dict[str, Any] = {}
    sheet = file.dialect.sheet
    if isinstance(sheet, int):
        found["sheet_name"] = sheet - 1
    elif sheet is not None:
        found["sheet_name"] = sheet
    elif (filled := file.sheets()) and len(filled) == 1:
        found["sheet_name"] = filled[0]
    with file._book() as book:
        above = next(
            (row for row, cells in enumerate(file._sheet(book).values) if any(c is not None for c in cells)), 0
        )
    if above:
        found["skiprows"] = above
    if file.dialect.header is not None:
        found |= {"header": None, "names": file.header()}
    found |= _missing(file, wanted)
    text = [name for name in wanted.words if wanted.level(name) < MOST_LEVEL]
    return found | _as_text(script, text)


def _of_json(file: JsonLines) -> dict[str, Any]:
    with file._text() as lines:
        is_array = next((line for line in lines if line.strip()), "").lstrip().startswith("[")
    found: dict[str, Any] = {} if is_array else {"lines": True}
    found |= {"dtype": False, "precise_float": True}
    if file.encoding not in ("utf-8-sig", "utf-8"):
        found["encoding"] = file.encoding
    return found


# --- columns of the table


def column(name: str) -> Code:
    return Code(f"table[{literal(name)}]")


def as_words(script: Script, files: RowsFiles, wanted: Wanted, name: str) -> Call:
    """A column as text, (rows,) object."""
    may_be_text = all(isinstance(file, Separated | Excel) for file in files.all_files)
    function = "as_words" if wanted.level(name) > may_be_text else "words"
    return Call(script.use("tables", function, SECTION), (column(name),))


def as_numbers(script: Script, files: RowsFiles, wanted: Wanted, name: str) -> Call:
    """A column as numbers, (rows,) float64, or int64 where float32 does not hold them."""
    if name in wanted.whole:
        return Call(f"{column(name)}{'.fillna(0)' if wanted.level(name) else ''}.to_numpy", ("int64",))
    if not wanted.level(name):
        return Call(f"{column(name)}.to_numpy", ("float64",))
    if wanted.level(name) == MOST_LEVEL:  # unlike the rest of the file
        return Call(f'pd.to_numeric({column(name)}, errors="coerce").to_numpy', ("float64",))
    return Call(script.use("tables", "plain_numbers", SECTION), (column(name),), _signs(files))


def _signs(files: RowsFiles) -> dict[str, Any]:
    """Arguments that say how numbers are written."""
    signs = {(file.signs.decimal, file.signs.thousands) for file in files.all_files}
    decimal, thousands = signs.pop()
    found = {"decimal": decimal} if decimal != "." else {}
    return found | ({"thousands": thousands} if thousands else {})


def as_seconds(script: Script, wanted: Wanted, name: str) -> Call:
    """A column of dates as seconds since the beginning of 1970, (rows,) float64."""
    form = wanted.dates[name]
    if form in (QUARTER, WEEK):
        return Call(script.use("tables", {QUARTER: "quarters", WEEK: "weeks"}[form], SECTION), (column(name),))
    said = () if form == DATE_FORMS[0] else (form,)
    return Call(script.use("tables", "seconds", SECTION), (column(name), *said))
