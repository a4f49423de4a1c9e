"""`dlspec doctor`: what this machine has, what is missing, and how to mend it."""

from __future__ import annotations

import click

from dlspec.cli.output import echo

SIGNS = {"fine": ("ok", "green"), "missing": ("-", "yellow"), "broken": ("x", "red")}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of name, status, found and cure.")
def command(as_json: bool) -> int:
    """Look at Python, TensorFlow, GPU, memory and disk, and say what is missing and how to mend it.

    \b
    Example:  dlspec doctor
              dlspec doctor --json

    Exit code 0: what is installed works; 3: something that dlspec cannot do without is broken.
    """
    import json
    from dataclasses import asdict

    from rich.table import Table
    from rich.text import Text

    from dlspec.cli import DATA_ERROR, OK
    from dlspec.cli.console import Console
    from dlspec.runtime.doctor import (
        TRAINING,
        examine_machine,
    )  # not by way of `api`, whose packages may be what is missing

    findings = examine_machine()
    broken = [finding for finding in findings if finding.status == "broken"]
    if as_json:
        echo(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
        return DATA_ERROR if broken else OK
    console = Console(highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for finding in findings:
        sign, color = SIGNS[finding.status]
        table.add_row(Text(sign, style=color), Text(finding.name), Text(finding.found))
    console.print(table)
    for finding in findings:
        if finding.cure:
            console.print(Text(f"\n{finding.name}: {finding.found}"))
            console.print(Text(f"    {finding.cure}", style="bold"), soft_wrap=True)  # to be copied in one piece
    untrained = any(finding.name == TRAINING for finding in findings)
    fine = "Specs can be checked, planned and explained here, not trained." if untrained else "Specs can be run here."
    verdict = f"{len(broken)} of these must be mended before a spec can be run." if broken else fine
    console.print(Text(f"\n{verdict}"))
    return DATA_ERROR if broken else OK
