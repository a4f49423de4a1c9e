"""Texts that are written on: their tokens, the tokens of each part of the split, and the vocabulary. No numpy, unless
several texts are shared out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.data.features.text import Text, Unit, most_frequent, split_tokens
from dlspec.data.section import DataSpec
from dlspec.data.signature import DataSource
from dlspec.data.source_of import source_of
from dlspec.data.sources.base import FileSource, files_state
from dlspec.data.sources.texts import TextFiles

if TYPE_CHECKING:
    from dlspec.data.datasets import Columns

UNKNOWN_TOKEN = "<unknown>"
"""The class that stands for every token that is not in the vocabulary; no character and no word is called so."""
Tokens = list[bytes]


@dataclass(frozen=True)
class Vocabulary:
    """What the training part of texts is made of.

    Args:
        tokens: the most frequent first, as many as are told apart.
        left_out: how many more different ones there are.
        texts: how many texts the data have.
        counts: tokens of the training, the validation and the test part.
    """

    tokens: tuple[str, ...]
    left_out: int
    texts: int
    counts: tuple[int, int, int]


def written_on(section: DataSpec) -> bool:
    """Whether the next token of texts is predicted."""
    return section.target_type == "next"


def joined(tokens: Sequence[str], unit: Unit) -> str:
    """Tokens as text."""
    return ("" if unit == "characters" else " ").join(tokens)


def windows_of(tokens: int, length: int) -> int:
    """How many windows a stretch of so many tokens has, whose first one nothing leads to."""
    return -(-max(0, tokens - 1) // length)


def vocabulary_of(section: DataSpec, seed: int, name: str, kind: Text) -> Vocabulary:
    """What the training part of a column of texts is made of, read once while its files stay the same.

    Raises:
        DataError: the texts cannot be read, or are too few for the split.
    """
    source = source_of(section)
    key = (repr(source), repr(section.split), repr(section.missing), name, repr(kind), seed, state_of(source))
    if key not in _known:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[key] = _read(section, seed, name, kind, source)
    return _known[key]


MOST_KNOWN = 16
_known: dict[Any, Vocabulary] = {}


def state_of(source: DataSource) -> Any:
    """What tells whether files have changed."""
    if not isinstance(source, FileSource):
        return None
    files: list[Path] = [source.folder / path for path in source.paths]
    if isinstance(source, TextFiles) and source.table is None:
        files = source.files_there()
    return files_state(files)


def _read(section: DataSpec, seed: int, name: str, kind: Text, source: DataSource) -> Vocabulary:
    alone = source.alone() if isinstance(source, TextFiles) else None
    if alone is not None:
        texts, parts = 1, [*parts_of_one(section, split_tokens(alone, kind.tokens))]
    else:
        loaded = source.load_parts(seed)
        columns = loaded.columns
        found = parts_of_texts(section, seed, columns, name, kind, (loaded.validation_rows, loaded.test_rows))
        texts = len(next(iter(columns.values())))
        parts = [[token for _, text in part for token in text] for part in found]
    counts = Counter(parts[0])
    chosen = most_frequent(counts, kind.words)
    sizes = (len(parts[0]), len(parts[1]), len(parts[2]))
    return Vocabulary(tuple(token.decode() for token in chosen), len(counts) - len(chosen), texts, sizes)


def parts_of_one(section: DataSpec, tokens: Tokens) -> tuple[Tokens, Tokens, Tokens]:
    """The stretches of one text that are for training, validation and test, in its order."""
    training, validation, _ = section.split.sizes(len(tokens))
    training, validation = max(0, training), max(0, validation)
    return tokens[:training], tokens[training : training + validation], tokens[training + validation :]


def parts_of_texts(
    section: DataSpec, seed: int, columns: Columns, name: str, kind: Text, given: tuple[int, int]
) -> tuple[list[tuple[int, Tokens]], ...]:
    """Of each part its texts, or its stretch of the one text that there is, with the row of the data that it stands in.

    Args:
        given: rows of the validation and of the test part that the data bring, the last ones.
    """
    from dlspec.data.preparation.columns import numbers_of
    from dlspec.data.preparation.splitting import Given, split_samples

    holes = kind.policy(section.missing_of_samples) != "error"
    texts = [split_tokens(text, kind.tokens) for text in numbers_of(section, name, columns, holes=holes, raw="text")]
    if len(texts) == 1:
        return tuple([(0, part)] for part in parts_of_one(section, texts[0]))
    rows = split_samples(section, seed, columns, None, Given(*given), 0)
    return tuple([(int(row), texts[row]) for row in sorted(part.tolist())] for part in rows)
