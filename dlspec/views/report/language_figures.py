"""What a network writes, and held-out text with each token colored by how surprising it was."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlspec.data.language import joined
from dlspec.evaluation.metrics import show_number
from dlspec.views.report.figures import NETWORK, baseline_color, in_style, styled, to_svg
from dlspec.views.report.shown import Shown

if TYPE_CHECKING:
    from dlspec.runs import Run
    from dlspec.runs.records.data import TargetRecord

Array = np.ndarray
MOST_BITS = 8.0
"""Of surprise, from which on a token has the deepest color."""


def language_figures(run: Run) -> list[Shown]:
    """What it writes beside what was held out, and how much what stands before helps."""
    pictures, target = run.pictures, run.data.target
    shown = []
    if "text:written" in pictures:
        shown.append(
            Shown(
                _written(pictures["text:prompt"], pictures["text:written"], pictures["text:temperatures"], target),
                "What it writes",
                "The network goes on with the beginning of the test part, which is gray. Each token is drawn by its "
                "probability; at a low temperature the probable ones are drawn more often. `dlspec generate` writes "
                "more.",
            )
        )
    shown.append(
        Shown(
            _surprising(pictures["text:truth"], pictures["text:surprise"], pictures["text:expected"], target),
            "What surprised it",
            f"The beginning of {run.judged_on}, as it was written by somebody else. The redder a token, the less "
            f"probable the network found it: white is certain, the deepest red one in {2**MOST_BITS:.0f} or less. The "
            "pointer on a token shows its probability, and what was expected in its place. A bar marks where a window "
            "begins, where it sees nothing else.",
        )
    )
    shown.append(
        Shown(
            by_place(
                {
                    name.removeprefix("text:by_place:"): values
                    for name, values in pictures.items()
                    if name.startswith("text:by_place:")
                },
                f"{target.tokens} before it in its window",
            ),
            "How much it helps to see more",
            f"Of the tokens of {run.judged_on}, by how many stand before them in their window. Pairs and triples look "
            "back over one and two; where the line of the network goes on to fall, it uses what lies further back.",
        )
    )
    return shown


@in_style
def by_place(losses: Mapping[str, Array], label: str) -> str:
    """Mean log loss of tokens by how many stand before them, a line for each that guesses."""
    figure, axes = styled(10, 2.8)
    axis = axes[0, 0]
    for place, (name, values) in enumerate(losses.items()):
        color = NETWORK if name == "network" else baseline_color(place - 1)
        axis.plot(np.arange(1, len(values) + 1), values, color=color, label=name, lw=1.8 if name == "network" else 1.2)
    axis.set_xlabel(label)
    axis.set_ylabel("mean log loss")
    axis.set_ylim(0, 1.2 * max(float(np.nanmax(values)) for values in losses.values()))
    axis.legend(loc="upper right", ncols=len(losses))
    return to_svg(figure, "by_place")


def _written(prompt: Array, written: Array, temperatures: Array, target: TargetRecord) -> str:
    parts = []
    for tokens, temperature in zip(written, temperatures, strict=True):
        before, after = _text(prompt, target), _text(tokens, target)
        between = " " if target.tokens == "words" else ""
        parts.append(
            f'<div class="written"><p class="quiet small">temperature {temperature:g}</p>'
            f'<p class="text"><span class="prompt">{html.escape(before)}</span>{html.escape(between + after)}</p></div>'
        )
    return f'<div class="writings">{"".join(parts)}</div>'


def _text(tokens: Array, target: TargetRecord) -> str:
    assert target.tokens is not None, "tokens are predicted"
    return joined([_shown(int(token), target.classes) for token in tokens], target.tokens)


def _shown(token: int, classes: Sequence[str]) -> str:
    return "\ufffd" if token == 0 else classes[token]


def _surprising(truth: Array, surprise: Array, expected: Array, target: TargetRecord) -> str:
    windows = []
    for own, nats, other in zip(truth, surprise, expected, strict=True):
        there = own >= 0
        windows.append("".join(_spans(own[there], nats[there], other[there], target)))
    bar = '<span class="bar">\u00a6</span>'
    return f'<p class="text surprise">{bar.join(windows)}</p>'


def _spans(truth: Array, surprise: Array, expected: Array, target: TargetRecord) -> Iterator[str]:
    """A piece of HTML for each token."""
    between = " " if target.tokens == "words" else ""
    for token, nats, other in zip(truth.tolist(), surprise.tolist(), expected.tolist(), strict=True):
        besides = f", expected {_visible(_shown(other, target.classes))}" if token != other else ""
        text = _shown(token, target.classes)
        yield surprising_token(f"↵{text}" if text == "\n" else text, nats, besides) + between


def surprising_token(text: str, nats: float, expected: str = "") -> str:
    """A token, the redder the more surprising it is.

    Args:
        nats: -log of its probability.
        expected: what is said of it besides its probability.
    """
    deep = min(1.0, nats / np.log(2) / MOST_BITS)
    said = f"probability {show_number(float(np.exp(-nats)), 2)}{expected}"
    style = f' style="background: rgb(220 38 38 / {0.75 * deep:.2f})"' if deep > 0.03 else ""
    return f'<span title="{html.escape(said)}"{style}>{html.escape(text)}</span>'


def _visible(token: str) -> str:
    return {" ": "a space", "\n": "a line break", "\t": "a tab"}.get(token, token)
