"""Guesses at texts: that of the training sample that is most alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.evaluation.baselines.base import BASELINES, Baseline

if TYPE_CHECKING:
    from dlspec.data.preparation import Prepared
    from dlspec.evaluation.fitted_sequences import FittedNearestText


@BASELINES.register
class NearestText(Baseline):
    """The text of the training sample whose inputs are nearest: the fewest places with another word or character, and
    of numbers, as they are scaled, the smallest sum of squared differences; of several the first. Of more than 20,000
    training samples so many are looked at, drawn evenly."""

    tasks = frozenset({"sequence"})
    in_words = "the text of the most similar training sample"
    examples: ClassVar = ["nearest_text"]

    def fit(self, data: Prepared) -> FittedNearestText:
        from dlspec.evaluation.fitted_sequences import FittedNearestText

        return FittedNearestText.fit(data)
