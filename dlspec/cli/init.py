"""`dlspec init`: a first spec with comments."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option

if TYPE_CHECKING:
    from dlspec.spec.first_spec import Start
    from dlspec.spec.first_spec.saying import Language


LIKELIEST = 3
"""So many columns that may be meant to be predicted are named with what speaks for them."""


@click.command("init")
@click.argument("data", required=False)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Where to write it; `-` prints it. Default: NAME.yaml"
)
@click.option("--target", metavar="COLUMN", help="The column to predict; otherwise the likeliest one.")
@click.option("--series/--table", default=None, help="Whether a row is a timestep or a sample; the columns tell.")
@click.option("--pretrain", is_flag=True, help="With pretraining, layer by layer.")
@click.option("--lang", "language", type=click.Choice(["en", "ko"]), help="Of comments; else as the machine is set.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("-y", "--yes", is_flag=True, help="Take what is proposed, and ask nothing.")
@plugin_option
def command(
    data: str | None,
    out: Path | None,
    target: str | None,
    series: bool | None,
    pretrain: bool,
    language: Language | None,
    force: bool,
    yes: bool,
) -> int:
    """Write a first spec with comments, for a file, a folder of pictures, sounds or texts, or a built-in dataset.

    \b
    Example:  dlspec init prices.csv
              dlspec init photos/
              dlspec init iris -o specs/iris.yaml --target species

    It looks at the columns and proposes what to predict from what. On a terminal it asks.
    """
    from dlspec.cli import DATA_ERROR, OK, SPEC_ERRORS
    from dlspec.cli.output import print_counts, print_diagnostics, print_or_write
    from dlspec.spec.first_spec import look_at, write_start
    from dlspec.spec.first_spec.saying import machine_language

    language = language or machine_language()
    asking = sys.stdin.isatty() and sys.stdout.isatty() and not yes and str(out) != "-"
    if data is None:
        if not asking:
            raise click.UsageError("name a CSV file or a built-in dataset, such as `dlspec init iris`")
        data = _ask_for_data()
    start = look_at(data, series=series)
    if target is not None:
        start = start.predicting(target)
    if asking:
        _show(start)
        if target is None and len(start.targets) > 1:
            for likely in start.likely[:LIKELIEST]:
                echo(f"  {likely.column}: {likely.why}")
            choice = click.Choice(start.targets)
            start = start.predicting(
                click.prompt("Predict", default=start.target, type=choice, show_choices=len(start.targets) < 8)
            )
        pretrain = pretrain or click.confirm("Pretrain layer by layer", default=False)
    if start.may_be_read:  # whose values are read, which takes numpy
        from dlspec.runs.first_run import made_to_run

        start = made_to_run(start)
    if str(out) == "-":
        print_or_write(write_start(start, pretrain=pretrain, language=language), None)
        return OK
    file = out or Path(f"{start.name}.yaml")
    if file.exists() and not force:
        raise click.UsageError(f"`{file}` is there already; write `--force` to replace it, or `-o` another file")
    path = start.data if start.kind == "dataset" else _from_folder(start.data, file)
    print_or_write(write_start(start, path=path, pretrain=pretrain, language=language), file)

    from dlspec.api import examine

    checked = examine(file)
    if checked.diagnostics:
        print_diagnostics(checked.diagnostics, checked.spec.document.texts)
        print_counts(checked.diagnostics)
    if checked.errors:
        echo(f"wrote {file}, which has to be mended before it can be run")
        return SPEC_ERRORS
    if start.problem is not None:  # of the data, which no line of the spec mends
        print_diagnostics([replace(each, span=None) for each in start.problem.diagnostics], {})
        echo(f"wrote {file}; the data have to be mended before it can be run")
        return DATA_ERROR
    echo(f"wrote {file}: predicts `{start.target}`; change what you like, then: dlspec run {file}")
    return OK


def _ask_for_data() -> str:
    from dlspec.data.datasets import DATASETS

    files = sorted(path.name for path in Path().iterdir() if path.suffix in (".csv", ".tsv"))
    echo(f"Built in: {', '.join(DATASETS)}")
    if files:
        echo(f"Files here: {', '.join(files)}")
    answer: str = click.prompt("A CSV file, or a built-in dataset", default=files[0] if files else None)
    return answer


def _show(start: Start) -> None:
    """The columns, and what each is taken for."""
    from rich.table import Table
    from rich.text import Text

    from dlspec.cli.console import Console

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("column", "holds", "use"):
        table.add_column(heading)
    for column in start.description.columns:
        name = column.name
        shown = ", ".join(column.classes[:4]) + (", …" if len(column.classes) > 4 else "")
        holds = f"pictures {column.shape}" if column.shape else f"{len(column.classes)} classes: {shown}"
        holds = holds if column.classes or column.shape else {"number": "numbers"}.get(column.kind, column.kind)
        use = "time" if name == start.time else "target" if name == start.target else ""
        use = use or ("feature" if name in start.features or column.shape else f"left out: {start.left_out.get(name)}")
        table.add_row(Text(name), Text(holds), Text(use))
    Console(highlight=False).print(table)


def _from_folder(data: str, spec: Path) -> str:
    """The path of the data file as the spec must name it: from the spec's own folder."""
    try:
        return Path(os.path.relpath(data, spec.parent)).as_posix()
    except ValueError:  # another drive of Windows
        return str(Path(data).absolute())
