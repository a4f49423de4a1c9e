"""`dlspec generate`: a trained model of texts writes on."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from dlspec.cli.completion import complete_runs
from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option


@click.command("generate")
@click.argument("run", type=click.Path(path_type=Path), shell_complete=complete_runs)
@click.argument("prompt")
@click.option("--length", type=click.IntRange(1), default=200, show_default=True, help="How many tokens are written.")
@click.option(
    "--temperature",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="Below 1 what is probable is drawn more often; 0 takes the most probable token each time.",
)
@click.option("--seed", type=click.IntRange(0), help="The same text again; without it another one each time.")
@plugin_option
def command(run: Path, prompt: str, length: int, temperature: float, seed: int | None) -> int:
    """Write on from PROMPT, by the probabilities of the saved model alone.

    RUN was trained with `target: {text: next}`. A token is a character or a word, as in its spec. Each one is drawn by
    its probability after those before it, as many as the network looks back, and printed at once. What training did not
    have in its vocabulary is never written, and is reported where it stands in the prompt.

    \b
    Example:  dlspec generate runs/tales_gru/001 "once upon" --length 200 --temperature 0.8
              dlspec generate runs/tales_gru/001 "once upon" --temperature 0
    """
    import sys

    from dlspec.conversion import generate

    def show(piece: str) -> None:
        sys.stdout.write(without_controls(piece))
        sys.stdout.flush()

    generate(run, prompt, length=length, temperature=temperature, seed=seed, write=show, note=partial(echo, err=True))
    show("\n")
    return 0


def without_controls(text: str) -> str:
    """Text without characters that a terminal would follow, but for line breaks and tabs."""
    return "".join(
        "\ufffd" if (ord(sign) < 32 and sign not in "\n\t") or 127 <= ord(sign) < 160 else sign for sign in text
    )
