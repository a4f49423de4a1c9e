"""What is wrong with a spec or its data, as data, and how it is shown.

A `Diagnostic` has a code, a severity, a place, a message and a cure. `render` turns what was found in files into what a
person or a program reads, in one of `FORMATS`. Nothing here knows of layers, YAML or Keras.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module

from dlspec.language.diagnostics.diagnostic import Diagnostic, Findings, Severity, in_file_order
from dlspec.language.diagnostics.fix import Edit, Fix, apply_edits
from dlspec.language.diagnostics.span import Label, Span
from dlspec.language.diagnostics.text import COLOR, PLAIN, render_text

__all__ = [
    "COLOR", "FORMATS", "PLAIN", "Diagnostic", "Edit", "Findings", "Fix", "Label", "Severity", "Span",
    "apply_edits", "in_file_order", "render", "render_json", "render_text",
]  # fmt: skip

FORMATS = {
    "text": "dlspec.language.diagnostics.text",
    "json": "dlspec.language.diagnostics.json",
    "github": "dlspec.language.diagnostics.github",
    "sarif": "dlspec.language.diagnostics.sarif",
    "junit": "dlspec.language.diagnostics.junit",
}
"""Name of a format -> the module whose `render` writes it, loaded when it is used."""


def render(form: str, findings: Sequence[Findings]) -> str:
    """What was found, in one of `FORMATS`."""
    written: str = import_module(FORMATS[form]).render(findings)
    return written


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """One list of objects; lines and columns count from 1 and are null where no line is at fault."""
    from dlspec.language.diagnostics.json import render_json as written

    return written(diagnostics)
