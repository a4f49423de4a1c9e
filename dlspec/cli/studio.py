"""`dlspec studio`: a page to edit, train and watch specs."""

from __future__ import annotations

from pathlib import Path

import click

from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option


@click.command("studio")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--port", type=click.IntRange(0, 65535), help="Where it listens; 0: any that is free.")
@click.option("--no-browser", is_flag=True, help="Print the address alone, and open no browser.")
@click.option("--lang", type=click.Choice(["en", "ko"]), help="Language of the page; by default that of the browser.")
@plugin_option
def command(folder: Path, port: int | None, no_browser: bool, lang: str | None) -> int:
    """Edit specs in a browser, see the network, train it and watch it learn.

    FOLDER is what the page can read and write: specs, data and runs; by default the current one. Only this machine is
    answered, and only who has the address that is printed, which has a token in it. Runs go on when it ends, and are
    there when it is started again.

    \b
    Example:  dlspec studio
              dlspec studio lessons --lang ko
    """
    from dlspec.runtime.packages import require

    require("starlette", "uvicorn", what="`dlspec studio`", extra="studio")
    from dlspec.studio.server import serve

    def opened(address: str) -> None:
        echo(f"The studio of `{folder.resolve()}` is at\n\n    {address}\n\nCtrl-C ends it; runs go on.")
        if not no_browser:
            import webbrowser

            webbrowser.open(address)

    serve(folder, port=port, language=lang, opened=opened)
    return 0
