"""What is either true or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from dlspec.data.datasets import Column
from dlspec.data.features.base import FEATURES, Fitted, GatheredFeature, Missing, spellings, truth_of
from dlspec.data.features.category import unused_word
from dlspec.data.features.scaling import Scale
from dlspec.data.features.summaries import WordSummary
from dlspec.data.sources.formats.dialect import MISSING
from dlspec.language.fields import Primary, Text
from dlspec.language.words import did_you_mean, one_of

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

SHOWN = 6
"""Words of a column that a message names."""


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

    def refuses(self, column: Column, *, all_read: bool) -> tuple[str, str | None] | None:
        given = [word for word in column.classes if not MISSING.fullmatch(word)]
        meanings = {spellings(word) for word in given}
        if self.word is None:
            if len(meanings) < 3:
                return None
            message = f"`{column.name}` has {len(meanings)} different words, and a boolean two"
            return message, f"say which means true, `{column.name}: {{boolean: {given[-1]}}}`, or write `category`"
        if not all_read or not given or spellings(self.word) in meanings:
            return None
        message = f"no row of `{column.name}` has the word `{self.word}`, so that none would be true"
        return message, did_you_mean(self.word, given, otherwise=f"its words are {one_of(given[:SHOWN])}")

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
        yes = (self.word or truth_of(words, spelt=True) or words[-1]) if words else ""
        no = [word for word in words if word not in spellings(yes)]
        return FittedTruth(name, spellings(yes), tuple(dict.fromkeys(same for word in no for same in spellings(word))))


@dataclass(frozen=True)
class FittedTruth(Fitted):
    """1 for a word that means true, 0 for any other.

    Args:
        yes, no: the spellings of what is true and of what is not.
    """

    yes: tuple[str, ...]
    no: tuple[str, ...]

    raw = "word"

    @property
    def width(self) -> int:
        return 1

    @property
    def known(self) -> tuple[str, ...]:
        return (*self.yes, *self.no)

    def encode(self, values: Array) -> Array:
        import numpy as np

        return np.array([[str(value) in self.yes] for value in values], "float32").reshape(-1, 1)

    def connect(self, raw: Any) -> Any:
        import keras
        from keras import ops

        words, unknown = list(self.yes), unused_word(self.yes)
        encoded = keras.layers.StringLookup(vocabulary=words, oov_token=unknown, output_mode="one_hot")(raw)
        return ops.max(encoded[..., 1:], axis=-1, keepdims=True)
