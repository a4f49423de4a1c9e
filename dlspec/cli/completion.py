"""What a shell completes: bash, zsh and fish ask by the variable `_DLSPEC_COMPLETE`, as click has it.

Nothing here reads a spec or a run: it answers while somebody waits for the key.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

ASKED = "_DLSPEC_COMPLETE"
SHELLS = ("bash", "zsh", "fish")
RUNS = os.path.join("runs", "*", "*", "resolved.yaml")
"""Where `dlspec run` puts runs when it is not told otherwise."""


def answer(command: click.Command, instruction: str) -> bool:
    """Prints what a shell asks for: its script, or what may come next.

    Args:
        instruction: such as `bash_source` or `bash_complete`.

    Returns:
        Whether it is an instruction, and of a shell that is known.
    """
    from click.shell_completion import BashComplete, add_completion_class, shell_complete

    class Bash(BashComplete):
        """Offers folders beside files, which click does only where there are no files."""

        source_template = BashComplete.source_template.replace("-o dirnames", "-o filenames -o plusdirs")

    add_completion_class(Bash)
    shell, _, wanted = instruction.partition("_")
    if shell not in SHELLS or wanted not in ("source", "complete"):
        said = ", ".join(f"{known}_source" for known in SHELLS)
        click.echo(f"Error: {ASKED} is one of {said}; got {instruction!r}", err=True)
        return False
    shell_complete(command, {}, "dlspec", ASKED, instruction)
    return True


def complete_specs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files of YAML, and folders."""
    if context.params.get("filters"):  # of `show`, which then takes a run
        return complete_runs(context, parameter, incomplete)
    folder, begun = os.path.split(incomplete)
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            files = sorted(entry.name for entry in entries if _is_yaml(entry))
    except OSError:
        files = []
    shown = (name for name in files if begun or not name.startswith("."))
    return [_folders(incomplete), *_items(begun, shown, folder)]


def complete_runs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Run folders below `runs`; where what is typed leads elsewhere, folders."""
    found = _items(incomplete, sorted(os.path.dirname(path) for path in glob.iglob(RUNS)))
    return found or [_folders(incomplete)]


def complete_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Layers; of what is begun, all names of `HOMES`, or those of the kind that `--kind` says."""
    from dlspec.language.homes import HOMES

    kind = context.params.get("kind") or ("" if incomplete else "layers")
    chosen = (names for sort, names in HOMES.items() if kind.startswith(sort) or not kind)
    return _items(incomplete, sorted({name for names in chosen for name in names}))


def complete_codes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Codes of diagnostics."""
    from dlspec.language.codes import explanations

    return _items(incomplete, sorted(explanations()))


def _is_yaml(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith((".yaml", ".yml")) and entry.is_file()


def _folders(incomplete: str) -> CompletionItem:
    """What tells the shell to look for folders itself."""
    from click.shell_completion import CompletionItem

    return CompletionItem(incomplete, type="dir")


def _items(begun: str, names: Iterable[str], folder: str = "") -> list[CompletionItem]:
    """The names that begin so; one with signs that a terminal does not print has to be typed."""
    from click.shell_completion import CompletionItem

    fitting = (name for name in names if name.startswith(begun) and name.isprintable())
    return [CompletionItem(os.path.join(folder, name)) for name in fitting]
