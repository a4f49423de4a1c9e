"""`dlspec serve`: a trained network that answers over HTTP."""

from __future__ import annotations

from pathlib import Path

import click

from dlspec.cli.completion import complete_runs
from dlspec.cli.output import echo
from dlspec.cli.plugins import plugin_option

MIB = 2**20


@click.command("serve")
@click.argument("run", type=click.Path(path_type=Path), shell_complete=complete_runs)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where it listens; any but this needs a token.")
@click.option("--port", default=8000, show_default=True, help="0: any that is free.")
@click.option("--token", metavar="TEXT", help="What `Authorization: Bearer` must say; by default DLSPEC_TOKEN.")
@click.option("--rows", default=10_000, show_default=True, help="Rows of a request, at most.")
@click.option("--body", default=16, show_default=True, metavar="MIB", help="Size of a request, at most.")
@click.option("--waiting", default=20_000, show_default=True, help="Rows that wait, at most.")
@click.option("--seconds", default=30.0, show_default=True, help="How long a request waits, at most.")
@click.option("--runtime", type=click.Choice(["onnx", "keras"]), help="By default onnx, and keras where it cannot.")
@plugin_option
def command(
    run: Path,
    host: str,
    port: int,
    token: str | None,
    rows: int,
    body: int,
    waiting: int,
    seconds: float,
    runtime: str | None,
) -> int:
    """Answer over HTTP with what a trained network predicts.

    RUN is a run folder, or a file that `dlspec export --format onnx` wrote. Rows go to `POST /predict` as JSON;
    `GET /` is a form, and `/openapi.json`, `/metrics` and the Open Inference Protocol under `/v2` are there too. Only
    this machine is answered, unless `--host` says otherwise; then a token is needed. SIGHUP loads the network anew,
    SIGTERM and Ctrl-C end the server once all that it has taken is answered.

    \b
    Example:  dlspec serve runs/visits_table/001
              curl localhost:8000/predict -d '{"rows": [{"age": 64, "ward": "lung"}]}'
    """
    from typing import cast

    from dlspec.deployment.serve import Runtime, serve

    serve(
        run,
        host=host,
        port=port,
        token=token,
        rows=rows,
        body=body * MIB,
        waiting=waiting,
        seconds=seconds,
        runtime=cast("Runtime | None", runtime),
        note=echo,
    )
    return 0
