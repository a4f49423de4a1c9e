"""Texts that are written on: shared out, and cut into windows of tokens of which each place predicts the next one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dlspec.data.datasets import Columns
from dlspec.data.features import Affine
from dlspec.data.features.text import PADDING, UNKNOWN, FittedSequence, Text, Unit
from dlspec.data.language import Tokens, joined, parts_of_texts
from dlspec.data.preparation.columns import data_error, fingerprint
from dlspec.data.preparation.prepared import Part, Prepared, Preprocessing
from dlspec.data.section import DataSpec
from dlspec.data.signature import Signature

Array = np.ndarray
NOT_COUNTED = -1
"""What is true where a window has ended."""


class Windows:
    """Windows that follow each other in texts, without overlap.

    Args:
        numbers: what the network sees, (windows, length) float32, `PADDING` where a text has ended.
        truth: the class of the next token, (windows, length) int32, `NOT_COUNTED` where there is none.
        texts: the same windows as text, (windows,).
        rows: the row of the data that each comes from, (windows,).
    """

    def __init__(self, numbers: Array, truth: Array, texts: Array, rows: Array) -> None:
        self.numbers, self.truth, self.texts, self.rows = numbers, truth, texts, rows

    @classmethod
    def of(cls, texts: Iterable[tuple[int, Tokens]], vocabulary: Sequence[str], length: int, unit: Unit) -> Windows:
        """
        Args:
            texts: with the row that each stands in. The first token of a text is not predicted, as none leads to it.
            vocabulary: the tokens that are known, the most frequent first.
        """
        known = {token.encode(): number for number, token in enumerate(vocabulary, start=UNKNOWN + 1)}
        numbers, truth, shown, rows = [], [], [], []
        for row, tokens in texts:
            found = np.array([known.get(token, UNKNOWN) for token in tokens], "int32")
            for first in range(0, len(tokens) - 1, length):
                seen, ahead = found[first : first + length], found[first + 1 : first + 1 + length]
                seen = seen[: len(ahead)]
                numbers.append(np.pad(seen, (0, length - len(seen)), constant_values=PADDING))
                truth.append(np.pad(ahead - UNKNOWN, (0, length - len(ahead)), constant_values=NOT_COUNTED))
                shown.append(joined([token.decode() for token in tokens[first : first + len(seen)]], unit))
                rows.append(row)
        empty = np.empty((0, length), "int32")
        words = np.empty(len(shown), object)
        words[:] = shown
        return cls(
            np.stack(numbers).astype("float32") if numbers else empty.astype("float32"),
            np.stack(truth).astype("int32") if truth else empty,
            words,
            np.array(rows, int),
        )

    def __len__(self) -> int:
        return len(self.truth)

    def part(self, first: int) -> Part:
        """The windows as a part, which stand in the rows from `first` on."""
        places = np.arange(first, first + len(self))
        targets = np.maximum(self.truth, 0)  # a class that there is, which the padding leaves out
        return Part(self.numbers, targets, self.numbers, self.truth, places, at_places=True)


def kind_of(signature: Signature) -> Text:
    """How the texts are read."""
    (kind,) = signature.types
    assert isinstance(kind, Text), "texts are read as text"
    return kind


def prepare_language(section: DataSpec, seed: int, signature: Signature, columns: Columns) -> Prepared:
    """Splits texts and cuts them. Rows of what is prepared are windows.

    Raises:
        DataError: a text is missing, or a part has nothing to predict.
    """
    kind, target = kind_of(signature), signature.target
    assert kind.length is not None, "the check asked for it"
    given = (signature.validation_rows, signature.test_rows)
    found = parts_of_texts(section, seed, columns, target.name, kind, given)
    vocabulary = target.classes[1:]
    parts = [Windows.of(texts, vocabulary, kind.length, kind.tokens) for texts in found]
    for name, part in zip(("training", "validation", "test"), parts, strict=True):
        if not len(part) and (name != "validation" or section.split.validation):
            raise data_error(section, "too-few-rows", f"the {name} part has no token to predict", "split")
    firsts = np.cumsum([0, *map(len, parts)])
    width = kind.length
    preprocessing = Preprocessing(
        Affine(np.ones(width), np.zeros(width)),
        None,
        "level",
        (target.name,),
        columns=(FittedSequence(target.name, vocabulary, width, kind.tokens),),
    )
    train, validation, test = (part.part(int(first)) for part, first in zip(parts, firsts, strict=False))
    own = np.concatenate([part.texts for part in parts])
    return Prepared(
        signature,
        preprocessing,
        train,
        validation,
        test,
        {target.name: own},
        fingerprint({target.name: columns[target.name]}),
        np.empty((0, width), "float32"),
        text_rows=np.concatenate([part.rows for part in parts]),
    )


def unknown_tokens(part: Part) -> int:
    """How many tokens that are predicted are not in the vocabulary."""
    return int((np.asarray(part.truth) == 0).sum())


def counted_tokens(part: Part) -> int:
    """How many tokens are predicted."""
    return int((np.asarray(part.truth) >= 0).sum())
