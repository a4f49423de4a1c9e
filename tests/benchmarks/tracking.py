"""What tracking costs: `python -m tests.benchmarks.tracking [pairs] [trackers]`.

The same network is trained with and without trackers, in turns, as `dlspec run` trains it, in this process; printed is
the median of the ratios of the pairs (asked: 1.01 at most), of training alone, of the whole run, which waits for the
trackers at its end, and of the processor time that this process took, which other programs on the machine change least;
and the processor time of the trackers themselves.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import dlspec
from dlspec.runs.listener import Listener

SPEC = """\
dlspec: 1
name: tracked
data: {dataset: digits}
model: [flatten, dense: {units: 512, activation: relu}, dense: {units: 512, activation: relu}, output]
train: {epochs: EPOCHS, batch_size: 32, checkpoint_every: 1 h}
runtime: {xla: off}
"""
EPOCHS = 60


class Timed(Listener):
    """When training began and ended."""

    def opens(self, folder, spec, history):
        self.began = time.perf_counter()

    def stage_ends(self, stage, reason):
        self.trained = time.perf_counter() - self.began


def seconds(trackers: list[str], epochs: int = EPOCHS) -> tuple[float, float, float]:
    """Of training, of the whole run, and of the processor."""
    spec = dlspec.load(SPEC.replace("EPOCHS", str(epochs)), {"runtime.track": trackers} if trackers else None)
    with tempfile.TemporaryDirectory() as folder:
        told = Timed()
        began, worked = time.perf_counter(), time.process_time()
        dlspec.run(spec, out=Path(folder) / "run", listener=told)
        return told.trained, time.perf_counter() - began, time.process_time() - worked


def main(pairs: int, trackers: list[str]) -> None:
    os.environ["WANDB_MODE"] = "offline"
    seconds([], 2)
    ratios = []
    for i in range(pairs):
        sides = [trackers, []] if i % 2 else [[], trackers]
        found = {bool(side): seconds(side) for side in sides}
        ratios.append([with_ / without for with_, without in zip(found[True], found[False], strict=True)])
        print(f"{found[False][0]:.2f} s of training, with {', '.join(trackers)} {found[True][0]:.2f} s", flush=True)
    for what, own in zip(("training", "whole run", "processor"), zip(*ratios, strict=True), strict=True):
        print(f"{what:<10} median ratio {median(own):.4f}, from {min(own):.4f} to {max(own):.4f}")
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"trackers   {(spent.ru_utime + spent.ru_stime) / pairs:.2f} s of the processor for each run")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9, sys.argv[2:] or ["tensorboard"])
