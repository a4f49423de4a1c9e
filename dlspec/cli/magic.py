"""The cell magic `%%dlspec` of IPython and Jupyter: a spec in a cell is checked, drawn or run.

`%load_ext dlspec` registers it. What goes wrong is printed as on the command line, without a traceback.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlspec.cli.output import echo, load_and_warn, set_option

if TYPE_CHECKING:
    from dlspec.language.notebooks import InNotebooks
    from dlspec.language.yaml import Document
    from dlspec.runs import Run

NAME = "%%dlspec"
CELL = "cell"
"""What diagnostics call the text; paths in it are relative to the current folder."""
WIDTH = 100
"""Columns of what a run prints."""


@dataclass
class Cell:
    """What a magic is called with.

    Args:
        shell: the `InteractiveShell`, in which a result becomes a variable.
    """

    shell: Any
    text: str
    line: str


def register(shell: Any) -> None:
    """Makes `%%dlspec` known to a shell of IPython."""

    def dlspec(line: str, cell: str) -> None:
        answer(Cell(shell, cell, line))

    dlspec.__doc__ = __doc__
    shell.register_magic_function(dlspec, "cell", "dlspec")


def answer(cell: Cell) -> None:
    """Does what the first line of a cell asks for; without a word, the spec is checked."""
    from dlspec.cli import call

    try:
        words = shlex.split(cell.line)
    except ValueError as error:
        echo(f"{NAME} {cell.line}: {error}", err=True)
        return
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words = ["check", *words]
    call(magic, words, prog_name=NAME, obj=cell)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def magic() -> None:
    """Check, draw or run the spec that a cell holds."""


@magic.command("check")
@set_option
@click.pass_obj
def check(cell: Cell, overrides: dict[str, Any]) -> None:
    """Find every mistake, as `dlspec validate` does."""
    from dlspec.cli.validate import examine_document, print_all

    print_all(examine_document(_document(cell), overrides))


@magic.command("draw")
@set_option
@click.pass_obj
def draw(cell: Cell, overrides: dict[str, Any]) -> None:
    """Draw the network."""
    from dlspec.api import graph
    from dlspec.views.drawing import draw_text

    network = graph(load_and_warn(_document(cell), overrides))
    _display(network, draw_text(network))


@magic.command("run")
@click.argument("name", required=False)
@click.option("--out", type=click.Path(path_type=Path), help="The run folder, instead of the next in runs/<name>/.")
@set_option
@click.pass_obj
def run(cell: Cell, name: str | None, out: Path | None, overrides: dict[str, Any]) -> None:
    """Train and evaluate, and show the run; with NAME, it becomes the variable of that name."""
    if name is not None and (not name.isidentifier() or iskeyword(name)):
        raise click.UsageError(f"the run becomes a variable, and `{name}` cannot be the name of one")
    done = False
    try:
        finished = _train(cell, out, overrides)
        done = finished is not None
    finally:
        if not done and name in cell.shell.user_ns:
            echo(f"`{name}` is what it was before this cell\n", err=True)
    if finished is None:
        return
    if name is not None:
        cell.shell.user_ns[name] = finished
    _display(finished, f"{finished.metrics.verdict.sentence}\n{finished.folder}")


def _train(cell: Cell, out: Path | None, overrides: dict[str, Any]) -> Run | None:
    """The finished run; None: it was stopped, which is said."""
    from dlspec import api
    from dlspec.cli.console import Console
    from dlspec.cli.progress import PlainLines
    from dlspec.runtime.environment import typed_as
    from dlspec.spec.checks.base import STOPS_A_RUN
    from dlspec.training.progress import Stopped

    spec = load_and_warn(_document(cell), overrides, but=STOPS_A_RUN)
    console = Console(force_jupyter=False, force_terminal=False, width=WIDTH)
    try:
        with typed_as(f"{NAME} {cell.line}"):
            return api.run(spec, out=out, listener=PlainLines(console))
    except Stopped as stop:
        echo(f'\nStopped; what was learned is kept.\nGo on with:  dlspec.resume("{stop.folder}")', err=True)
        return None


def _document(cell: Cell) -> Document:
    from dlspec.language.yaml import read_text

    return read_text(cell.text, CELL)


def _display(value: InNotebooks, text: str) -> None:
    """Shows a value as a notebook does, or the text in a terminal."""
    from IPython.display import display

    from dlspec.language.diagnostics.text import visible

    display({"text/html": value._repr_html_(), "text/plain": visible(text)}, raw=True)
