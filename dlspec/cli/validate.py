"""`dlspec validate`: finds every mistake in specs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from dlspec.cli.completion import complete_codes, complete_specs
from dlspec.cli.output import echo, print_counts, print_diagnostics, set_option
from dlspec.cli.plugins import plugin_option
from dlspec.language.diagnostics import FORMATS, Diagnostic, Findings, Severity
from dlspec.language.diagnostics.errors import DataError

if TYPE_CHECKING:
    from dlspec.language.yaml import Document

WITH_FIXES = ("json", "sarif")
"""Forms of output that have a place for cures as edits."""
SHOWN = 3
"""Files that are named; the rest are counted."""


@click.command("validate")
@click.argument("files", nargs=-1, metavar="FILE...", shell_complete=complete_specs)
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", help="How to print what is found.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing about specs that are fine.")
@click.option("--strict", is_flag=True, help="Count warnings as errors.")
@click.option(
    "--explain",
    "code",
    metavar="CODE",
    shell_complete=complete_codes,
    help="Explain a code, such as shape-mismatch, and check nothing.",
)
@set_option
@plugin_option
def command(
    files: tuple[str, ...], form: str, quiet: bool, strict: bool, code: str | None, overrides: dict[str, Any]
) -> int:
    """Find every mistake in specs, without loading TensorFlow.

    \b
    Example:  dlspec validate specs/lstm_stock.yaml
              dlspec validate specs/ --strict
              dlspec validate --explain shape-mismatch

    A FILE may be a folder, for every spec below it, a pattern such as 'specs/*.yaml', or - for standard input. The
    exit code is 0 when all is fine, 1 when a spec has errors, and 3 when a file cannot be read.
    """
    from dlspec.cli import DATA_ERROR, OK, SPEC_ERRORS
    from dlspec.cli.spec_files import find_specs

    if code is not None:
        return _explain(code)
    if not files:
        raise click.UsageError("name a spec, a folder, or - for standard input")
    found: list[Findings] = []
    diagnostics: list[Diagnostic] = []
    for file in find_specs(files):
        findings = _examine(file, overrides, fixes=form in WITH_FIXES)
        if strict:
            warned = {Severity.WARNING: Severity.ERROR}
            strict_ones = [replace(d, severity=warned.get(d.severity, d.severity)) for d in findings.diagnostics]
            findings = replace(findings, diagnostics=strict_ones)
        if form == "text":
            _print(findings, quiet=quiet, first=not diagnostics)
            findings = replace(findings, texts={})  # they are not needed again, and there may be thousands
        found.append(findings)
        diagnostics += findings.diagnostics
    if form == "text":
        _print_end(found, diagnostics, quiet=quiet)
    else:
        from dlspec.language.diagnostics import render

        written = render(form, found)
        echo(written.encode("utf-8", "replace"), nl=bool(written))
    if any(findings.unreadable for findings in found):
        return DATA_ERROR
    return SPEC_ERRORS if any(d.is_error for d in diagnostics) else OK


def _examine(file: str | Findings, overrides: dict[str, Any], *, fixes: bool) -> Findings:
    from dlspec.cli.spec_files import read_spec_file

    if isinstance(file, Findings):  # an argument that leads to no file
        return file
    try:
        return examine_document(read_spec_file(file), overrides, name=file, fixes=fixes)
    except DataError as error:
        return Findings(file, error.diagnostics, unreadable=True)


def examine_document(
    document: Document, overrides: dict[str, Any], *, name: str | None = None, fixes: bool = False
) -> Findings:
    """What is wrong with a spec, under its own name or another.

    Args:
        fixes: whether diagnostics come with cures as edits.

    Raises:
        DataError: a file that it extends cannot be read.
    """
    from dlspec.api import examine_briefly

    checked = examine_briefly(document, overrides)
    data = checked.spec.data
    unread = () if checked.errors else tuple(data.table or data.series or ())
    diagnostics = checked.diagnostics
    if fixes and diagnostics:
        from dlspec.data.sources.reading import briefly
        from dlspec.spec.fixes import with_fixes

        with briefly():
            diagnostics = with_fixes(checked)
    return Findings(name or document.file, diagnostics, checked.spec.document.texts, unread=unread)


def print_all(findings: Findings) -> None:
    """Prints what is wrong with one spec, or that it is fine."""
    _print(findings, quiet=False, first=True)
    _print_end([findings], findings.diagnostics, quiet=False)


def _print_end(found: Sequence[Findings], diagnostics: Sequence[Diagnostic], *, quiet: bool) -> None:
    """What is said of all files together."""
    print_counts(diagnostics)
    unread = list(dict.fromkeys(name for findings in found for name in findings.unread))
    if unread and not quiet:
        echo(_not_read(unread), err=True)


def _print(findings: Findings, *, quiet: bool, first: bool) -> None:
    if all(found.severity is Severity.NOTE for found in findings.diagnostics) and not quiet:
        echo(f"{findings.file}: fine")
    if not findings.diagnostics:
        return
    if not first:
        echo("", err=True)
    print_diagnostics(findings.diagnostics, findings.texts)


def _not_read(files: list[str]) -> str:
    """That columns were checked, and values were not."""
    more = f" and {len(files) - SHOWN} more files" if len(files) > SHOWN else ""
    named = ", ".join(f"`{name}`" for name in files[:SHOWN])
    return f"of {named}{more} the columns were checked, and not all values; `dlspec plan` reads these"


def _explain(code: str) -> int:
    from dlspec.language.codes import as_plain_text, explanations
    from dlspec.language.words import did_you_mean

    if code not in explanations():
        near = did_you_mean(code, explanations(), otherwise="")
        raise click.BadParameter(f"there is no code `{code}`{near and f'; {near}'}", param_hint="--explain")
    echo(f"{code}: {as_plain_text(explanations()[code])}")
    return 0
