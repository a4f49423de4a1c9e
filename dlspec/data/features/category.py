"""One of several words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from dlspec.data.datasets import Column
from dlspec.data.features.base import FEATURES, MOST_CODES, Fitted, GatheredFeature, Missing
from dlspec.data.features.scaling import Scale
from dlspec.data.features.summaries import WordSummary
from dlspec.language.fields import Flag, PositiveInt, mistake

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@FEATURES.register
class Category(GatheredFeature):
    """One of several words or codes: a number for each of those in the training part, 1 for that of the row, 0 else.

    A word that the training part does not have makes all of them 0. A missing one is a category of its own, unless it
    is an `error` or its row is left out (`drop`).

    Many words become a few numbers that are trained, with an `embedding` (Guo and Berkhahn, 2016): then the column has
    an input of its own, which shows the numbers of the words, and dlspec writes the layer that looks them up, and one
    that puts all features together, above the layers of the model. A word that the training part does not have, or that
    is none of the `most` frequent, has a vector that is never trained. In a model that names its inputs write
    `codes: true`, and the `embedding` layer yourself.
    """

    takes = ("class",)
    raw = "word"
    tokens_key = "codes"
    examples: ClassVar = ["category", {"category": {"most": 20}}, {"category": {"codes": True}}]

    most: PositiveInt | None = Field(
        None,
        description="how many categories are told apart, the most frequent ones; with an embedding 1,000, if not given",
    )
    embedding: PositiveInt | None = Field(None, description="how many trained numbers stand for a word")
    codes: Flag = Field(False, description="whether the network sees the number of a word, for a layer to look it up")

    def model_post_init(self, context: object) -> None:
        if self.embedding is not None and self.codes:
            raise mistake("wrong-value", "`embedding` looks up `codes` itself", help="remove one of the two")

    def width(self, column: Column) -> int:
        return 1 if self.codes else min(len(column.classes), self.most or len(column.classes))

    def token_count(self, column: Column) -> int | None:
        if not self.codes:
            return None
        known = len(column.classes)
        return FIRST_WORD + (self._most if known > MOST_CODES else min(known, self._most))

    @property
    def _most(self) -> int:
        return self.most or MOST_CODES

    @property
    def told_apart(self) -> int | None:
        """How many words are told apart at most; None: all of them."""
        return self._most if self.codes else self.most

    def inside(self, scale: Scale) -> bool:
        return not self.codes

    def fit(self, name: str, values: Array, scale: Scale, missing: Missing) -> Fitted:
        import numpy as np

        words, counts = np.unique(values.astype(str), return_counts=True)
        return self._fitted(name, words.tolist(), counts.tolist())

    def summary(self) -> WordSummary:
        return WordSummary()

    def fit_summary(self, name: str, summary: WordSummary, scale: Scale, missing: Missing) -> Fitted:
        return self._fitted(name, *summary.counted())

    def _fitted(self, name: str, words: list[str], counts: list[int]) -> Fitted:
        frequent = sorted(range(len(words)), key=lambda i: (-counts[i], words[i]))
        if self.codes:
            return FittedCodes(name, tuple(words[i] for i in frequent if words[i])[: self._most])
        chosen = frequent[: self.most]
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
    def known(self) -> tuple[str, ...]:
        return self.vocabulary

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

        words, unknown = list(self.vocabulary), unused_word(self.vocabulary)
        encoded = keras.layers.StringLookup(vocabulary=words, oov_token=unknown, output_mode="one_hot")(raw)
        return encoded[..., 1:]  # the first is for words that are not in the vocabulary


@dataclass(frozen=True)
class FittedCodes(Fitted):
    """The number of a word: 0 where it is missing.

    Args:
        vocabulary: the words, the most frequent first.
    """

    vocabulary: tuple[str, ...]

    raw = "word"

    @property
    def known(self) -> tuple[str, ...]:
        return self.vocabulary

    @property
    def width(self) -> int:
        return 1

    def encode(self, values: Array) -> Array:
        import numpy as np

        places = {"": NO_WORD} | {word: i for i, word in enumerate(self.vocabulary, start=FIRST_WORD)}
        return np.array([[places.get(str(value), UNKNOWN)] for value in values], "float32").reshape(-1, 1)

    def connect(self, raw: Any) -> Any:
        import keras
        from keras import ops

        words, unknown = list(self.vocabulary), unused_word(self.vocabulary)
        codes = keras.layers.StringLookup(vocabulary=words, oov_token=unknown, mask_token="")(raw)  # codes 1 and 0
        return ops.cast(codes, "float32")


NO_WORD, UNKNOWN, FIRST_WORD = 0, 1, 2
"""The numbers of a missing word, of one that is not in the vocabulary, and of the first one that is."""


def unused_word(vocabulary: Collection[str]) -> str:
    """What stands for words that are not in the vocabulary; it is none of its words, whatever these are."""
    word = "[UNK]"
    while word in vocabulary:
        word = f"[{word}]"
    return word
