"""`dlspec schema`: what editors need to help with a spec."""

from __future__ import annotations

from pathlib import Path

import click

from dlspec.cli.output import out_option, print_or_write
from dlspec.cli.plugins import plugin_option


@click.command("schema")
@out_option
@plugin_option
def command(out: Path | None) -> int:
    """Print the JSON Schema of the language, for editors.

    \b
    Example:  dlspec schema -o dlspec.schema.json

    Then write `# yaml-language-server: $schema=dlspec.schema.json` into the first line of a spec.
    """
    from dlspec.views.reference.json_schema import write_schema

    print_or_write(write_schema(), out)
    return 0
