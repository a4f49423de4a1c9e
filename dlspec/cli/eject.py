"""`dlspec eject`: the Python that does what a spec says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dlspec.cli.completion import complete_specs
from dlspec.cli.output import echo, load_and_warn, set_option
from dlspec.cli.plugins import plugin_option


@click.command("eject")
@click.argument("what", metavar="SPEC|RUN", shell_complete=complete_specs)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The file to write; by default NAME.py here.")
@click.option("--notebook", is_flag=True, help="A notebook of Jupyter in place of a script.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@set_option
@plugin_option
def command(what: str, out: Path | None, notebook: bool, force: bool, overrides: dict[str, Any]) -> int:
    """Write the Python that does what a spec says: Keras and numpy, and no dlspec.

    A function for each section of the spec, pretraining as a loop that one can see, each part with its line of YAML.
    What was fitted to the training part, and which rows are in which part, stands beside it in NAME.json and NAME.npz.
    Before it is written the script is held against dlspec: the same rows, and with the same weights the same outputs.

    \b
    Example:  dlspec eject specs/lstm_stock.yaml
              dlspec eject runs/lstm_stock/001 --notebook -o lstm_stock.ipynb
    """
    from dlspec.cli import OK
    from dlspec.conversion import eject

    if Path(what).is_dir():
        if overrides:
            raise click.UsageError("a run was made as it was; `--set` is for a spec")
        found = eject(what, out=out, notebook=notebook, force=force)
    else:
        found = eject(load_and_warn(what, overrides), out=out, notebook=notebook, force=force)
    for file in found.files:
        echo(file)
    proof = found.proof
    apart = f"to {proof.inputs:.1g} of their scale" if proof.inputs else "equal"
    said = (
        f"compared with dlspec: {proof.samples:,} samples in the same parts, inputs {apart}, and outputs of the network"
    )
    echo(f"{said} from the same {proof.weights:,} weights equal to the last bit", err=True)
    for sentence in found.left_out:
        echo(f"left out: {sentence}", err=True)
    return OK
