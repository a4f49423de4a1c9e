"""Texts that are read off the timesteps of a network, each of which says an item or the blank (Graves et al., 2006)."""

from __future__ import annotations

import numpy as np

from dlspec.data.arrays import blocks
from dlspec.data.features.shifted import END
from dlspec.data.signature import Target
from dlspec.model.alignment import BLANK

Array = np.ndarray
NOWHERE = -1
"""The class behind the end of a text."""
NO_ITEM = -1
AT_ONCE = 10**6
"""Continuations of beginnings, or pairs of them, that are in memory together."""
MIX = np.uint64(0x9E3779B97F4A7C15)
"""By which beginnings are told apart: the number of one is that of the one before it and its last item, mixed."""


def log_shares(logits: Array) -> Array:
    """The logarithm of the probability of each class at each timestep, (..., classes) float64."""
    logits = np.asarray(logits, "float64")
    logits = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True)))


def read(logits: Array, target: Target) -> Array:
    """The texts that logits say, (texts, places) int32: classes as those of texts that are written, up to the end, and
    `NOWHERE` behind it.

    Args:
        logits: (texts, timesteps, items + 1), the first of which is that of the blank.
        target: says how many beginnings are kept side by side; of one, the likeliest class of each timestep is taken.
    """
    assert target.written is not None, "texts are written"
    beam = target.written.beam
    found = best_path(logits) if beam == 1 else by_prefixes(logits, beam)
    lengths = (found != NO_ITEM).sum(axis=1)
    places = np.arange(1 + max(lengths, default=0))
    wide = np.pad(found, ((0, 0), (0, 1)), constant_values=NO_ITEM)[:, : len(places)]
    texts = np.where(places == lengths[:, None], END, np.where(places < lengths[:, None], wide + END, NOWHERE))
    return texts.astype("int32")


def best_path(logits: Array) -> Array:
    """The likeliest class of each timestep, of which those that follow themselves count once, and blanks are left out:
    classes of items, (texts, timesteps), -1 behind the last."""
    classes = np.asarray(logits).argmax(axis=-1)
    kept = classes != BLANK
    kept[:, 1:] &= classes[:, 1:] != classes[:, :-1]
    order = np.argsort(~kept, axis=1, kind="stable")
    return np.take_along_axis(np.where(kept, classes, NO_ITEM), order, axis=1)


def by_prefixes(logits: Array, beam: int) -> Array:
    """The likeliest text by a prefix beam search (Hannun, 2014): ways that say the same are added up, and after each
    timestep the `beam` likeliest beginnings are kept. Classes of items, (texts, timesteps), -1 behind the last."""
    found = [np.empty((0, logits.shape[1]), int)]
    size = max(1, AT_ONCE // (beam * max(beam, min(logits.shape[-1], 2 * beam + 2))))
    found += [_by_prefixes(log_shares(block), beam) for block in blocks(np.asarray(logits), size)]
    return np.concatenate(found)


def _by_prefixes(shares: Array, beam: int) -> Array:
    """
    Args:
        shares: logarithms of probabilities, (texts, timesteps, classes).
    """
    count, steps, classes = shares.shape
    rows, few = np.arange(count)[:, None], min(classes - 1, 2 * beam + 1)
    items = np.full((count, beam, steps), NO_ITEM)
    lengths, last = np.zeros((count, beam), int), np.full((count, beam), BLANK)
    own, before = np.zeros((count, beam), np.uint64), np.ones((count, beam), np.uint64)  # the numbers of beginnings
    blank, said = np.full((count, beam), -np.inf), np.full((count, beam), -np.inf)  # ways that end in either
    blank[:, 0] = 0.0
    for now in shares.swapaxes(0, 1):
        whole = np.logaddexp(blank, said)
        stay_blank = whole + now[:, [BLANK]]
        stay_said = np.where(lengths > 0, said + now[rows, last], -np.inf)
        # (texts, beginnings, beginnings): whether the second, with an item more, is the first
        leads = (before[:, :, None] == own[:, None, :]) & (lengths[:, :, None] == lengths[:, None, :] + 1)
        leads &= np.isfinite(whole)[:, None, :] & np.isfinite(whole)[:, :, None]
        child, parent = np.nonzero(leads.any(axis=2)), leads.argmax(axis=2)[leads.any(axis=2)]
        item = last[child]
        doubled = item == last[child[0], parent]
        more = np.where(doubled, blank[child[0], parent], whole[child[0], parent]) + now[child[0], item]
        stay_said[child] = np.logaddexp(stay_said[child], more)
        likely = 1 + np.argsort(-now[:, 1:], axis=1, kind="stable")[:, :few]  # (texts, few)
        more = whole[:, :, None] + now[rows, likely][:, None]
        doubled = (likely[:, None] == last[..., None]) & (lengths > 0)[..., None]
        more = np.where(doubled, (blank + now[rows, last])[..., None], more)
        merged = np.zeros((count, beam, classes), bool)
        merged[child[0], parent, item] = True
        more[np.take_along_axis(merged, np.broadcast_to(likely[:, None], more.shape), axis=2)] = -np.inf
        options = np.concatenate([np.logaddexp(stay_blank, stay_said)[..., None], more], axis=2).reshape(count, -1)
        kept = np.argsort(-options, axis=1, kind="stable")[:, :beam]
        source, choice = kept // (few + 1), kept % (few + 1)
        longer, chosen = choice > 0, np.take_along_axis(likely, np.maximum(choice - 1, 0), axis=1)
        scores = np.take_along_axis(options, kept, axis=1)
        blank = np.where(longer, -np.inf, stay_blank[rows, source])
        said = np.where(longer, scores, stay_said[rows, source])
        items, lengths = items[rows, source], lengths[rows, source]
        index = np.nonzero(longer)
        items[index[0], index[1], lengths[index]] = chosen[index]
        before = np.where(longer, own[rows, source], before[rows, source])
        own = np.where(longer, (own[rows, source] + chosen.astype(np.uint64) + np.uint64(1)) * MIX, own[rows, source])
        own = np.where(longer, own ^ (own >> np.uint64(29)), own)
        last = np.where(longer, chosen, last[rows, source])
        lengths = lengths + longer
    best = np.logaddexp(blank, said).argmax(axis=1)
    return np.asarray(items[np.arange(count), best])
