"""`dlspec lsp`: what editors talk to."""

from __future__ import annotations

import click

from dlspec.cli.plugins import plugin_option


@click.command("lsp")
@click.option("--stdio", is_flag=True, help="Talk over standard input and output, which is the only way there is.")
@click.option("--lang", "language", type=click.Choice(["en", "ko"]), default="en", help="Explain in English or Korean.")
@plugin_option
def command(stdio: bool, language: str) -> int:
    """Serve editors by the Language Server Protocol.

    \b
    Example:  dlspec lsp --lang ko

    An editor starts it: docs/editors.md has settings for VS Code, Neovim, Helix and Emacs. It shows mistakes while one
    types, with their cures, completes keys, layers, columns and files, says what a word means, and shows the shape and
    the parameters behind each layer. It comes with `pip install "dlspec[lsp]"`.
    """
    from dlspec.runtime.packages import require

    require("pygls", what="`dlspec lsp`")
    from dlspec.editor.language_server import make_server

    make_server(language).start_io()
    return 0
