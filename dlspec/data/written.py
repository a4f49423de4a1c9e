"""Texts that are written item by item: what their items are, and how long the longest is. No numpy, unless rows are
shared out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from dlspec.data.features.text import Items, most_frequent, split_tokens
from dlspec.data.language import state_of
from dlspec.data.section import DataSpec
from dlspec.data.source_of import source_of
from dlspec.data.target import Sequenced

UNKNOWN_ITEM, END_ITEM = "<not known>", "<the end>"
"""The classes of every item that is not told apart, and of the end of a text; no item holds a space among others."""
MOST_KNOWN = 16
_known: dict[Any, Vocabulary] = {}


@dataclass(frozen=True)
class Vocabulary:
    """What the texts of a column are made of.

    Args:
        items: of the training part, the most frequent first, as many as are told apart.
        left_out: how many more different ones there are.
        longest: items of the longest text of all parts.
    """

    items: tuple[str, ...]
    left_out: int
    longest: int


def sequence_of(section: DataSpec) -> Sequenced | None:
    """What is said of texts that are written; None: none are."""
    return section.target_type if isinstance(section.target_type, Sequenced) else None


def joined_items(items: list[str], unit: Items) -> str:
    """Items as text."""
    return ("" if unit == "characters" else " ").join(items)


def vocabulary_of(section: DataSpec, seed: int, name: str, said: Sequenced) -> Vocabulary:
    """What the texts of a column are made of, read once while the files stay the same.

    Raises:
        DataError: they cannot be read, or are too few for the split.
    """
    source = source_of(section)
    key = (repr(source), repr(section.split), repr(section.missing), name, repr(said), seed, state_of(source))
    if key not in _known:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[key] = _read(section, seed, name, said)
    return _known[key]


def _read(section: DataSpec, seed: int, name: str, said: Sequenced) -> Vocabulary:
    from dlspec.data.preparation.columns import numbers_of
    from dlspec.data.preparation.splitting import Given, split_samples

    loaded = source_of(section).load_parts(seed)
    columns = loaded.columns
    texts = [split_tokens(text, said.unit) for text in numbers_of(section, name, columns, holes=True, raw="text")]
    given = Given(loaded.validation_rows, loaded.test_rows)
    training, *_ = split_samples(section, seed, columns, None, given, 0)
    counts = Counter(item for row in training.tolist() for item in texts[row])
    chosen = most_frequent(counts, said.words)
    longest = max(map(len, texts), default=0)
    return Vocabulary(tuple(item.decode() for item in chosen), len(counts) - len(chosen), longest)
