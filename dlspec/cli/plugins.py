"""The option `--plugin`, of `dlspec` itself and of every command that reads a spec or a run."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def _load(context: click.Context, parameter: click.Parameter, values: tuple[Path, ...]) -> None:
    """Loads the files before the command reads anything."""
    if values and not context.resilient_parsing:  # which completes what is being typed
        from dlspec.api import load_plugin

        for path in values:
            load_plugin(path)


plugin_option: Callable[[F], F] = click.option(
    "--plugin",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    expose_value=False,
    callback=_load,
    help="Load a Python file that adds layers and the like; may be given several times.",
)


def with_plugins(words: Sequence[str]) -> str:
    """A command as it can be typed, with the plugins that were named for this one."""
    from dlspec.language.plugins import as_options, loaded

    return shlex.join([*words, *as_options(plugin.path for plugin in loaded())])
