"""Applies cures to a text, until none is left that is sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlspec.editor.examining import Examined, as_document, examine_document
from dlspec.language.diagnostics import Diagnostic, Edit, Fix, Severity, apply_edits
from dlspec.language.yaml import Document, read_text

ROUNDS = 20
"""How often a text is checked anew: some mistakes show once others are gone."""


@dataclass(frozen=True)
class Fixed:
    """A text after its cures.

    Args:
        text: as it is now.
        applied: what was wrong, and what was done about it, in order.
        left: what is wrong with it now, with the cures that leave a choice.
        examined: the text as it is now.
    """

    text: str
    applied: tuple[tuple[Diagnostic, Fix], ...]
    examined: Examined

    @property
    def left(self) -> list[Diagnostic]:
        return self.examined.diagnostics


def fix(
    text_or_path: str | Path,
    *,
    folder: str | Path | None = None,
    file: str | Path | None = None,
    warnings: bool = False,
) -> Fixed:
    """A spec with every mistake cured of which there is one cure, which is sure; nothing is written.

    Args:
        text_or_path, folder, file: as those of `examine`.
        warnings: whether warnings are cured, too, and not mistakes alone.

    Raises:
        DataError: a file that was named cannot be read.
    """
    return fix_document(as_document(text_or_path, folder, file), warnings=warnings)


def fix_document(document: Document, overrides: Mapping[str, Any] | None = None, *, warnings: bool = False) -> Fixed:
    """The same of a spec that was read."""
    applied: list[tuple[Diagnostic, Fix]] = []
    examined = examine_document(document, overrides).with_fixes(seconds=None)
    for _ in range(ROUNDS):
        wanted = [(problem, problem.fixes[0]) for problem in examined.diagnostics if _is_sure(problem, warnings)]
        if not wanted:
            break
        text, done = _applied(examined.text, wanted)
        after = examine_document(_read_again(document, text), overrides)
        if len(done) > 1 and _count(after, warnings) >= _count(examined, warnings):
            done = done[:1]  # which was tried alone
            text = apply_edits(examined.text, done[0][1].edits)
            after = examine_document(_read_again(document, text), overrides)
        applied += done
        examined = after.with_fixes(seconds=None)
    return Fixed(examined.text, tuple(applied), examined)


def _read_again(document: Document, text: str) -> Document:
    again = read_text(text, document.file)
    again.read_beside = document.read_beside
    return again


def _count(examined: Examined, warnings: bool) -> int:
    return sum(_is_wanted(problem, warnings) for problem in examined.diagnostics)


def _is_wanted(problem: Diagnostic, warnings: bool) -> bool:
    return problem.is_error or (warnings and problem.severity is Severity.WARNING)


def _is_sure(problem: Diagnostic, warnings: bool) -> bool:
    return _is_wanted(problem, warnings) and len(problem.fixes) == 1 and problem.fixes[0].sure


def _applied(text: str, wanted: Sequence[tuple[Diagnostic, Fix]]) -> tuple[str, list[tuple[Diagnostic, Fix]]]:
    """The text with all cures that do not touch each other, and these; the others come in the next round."""
    edits: list[Edit] = []
    done = []
    for problem, fix in wanted:
        if not any(_touch(one, other) for one in fix.edits for other in edits):
            edits += fix.edits
            done.append((problem, fix))
    return apply_edits(text, edits), done


def _touch(one: Edit, other: Edit) -> bool:
    """Whether two edits overlap, or insert at the same place."""
    start, end = (one.span.line, one.span.column), (one.span.end_line, one.span.end_column)
    begin, stop = (other.span.line, other.span.column), (other.span.end_line, other.span.end_column)
    return start <= stop and begin <= end
