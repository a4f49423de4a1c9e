"""Texts whose words have tags: a class at each word, and what is wrong with rows in which they are not as many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from dlspec.data.datasets import Columns
from dlspec.data.preparation.columns import data_error, file_of, numbers_of, to_texts, together
from dlspec.data.preparation.problems import ValueProblem
from dlspec.data.section import DataSpec
from dlspec.data.signature import Signature, Target
from dlspec.data.words import split_at_spaces

Array = np.ndarray
Uneven = tuple[int, int, int]
"""A row, counted from 0, how many words it has and how many tags."""
SHOWN = 3
"""Rows that are named."""
NO_TAG = -1
"""What is true where a text has ended."""


class Tagged(NamedTuple):
    """The tags of texts.

    Args:
        classes: of each word that the network may see, (samples, length) int32, `NO_TAG` behind the last one.
        known: of which samples every tag is one of the classes, (samples,) bool.
        unknown: tags that are none -> in how many samples.
    """

    classes: Array
    known: Array
    unknown: Mapping[str, int]


def words_in(texts: Array) -> Array:
    """How many words each text has, (samples,)."""
    return np.array([len(split_at_spaces(text)) for text in texts], int)


def read_tags(section: DataSpec, signature: Signature, columns: Columns, rows: Array, trained: Array) -> Tagged:
    """The tags of the rows of a table.

    Args:
        rows: of the data that the columns have.
        trained: which of these are in the training part.

    Raises:
        DataError: a text or its tags are missing, a row has not as many tags as words, or the training part has a tag
            that is no class.
    """
    target, (text,) = signature.target, signature.features
    holes = signature.types[0].policy(section.missing_of_samples) != "error"
    read = partial(numbers_of, section, columns=columns, holes=holes, raw="text", first=rows)
    texts, tags = together(*(partial(read, name) for name in (text.name, target.name)))
    uneven = uneven_rows(texts, tags)
    if uneven:
        place = file_of(section, None, ValueProblem.at(int(rows[uneven[0][0]]), "tags-differ", "", ""))
        message = uneven_in_words(text.name, target.name, at_rows(uneven, rows), place)
        help = "write a tag for each word, with spaces between them: `O` for a word that has none"
        raise data_error(section, "tags-differ", message, "target", help=help)
    found = as_classes(target, tags)
    for row in np.flatnonzero(~found.known & trained)[:1]:
        tag = next(tag for tag in _tags(tags[row]) if tag not in target.classes)
        message = f"`{target.name}` has the unknown tag `{tag}` in row {rows[row] + 1}"
        raise data_error(section, "unknown-label", message, "target")
    return found


def uneven_rows(texts: Iterable[str], tags: Iterable[str]) -> list[Uneven]:
    """The rows that have not as many tags as words."""
    counts = [(len(split_at_spaces(text)), len(split_at_spaces(own))) for text, own in zip(texts, tags, strict=True)]
    return [(row, words, own) for row, (words, own) in enumerate(counts) if words != own]


def at_rows(uneven: Sequence[Uneven], rows: Array) -> list[Uneven]:
    """The same with the rows of the data that they stand in."""
    return [(int(rows[row]), words, tags) for row, words, tags in uneven]


def uneven_in_words(text: str, tags: str, rows: Sequence[Uneven], place: str = "") -> str:
    """What is said of such rows: how many there are, and of the first ones what they have.

    Args:
        place: where the first of them stands, in words.
    """
    each = [f"row {row + 1} has {_many(words, 'word')} and {_many(own, 'tag')}" for row, words, own in rows[:SHOWN]]
    if place:
        each[0] += place
    shown = "; ".join(each) + (f"; and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else "")
    have = "row has" if len(rows) == 1 else "rows have"
    return f"{len(rows):,} {have} not as many tags in `{tags}` as words in `{text}`: {shown}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _tags(value: str) -> list[str]:
    return [tag.decode() for tag in split_at_spaces(value)]


def as_classes(target: Target, tags: Array) -> Tagged:
    """Tags as classes; those of words that lie beyond what the network sees are looked at, and left out."""
    (length,), places = target.places, {tag: place for place, tag in enumerate(target.classes)}
    classes = np.full((len(tags), length), NO_TAG, "int32")
    known, unknown = np.ones(len(tags), bool), Counter[str]()
    for row, value in enumerate(tags):
        own = _tags(value)
        others = {*own} - {*places}
        unknown.update(others)
        known[row] = not others
        if not others:
            classes[row, : len(own)] = [places[tag] for tag in own[:length]]
    return Tagged(classes, known, dict(unknown))


class TagCounts(NamedTuple):
    """How much of texts is judged.

    Args:
        texts, words: that are judged.
        cut: texts with more words than the network sees.
        beyond: words of these that are not judged.
        unknown: words that are judged, and are not in the vocabulary.
    """

    texts: int
    words: int
    cut: int
    beyond: int
    unknown: int

    @classmethod
    def of(cls, name: str, values: Array, truth: Array, unknown: int) -> TagCounts:
        """
        Args:
            name: of the column of texts.
            values: its texts.
            truth: their tags, as of `Tagged`.
        """
        words = words_in(to_texts(name, values, holes=True))
        beyond = np.maximum(words - truth.shape[1], 0)
        return cls(len(words), int((truth >= 0).sum()), int((beyond > 0).sum()), int(beyond.sum()), unknown)

    def in_words(self, length: int, known: int) -> Iterator[str]:
        """What a reader of the figures should know.

        Args:
            length: words that the network sees.
            known: that it tells apart.
        """
        yield (
            f"Metrics are means over the {self.words:,} words of {self.texts:,} texts, each of which has a tag; "
            "intervals and the verdict take each text as a whole. `predictions.csv` has of each text the share of its "
            "words whose tag is wrong, by which it counts."
        )
        if self.cut:
            yield (
                f"{self.cut:,} of these texts {'is' if self.cut == 1 else 'are'} longer than the {length:,} words that "
                f"the network sees, and the tags of {self.beyond:,} word{'s' * (self.beyond != 1)} beyond are not "
                "judged."
            )
        if self.unknown:
            yield (
                f"{self.unknown:,} of these {self.words:,} words are none of the {known:,} that the training part "
                "tells apart; the network sees the same unknown word in their place."
            )
