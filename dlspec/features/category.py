"""One of several words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from dlspec.datasets import Column
from dlspec.features.base import FEATURES, Fitted, GatheredFeature, Missing
from dlspec.features.scaling import Scale
from dlspec.features.summaries import WordSummary
from dlspec.fields import PositiveInt

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@FEATURES.register
class Category(GatheredFeature):
    """One of several words or codes: a number for each of those in the training part, 1 for that of the row, 0 else.

    A word that the training part does not have makes all of them 0. A missing one is a category of its own, unless it
    is an `error` or its row is left out (`drop`).
    """

    takes = ("class",)
    raw = "word"
    examples: ClassVar = ["category", {"category": {"most": 20}}]

    most: PositiveInt | None = Field(None, description="how many categories are told apart, the most frequent ones")

    def width(self, column: Column) -> int:
        return min(len(column.classes), self.most or len(column.classes))

    def inside(self, scale: Scale) -> bool:
        return True

    def fit(self, name: str, values: Array, scale: Scale, missing: Missing) -> Fitted:
        import numpy as np

        words, counts = np.unique(values.astype(str), return_counts=True)
        return self._fitted(name, words.tolist(), counts.tolist())

    def summary(self) -> WordSummary:
        return WordSummary()

    def fit_summary(self, name: str, summary: WordSummary, scale: Scale, missing: Missing) -> Fitted:
        return self._fitted(name, *summary.counted())

    def _fitted(self, name: str, words: list[str], counts: list[int]) -> Fitted:
        chosen = sorted(range(len(words)), key=lambda i: -counts[i])[: self.most]
        return FittedWords(name, tuple(sorted(words[i] for i in chosen)))


@dataclass(frozen=True)
class FittedWords(Fitted):
    """A number for each word of the vocabulary, of which at most one is 1.

    Args:
        vocabulary: the words; an empty one is a missing value.
    """

    vocabulary: tuple[str, ...]

    raw = "word"

    @property
    def width(self) -> int:
        return len(self.vocabulary)

    def encode(self, values: Array) -> Array:
        import numpy as np

        places = {word: i for i, word in enumerate(self.vocabulary)}
        found = np.array([places.get(str(value), -1) for value in values], int)
        return (found[:, None] == np.arange(self.width)).astype("float32")

    def connect(self, raw: Any) -> Any:
        import keras

        words = [word or MISSING for word in self.vocabulary]
        encoded = keras.layers.StringLookup(vocabulary=words, output_mode="one_hot")(raw)
        return encoded[..., 1:]  # the first is for words that are not in the vocabulary


MISSING = "[missing]"
"""What the saved model takes for a word that is missing."""
