"""Texts with the tags of their words in color, what was taken for what, and how well spans are found."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlspec.evaluation.spans import MARKED, OUTSIDE, has_spans, types_of
from dlspec.views.report import figures
from dlspec.views.report.figures import CLASSES
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    from dlspec.runs import Run

Array = np.ndarray
MOST_TAGS = 40
"""Tags, or types of spans, that are drawn, the most frequent ones."""


def tag_figures(run: Run) -> list[Shown]:
    """Texts and their tags, what was taken for what, and the types of spans."""
    pictures, classes = run.pictures, run.data.target.classes
    bad, count = pictures["tags:wrong"].tolist()
    shown = [
        Shown(
            texts_with_tags(pictures["tags:words"], pictures["tags:truth"], pictures["tags:network"], classes),
            "Words and their tags",
            f"{bad:,} of {count:,} texts of {run.judged_on} have a wrong tag; shown are some of these and some others. "
            f"Below a word stands its tag, a color for each{' type' if has_spans(classes) else ''}. Where the network "
            "says another one, the true one is struck through, and that of the network stands below it.",
        ),
        Shown(
            figures.confusion_of(pictures["tags:confusion"], classes),
            "What was taken for what",
            f"The {int(pictures['tags:confusion'].sum()):,} words of {run.judged_on}. A perfect network has numbers on "
            "the diagonal only.",
            wide=False,
        ),
    ]
    spans = run.metrics.by_span
    each = spans or run.metrics.by_class
    often = sorted(each, key=lambda name: -each[name].samples)[:MOST_TAGS]
    named = [name for name in each if name in often]
    scores = {who: [each[name].scores[who]["f1_score"] or 0.0 for name in named] for who in run.metrics.scores()}
    of = "type of span" if spans else "tag"
    few = f", the {MOST_TAGS} most frequent of {len(each)}" if len(each) > MOST_TAGS else ""
    found = " A span is found if its first word, its last word and its type are right." if spans else ""
    shown.append(
        Shown(
            figures.by_value(named, scores, joined=False),
            f"F1 of each {of}{few}",
            f"On {run.judged_on}, higher is better.{found}",
        )
    )
    return shown


def texts_with_tags(words: Array, truth: Array, network: Array, classes: Sequence[str]) -> str:
    """A line for each text, with tags below its words.

    Args:
        words: (texts, words)
        truth, network: numbers of classes, (texts, words); -1 behind the last word.
    """
    lines = ("".join(_words(*each, classes)) for each in zip(words, truth, network, strict=True))
    return "".join(f'<p class="text tagged">{line}</p>' for line in lines)


def _words(words: Array, truth: Array, network: Array, classes: Sequence[str]) -> Iterator[str]:
    """A piece of HTML for each word."""
    colors = _colors(classes)
    for word, own, said in zip(words.tolist(), truth.tolist(), network.tolist(), strict=True):
        if own < 0:
            return
        right, style = classes[own], f"background:{colors[own]}40;color:{colors[own]}"
        tag = "" if right == OUTSIDE and own == said else html.escape(right)
        if own == said:
            below = f'<i style="{style}">{tag}</i>' if tag else ""
        else:
            below = f'<i class="not">{tag}</i><i class="wrong">{html.escape(classes[said])}</i>'
        title = f"{right}" if own == said else f"{right}, and the network says {classes[said]}"
        yield f'<span title="{html.escape(title)}"><b>{html.escape(word)}</b>{below}</span> '


def _colors(classes: Sequence[str]) -> list[str]:
    """A color for each tag, of those that mark spans for each type; none, which is gray, for `O`."""
    types = types_of(classes) if has_spans(classes) else tuple(tag for tag in classes if tag != OUTSIDE)
    of = {name: CLASSES[place % len(CLASSES)] for place, name in enumerate(types)}
    names = [found[2] if has_spans(classes) and (found := MARKED.fullmatch(tag)) else tag for tag in classes]
    return [of.get(name, "#64748b") for name in names]
