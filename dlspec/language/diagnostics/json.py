"""JSON for programs: one list of objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from dlspec.language.diagnostics.diagnostic import Diagnostic, Findings, Label


def render(findings: Sequence[Findings]) -> str:
    return render_json(dict.fromkeys(d for found in findings for d in found.diagnostics))


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """One list of objects; lines and columns count from 1 and are null where no line is at fault."""
    return json.dumps([as_values(d) for d in diagnostics], indent=2, ensure_ascii=False)


def as_values(diagnostic: Diagnostic) -> dict[str, object]:
    """A diagnostic as plain values."""
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
        "notes": [*diagnostic.notes, *(_as_note(label, span.file if span else "") for label in diagnostic.places)],
    }


def _as_note(label: Label, file: str) -> str:
    place = f"line {label.span.line}" if label.span.file == file else f"{label.span.file}:{label.span.line}"
    return f"{place}: {label.text}"
