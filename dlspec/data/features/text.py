"""Text, as the words that it is made of."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from dlspec.data.datasets import Column
from dlspec.data.features.base import FEATURES, Feature, Fitted, Missing
from dlspec.data.features.scaling import Scale
from dlspec.data.words import split_at_spaces
from dlspec.language.diagnostics.errors import DataError
from dlspec.language.fields import PositiveInt, mistake

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

Weights = Literal["binary", "count", "tf_idf"]
Unit = Literal["words", "characters", "spaced"]
"""What a text is made of; `spaced` are words as they stand between white space."""
NAMES: dict[Unit, str] = {"words": "words", "characters": "characters", "spaced": "words"}
"""What tokens are called in messages."""
Items = Literal["words", "characters", "items"]
"""The same of a text that is written; `items` are what spaces separate, as they stand there."""
AS_THEY_ARE: dict[Unit | Items, dict[str, Any]] = {
    "words": {},
    "characters": {"standardize": None, "split": "character"},
    "spaced": {"standardize": None},
    "items": {"standardize": None},
}
"""How Keras's `TextVectorization` makes them."""
PUNCTUATION = string.punctuation.encode()
RESERVED = b"[UNK]"
"""What Keras calls a word that is not in the vocabulary, which so none in it may be called."""
PADDING, UNKNOWN = 0, 1
"""The numbers of no word and of a word that is not in the vocabulary; those of words follow."""


@FEATURES.register
class Text(Feature):
    """Words: which of the most frequent ones of the training part stand in a text, or, with `length`, their sequence.

    Words are what lies between spaces, without punctuation, the letters A to Z made small, as Keras's
    `TextVectorization` does it. Without `length` each word of the vocabulary is a number: whether it is there (which
    did better than how often in Pang, Lee and Vaithyanathan, 2002), how often, or that times
    ln(1 + texts / (1 + texts with the word)); a word that is not in the vocabulary is not seen. With `length` a text is
    a sequence of whole numbers for an `embedding`: 0 where it has ended, 1 for a word that is not in the vocabulary, 2
    for the most frequent word; a longer text is cut. With `tokens: characters` the sequence is one of characters, as
    they stand in the text, capitals, spaces and line breaks too; with `tokens: spaced` one of what stands between white
    space, capitals and punctuation too. A missing text has no words, unless it is an `error`
    or its row is left out (`drop`). The saved model takes the text itself, for which Keras needs TensorFlow.
    """

    takes = ("text",)
    raw = "text"
    tokens_key = "length"
    examples: ClassVar = [
        "text",
        {"text": {"words": 2000, "ngrams": 2, "weights": "tf_idf"}},
        {"text": {"words": 10_000, "length": 200}},
        {"text": {"tokens": "characters", "length": 100}},
        {"text": {"tokens": "spaced", "length": 40}},
    ]

    tokens: Unit = Field(
        "words",
        description="what a text is with `length`: its words, its characters, or what stands between white space",
    )
    words: PositiveInt = Field(
        2000, description="how many words, or characters, are told apart, the most frequent ones of the training part"
    )
    ngrams: PositiveInt = Field(1, description="how many words in a row count as one more word, at most")
    weights: Weights = Field("binary", description="whether a word is there, how often, or how telling that is")
    length: PositiveInt | None = Field(
        None, description="words, or characters, of a sequence, in place of a number for each word"
    )

    def model_post_init(self, context: object) -> None:
        given = [key for key, plain in (("ngrams", 1), ("weights", "binary")) if getattr(self, key) != plain]
        if self.length is not None and given:
            raise mistake(
                "wrong-value",
                f"`length` makes a sequence of single words, which has no `{given[0]}`",
                help=f"remove `{given[0]}`, or `length`",
            )

        if self.length is None and self.tokens != "words":
            raise mistake(
                "wrong-value",
                f"`tokens: {self.tokens}` is of a sequence, which needs `length`",
                help="add `length: 100`, or remove `tokens`",
            )

    def token_count(self, column: Column) -> int | None:
        if self.length is None:
            return None
        return UNKNOWN + 1 + (len(column.classes) or self.words)  # of texts that are written on the words are known

    def width(self, column: Column) -> int:
        return self.length or self.words

    def inside(self, scale: Scale) -> bool:
        return self.length is None and self.weights == "binary"

    def fit(self, name: str, values: Array, scale: Scale, missing: Missing) -> Fitted:
        import math

        counts: Counter[bytes] = Counter()
        texts: Counter[bytes] = Counter()
        for value in values:
            words = list(_ngrams(split_tokens(value, self.tokens), self.ngrams))
            counts.update(words)
            texts.update(set(words))
        counts.pop(RESERVED, None)
        if not counts:
            message = f"column `{name}` has no {NAMES[self.tokens].removesuffix('s')} in the training part"
            raise DataError.of("missing-value", message, help=f"take `{name}` out of `features`")
        chosen = most_frequent(counts, self.words)
        vocabulary = tuple(word.decode() for word in chosen)
        if self.length is not None:
            return FittedSequence(name, vocabulary, self.length, self.tokens)
        telling = tuple(math.log(1 + len(values) / (1 + texts[word])) for word in chosen)
        return FittedBag(name, vocabulary, self.ngrams, self.weights, telling)


def most_frequent(counts: Mapping[bytes, int], most: int) -> list[bytes]:
    """The most frequent words, at most so many, ties as `TextVectorization.adapt` breaks them."""
    return sorted(counts, key=lambda word: (counts[word], word), reverse=True)[:most]


def split_tokens(text: str, unit: Unit | Items) -> list[bytes]:
    """The words, the characters or the items of a text in UTF-8."""
    if unit == "characters":
        return [character.encode("utf-8", "replace") for character in text]
    return split_words(text) if unit == "words" else split_at_spaces(text)


def split_words(text: str) -> list[bytes]:
    """The words of a text in UTF-8, as Keras makes them, which knows the capitals, punctuation and spaces of ASCII
    alone."""
    return text.encode("utf-8", "replace").lower().translate(None, PUNCTUATION).split()


def _ngrams(words: list[bytes], most: int) -> Iterator[bytes]:
    """The words, then two in a row, up to `most`."""
    runs = (zip(*(words[start:] for start in range(size)), strict=False) for size in range(1, most + 1))
    return (b" ".join(run) for run in chain.from_iterable(runs))


@dataclass(frozen=True)
class FittedBag(Fitted):
    """A number for each word, whatever their order.

    Args:
        vocabulary: the words, the most frequent first.
        telling: the inverse document frequency of each.
    """

    vocabulary: tuple[str, ...]
    ngrams: int
    weights: Weights
    telling: tuple[float, ...]

    raw = "text"

    @property
    def width(self) -> int:
        return len(self.vocabulary)

    def encode(self, values: Array) -> Array:
        import numpy as np

        places = {word.encode(): place for place, word in enumerate(self.vocabulary)}
        found = np.zeros((len(values), self.width), "float32")
        for row, value in enumerate(values):
            for word in _ngrams(split_words(value), self.ngrams):
                if word in places:
                    found[row, places[word]] += 1
        if self.weights == "binary":
            return np.minimum(found, 1)
        return found if self.weights == "count" else found * np.array(self.telling, "float32")

    def connect(self, raw: Any) -> Any:
        import keras
        from keras import ops

        telling = {"idf_weights": list(self.telling)} if self.weights == "tf_idf" else {}
        counted = keras.layers.TextVectorization(
            ngrams=self.ngrams,
            output_mode={"binary": "multi_hot"}.get(self.weights, self.weights),
            vocabulary=list(self.vocabulary),
            **telling,
        )(raw)
        counted = ops.reshape(counted, (-1, 1 + self.width))  # Keras takes it for (batch, 1, words), which it is not
        return counted[:, 1:]  # the first is for words that are not in the vocabulary


@dataclass(frozen=True)
class FittedSequence(Fitted):
    """The numbers of words, or characters, in their order.

    Args:
        vocabulary: the words, the most frequent first.
        length: how many of a text are seen.
        unit: what they are.
    """

    vocabulary: tuple[str, ...]
    length: int
    unit: Unit = "words"

    raw = "text"

    @property
    def width(self) -> int:
        return self.length

    def encode(self, values: Array) -> Array:
        import numpy as np

        numbers = {word.encode(): number for number, word in enumerate(self.vocabulary, start=UNKNOWN + 1)}
        found = np.full((len(values), self.length), PADDING, "float32")
        for row, value in enumerate(values):
            words = split_tokens(value, self.unit)[: self.length]
            found[row, : len(words)] = [numbers.get(word, UNKNOWN) for word in words]
        return found

    def connect(self, raw: Any) -> Any:
        from keras import ops

        numbers = sequence_layer(self.vocabulary, self.length, self.unit)(raw)
        return ops.cast(numbers, "float32")  # as the network takes all its inputs; an embedding casts them back


def sequence_layer(vocabulary: Sequence[str], length: int, unit: Unit | Items) -> Any:
    """The Keras layer that makes of a text the numbers of its words, characters or items."""
    import keras

    return keras.layers.TextVectorization(
        output_mode="int", output_sequence_length=length, vocabulary=list(vocabulary), **AS_THEY_ARE[unit]
    )
