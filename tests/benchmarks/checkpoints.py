"""What checkpoints cost: `python -m tests.benchmarks.checkpoints`.

Networks of three sizes are trained for half a minute, as `dlspec run` trains them, with checkpoints on the disk at the
default interval; printed is which share of the time went into them (asked: 5% at most), and how long one takes.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

from dlspec.runs.checkpoints import LATEST, save_checkpoint
from dlspec.runs.listener import Listener
from dlspec.runtime.backend import load_keras
from dlspec.training.progress import Hooks
from dlspec.training.state import TrainingState
from dlspec.training.trainer import Trainer
from tests.benchmarks.training import Case, Enough, dense

LASTS = 30.0
"""Seconds that each is trained."""


class Until(Listener):
    """Ends training after a while."""

    def stage_begins(self, stage, samples, steps):
        self.began = time.perf_counter()

    def step_ends(self, stage, epoch, step, loss):
        if time.perf_counter() - self.began > LASTS:
            raise Enough


class Timed(TrainingState):
    """Adds up what saving takes, with all that belongs to it."""

    saving, saved = 0.0, 0

    def save(self, model):
        began = time.perf_counter()
        super().save(model)
        Timed.saving += time.perf_counter() - began
        Timed.saved += 1


def measure(units: tuple[int, ...], samples: int, batch: int) -> None:
    case = Case("", (784,), 10, samples, batch, *dense(*units))
    case.text = case.text.replace("epochs: 100", "epochs: 100000")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec, plan, data = case.ready(folder)
        listener = Until()
        hooks = Hooks(listener, lambda checkpoint: save_checkpoint(folder, checkpoint))
        Timed.saving, Timed.saved = 0.0, 0
        with suppress(Enough), patch("dlspec.training.trainer.TrainingState", Timed):
            Trainer(spec.training, plan, data, case.network(plan), hooks).run()
        whole = time.perf_counter() - listener.began
        size = (folder / LATEST).stat().st_size / 2**20
    shape = "-".join(map(str, (784, *units, 10)))
    print(
        f"{shape:<26} {size:>8.1f} MiB {Timed.saved:>4} checkpoints of {Timed.saving / Timed.saved:>6.3f} s  "
        f"{Timed.saving / whole:>6.1%} of the time",
        flush=True,
    )


if __name__ == "__main__":
    load_keras()
    measure((32,), 20_000, 32)
    measure((256, 256), 59_904, 128)
    measure((4096, 4096, 4096), 8_192, 1024)
