"""Text for people: the place, the message, the lines at fault with marks under them, notes and help."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from dlspec.language.diagnostics.diagnostic import Diagnostic, Findings
from dlspec.language.diagnostics.span import Label

WIDEST = 120
"""Columns of a source line that are shown; a longer one is cut around its marks."""

Style = Mapping[str, str]
PLAIN: Style = {"error": "", "warning": "", "note": "", "frame": "", "help": "", "bold": "", "reset": ""}
COLOR: Style = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "note": "\x1b[1;36m",
    "frame": "\x1b[34m",
    "help": "\x1b[32m",
    "bold": "\x1b[1m",
    "reset": "\x1b[0m",
}


def render(findings: Sequence[Findings]) -> str:
    texts = {file: text for found in findings for file, text in found.texts.items()}
    return render_text(dict.fromkeys(d for found in findings for d in found.diagnostics), texts)


def render_text(
    diagnostics: Iterable[Diagnostic], texts: Mapping[str, str] | None = None, *, style: Style = PLAIN
) -> str:
    """A paragraph for each diagnostic: the place, the message, the lines at fault, notes and help."""
    lines_of = _Lines(texts or {})
    return "\n\n".join("\n".join(_paragraph(d, lines_of, style)) for d in diagnostics)


class _Lines(dict[str, list[str]]):
    """File name -> its lines, split when they are asked for."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__()
        self.texts = texts

    def __missing__(self, file: str) -> list[str]:
        lines = self[file] = self.texts.get(file, "").splitlines()
        return lines


def _paragraph(diagnostic: Diagnostic, lines_of: _Lines, style: Style) -> list[str]:
    span, reset = diagnostic.span, style["reset"]
    place = f"{visible(span.file)}:{span.line}:{span.column}: " if span else ""
    severity = diagnostic.severity.value
    head = (
        f"{style['bold']}{place}{reset}{style[severity]}{severity}[{diagnostic.code}]{reset}"
        f"{style['bold']}: {visible(diagnostic.message)}{reset}"
    )
    marks = [(Label(span, ""), "^")] if span else []
    marks += [(label, "-") for label in diagnostic.places]
    shown = [(label, mark) for label, mark in marks if 0 < label.span.line <= len(lines_of[label.span.file])]
    unseen = [label for label, _ in marks if label.text and all(label is not other for other, _ in shown)]
    notes = [*diagnostic.notes, *(f"{x.span.file}:{x.span.line}:{x.span.column}: {x.text}" for x in unseen)]
    paragraph = [head, *_frame(shown, span.file if span else "", lines_of, style)]
    paragraph += [f"{style['frame']}note{reset}: {visible(note)}" for note in notes]
    if diagnostic.help:
        paragraph.append(f"{style['help']}help{reset}: {visible(diagnostic.help)}")
    return paragraph


def _frame(marks: list[tuple[Label, str]], file: str, lines_of: _Lines, style: Style) -> list[str]:
    """The source lines at fault, each with its marks under it; those of `file` first."""
    if not marks:
        return []
    by_line: dict[tuple[str, int], list[tuple[Label, str]]] = {}
    for label, mark in sorted(marks, key=lambda pair: (pair[0].span.file != file, pair[0].span)):
        by_line.setdefault((label.span.file, label.span.line), []).append((label, mark))
    gutter = len(str(max(number for _, number in by_line)))
    bar = f"{style['frame']}{' ' * gutter} |{style['reset']}"
    frame, shown_file = [bar], file
    for (in_file, number), labels in by_line.items():
        if in_file != shown_file:
            frame.append(f"{style['frame']}{' ' * gutter}::{style['reset']} {visible(in_file)}")
            shown_file = in_file
        line = lines_of[in_file][number - 1]
        columns = [_columns(label, line) for label, _ in labels]
        first, last = _window(line, columns)
        before, after = ("…" if first else ""), ("…" if last < len(line) else "")
        text = before + _one_column_each(line[first:last]) + after
        frame.append(f"{style['frame']}{number:>{gutter}} |{style['reset']} {text}".rstrip())
        for (label, mark), (start, end) in zip(labels, columns, strict=True):
            start, end = max(first, min(start, last)), max(first, min(end, last))
            indentation = " " * (len(before) + text_width(line[first:start]))
            carets = mark * max(1, text_width(line[start:end]))
            color = style["error"] if mark == "^" else style["frame"]
            frame.append(f"{bar} {indentation}{color}{carets} {visible(label.text)}".rstrip() + style["reset"])
    return frame


def _columns(label: Label, line: str) -> tuple[int, int]:
    """Where its marks begin and end in the line, counted from 0."""
    span = label.span
    start = min(span.column - 1, len(line))
    end = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    return start, max(start, min(end, len(line)))


def _window(line: str, columns: list[tuple[int, int]]) -> tuple[int, int]:
    """The part of a long line that is shown: all marks if they fit, the first of them otherwise."""
    if len(line) <= WIDEST // 2 or text_width(line) <= WIDEST:
        return 0, len(line)
    start = min(start for start, _ in columns)
    end = max(end for _, end in columns)
    first = max(0, start - max(20, (WIDEST - (end - start)) // 2))
    last, width = first, 0
    while last < len(line) and width < WIDEST - 2:
        width += text_width(line[last])
        last += 1
    return first, last


def visible(text: str) -> str:
    """The text without what would steer a terminal: control characters and changes of direction are written out."""
    return _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


_STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _one_column_each(line: str) -> str:
    """A source line as it is shown: a tab is a space, and what would steer the terminal a sign that does not."""
    return _STEERING.sub("\ufffd", line.expandtabs(1))


def text_width(text: str) -> int:
    """Columns that a terminal gives to `text`: two for a Korean or other wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(character) for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    if "\u1160" <= character <= "\u11ff":  # vowels and finals of Hangul in parts, drawn into the letter before
        return 0
    steers = _STEERING.match(character)  # shown as a sign of one column
    return 1 if steers or unicodedata.category(character) not in ("Mn", "Me", "Cf") else 0
