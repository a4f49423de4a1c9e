"""`dlspec validate`: finds every mistake in specs."""

from __future__ import annotations

import sys
from typing import Any

import click

from dlspec.cli.output import set_option


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How to print what is found.",
)
@set_option
def command(files: tuple[str, ...], form: str, overrides: dict[str, Any]) -> int:
    """Find every mistake in specs, without loading TensorFlow.

    \b
    Example:  dlspec validate specs/*.yaml
    """
    from dlspec.checks import check
    from dlspec.cli import DATA_ERROR, OK, SPEC_ERRORS
    from dlspec.cli.output import print_diagnostics
    from dlspec.composition import apply_overrides
    from dlspec.diagnostics import DataError, Diagnostic, render_json
    from dlspec.source import read_file

    found: list[Diagnostic] = []
    texts: dict[str, str] = {}
    unreadable = False
    for file in files:
        try:
            source = apply_overrides(read_file(file), overrides)
        except DataError as error:
            found += error.diagnostics
            unreadable = True
            continue
        diagnostics = check(source).diagnostics
        texts |= source.texts
        found += diagnostics
        if form == "text" and not diagnostics:
            click.echo(f"{file}: fine")
    if form == "json":
        click.echo(render_json(found))
    elif found:
        sys.stdout.flush()
        print_diagnostics(found, texts)
    if unreadable:
        return DATA_ERROR
    return SPEC_ERRORS if any(d.is_error for d in found) else OK
