"""What the report shows of tags of words: some texts with their tags, and which tag is taken for which."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dlspec.data.datasets import Columns
from dlspec.data.preparation import Part
from dlspec.data.preparation.columns import to_texts
from dlspec.data.signature import Signature
from dlspec.data.words import split_at_spaces

Array = np.ndarray
SHOWN = 16
"""Texts that are shown; half of them have a wrong tag, if there are as many."""
LONGEST = 60
"""Words of a text, and characters of a word, that are shown."""


def of_tags(signature: Signature, part: Part, columns: Columns, predictions: Mapping[str, Array]) -> dict[str, Array]:
    """Some texts of a part, the tags of their words and those that the network gives, -1 behind the last word; and how
    often each tag was taken for each, (tags, tags).

    Args:
        columns: of the data.
        predictions: of the whole part.
    """
    target, name = signature.target, signature.features[0].name
    truth, guess = np.asarray(part.truth), predictions["network"].argmax(axis=-1)
    there, count = truth >= 0, len(target.classes)
    wrong = (there & (truth != guess)).any(axis=1)
    some = chosen(wrong)
    texts = to_texts(name, np.asarray(columns[name])[np.asarray(part.rows)[some]], holes=True)
    longest = min(LONGEST, truth.shape[1])
    words = np.full((len(some), longest), "", f"U{LONGEST}")
    for row, text in enumerate(texts):
        own = [word.decode("utf-8", "replace")[:LONGEST] for word in split_at_spaces(text)[:longest]]
        words[row, : len(own)] = own
    table = np.bincount(truth[there] * count + guess[there], minlength=count**2).reshape(count, count)
    return {
        "tags:words": words,
        "tags:truth": truth[some, :longest],
        "tags:network": np.where(there, guess, -1)[some, :longest].astype("int32"),
        "tags:confusion": table,
        "tags:wrong": np.array([wrong.sum(), len(wrong)]),
    }


def chosen(wrong: Array) -> Array:
    """The texts that are shown, in their order: of those with a wrong tag and of the others evenly."""
    bad, good = np.flatnonzero(wrong), np.flatnonzero(~wrong)
    most = max(SHOWN // 2, SHOWN - len(good))
    return np.sort(np.concatenate([_evenly(bad, most), _evenly(good, SHOWN - min(most, len(bad)))]))


def _evenly(rows: Array, most: int) -> Array:
    return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)]
