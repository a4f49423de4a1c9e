"""`dlspec export`: takes the trained network, or a part of it, out of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dlspec.cli.completion import complete_runs
from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option


@click.command("export")
@click.argument("run", type=click.Path(path_type=Path), shell_complete=complete_runs)
@click.option("--format", "form", metavar="NAME", help="What to write; by default as the file's name ends, or keras.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The file to write: NAME.keras, NAME.onnx.")
@click.option("--layers", metavar="FIRST..LAST", help="A part of it: `..h3` from the input to h3, `h2..h3`, or `h2..`.")
@click.option("--pretrained", is_flag=True, help="Layers as pretraining left them, before the whole was trained.")
@click.option("--quantize", is_flag=True, help="Weights as whole numbers of 8 bits: a smaller file.")
@click.option("--step-by-step", is_flag=True, help="Of a recurrent network: one timestep at a time, states in and out.")
@click.option("--output", metavar="NAME", help="Of several outputs, which of them it gives.")
@plugin_option
def command(
    run: Path,
    form: str | None,
    out: Path | None,
    layers: str | None,
    pretrained: bool,
    quantize: bool,
    step_by_step: bool,
    output: str | None,
) -> int:
    """Write a trained network, or a part such as its encoder, as a model that runs without dlspec.

    It takes raw columns where the format can; where not, preprocessing.json stands beside it, with readers in Python
    and JavaScript. What was written is opened in the runtime that it is for and compared with the predictions of the
    run. A file that differs is not kept. `docs/export.md` says which format takes which network.

    \b
    Example:  dlspec export runs/visits_table/001 --format onnx
              dlspec export runs/deep_autoencoder/001 --layers ..code -o encoder.keras
              dlspec export runs/lstm_stock/001 --format onnx --step-by-step
    """
    from dlspec.api import export
    from dlspec.cli import FALLS_SHORT, OK
    from dlspec.deployment.records import read_receipt

    file = export(
        run,
        layers=layers,
        pretrained=pretrained,
        out=out,
        format=form,
        quantize=quantize,
        step_by_step=step_by_step,
        output=output,
    )
    echo(file)
    receipt = read_receipt(file)
    for line in _lines(receipt):
        echo(line, err=True)
    return OK if receipt.get("budget", {}).get("kept", True) else FALLS_SHORT


def _lines(receipt: dict[str, Any]) -> list[str]:
    """What the receipt says, in words."""
    from dlspec.language.quantities import show_bytes

    size = show_bytes(sum(file["bytes"] for file in receipt["files"].values()))
    proof = receipt["proof"]
    if proof is None:
        return [f"{size}; nothing is there that runs the format, so that it was not compared with the run"]
    odd = proof["odd_rows"]
    rows = f"{proof['rows']:,} rows of the test part"
    rows += f" and {odd:,} with words never seen or missing values" if odd else ""
    far = max(proof["largest_difference"], proof["largest_difference_of_odd_rows"])
    time = receipt["latency"]["milliseconds"]
    lines = [
        f"{rows}: {far:.1g} of {proof['of']} from the run at most, by {receipt['runtime']}",
        f"{size}; {receipt['latency']['of']}: {time['median']:.3g} ms, 99 of 100 below {time['p99']:.3g} ms",
    ]
    if "advice" in receipt:
        lines.append(receipt["advice"])
    budget = receipt.get("budget")
    if budget and not budget["kept"]:
        lines.append(f"over the budget: {time['median']:.3g} ms, and `latency` allows {budget['latency']:g} ms")
    elif budget and not budget["kept_by_p99"]:
        lines.append(f"of 100 rows one takes {time['p99']:.3g} ms, and `latency` allows {budget['latency']:g} ms")
    return lines
