"""The data types: a place in a file, a mistake there, and the errors that carry mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dlspec.language.diagnostics.fix import Fix
from dlspec.language.diagnostics.span import Label, Span


class Severity(StrEnum):
    """How bad it is: an error stops, a warning is likely a mistake, a note is none."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


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
        fixes: the cure as edits, as far as it names one definite thing to write or to remove; found by
            `dlspec.spec.fixes`, since most take the rest of the spec into account, and no part of equality.
    """

    code: str
    message: str
    span: Span | None = None
    severity: Severity = Severity.ERROR
    help: str | None = None
    notes: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    fixes: tuple[Fix, ...] = field(default=(), compare=False)

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
