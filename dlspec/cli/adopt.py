"""`dlspec adopt`: the spec of a Keras model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option

if TYPE_CHECKING:
    from dlspec.adoption import Adopted


@click.command("adopt")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where to write the spec; by default it is printed.")
@click.option("--name", metavar="NAME", help="Of the spec; by default that of the file.")
@click.option(
    "--data", metavar="YAML", help="The section data: 'images: photos'; otherwise arrays that a comment tells."
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@plugin_option
def command(model: Path, out: Path | None, name: str | None, data: str | None, force: bool) -> int:
    """Write the spec that builds the network of a Keras model, a .keras or .h5 file.

    What repeats becomes blocks with parameters. The spec is read again, its network is built, gets the weights of the
    model and must give the same for random inputs; where it does not, nothing is written. Layers of which the language
    has no word are named, all at once. The file runs no code. Weights stay in the file: a spec says the network.

    \b
    Example:  dlspec adopt model.keras -o model.yaml
              dlspec adopt model.keras --data 'images: photos' -o photos.yaml
    """
    from dlspec.adoption import adopt
    from dlspec.cli import OK, SPEC_ERRORS
    from dlspec.cli.output import print_diagnostics, print_or_write

    if out is not None and str(out) != "-" and out.exists() and not force:
        raise click.UsageError(f"`{out}` is there already; write `--force` to replace it, or `-o` another file")
    adopted = adopt(model, name=name or (None if out is None or str(out) == "-" else out.stem), data=data)
    print_or_write(adopted.text, None if out is None or str(out) == "-" else out)
    for line in _receipt(adopted):
        echo(line, err=True)
    if adopted.diagnostics:
        print_diagnostics(adopted.diagnostics, adopted.texts)
        echo("the spec has to be mended before it can be run", err=True)
        return SPEC_ERRORS
    return OK


def _receipt(adopted: Adopted) -> list[str]:
    """What was read, folded and compared, in words."""
    proof = adopted.proof
    blocks = (
        f"{adopted.blocks} block{'s' * (adopted.blocks != 1)} used {adopted.uses:,} times" if adopted.blocks else ""
    )
    read = f"{adopted.layers:,} layers read, {len(adopted.text.splitlines()):,} lines written"
    same = "equal to the last bit" if proof.equal else f"{proof.largest_difference:.1g} of the largest apart at most"
    lines = [
        read + (f", {blocks}" if blocks else ""),
        f"built from the text with the weights of the model, and with others, and run on {proof.samples} random "
        f"samples each: outputs, and what comes out of {proof.tensors} layers, {same}",
        f"{proof.parameters:,} parameters in {proof.weights:,} arrays in both",
    ]
    if proof.as_arguments:
        lines.append(
            f"{proof.as_arguments:,} numbers that the model learned of data are arguments of layers in the spec"
        )
    lines += [f"note: {remark}" for remark in adopted.remarks]
    lines.append("note: a spec says the network, not its weights; a run of it begins with new ones")
    return lines
