"""Runs a Plan on a network. The only package that sets seeds and changes weights."""

from dlspec.training.engines import compiled_stages
from dlspec.training.failing import out_of_memory_in_words
from dlspec.training.progress import Checkpoint, HistoryRow, Observer, Progress, StageListener, Stopped
from dlspec.training.trainer import Trainer, sample_weights
from dlspec.training.values import as_array, predict, seed_everything

__all__ = [
    "Checkpoint", "HistoryRow", "Listener", "Observer", "Progress", "StageListener", "Stopped", "Trainer", "as_array",
    "compiled_stages", "out_of_memory_in_words",
    "predict", "sample_weights", "seed_everything",
]  # fmt: skip
