"""JSON for programs: one list of objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from dlspec.language.diagnostics.diagnostic import Diagnostic, Findings
from dlspec.language.diagnostics.fix import Fix
from dlspec.language.diagnostics.span import Label, Span


def render(findings: Sequence[Findings]) -> str:
    return render_json(dict.fromkeys(d for found in findings for d in found.diagnostics))


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """One list of objects; lines and columns count from 1 and are null where no line is at fault."""
    return json.dumps([as_values(d) for d in diagnostics], indent=2, ensure_ascii=False)


def as_values(diagnostic: Diagnostic) -> dict[str, object]:
    """A diagnostic as plain values."""
    span = diagnostic.span
    return {
        **place_as_values(span),
        "severity": diagnostic.severity.value,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "notes": [*diagnostic.notes, *(_as_note(label, span.file if span else "") for label in diagnostic.places)],
        "places": [{**place_as_values(label.span), "text": label.text} for label in diagnostic.places],
        "fixes": [_fix_as_values(fix) for fix in diagnostic.fixes],
    }


def place_as_values(span: Span | None) -> dict[str, object]:
    """A place as plain values: `file`, `line`, `column`, `end_line`, `end_column`, each null where there is none."""
    keys = ("file", "line", "column", "end_line", "end_column")
    return {key: getattr(span, key) if span else None for key in keys}


def _fix_as_values(fix: Fix) -> dict[str, object]:
    edits = [{**place_as_values(edit.span), "text": edit.text} for edit in fix.edits]
    return {"title": fix.title, "sure": fix.sure, "edits": edits}


def _as_note(label: Label, file: str) -> str:
    place = f"line {label.span.line}" if label.span.file == file else f"{label.span.file}:{label.span.line}"
    return f"{place}: {label.text}"
