"""The command line: one file per command, loaded when it is called.

Exit codes: 0 fine; 1 the spec has errors; 2 wrong use of the command; 3 the data or the environment;
4 training failed, a replay differs, or two specs do (`diff --exit-code`); 5 a bug in dlspec;
6 the result falls short of what the spec requires; 130 stopped by the user, 143 by another program.
"""

from __future__ import annotations

import atexit
import os
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from dlspec._version import __version__
from dlspec.cli.completion import ASKED, answer
from dlspec.cli.plugins import plugin_option

COMMANDS = (
    "init", "adopt", "run", "stop", "runs", "compare", "evaluate", "replay", "validate", "fix", "plan", "diff", "show",
    "explain", "layers", "schema", "predict", "generate", "report", "export", "eject", "serve", "studio", "lsp",
    "doctor",
)  # fmt: skip

OK, SPEC_ERRORS, WRONG_USE, DATA_ERROR, TRAINING_FAILED, BUG, FALLS_SHORT = range(7)
STOPPED, TERMINATED = 130, 143


OTHER_COMMANDS = {
    "run": "train fit start execute go",
    "validate": "check lint test verify",
    "fix": "repair mend correct autofix format",
    "lsp": "language-server langserver server-stdio",
    "layers": "list ls search find",
    "--help": "help",
    "--version": "version",
    "run --resume": "resume continue",
    "stop": "kill abort cancel interrupt quit",
    "compare": "versus vs",
    "runs": "history log ps",
    "init": "new create start-project",
    "adopt": "import convert from-keras decompile",
    "show": "view display summary print cat",
    "doctor": "info status diagnose",
    "evaluate": "eval score judge metrics",
    "serve": "server deploy api rest",
    "studio": "ui gui web page edit editor playground dashboard",
    "generate": "sample write complete continue-text",
}
"""What to type -> words of others for it."""


class Commands(click.Group):
    """Finds a command in the module of its name."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"dlspec.cli.{name}").command
        return command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(context, arguments)
        except click.UsageError:
            from difflib import get_close_matches

            word, *rest = arguments
            near = get_close_matches(word, COMMANDS, n=1)
            meant = next((typed for typed, words in OTHER_COMMANDS.items() if word.lower() in words.split()), None)
            if word.endswith((".yaml", ".yml")):
                meant, rest = "run", arguments
            elif word.endswith((".keras", ".h5")):
                meant, rest = "adopt", arguments
            elif word.endswith((".csv", ".tsv", ".parquet", ".jsonl")):
                meant, rest = "init", arguments
            if meant:
                typed = shlex.join(["dlspec", *meant.split(), *rest])
                raise click.UsageError(f"there is no command `{word}`; type  {typed}", context) from None
            if not near:
                raise
            message = f"no such command `{word}`; did you mean `{near[0]}`?"
            raise click.UsageError(message, context) from None


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="dlspec", message="%(prog)s %(version)s")
@plugin_option
def cli() -> None:
    """Deep learning from a YAML file.

    \b
    Try:  dlspec run specs/lstm_stock.yaml
    """


def main() -> None:
    """Runs a command and turns every failure into its exit code."""
    if hasattr(sys.stdout, "reconfigure"):  # a terminal that has no Korean letters gets their numbers
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        asked = os.environ.get(ASKED)
        if asked is None:
            code = call()
        else:
            code = OK if answer(cli, asked) else WRONG_USE
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:  # `| head -1`
        code = OK
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None:
                os.dup2(nowhere, stream.fileno())  # what is left unprinted has no reader
    if code == TRAINING_FAILED:  # a backend whose memory ran out may crash while it is taken down
        os._exit(code)
    if "numpy" not in sys.modules:  # no more than a spec was read: to take classes down takes an eighth of the time
        atexit._run_exitfuncs()
        os._exit(code)
    sys.exit(code)


def call(command: click.Command | None = None, words: Sequence[str] | None = None, **context: Any) -> int:
    """Runs a command and says what goes wrong.

    Args:
        command: None: `dlspec` itself.
        words: its arguments; None: those of `sys.argv`.
        context: more for click's context, such as the name of the program.

    Returns:
        Its exit code.
    """
    try:
        code = (command or cli)(args=words, standalone_mode=False, **context)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return OK
    except click.ClickException as error:
        error.show()
        return WRONG_USE
    except (click.Abort, KeyboardInterrupt) as stop:  # before there was anything to keep
        from dlspec.language.diagnostics.errors import Terminated

        click.echo("\nStopped.", err=True)
        terminated = isinstance(stop.__cause__ or stop, Terminated)  # click puts its own in front
        return TERMINATED if terminated else STOPPED
    except SystemExit as end:  # how click answers a closed pipe
        raise BrokenPipeError from end
    except BrokenPipeError:
        raise
    except Exception as error:
        return explain_error(error)
    return code if isinstance(code, int) else OK


def explain_error(error: Exception) -> int:
    """Prints what went wrong to standard error; a traceback only for a bug in dlspec."""
    from dlspec.language.diagnostics.errors import (
        DataError,
        DiagnosticError,
        SavedModelError,
        SpecError,
        TrainingError,
    )

    if isinstance(error, DiagnosticError):
        from dlspec.cli.output import print_counts, print_diagnostics

        print_diagnostics(error.diagnostics, error.texts)
        print_counts(error.diagnostics)
        codes: dict[type[DiagnosticError], int] = {
            SpecError: SPEC_ERRORS,
            DataError: DATA_ERROR,
            TrainingError: TRAINING_FAILED,
            SavedModelError: BUG,
        }
        return next(code for kind, code in codes.items() if isinstance(error, kind))
    import traceback

    traceback.print_exc()
    plugin = _plugin_in(error)
    click.echo(
        f"\nThis is a bug in dlspec {__version__}, not in your spec. Please report it with the lines above."
        if plugin is None
        else f"\nThis is likely a bug in the plugin `{plugin}`, whose line is among those above, and not in your spec.",
        err=True,
    )
    return BUG


def _plugin_in(error: Exception) -> Path | None:
    """The plugin that an error came through."""
    from traceback import walk_tb

    from dlspec.language.plugins import loaded

    files = {frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)}
    return next((plugin.path for plugin in loaded() if str(plugin.path) in files), None)
