"""Which rows go where: random numbers that depend on the seed and on what they are for alone."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers that depend on the seed and on what they are for, and on nothing drawn before."""
    return np.random.default_rng([seed, *purpose.encode()])


def draw_evenly(order: Array, share: float) -> Array:
    """A boolean for each entry of `order`: true for `share` of them, spread evenly from first to last."""
    position = np.arange(len(order) + 1)
    taken = np.floor(position * share + 1e-9)
    return np.diff(taken) > 0


def stratified_order(random: np.random.Generator, classes: Array | None, count: int) -> Array:
    """All rows in random order, rows of a class beside each other where there are classes."""
    order = random.permutation(count)
    return order if classes is None else order[np.argsort(classes[order], kind="stable")]


def draw_some(random: np.random.Generator, classes: Array | None, rows: Array, count: int) -> Array:
    """`count` of the rows; every class has its share, and one row at least where there are enough."""
    if count >= len(rows):
        return rows
    order = random.permutation(rows)
    if classes is None:
        return order[:count]
    of_class = [order[classes[order] == label] for label in np.unique(classes[rows])]
    exact = np.array([len(members) for members in of_class]) * count / len(rows)
    taken = np.maximum(np.floor(exact), 1 if count >= len(of_class) else 0).astype(int)
    while taken.sum() < count:
        taken[np.argmax(exact - taken)] += 1
    while taken.sum() > count:
        taken[np.argmax(np.where(taken > 1, taken - exact, -np.inf))] -= 1
    return np.concatenate([members[:n] for members, n in zip(of_class, taken, strict=True)])
