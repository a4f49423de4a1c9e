"""What may be odd about texts whose words have tags, or of which others are written."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dlspec.data.checks.base import Looked, rule, warn
from dlspec.data.columns import place_of_feature
from dlspec.data.features.text import NAMES, UNKNOWN, Text, split_tokens
from dlspec.data.preparation.columns import to_texts
from dlspec.data.preparation.tags import words_in
from dlspec.language.diagnostics import Diagnostic

LENGTHS = 4
"""So many different numbers of words are in two columns at once by no accident."""
MANY_UNKNOWN = 0.02
"""The share of words of the test part that are not in the vocabulary, from which on it is said before training."""


@rule
def classes_are_no_tags(looked: Looked) -> Iterator[Diagnostic]:
    """Words of which there are as many as in a text beside them are tags of its words, and no class."""
    target = looked.data.signature.target
    own = looked.columns.get(target.name)
    if target.kind != "class" or target.places or own is None or own.dtype != object:
        return
    words = words_in(to_texts(target.name, own, holes=True))
    if len({*words.tolist()}) < LENGTHS:
        return
    for name, values in looked.columns.items():
        texts = name != target.name and values.ndim == 1 and values.dtype == object
        if texts and np.array_equal(words, words_in(to_texts(name, values, holes=True))):
            yield warn(
                "tags-as-classes",
                f"`{target.name}` has as many words in each row as `{name}`, and each of its {len(target.classes):,} "
                "different values is taken for one class",
                looked.at_key("target"),
                f'write `target: {{{target.name}: {{sequence: " "}}}}` for a tag for each word',
            )


@rule
def texts_are_seen_whole(looked: Looked) -> Iterator[Diagnostic]:
    """Of a longer text the words beyond have no tag."""
    target = looked.data.signature.target
    if not target.of_words:
        return
    (name,), (length,) = (column.name for column in looked.data.signature.features), target.places
    lengths = words_in(to_texts(name, looked.data.columns[name], holes=True))
    longer = lengths > length
    if longer.any():
        beyond, count = int((lengths - length)[longer].sum()), int(longer.sum())
        yield warn(
            "texts-cut",
            f"{count:,} of {len(lengths):,} texts of `{name}` have more than {length:,} words, and the tags of "
            f"{beyond:,} words beyond are neither learned nor judged",
            looked.at_key(*place_of_feature(looked.section, name)),
            f"write `length: {lengths.max():,}`".replace(",", "") + ", or cut these texts into sentences",
        )


@rule
def what_is_written_is_seen_whole(looked: Looked) -> Iterator[Diagnostic]:
    """Of a longer text another one is written without its end."""
    target = looked.data.signature.target
    for name, kind, values in looked.features if target.written else ():
        if not isinstance(kind, Text) or kind.length is None:
            continue
        lengths = np.array([len(split_tokens(text, kind.tokens)) for text in to_texts(name, values, holes=True)])
        longer = int((lengths > kind.length).sum())
        done = "read" if target.aligned else "written"
        if longer:
            yield warn(
                "texts-cut",
                f"{longer:,} of {len(lengths):,} texts of `{name}` have more than {kind.length:,} "
                f"{NAMES[kind.tokens]}, and `{target.name}` is {done} without those beyond",
                looked.place(name),
                f"write `length: {lengths.max()}`",
            )


@rule
def unknown_words_are_learned(looked: Looked) -> Iterator[Diagnostic]:
    """Where the training part has no unknown word, the network cannot learn what one says."""
    target = looked.data.signature.target
    if not target.of_words:
        return
    (name,) = (column.name for column in looked.data.signature.features)
    train, test = (np.asarray(part.inputs) for part in (looked.data.train, looked.data.test))
    unknown, count = int((test == UNKNOWN).sum()), int((test > 0).sum())
    if unknown <= MANY_UNKNOWN * count or (train == UNKNOWN).any():
        return
    words, times = np.unique(train[train > 0], return_counts=True)
    again = max(1, int((times > 1).sum()))
    yield warn(
        "unknown-tokens",
        f"{unknown:,} of {count:,} words of the test part do not stand in the training part, of which the network "
        f"tells all {len(words):,} words apart, so that it never sees an unknown one",
        looked.at_key(*place_of_feature(looked.section, name)),
        f"write `words: {again}`, as many as stand there more than once; the others are learned as unknown ones",
    )
