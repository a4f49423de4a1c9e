"""The data types: a place in a file, a mistake there, and the errors that carry mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: an error stops, a warning is likely a mistake, a note is none."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a file. Lines and columns count from 1, in characters; the end is exclusive.

    `trail` holds further places that the text came through, such as the use of a block; it is no part of equality.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    trail: tuple[Label, ...] = field(default=(), compare=False)

    @property
    def in_file(self) -> bool:
        """Whether `file` is the path of a file, and not `<stdin>`, text from Python or a value of `--set`."""
        return not self.file.startswith(("<", "--set "))


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
        severity: error, warning or note.
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

    @property
    def places(self) -> tuple[Label, ...]:
        """Every further place to show: the labels, then what the text came through."""
        return (*self.labels, *self.span.trail) if self.span else self.labels


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in one of the files that were asked about; nothing when it is fine.

    Args:
        file: its name as it was given.
        diagnostics: in file order; some may stand in a file that this one extends.
        texts: file name -> its text.
        unreadable: whether the file could not be read at all.
        unread: files of data whose columns were looked at, and not all of their values.
    """

    file: str
    diagnostics: Sequence[Diagnostic] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    unreadable: bool = False
    unread: tuple[str, ...] = ()


def in_file_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorts by place; what has no place comes first. The same mistake is listed once."""
    unique = dict.fromkeys(diagnostics)
    return sorted(unique, key=lambda d: (d.span is not None, d.span or Span("", 0, 0, 0, 0), d.code))
