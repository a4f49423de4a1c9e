"""The first network that `init` writes for a table, beside a linear model: the mean error of several seeds.

`python -m tests.benchmarks.first_networks FOLDER` takes the tables of `first_networks.tsv` out of a folder of files.
The error is the root mean squared error, or the share of samples whose class is wrong; a seed draws the split too.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def tables() -> list[dict[str, str]]:
    lines = (line for line in (HERE / "first_networks.tsv").open(encoding="utf-8") if not line.startswith("#"))
    return list(csv.DictReader(lines, delimiter="\t"))


def measured(task: tuple[str, str, int, tuple[str, ...]]) -> dict[str, Any]:
    """Errors of the network and of `linear` for a table and a seed, the verdict, and the seconds of the run."""
    file, target, seed, settings = task
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    from dlspec.cli import main

    with tempfile.TemporaryDirectory(prefix="first_networks_") as folder:
        os.chdir(folder)
        name = Path(file).name.replace(".", "_", Path(file).name.count(".") - 1)
        shutil.copy(file, name)
        more = [word for setting in settings for word in ("-s", setting)]
        commands = [
            ["init", name, "--target", target, "--yes", "-o", "spec.yaml"],
            ["run", "spec.yaml", "--out", "run", "-s", f"seed={seed}", *more],
        ]
        for words in commands:
            began, said = time.perf_counter(), io.StringIO()
            sys.argv = ["dlspec", *words]
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                try:
                    main()
                except SystemExit as end:
                    if end.code:
                        return {"table": name, "seed": seed, "failed": said.getvalue()[-300:]}
        seconds = time.perf_counter() - began
        metrics = json.loads((Path("run") / "metrics.json").read_text(encoding="utf-8"))
        os.chdir("/")
    return {"table": Path(file).stem, "seed": seed, "seconds": seconds, "metrics": metrics}


def error_of(metrics: dict[str, Any], baseline: str | None = None) -> float:
    """Of the test part, or the mean over those of all folds."""
    whole = metrics.get("folds") or {**metrics["test"], "baselines": metrics["baselines"]}
    scores = whole if baseline is None else whole["baselines"][baseline]

    def mean(score: Any) -> float:
        return float(score["mean"] if isinstance(score, dict) else score)

    return mean(scores["rmse"]) if "rmse" in scores else 1 - mean(scores["accuracy"])


def outcome_of(metrics: dict[str, Any]) -> str:
    return str((metrics.get("folds") or metrics)["verdict"]["outcome"])


def rows_of(results: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for table in tables():
        own = [each for each in results if each["table"] == table["table"] and "metrics" in each]
        if not own:
            continue
        network = statistics.mean(error_of(each["metrics"]) for each in own)
        linear = statistics.mean(error_of(each["metrics"], "linear") for each in own)
        yield {
            "table": table["table"],
            "rows": table["rows"],
            "network": network,
            "linear": linear,
            "ratio": network / linear if linear else float(network > 0) + 1,
            "verdicts": Counter(outcome_of(each["metrics"]) for each in own),
            "seconds": statistics.median(each["seconds"] for each in own),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("-s", "--set", action="append", default=[], help="a setting of all specs")
    given = parser.parse_args()
    tasks = [
        (str((given.folder / f"{table['table']}.csv").resolve()), table["target"], seed, tuple(given.set))
        for table in tables()
        for seed in range(1, given.seeds + 1)
        if not given.only or table["table"] in given.only
    ]
    results = []
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for result in pool.imap_unordered(measured, tasks):
            results.append(result)
            if "failed" in result:
                print(result["table"], result["failed"], flush=True)
    found = list(rows_of(results))
    for row in found:
        verdicts = ", ".join(f"{count} {state}" for state, count in row["verdicts"].items())
        print(f"{row['table']:14} {row['rows']:>6} {row['network']:10.4g} {row['linear']:10.4g} {row['ratio']:7.3f} "
              f"{row['seconds']:6.1f} s  {verdicts}")  # fmt: skip
    print(
        f"{sum(row['ratio'] <= 1.02 for row in found)} of {len(found)} at most 1.02 times linear, "
        f"{sum(row['ratio'] < 1 for row in found)} better; worse by the verdict in most seeds: "
        f"{sum(row['verdicts'].get('worse', 0) > sum(row['verdicts'].values()) / 2 for row in found)}; "
        f"median {statistics.median(row['seconds'] for row in found):.0f} s"
    )


if __name__ == "__main__":
    main()
