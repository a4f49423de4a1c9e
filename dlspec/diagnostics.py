"""What is wrong with a spec or its data, as data, and how it is shown.

A `Diagnostic` has a code, a severity, a place, a message and a cure. `render_text` and `render_json` turn
a list of them into what a person or a program reads. Nothing here knows of layers, YAML or Keras.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self


class Severity(StrEnum):
    """How bad it is: an error stops, a warning is likely a mistake."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a file. Lines and columns count from 1, in characters; the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that explains a diagnostic, with the words that stand under it."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake.

    Args:
        code: words joined by hyphens, such as `shape-mismatch`.
        message: the fact, standing alone; lower case, no full stop, names in backticks.
        span: the smallest stretch of text that is at fault; `None` when no line is.
        severity: error or warning.
        help: what to type.
        notes: context that is true but no cure.
        labels: other places at fault.
    """

    code: str
    message: str
    span: Span | None = None
    severity: Severity = Severity.ERROR
    help: str | None = None
    notes: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR


@dataclass
class DiagnosticError(Exception):
    """Raised with everything that was found wrong. `str(error)` is the text a terminal would show.

    Args:
        diagnostics: what was found.
        texts: file name -> its text, for the lines shown in the message.
    """

    diagnostics: list[Diagnostic]
    texts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.diagnostics, self.texts)

    @classmethod
    def of(cls, code: str, message: str, span: Span | None = None, *, help: str | None = None) -> Self:
        """An error with one diagnostic."""
        return cls([Diagnostic(code, message, span, help=help)])

    def __str__(self) -> str:
        return render_text(self.diagnostics, self.texts)


class SpecError(DiagnosticError):
    """The spec has mistakes."""


class DataError(DiagnosticError):
    """The data, or the machine, are not what the spec needs."""


class TrainingError(DiagnosticError):
    """Training cannot go on: the loss is not a number, or memory ran out."""


def in_file_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorts by place; what has no place comes first. The same mistake is listed once."""
    unique = dict.fromkeys(diagnostics)
    return sorted(unique, key=lambda d: (d.span is not None, d.span or Span("", 0, 0, 0, 0), d.code))


def render_json(diagnostics: Sequence[Diagnostic]) -> str:
    """One list of objects; lines and columns count from 1 and are null where no line is at fault."""

    def row(diagnostic: Diagnostic) -> dict[str, object]:
        span = diagnostic.span
        return {
            "file": span.file if span else None,
            "line": span.line if span else None,
            "column": span.column if span else None,
            "end_line": span.end_line if span else None,
            "end_column": span.end_column if span else None,
            "severity": diagnostic.severity.value,
            "code": diagnostic.code,
            "message": diagnostic.message,
            "help": diagnostic.help,
            "notes": [*diagnostic.notes, *(f"line {x.span.line}: {x.text}" for x in diagnostic.labels)],
        }

    return json.dumps([row(d) for d in diagnostics], indent=2, ensure_ascii=False)


Style = Mapping[str, str]
PLAIN: Style = {"error": "", "warning": "", "frame": "", "help": "", "bold": "", "reset": ""}
COLOR: Style = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "frame": "\x1b[34m",
    "help": "\x1b[32m",
    "bold": "\x1b[1m",
    "reset": "\x1b[0m",
}


def render_text(
    diagnostics: Iterable[Diagnostic], texts: Mapping[str, str] | None = None, *, style: Style = PLAIN
) -> str:
    """A paragraph for each diagnostic: the place, the message, the lines at fault, notes and help."""
    lines_of = {file: text.splitlines() for file, text in (texts or {}).items()}
    return "\n\n".join("\n".join(_paragraph(d, lines_of, style)) for d in diagnostics)


def _paragraph(diagnostic: Diagnostic, lines_of: Mapping[str, list[str]], style: Style) -> list[str]:
    span, reset = diagnostic.span, style["reset"]
    place = f"{span.file}:{span.line}:{span.column}: " if span else ""
    severity = diagnostic.severity.value
    head = (
        f"{style['bold']}{place}{reset}{style[severity]}{severity}[{diagnostic.code}]{reset}"
        f"{style['bold']}: {diagnostic.message}{reset}"
    )
    paragraph = [head]
    if span:
        marks = [(Label(span, ""), "^"), *((label, "-") for label in diagnostic.labels)]
        paragraph += _frame(marks, lines_of, style)
    paragraph += [f"{style['frame']}note{reset}: {note}" for note in diagnostic.notes]
    if diagnostic.help:
        paragraph.append(f"{style['help']}help{reset}: {diagnostic.help}")
    return paragraph


def _frame(marks: list[tuple[Label, str]], lines_of: Mapping[str, list[str]], style: Style) -> list[str]:
    """The source lines at fault, each with its marks under it."""
    marks = sorted(
        ((label, mark) for label, mark in marks if label.span.line <= len(lines_of.get(label.span.file, []))),
        key=lambda pair: pair[0].span,
    )
    if not marks:
        return []
    gutter = len(str(max(label.span.line for label, _ in marks)))
    bar = f"{style['frame']}{' ' * gutter} |{style['reset']}"
    frame = [bar]
    shown: tuple[str, int] | None = None
    for label, mark in marks:
        span = label.span
        line = lines_of[span.file][span.line - 1]
        if (span.file, span.line) != shown:
            frame.append(f"{style['frame']}{span.line:>{gutter}} |{style['reset']} {line.expandtabs(1)}")
            shown = (span.file, span.line)
        start = min(span.column - 1, len(line))
        end = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
        carets = mark * max(1, _width(line[start:end]))
        color = style["error"] if mark == "^" else style["frame"]
        frame.append(f"{bar} {' ' * _width(line[:start])}{color}{carets} {label.text}".rstrip() + style["reset"])
    return frame


def _width(text: str) -> int:
    """Columns that a terminal gives to `text`: two for a Korean or other wide character."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in text)
