"""Text in CSV that a spreadsheet opens: what it would take for a formula stands behind an apostrophe.

Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)


def as_cell(text: str) -> str:
    """Text as it is written: `'=1+1` for `=1+1`; numbers with a sign stay."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def from_cell(cell: str) -> str:
    """The text that `as_cell` wrote."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell
