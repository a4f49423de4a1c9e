"""Spans of words that `B-` and `I-` tags mark (IOB2: Tjong Kim Sang and Veenstra, 1999), counted as `conlleval` of
CoNLL-2000 counts them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

OUTSIDE = "O"
SPANS = ("span_f1", "span_precision", "span_recall")
"""Metrics of spans, the first of which says most."""
MARKED = re.compile(r"([BI])-(.+)", re.DOTALL)


def no_spans(classes: Sequence[str]) -> str | None:
    """The first tag that is none of spans, or an empty word where no tag marks one; None: tags mark spans."""
    other = next((tag for tag in classes if tag != OUTSIDE and not MARKED.fullmatch(tag)), None)
    if other is not None:
        return other
    return None if any(map(MARKED.fullmatch, classes)) else ""


def has_spans(classes: Sequence[str]) -> bool:
    """Whether each tag is `O`, or `B-` or `I-` with a type, and one of the latter is there."""
    return no_spans(classes) is None


def types_of(classes: Sequence[str]) -> tuple[str, ...]:
    """The types of spans that tags mark, in alphabetical order."""
    return tuple(sorted({found[2] for tag in classes if (found := MARKED.fullmatch(tag))}))


class SpanCounts(NamedTuple):
    """How many spans there are, (types,) each.

    Args:
        right: that are found: the same first word, last word and type.
        there: in the truth.
        said: in what is guessed.
    """

    right: Array
    there: Array
    said: Array

    def scores(self) -> Mapping[str, float]:
        """Precision, recall and F1 over all types; 0 where they are of nothing, as in `conlleval`."""
        right, there, said = (int(counts.sum()) for counts in self)
        precision, recall = right / max(1, said), right / max(1, there)
        both = precision + recall
        f1 = 2 * precision * recall / both if both else 0.0
        return dict(zip(SPANS, (f1, precision, recall), strict=True))


def count_spans(truth: Array, guess: Array, classes: Sequence[str]) -> SpanCounts:
    """The spans of texts.

    A word with `B-` begins a span, and so does one with `I-` that goes on with no span of its type: behind `O`, at the
    beginning of a text, or behind a word of another type. A span goes on over the words with `I-` of its type.

    Args:
        truth: numbers of classes, (samples, words), -1 where none counts; spans end there.
        guess: likewise; what is guessed where none counts has no part in it.
    """
    import numpy as np

    own = _Marks.of(truth, classes)
    other = _Marks.of(np.where(truth < 0, -1, guess), classes)
    same = own.begins & other.begins & (own.types == other.types) & (own.ends == other.ends)
    count = len(types_of(classes))
    of_types = (own.types[same], own.types[own.begins], other.types[other.begins])
    return SpanCounts(*(np.bincount(types, minlength=count) for types in of_types))


class _Marks(NamedTuple):
    """Spans of texts, (samples, words).

    Args:
        begins: whether a span begins with a word.
        types: of the span that a word is in; -1: in none.
        ends: the last word of the span that a word is in.
    """

    begins: Array
    types: Array
    ends: Array

    @classmethod
    def of(cls, tags: Array, classes: Sequence[str]) -> _Marks:
        import numpy as np

        names = {name: place for place, name in enumerate(types_of(classes))}
        marks = [MARKED.fullmatch(tag) for tag in classes]
        type_of = np.array([names[mark[2]] if mark else -1 for mark in marks] + [-1])  # the last one is that of -1
        is_first = np.array([mark is not None and mark[1] == "B" for mark in marks] + [False])
        types = type_of[tags]
        before = np.pad(types, ((0, 0), (1, 0)), constant_values=-1)[:, :-1]
        begins = (types >= 0) & (is_first[tags] | (before != types))
        goes_on = np.pad((types >= 0) & ~begins, ((0, 0), (0, 1)))[:, 1:]  # whether the next word is in the same span
        places = np.where(goes_on, types.shape[1], np.arange(types.shape[1]))
        ends = np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1]
        return cls(begins, types, ends)
