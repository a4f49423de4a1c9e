"""The future equals the present."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.baselines.base import BASELINES, Baseline

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.data.signature import Signature
    from dlspec.evaluation.fitted import FittedPersistence


@BASELINES.register
class Persistence(Baseline):
    """The last value that is known, or the last class: tomorrow equals today. Hard to beat on prices. Of frames, the
    last one that is seen; of inputs with the places of the target, what is seen at each place itself."""

    tasks = frozenset({"series", "class_series", "number_places", "class_places"})
    in_words = "the future equals the last value known"
    examples: ClassVar = ["persistence"]

    @staticmethod
    def knows_places(signature: Signature) -> bool:
        """Whether it has a value for each place: of a series the one before it, of arrays what is seen there last."""
        if signature.window is not None:
            return signature.window.horizon > 0
        return signature.target.seen_in(signature.features[0].shape)

    def fit(self, data: Prepared) -> FittedPersistence:
        import numpy as np

        from dlspec.evaluation.fitted import FittedPersistence

        return FittedPersistence(np.array([len(data.signature.target.classes)]))
