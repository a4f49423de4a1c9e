"""Greedy layer-wise pretraining, one file for each method; the order of stages is the plan's."""

from dlspec.pretraining.base import PRETRAINING, PretrainingMethod, Taken

__all__ = ["PRETRAINING", "PretrainingMethod", "Taken"]
