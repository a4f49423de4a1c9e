"""What is either true or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dlspec.data.datasets import Column
from dlspec.data.features.base import FEATURES, Fitted, GatheredFeature, Missing, truth_of
from dlspec.data.features.category import FittedWords
from dlspec.data.features.scaling import Scale
from dlspec.data.features.summaries import WordSummary
from dlspec.language.fields import Primary, Text

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@FEATURES.register
class Boolean(GatheredFeature):
    """One of two words: 1 where it is true, 0 where it is not, and where it is missing but for an `error` or `drop`."""

    takes = ("class",)
    raw = "word"
    examples: ClassVar = ["boolean", {"boolean": "smoker"}]

    word: Text | None = Primary(
        None,
        description="which means true; by default `true`, `yes`, `y`, `t`, `on` or `1`, else the last of the two",
    )

    def width(self, column: Column) -> int:
        return 1

    def inside(self, scale: Scale) -> bool:
        return True

    def fit(self, name: str, values: Array, scale: Scale, missing: Missing) -> Fitted:
        return self._fitted(name, tuple(sorted({str(value) for value in values if value})))

    def summary(self) -> WordSummary:
        return WordSummary()

    def fit_summary(self, name: str, summary: WordSummary, scale: Scale, missing: Missing) -> Fitted:
        return self._fitted(name, tuple(filter(None, summary.counted()[0])))

    def _fitted(self, name: str, words: tuple[str, ...]) -> Fitted:
        return FittedWords(name, ((self.word or truth_of(words) or words[-1]) if words else "",))
