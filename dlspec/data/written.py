"""Texts that are written item by item: what their items are, and how long the longest is. No numpy, unless rows are
shared out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dlspec.data.datasets import Dataset
from dlspec.data.features.text import Items, most_frequent, split_tokens
from dlspec.data.language import state_of
from dlspec.data.section import DataSpec
from dlspec.data.source_of import source_of
from dlspec.data.target import Sequenced

UNKNOWN_ITEM, END_ITEM = "<not known>", "<the end>"
"""The classes of every item that is not told apart, and of the end of a text; no item holds a space among others."""
BLANK_ITEM = "<blank>"
"""The class of a timestep at which no item of a text is said."""
MOST_KNOWN = 16
_known: dict[Any, Vocabulary] = {}


@dataclass(frozen=True)
class Vocabulary:
    """What the texts of a column are made of.

    Args:
        items: of the training part, the most frequent first, as many as are told apart.
        left_out: how many more different ones there are.
        longest: items of the longest text of all parts.
        needs: of all parts, timesteps that a text needs where it is read off them -> how many texts need so many, and
            the row of the first, from 0 on; ascending. None: the texts were not read.
    """

    items: tuple[str, ...]
    left_out: int
    longest: int
    needs: Mapping[int, tuple[int, int]] | None


def sequence_of(section: DataSpec) -> Sequenced | None:
    """What is said of texts that are written; None: none are."""
    return section.target_type if isinstance(section.target_type, Sequenced) else None


def joined_items(items: list[str], unit: Items) -> str:
    """Items as text."""
    return ("" if unit == "characters" else " ").join(items)


def timesteps_needed(items: Sequence[Any]) -> int:
    """How many timesteps a text takes at least that is read off them: one for each item, and a blank between two that
    are the same (Graves et al., 2006)."""
    return len(items) + sum(one == other for one, other in pairwise(items))


def vocabulary_of(section: DataSpec, seed: int, name: str, said: Sequenced) -> Vocabulary:
    """What the texts of a column are made of, read once while the files stay the same.

    Raises:
        DataError: they cannot be read, or are too few for the split.
    """
    source = source_of(section)
    told = source.known_texts(name) if isinstance(source, Dataset) and said.unit == "characters" else None
    if told is not None:
        items, longest = told
        return Vocabulary(items[: said.words], max(0, len(items) - said.words), longest, None)
    return read_vocabulary(section, seed, name, said)


def read_vocabulary(section: DataSpec, seed: int, name: str, said: Sequenced) -> Vocabulary:
    """The same out of the texts themselves."""
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

    loaded = source_of(section).load_beside(seed)
    columns = loaded.columns
    texts = [split_tokens(text, said.unit) for text in numbers_of(section, name, columns, holes=True, raw="text")]
    given = Given(loaded.validation_rows, loaded.test_rows)
    training, *_ = split_samples(section, seed, columns, None, given, 0)
    counts = Counter(item for row in training.tolist() for item in texts[row])
    chosen = most_frequent(counts, said.words)
    longest, needs = max(map(len, texts), default=0), dict[int, tuple[int, int]]()
    for row, needed in enumerate(map(timesteps_needed, texts)):
        count, first = needs.get(needed, (0, row))
        needs[needed] = count + 1, first
    known = tuple(item.decode() for item in chosen)
    return Vocabulary(known, len(counts) - len(chosen), longest, dict(sorted(needs.items())))
