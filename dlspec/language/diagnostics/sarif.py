"""SARIF 2.1.0 (OASIS, 2020), which code-scanning services read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dlspec._version import __version__
from dlspec.language.codes import as_plain_text, explanations
from dlspec.language.diagnostics.diagnostic import Diagnostic, Findings
from dlspec.language.diagnostics.fix import Fix
from dlspec.language.diagnostics.paths import relative_uri
from dlspec.language.diagnostics.span import Label, Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(findings: Sequence[Findings]) -> str:
    diagnostics = list(dict.fromkeys(d for found in findings for d in found.diagnostics))
    codes = sorted({d.code for d in diagnostics})
    run = {
        "tool": {
            "driver": {
                "name": "dlspec",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(d, codes.index(d.code)) for d in diagnostics],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(code: str) -> dict[str, Any]:
    markdown = explanations().get(code) or code.replace("-", " ")
    short = markdown.partition("\n\n")[0].replace("\n", " ")
    help = {"text": as_plain_text(markdown), "markdown": markdown}
    return {"id": code, "shortDescription": {"text": short}, "help": help}


def _result(diagnostic: Diagnostic, index: int) -> dict[str, Any]:
    lines = [diagnostic.message, *(f"note: {note}" for note in diagnostic.notes)]
    lines += [f"help: {diagnostic.help}"] if diagnostic.help else []
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": diagnostic.severity.value,
        "message": {"text": "\n".join(lines)},
    }
    if diagnostic.span:
        result["locations"] = [_location(diagnostic.span)]
    if diagnostic.places:
        result["relatedLocations"] = [_related(number, label) for number, label in enumerate(diagnostic.places, 1)]
    fixes = [_fix(fix) for fix in diagnostic.fixes if fix.edits[0].span.in_file]
    if fixes:
        result["fixes"] = fixes
    return result


def _fix(fix: Fix) -> dict[str, Any]:
    replacements = [{"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}} for edit in fix.edits]
    changes = {"artifactLocation": {"uri": relative_uri(fix.edits[0].span.file)}, "replacements": replacements}
    return {"description": {"text": fix.title}, "artifactChanges": [changes]}


def _related(number: int, label: Label) -> dict[str, Any]:
    return {"id": number, **_location(label.span), "message": {"text": label.text}}


def _location(span: Span) -> dict[str, Any]:
    if not span.in_file:
        return {"logicalLocations": [{"fullyQualifiedName": f"{span.file}:{span.line}:{span.column}"}]}
    return {"physicalLocation": {"artifactLocation": {"uri": relative_uri(span.file)}, "region": _region(span)}}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
