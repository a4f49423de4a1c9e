"""`dlspec fix`: applies the cures of mistakes in specs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlspec.cli.completion import complete_specs
from dlspec.cli.output import echo, print_counts, print_diagnostics
from dlspec.cli.plugins import plugin_option
from dlspec.language.diagnostics import Diagnostic, Findings
from dlspec.language.diagnostics.errors import DataError

if TYPE_CHECKING:
    from dlspec.editor.fixing import Fixed

MARK = b"\xef\xbb\xbf"
"""What some editors put in front of UTF-8; it stays."""


@click.command("fix")
@click.argument("files", nargs=-1, required=True, metavar="SPEC...", shell_complete=complete_specs)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where something would be changed.")
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; print what would be changed.")
@click.option("--warnings", is_flag=True, help="Cure warnings too, which may be what you want.")
@plugin_option
def command(files: tuple[str, ...], check: bool, show_diff: bool, warnings: bool) -> int:
    """Apply the cures of mistakes, where there is exactly one.

    \b
    Example:  dlspec fix specs/lstm_stock.yaml
              dlspec fix specs/ --diff

    Everything else in the file stays byte for byte. Where a mistake has several cures, or one that leaves something to
    decide, nothing is changed and the cures are listed. A SPEC may be a folder, a pattern, or - for standard input,
    which is written to standard output. Exit codes are those of `dlspec validate`, for the specs as they are then.
    """
    from dlspec.cli import DATA_ERROR, OK, SPEC_ERRORS
    from dlspec.cli.spec_files import find_specs

    left: list[Diagnostic] = []
    changed = unreadable = False
    for file in find_specs(files):
        try:
            fixed, before = _fix(file, warnings)
        except DataError as error:
            unreadable = True
            print_diagnostics(error.diagnostics, {})
            continue
        different = fixed.text != before
        changed |= different
        _tell(fixed, quiet=show_diff or file == "<stdin>")
        if show_diff:
            echo("\n".join(_diff(str(file), before, fixed.text)), nl=different)
        elif not check and (different or file == "<stdin>"):
            _write(str(file), fixed.text)
        left += fixed.left
    print_counts(left)
    if unreadable:
        return DATA_ERROR
    return SPEC_ERRORS if any(d.is_error for d in left) or (check and changed) else OK


def _fix(file: str | Findings, warnings: bool) -> tuple[Fixed, str]:
    """A spec with its cures, and the text as it was."""
    from dlspec.cli.spec_files import read_spec_file
    from dlspec.editor.fixing import fix_document

    if isinstance(file, Findings):  # an argument that leads to no file
        raise DataError(list(file.diagnostics))
    document = read_spec_file(file)
    return fix_document(document, warnings=warnings), document.texts[document.file]


def _tell(fixed: Fixed, *, quiet: bool) -> None:
    """What was done, and what is left with its cures."""
    for problem, fix in fixed.applied:
        place = f"{problem.span.file}:{problem.span.line}" if problem.span else fixed.examined.file
        echo(f"{place}: {problem.message}: {fix.title}", err=quiet)
    if not fixed.applied and not fixed.left:
        echo(f"{fixed.examined.file}: fine", err=quiet)
    for problem in fixed.left:
        print_diagnostics([problem], fixed.examined.spec.document.texts)
        if problem.fixes and (len(problem.fixes) > 1 or not problem.fixes[0].sure):
            echo(
                f"not applied, since it is for you to choose: {'; or '.join(fix.title for fix in problem.fixes)}",
                err=True,
            )


def _diff(file: str, before: str, after: str) -> Iterator[str]:
    from difflib import unified_diff

    name = file.lstrip("/")
    yield from unified_diff(before.splitlines(), after.splitlines(), f"a/{name}", f"b/{name}", lineterm="")


def _write(file: str, text: str) -> None:
    """Writes the file whole, with the mark and the rights that it has."""
    from dlspec.runtime.files import writing_in, written_whole

    if file == "<stdin>":
        sys.stdout.write(text)
        return
    path = Path(file)
    marked = path.read_bytes().startswith(MARK)
    with (
        writing_in(path.parent, "let it be written, or copy the spec to where it may be"),
        written_whole(path) as draft,
    ):
        draft.write_bytes(MARK * marked + text.encode("utf-8"))
        os.chmod(draft, path.stat().st_mode)
