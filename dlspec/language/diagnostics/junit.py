"""JUnit XML, which most continuous-integration services show as tests: a file is a test.

A file has one `<failure>` with everything in it, since Jenkins and GitLab show only the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from dlspec.language.diagnostics.diagnostic import Diagnostic, Findings
from dlspec.language.diagnostics.paths import relative_path
from dlspec.language.diagnostics.text import render_text


def render(findings: Sequence[Findings]) -> str:
    unreadable = sum(found.unreadable for found in findings)
    failed = sum(any(d.is_error for d in found.diagnostics) for found in findings) - unreadable
    counts = f'tests="{len(findings)}" failures="{failed}" errors="{unreadable}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="dlspec" {counts}>',
        f'  <testsuite name="dlspec validate" {counts} skipped="0" time="0">',
        *(line for found in findings for line in _test(found)),
        "  </testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines)


def _test(found: Findings) -> Iterator[str]:
    name = _attribute(relative_path(found.file))
    errors = [d for d in found.diagnostics if d.is_error]
    warnings = [d for d in found.diagnostics if not d.is_error]
    head = f'    <testcase classname="dlspec" name={name} file={name} time="0"'
    if not found.diagnostics:
        yield f"{head}/>"
        return
    yield f"{head}>"
    if errors:
        element = "error" if found.unreadable else "failure"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        message = _attribute(f"{_place(errors[0])}{errors[0].message}{more}")
        text = _text(render_text(errors, found.texts))
        yield f"      <{element} message={message} type={_attribute(errors[0].code)}>{text}</{element}>"
    if warnings:
        yield f"      <system-out>{_text(render_text(warnings, found.texts))}</system-out>"
    yield "    </testcase>"


def _place(diagnostic: Diagnostic) -> str:
    return f"line {diagnostic.span.line}: " if diagnostic.span else ""


def _text(text: str) -> str:
    return escape(_ILLEGAL.sub("\ufffd", text))


def _attribute(text: str) -> str:
    return quoteattr(_ILLEGAL.sub("\ufffd", text))


_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 does not allow, and the control characters that it discourages."""
