"""How long `dlspec runs` takes: `python -m tests.benchmarks.runs [RUNS]`.

A small network is trained once, and its small files are copied to 2,000 run folders, below twenty names. Timed are
whole processes, medians of seven: the list as a table and as JSON, and that of runs of an older version, which have no
`state.json`, so that `metrics.json` and `environment.json` are read. One in ten has failed, with a long message.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

import dlspec
from tests.benchmarks.validate import DLSPEC, in_turn, row

SPEC = "dlspec: 1\nname: small\ndata: {dataset: iris}\nmodel: [dense: 4, output]\ntrain: {epochs: 2}\n"
LARGE = 200_000
"""Bytes of the files that are copied at most; the others are empty."""


def copy_runs(run: Path, home: Path, count: int) -> None:
    files = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    small = {name: data if len(data) < LARGE else b"" for name, data in files.items()}
    state = json.loads(small["state.json"])
    failure = {"code": "loss-not-finite", "message": "the loss became NaN in epoch 7 of `fine_tune`: " + "why " * 60}
    failed = {**{key: value for key, value in state.items() if key != "judged"}, "state": "failed"}
    failed["problems"] = [failure]
    for number in range(count):
        folder = home / f"name{number % 20}" / f"{number // 20 + 1:03d}"
        (folder / "checkpoints").mkdir(parents=True)
        for name, data in small.items():
            (folder / name).write_bytes(data)
        if number % 10 == 0:
            (folder / "state.json").write_text(json.dumps(failed), encoding="utf-8")
            (folder / "metrics.json").unlink()


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        run = dlspec.run(SPEC, out=home / "one")
        copy_runs(run.folder, home / "new", count)
        shutil.copytree(home / "new", home / "old")
        for path in (home / "old").rglob("state.json"):
            path.unlink()
        command = [*DLSPEC, "runs"]
        times = in_turn(
            none=[*command, str(run.folder)],
            table=[*command, str(home / "new")],
            json=[*command, str(home / "new"), "--json"],
            older=[*command, str(home / "old")],
        )
    row("dlspec runs, one run", f"{times['none']:.2f} s", "")
    row(f"dlspec runs, {count:,} runs", f"{times['table']:.2f} s", "1 s at most")
    row(f"dlspec runs --json, {count:,} runs", f"{times['json']:.2f} s", "1 s at most")
    row(f"dlspec runs, {count:,} runs without `state.json`", f"{times['older']:.2f} s", "")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
