"""Texts -> a tag for each of their words, by the model of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlspec.data.words import split_at_spaces
from dlspec.runs.records.data import TargetRecord

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

NOT_SEEN = "?"
"""What stands in place of the tag of a word that the network does not see."""


def sign_of_unseen(classes: Sequence[str]) -> str:
    """`NOT_SEEN`, or more of it where a tag is called so."""
    sign = NOT_SEEN
    while sign in classes:
        sign += NOT_SEEN
    return sign


class TagsWritten:
    """Writes the tags of texts, and counts what cannot be told of them.

    Args:
        target: tags of words.
        known: the words that the network tells apart.
    """

    def __init__(self, target: TargetRecord, known: Sequence[str]) -> None:
        self.target, self.known = target, {word.encode() for word in known}
        self.words = self.unknown = self.cut = self.beyond = 0

    def tags(self, texts: Array, outputs: Array) -> Array:
        """The likeliest tag of each word, with spaces between them, as many as a text has words, (samples,) object;
        None where there is no word, or the network gives no number.

        Args:
            texts: (samples,)
            outputs: of the saved model, (samples, length, units).
        """
        import numpy as np

        from dlspec.data.preparation import class_shares

        shares, (length,) = class_shares(outputs), self.target.places
        sign, names = sign_of_unseen(self.target.classes), self.target.classes
        found = np.empty(len(texts), object)
        for row, text in enumerate(texts):
            words = split_at_spaces(text)
            seen, own = words[:length], shares[row, : min(len(words), length)]
            self.words += len(seen)
            self.unknown += sum(word not in self.known for word in seen)
            self.cut += len(words) > length
            self.beyond += len(words) - len(seen)
            if len(words) and np.isfinite(own).all():
                tags = [names[place] for place in own.argmax(axis=-1)]
                found[row] = " ".join([*tags, *[sign] * (len(words) - len(seen))])
        return found

    def notes(self) -> list[str]:
        """What a reader of the tags should know."""
        (length,), notes = self.target.places, []
        if self.unknown:
            known = f"{len(self.known):,} that the network tells apart"
            notes.append(f"{self.unknown:,} of {self.words:,} words are none of the {known}")
        if self.cut:
            sign = sign_of_unseen(self.target.classes)
            texts = f"{self.cut:,} text{'s are' if self.cut > 1 else ' is'} longer than the {length:,} words"
            words = f"{self.beyond:,} word{'s' * (self.beyond > 1)} beyond"
            notes.append(f"{texts} that the network sees: `{sign}` stands in place of the tags of the {words}")
        return notes


def vocabulary_of(model: Any) -> list[str]:
    """The words that a saved model tells apart, by its layer that numbers them."""
    import keras

    (layer,) = [layer for layer in model.layers if isinstance(layer, keras.layers.TextVectorization)]
    return [str(word) for word in layer.get_vocabulary(include_special_tokens=False)]
