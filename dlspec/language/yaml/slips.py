"""Signs of other languages that YAML reads as something else, without an error.

`kernel_size: (3, 3)` in braces is the text `(3` and a key `3)`, `adam: 0,001` a zero and a key `001`. What is meant is
put there, in as many signs, so that places stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlspec.language.diagnostics import Diagnostic, Span

_TUPLE = re.compile(r"(?<=: )\((\d+(?:, ?\d+)*)\)")
_DECIMAL_COMMA = re.compile(r"(?<=: )(\d+),(\d+)(?=\s*[},])")
_TEMPLATE = re.compile(r"\{\{ *([A-Za-z_]\w*) *\}\}")
_TEXT = re.compile(r"""["'#]|[|>][-+]?\s*$""")


def mend_slips(lines: Sequence[str], file: str) -> tuple[list[str], list[Diagnostic]]:
    """The lines with what was meant, and what was wrong; lines with quotation marks or remarks stay as they are."""
    mended, problems = [], []
    for number, line in enumerate(lines, 1):
        if not (_TUPLE.search(line) or "{" in line) or _TEXT.search(line):
            mended.append(line)
            continue
        braces = "{" in line
        for pattern, message, meant in (
            (_TUPLE, "a list stands in square brackets", r"[\1]"),
            (_DECIMAL_COMMA if braces else None, "a comma stands where a number has a point", r"\1.\2"),
            (_TEMPLATE, "a variable is written with a dollar sign", r"$\1"),
        ):
            for found in pattern.finditer(line) if pattern else ():
                shown = found.expand(meant)
                span = Span(file, number, found.start() + 1, number, found.end() + 1)
                problems.append(Diagnostic("bad-yaml", message, span, help=f"write `{shown}`"))
                line = line[: found.start()] + shown.ljust(len(found[0])) + line[found.end() :]
        mended.append(line)
    return mended, problems
