"""What the report shows of a network that writes: what it writes, and how surprised it is by held-out text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlspec.data.preparation import Part
from dlspec.data.signature import Target
from dlspec.evaluation.verdict import surprise
from dlspec.evaluation.writing import written

Array = np.ndarray
TEMPERATURES = [0.5, 0.8, 1.0]
WRITTEN = {"characters": 320, "words": 80}
"""Tokens that are written."""
PROMPT = {"characters": 24, "words": 5}
"""Tokens of the test part that the network goes on with, at most."""
SHOWN = {"characters": 1400, "words": 320}
"""Tokens of the test part that are shown, about."""


def of_text(target: Target, part: Part, predictions: Mapping[str, Array]) -> dict[str, Array]:
    """The beginning of a part with the surprise of the network at each token and what it had expected; and the mean
    surprise at each place of a window, of the network and the baselines.

    Args:
        predictions: of the whole part, (windows, length, tokens).
    """
    assert target.tokens is not None, "tokens are predicted"
    truth = np.asarray(part.truth)
    some = slice(0, max(1, SHOWN[target.tokens] // target.places[0]))
    network = predictions["network"]
    found = {
        "text:truth": truth[some],
        "text:surprise": surprise(truth[some], network[some]).astype("float32"),
        "text:expected": network[some].argmax(axis=-1).astype("int32"),
    }
    there = truth >= 0
    for name, guess in predictions.items():
        sums, counts = surprise(truth, guess).sum(axis=0), there.sum(axis=0)
        found[f"text:by_place:{name}"] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return found


def of_writing(target: Target, part: Part, network: Any) -> dict[str, Array]:
    """What a network writes behind the first tokens of a part, at some temperatures."""
    assert target.tokens is not None, "tokens are predicted"
    prompt = prompt_of(target, part)
    found = written(network, prompt, WRITTEN[target.tokens], TEMPERATURES)
    return {"text:prompt": prompt, "text:written": found, "text:temperatures": np.array(TEMPERATURES)}


def prompt_of(target: Target, part: Part) -> Array:
    """The first tokens of a part, as classes, with which a network goes on."""
    assert target.tokens is not None, "tokens are predicted"
    seen = np.asarray(part.inputs[0]).astype("int32")
    prompt = seen[seen > 0] - 1
    if target.tokens == "characters" and " " in target.classes:  # whole words, as far as there are some
        spaces = np.flatnonzero(prompt == target.classes.index(" "))
        whole = prompt[spaces[0] + 1 :] if len(spaces) else prompt
        ends = spaces[(spaces > spaces[:1].sum() + 1) & (spaces - spaces[:1].sum() <= PROMPT[target.tokens])]
        prompt = whole[: ends[-1] - spaces[0] - 1] if len(ends) else whole
    return prompt[: PROMPT[target.tokens]]
