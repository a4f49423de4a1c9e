"""Workflow commands of GitHub Actions, which become annotations beside the changed lines."""

from __future__ import annotations

from collections.abc import Sequence

from dlspec.language.diagnostics.diagnostic import Diagnostic, Findings, Severity
from dlspec.language.diagnostics.paths import relative_path
from dlspec.language.diagnostics.text import visible


def render(findings: Sequence[Findings]) -> str:
    return "\n".join(_command(d) for d in dict.fromkeys(d for found in findings for d in found.diagnostics))


def _command(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    properties: dict[str, object] = {}
    if span and span.in_file:
        properties = {"file": relative_path(span.file), "line": span.line, "endLine": span.end_line}
        if span.line == span.end_line:  # GitHub takes columns only within one line
            properties |= {"col": span.column, "endColumn": span.end_column}
    properties["title"] = diagnostic.code
    order = ("file", "line", "col", "endLine", "endColumn", "title")
    written = ",".join(f"{key}={_property(str(properties[key]))}" for key in order if key in properties)
    lines = [diagnostic.message]
    if span and not span.in_file:
        lines[0] = f"{span.file}: {lines[0]}"
    lines += [f"{label.span.file}:{label.span.line}: {label.text}" for label in diagnostic.places]
    lines += [f"note: {note}" for note in diagnostic.notes]
    lines += [f"help: {diagnostic.help}"] if diagnostic.help else []
    level = "notice" if diagnostic.severity is Severity.NOTE else diagnostic.severity.value
    return f"::{level} {written}::{_data(visible(chr(10).join(lines)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
