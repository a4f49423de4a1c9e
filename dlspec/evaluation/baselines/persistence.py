"""The future equals the present."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.baselines.base import BASELINES, Baseline

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.evaluation.fitted import FittedPersistence


@BASELINES.register
class Persistence(Baseline):
    """The last value that is known, or the last class: tomorrow equals today. Hard to beat on prices."""

    tasks = frozenset({"series", "class_series"})
    in_words = "the future equals the last value known"
    examples: ClassVar = ["persistence"]

    def fit(self, data: Prepared) -> FittedPersistence:
        import numpy as np

        from dlspec.evaluation.fitted import FittedPersistence

        return FittedPersistence(np.array([len(data.signature.target.classes)]))
