"""`dlspec diff`: what changed in meaning between two specs."""

from __future__ import annotations

import json
from typing import Any

import click

from dlspec.cli.completion import complete_specs
from dlspec.cli.output import echo, print_diagnostics, set_option
from dlspec.cli.plugins import plugin_option


@click.command("diff")
@click.argument("specs", nargs=-1, metavar="[OLD] NEW", shell_complete=complete_specs)
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", help="How to print it."
)
@click.option("--exit-code", "by_code", is_flag=True, help="End with exit code 4 where they differ in meaning.")
@set_option
@plugin_option
def command(specs: tuple[str, ...], form: str, by_code: bool, overrides: dict[str, Any]) -> int:
    """Say what changed in meaning between two specs, without loading TensorFlow.

    Defaults, variables, blocks and what a spec extends are written out first, so that it does not matter how a spec is
    written. Keys, layers, parameters, FLOPs, memory, stages of training, and mistakes are compared.

    \b
    Example:  dlspec diff specs/a.yaml specs/b.yaml
              dlspec diff main:specs/a.yaml specs/a.yaml
              dlspec diff specs/a.yaml
              dlspec diff HEAD~1:specs/a.yaml specs/a.yaml --format markdown

    A spec is a file, or REV:PATH, a file at a revision of git; :PATH is what is staged. Of one file alone, what changed
    since the last commit. The exit code is 1 when a spec has errors, and 3 when one cannot be read.
    """
    from dlspec.api import diff
    from dlspec.cli import OK, SPEC_ERRORS, TRAINING_FAILED

    if len(specs) not in (1, 2):
        raise click.UsageError("name two specs, or one that git knows")
    found = diff(specs[0], specs[1] if specs[1:] else None, overrides=overrides)
    wrong = [one.problem for one in found.problems if one.problem.is_error]
    if wrong:
        print_diagnostics(wrong, {**found.old.texts, **found.new.texts})
        echo("", err=True)
    if form == "json":
        echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        echo(found.as_markdown() if form == "markdown" else found.as_text(errors=False))
    if wrong:
        return SPEC_ERRORS
    return TRAINING_FAILED if by_code and found.differs else OK
