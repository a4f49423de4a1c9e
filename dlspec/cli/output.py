"""What commands share: how diagnostics are printed, and the options that several of them take."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from dlspec.language.diagnostics import COLOR, PLAIN, Diagnostic, Severity, render_text
from dlspec.language.diagnostics.text import visible

if TYPE_CHECKING:
    from dlspec.language.yaml import Document
    from dlspec.spec.spec import Spec

F = TypeVar("F", bound=Callable[..., Any])


def use_color(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that takes color (https://no-color.org)."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def echo(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Prints text; what would steer the terminal is written out."""
    click.echo(text if isinstance(text, bytes) else visible(str(text)), err=err, nl=nl)


def print_diagnostics(diagnostics: Sequence[Diagnostic], texts: Mapping[str, str]) -> None:
    """Prints them to standard error, with the lines at fault."""
    sys.stdout.flush()
    style = COLOR if use_color(sys.stderr) else PLAIN
    click.echo(render_text(diagnostics, texts, style=style), err=True)


def load_and_warn(file: str | Document, overrides: Mapping[str, Any], *, but: Collection[str] = ()) -> Spec:
    """The spec of a file or a text; what is likely a mistake in it is printed to standard error.

    Args:
        but: codes that the command itself will speak of.

    Raises:
        SpecError: with every mistake found.
        DataError: the file cannot be read.
    """
    from dlspec.api import examine
    from dlspec.language.diagnostics.errors import SpecError

    checked = examine(file, overrides)
    texts = checked.spec.document.texts
    if checked.errors:
        raise SpecError(checked.errors, texts)
    warnings = [problem for problem in checked.diagnostics if problem.code not in but]
    if warnings:
        print_diagnostics(warnings, texts)
        click.echo("", err=True)
    return checked.spec


def print_counts(diagnostics: Sequence[Diagnostic]) -> None:
    """Prints how many they are, when there are several."""
    errors = sum(d.is_error for d in diagnostics)
    warnings = sum(d.severity is Severity.WARNING for d in diagnostics)
    counts = [f"{n} {word}{'s' * (n != 1)}" for n, word in ((errors, "error"), (warnings, "warning")) if n]
    if errors + warnings > 1:
        click.echo(f"\n{' and '.join(counts)}", err=True)


def parse_override(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """`("train.epochs=5",)` as `{"train.epochs": 5}`; values are read as YAML."""
    if not values or context.resilient_parsing:  # a shell completes what is being typed
        return {}
    from dlspec.language.yaml import read_text

    overrides = {}
    for text in values:
        path, equals, value = text.partition("=")
        if not equals or not path:
            raise click.BadParameter(f"{text!r} is no KEY=VALUE, such as train.epochs=5")
        document = read_text(value or "null", f"--set {text}")
        if document.problems:
            raise click.BadParameter(f"{value!r} is no YAML value: {document.problems[0].message}")
        overrides[path] = document.root.plain()
    return overrides


set_option: Callable[[F], F] = click.option(
    "-s",
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    callback=parse_override,
    help="Override a key of the spec, such as train.epochs=5; may be given several times.",
)

out_option: Callable[[F], F] = click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file instead."
)


def print_or_write(text: str, out: Path | None) -> None:
    """Prints text, or writes it to a file, whole or not at all.

    Raises:
        DataError: the file cannot be written.
    """
    from dlspec.runtime.files import cannot_write, write_text

    text = text.rstrip("\n") + "\n"
    if out is None:
        echo(text, nl=False)
        return
    try:
        write_text(out, text)
    except OSError as error:
        raise cannot_write(out, error, "name another file") from None
