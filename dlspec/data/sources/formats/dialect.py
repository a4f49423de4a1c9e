"""How the values of a text file are written: what the spec says of it, and what the values themselves say.

A guess is held against all values that are looked at. Where they leave a choice, it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

Mark = Literal[".", ","]
OTHER: dict[str, str] = {".": ",", ",": "."}
SPACES = " \u00a0\u2009\u202f'\u2019"
"""What else may stand between the thousands of a number, of which nothing else is meant."""
MINUS = "\u2212\u2013-"
CURRENCIES = "$€£¥₩₹"
UNITS = {*CURRENCIES, "%"}
"""What may stand beside a number."""
_CORE = rf"\d(?:[\d.,{SPACES}]*[\d.,])?|[.,]\d+"
_DRESS = re.compile(
    rf"\s*(?P<open>\()?\s*(?P<sign>[+{MINUS}])?\s*(?P<before>[{CURRENCIES}])?\s*(?P<inner>[+{MINUS}])?(?P<core>{_CORE})"
    rf"(?:[eEdD](?P<exponent>[+{MINUS}]?\d+))?\s*(?P<after>[{CURRENCIES}%])?\s*(?P<close>\))?\s*"
)
MISSING = re.compile(r"\s*[-+]?(nan|inf|infinity|na|n/a|null)?\s*", re.IGNORECASE)
"""What is no number and stands for one that is not there; infinite ones are refused when they are read."""


@dataclass(frozen=True)
class Dialect:
    """What the spec says of how files of rows are written; None: the file says it.

    Args:
        header: the names of the columns of a file that has none; False: they are numbered.
        na: words that stand for a missing value.
        bom: whether what is written in UTF-8 begins with a byte order mark, by which Excel knows it.
        sheet: of a workbook, the name of the sheet, or its number from 1 on.
        in_doubt: decimal sign and separator of thousands where the values leave a choice, as another file had them.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    header: tuple[str, ...] | Literal[False] | None = None
    na: tuple[str, ...] = ()
    in_doubt: tuple[str, str] | None = None
    sheet: str | int | None = None
    bom: bool = False


NOTHING_SAID = Dialect()


class Written(NamedTuple):
    """A number as it is written.

    Args:
        text: digits with what separates them.
        unit: a currency or `%`.
    """

    negative: bool
    text: str
    exponent: str
    unit: str


@lru_cache(maxsize=2**16)
def written(value: str) -> Written | None:
    """What a value says, if it may be a number."""
    found = _DRESS.fullmatch(value)
    if found is None:
        return None
    part = found.groupdict()
    signs = [sign for sign in (part["sign"], part["inner"]) if sign]
    if bool(part["open"]) != bool(part["close"]) or len(signs) > 1 or (part["open"] and signs):
        return None
    if part["before"] and part["after"]:
        return None
    negative = bool(part["open"]) or bool(signs and signs[0] in MINUS)
    core = part["core"]
    if any(space in core for space in SPACES):
        whole, mark, rest = core, "", ""
        for mark in ".,":
            if core.count(mark) == 1:
                whole, _, rest = core.partition(mark)
                break
        else:
            mark = ""
        if not re.fullmatch(rf"[1-9]\d{{0,2}}([{SPACES}])\d{{3}}(\1\d{{3}})*", whole) or not re.fullmatch(r"\d*", rest):
            return None
        core = re.sub(rf"[{SPACES}]", "", whole) + mark + rest
    exponent = (part["exponent"] or "").translate({ord(sign): "-" for sign in MINUS})
    return Written(negative, core, exponent, part["before"] or part["after"] or "")


Says = Literal["nothing", "decimal", "thousands", "either", "both", "wrong"]


@lru_cache(maxsize=2**16)
def says(core: str) -> tuple[Says, str]:
    """What digits with marks say of the marks, and which mark it is about: of `both`, that of the fraction."""
    marks = re.sub(r"\d", "", core)
    if not marks:
        return "nothing", ""
    if len(set(marks)) > 1:
        decimal = marks[-1]
        ahead, _, _ = core.rpartition(decimal)
        return ("both", decimal) if decimal not in ahead and _grouped(ahead, OTHER[decimal]) else ("wrong", "")
    mark = marks[0]
    if len(marks) > 1:
        return ("thousands", mark) if _grouped(core, mark) else ("wrong", "")
    return ("either" if _grouped(core, mark) else "decimal", mark)


def _grouped(digits: str, mark: str) -> bool:
    return bool(re.fullmatch(rf"[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+", digits))


def may_be_number(value: str) -> bool:
    """Whether a value is a number in some dress."""
    found = written(value)
    return found is not None and says(found.text)[0] != "wrong"


@dataclass
class Marks:
    """What the values of a file say of decimal signs and separators of thousands: mark -> a column and a value."""

    decimal: dict[str, tuple[str, str]] = field(default_factory=dict)
    thousands: dict[str, tuple[str, str]] = field(default_factory=dict)
    either: dict[str, tuple[str, str]] = field(default_factory=dict)

    def see(self, column: str, values: Iterable[str]) -> None:
        for value in values:
            found = written(value)
            if found is None:
                continue
            what, mark = says(found.text)
            if what in ("decimal", "both"):
                self.decimal.setdefault(mark, (column, value.strip()))
            if what in ("thousands", "both"):
                self.thousands.setdefault(mark if what == "thousands" else OTHER[mark], (column, value.strip()))
            if what == "either":
                self.either.setdefault(mark, (column, value.strip()))

    @property
    def settled(self) -> bool:
        return bool(self.decimal or self.thousands) or not self.either


class Settled(NamedTuple):
    """How numbers are read.

    Args:
        thousands: between thousands; empty: nothing stands there.
        doubt: a column and a value, where two readings fit and neither is more likely.
        assumed: a column and a value that were read so since other columns say what the decimal sign is.
    """

    decimal: str
    thousands: str
    doubt: tuple[str, str] | None = None
    assumed: tuple[str, str] | None = None


def settle(marks: Marks, given: Dialect, separator: str) -> Settled:
    """The signs that all values fit.

    Args:
        separator: of values; where it is a semicolon, a point may stand between thousands as well as a comma.
    """
    decimal, thousands = given.decimal, given.thousands
    if decimal is None and thousands in OTHER:
        decimal = OTHER[thousands]
    if decimal is None and marks.decimal:
        decimal = max(marks.decimal, key=lambda mark: (mark not in marks.thousands, mark == "."))
    if decimal is None and marks.thousands:
        decimal = OTHER[next(iter(marks.thousands))]
    if decimal is None:
        doubtful = [mark for mark in marks.either if mark == "," or separator == ";"]
        if doubtful:
            return Settled(".", "", doubt=marks.either[doubtful[0]])
        decimal = "."
    if thousands is not None:
        return Settled(decimal, thousands)
    other = OTHER.get(decimal, "")
    if other in marks.thousands:
        return Settled(decimal, other)
    if other == "." and other in marks.either:
        return Settled(decimal, "", doubt=marks.either[other])
    if other in marks.either:
        return Settled(decimal, other, assumed=marks.either[other])
    return Settled(decimal, "")


def to_float(value: str, signs: Settled) -> float | None:
    """The number that a value says; None: it says none."""
    found = written(value)
    if found is None:
        return None
    text = found.text
    if signs.thousands and signs.thousands in text:
        whole, mark, rest = text.partition(signs.decimal)
        if not _grouped(whole, signs.thousands):
            return None
        text = whole.replace(signs.thousands, "") + mark + rest
    if signs.decimal != ".":
        if "." in text:
            return None
        text = text.replace(signs.decimal, ".")
    if not re.fullmatch(r"\d+\.?\d*|\.\d+", text):
        return None
    number = float(f"{text}e{found.exponent}" if found.exponent else text)
    return -number if found.negative else number


PLAIN = Settled(".", "")


def numbers_in_dress(values: Sequence[object], signs: Settled = PLAIN) -> tuple[Array, set[str]] | None:
    """Numbers of a column that are written with currencies, percents, separators of thousands, brackets and the like.

    Args:
        values: text, or None or NaN where one is missing; numbers stay.

    Returns:
        (rows,) float64, and the units that stand beside them; None where a value is no number.
    """
    import numpy as np

    found, units = np.empty(len(values)), set()
    for place, value in enumerate(values):
        if isinstance(value, str) and not MISSING.fullmatch(value):
            number = to_float(value, signs)
            if number is None:
                return None
            said = written(value)
            assert said is not None, "it is a number"
            found[place] = number
            if number:
                units.add(said.unit)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[place] = value
        elif value is None or isinstance(value, str):
            found[place] = float("inf") if isinstance(value, str) and "inf" in value.lower() else np.nan
        else:
            return None
    return found, units


def undressed(values: Array) -> Array:
    """A column of text of another format as numbers, where all of it is numbers with one unit; else as it is."""
    if values.dtype != object:
        return values
    found = numbers_in_dress(values.tolist())
    return values if found is None or len(found[1]) > 1 else found[0]
