"""Errors that carry diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from dlspec.language.diagnostics.diagnostic import Diagnostic
from dlspec.language.diagnostics.span import Span


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
        from dlspec.language.diagnostics.text import render_text

        return render_text(self.diagnostics, self.texts)


class SpecError(DiagnosticError):
    """The spec has mistakes."""


class DataError(DiagnosticError):
    """The data, or the machine, are not what the spec needs."""


class TrainingError(DiagnosticError):
    """Training cannot go on: the loss is not a number, or memory ran out."""


class SavedModelError(DiagnosticError):
    """The model that was saved is not the one that was measured."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, where it ends a command at once."""
