"""The simplest guesses that a user could have made, one file each."""

from dlspec.evaluation.baselines.base import BASELINES, AnyBaseline, Baseline

__all__ = ["BASELINES", "AnyBaseline", "Baseline"]
