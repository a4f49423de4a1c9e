"""The future equals the present."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.baselines.base import BASELINES, Baseline

if TYPE_CHECKING:
    import numpy as np

    from dlspec.data.preparation import Prepared


@BASELINES.register
class Persistence(Baseline):
    """The last value that is known, or the last class: tomorrow equals today. Hard to beat on prices."""

    tasks = frozenset({"series", "class_series"})
    in_words = "the future equals the last value known"
    examples: ClassVar = ["persistence"]

    def guess(self, data: Prepared) -> np.ndarray:
        assert data.test.last is not None, "a series keeps the last value of each window"
        import numpy as np

        last, classes = np.asarray(data.test.last), data.signature.target.classes
        return np.eye(len(classes))[last] if classes else last
