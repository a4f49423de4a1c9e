"""Signs of other languages that YAML reads as something else, without an error.

`kernel_size: (3, 3)` in braces is the text `(3` and a key `3)`, `adam: 0,001` a zero and a key `001`. What is meant is
put there, in as many signs, so that places stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlspec.language.diagnostics import Diagnostic, Edit, Fix, Span

_TUPLE = re.compile(r"(?<=: )\((\d+(?:, ?\d+)*)\)")
_DECIMAL_COMMA = re.compile(r"(?<=: )(\d+),(\d+)(?=\s*[},])")
_TEMPLATE = re.compile(r"\{\{ *([A-Za-z_]\w*) *\}\}")
_TEXT = re.compile(r"""["'#]""")
_BEGINS_TEXT = re.compile(r"( *)(?:(?:name|description):|.*[:-] [|>][-+0-9]*\s*(?:#.*)?$)")
"""A line whose value is text, which may go on in lines that are indented deeper."""


def mend_slips(lines: Sequence[str], file: str) -> tuple[list[str], list[Diagnostic]]:
    """The lines with what was meant, and what was wrong.

    Lines of text, with quotation marks or with remarks stay as they are, and so does what no braces are around.
    """
    mended, problems = [], []
    text: int | None = None  # the indentation of the key that text stands behind
    quoted = False
    for number, line in enumerate(lines, 1):
        if text is not None and line.strip() and len(line) - len(line.lstrip(" ")) <= text:
            text = None
        begins = _BEGINS_TEXT.match(line) if text is None and not quoted else None
        text = len(begins[1]) if begins else text
        if text is not None or quoted or "{" not in line or _TEXT.search(line):
            quoted ^= text is None and any(line.count(mark) % 2 for mark in "\"'")
            mended.append(line)
            continue
        for pattern, message, meant in (
            (_TUPLE, "a list stands in square brackets", r"[\1]"),
            (_DECIMAL_COMMA, "a comma stands where a number has a point", r"\1.\2"),
            (_TEMPLATE, "a variable is written with a dollar sign", r"$\1"),
        ):
            for found in pattern.finditer(line):
                shown = found.expand(meant)
                span = Span(file, number, found.start() + 1, number, found.end() + 1)
                help = f"write `{shown}`"
                problems.append(
                    Diagnostic("bad-yaml", message, span, help=help, fixes=(Fix(help, (Edit(span, shown),)),))
                )
                line = line[: found.start()] + shown.ljust(len(found[0])) + line[found.end() :]
        mended.append(line)
    return mended, problems
