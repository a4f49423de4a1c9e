"""Cures as edits of text: what an editor, `dlspec fix` and code-scanning services apply."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dlspec.language.diagnostics.span import Span


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of a file, and the text that takes its place. Where the stretch is empty, the text is inserted."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to cure a mistake.

    Args:
        title: what it does, as a person would say it; code in backticks.
        edits: do not overlap; all of one file.
        sure: whether it is the only cure that is offered, and needs no further thought. `dlspec fix` applies no others.
    """

    title: str
    edits: tuple[Edit, ...]
    sure: bool = True


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text after some edits, which do not overlap; what they do not touch stays as it is, byte for byte.

    Lines end at `\\n` alone, as they do for the spans of diagnostics: the `\\r` before it is a character of its line.

    Raises:
        ValueError: two edits overlap.
    """
    starts = line_starts(text)
    placed = sorted(
        (_offset(starts, text, edit.span.line, edit.span.column),
         _offset(starts, text, edit.span.end_line, edit.span.end_column), edit.text)
        for edit in edits
    )  # fmt: skip
    parts, at = [], 0
    for start, end, new in placed:
        if start < at:
            raise ValueError("two edits overlap")
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def line_edit(file: str, number: int, old: str, new: str) -> Edit:
    """The smallest edit that makes another line of one; how the line ends stays."""
    new = new.removesuffix("\r") + "\r" * old.endswith("\r")
    most = min(len(old), len(new))
    same = next((at for at in range(most) if old[at] != new[at]), most)
    behind = next((at for at in range(most - same) if old[-1 - at] != new[-1 - at]), most - same)
    span = Span(file, number, same + 1, number, len(old) - behind + 1)
    return Edit(span, new[same : len(new) - behind])


def line_starts(text: str) -> list[int]:
    """The offset of each line's first character; the end of the text is the start of one more."""
    starts, at = [0], text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n", at + 1)
    return [*starts, len(text)]


def _offset(starts: list[int], text: str, line: int, column: int) -> int:
    """Of a place that counts from 1; one behind the end of its line is the end of the line."""
    if line >= len(starts):
        return len(text)
    return min(starts[line - 1] + column - 1, starts[line] if line < len(starts) else len(text))
