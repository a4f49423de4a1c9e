"""Text that a network writes: each token is drawn by its probability after those before it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.data.features.text import PADDING, UNKNOWN
from dlspec.training.values import predict

Array = np.ndarray


def drawn(shares: Array, temperature: float, random: np.random.Generator) -> int:
    """The place of a token that is drawn by its probability; never that of unknown ones, which is the first.

    Args:
        shares: (tokens,).
        temperature: by which the logarithms of probabilities are divided; 0: the most probable token.
    """
    known = np.asarray(shares[1:], "float64")
    if temperature == 0:
        return 1 + int(known.argmax())
    logits = np.log(np.maximum(known, 1e-30)) / temperature
    weights = np.exp(logits - logits.max())
    return 1 + int(random.choice(len(weights), p=weights / weights.sum()))


def written(network: Any, prompt: Array, length: int, temperatures: list[float], seed: int = 0) -> Array:
    """What a network writes on from a beginning, as classes, (temperatures, length).

    Args:
        network: as it was trained, which takes numbers of tokens, (batch, places).
        prompt: classes, (tokens,), at least one.
        length: how many tokens are written.
        seed: of each temperature anew.
    """
    places = int(network.input_shape[1])
    randoms = [np.random.default_rng(seed) for _ in temperatures]
    texts = [prompt.tolist() for _ in temperatures]
    for _ in range(length):
        seen = min(places, len(texts[0]))
        numbers = np.full((len(texts), places), PADDING, "float32")
        numbers[:, :seen] = np.array([text[-seen:] for text in texts]) + UNKNOWN
        shares = predict(network, numbers)[:, seen - 1]
        for text, own, temperature, random in zip(texts, shares, temperatures, randoms, strict=True):
            text.append(drawn(own, temperature, random))
    return np.array(texts, "int32")[:, len(prompt) :]
