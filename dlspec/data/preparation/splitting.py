"""Single samples: which rows are in the training, the validation and the test part."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dlspec.data.datasets import Columns
from dlspec.data.preparation.columns import data_error, file_of, words_of
from dlspec.data.preparation.problems import ValueProblem
from dlspec.data.preparation.sampling import draw_evenly, generator, stratified_order
from dlspec.data.section import DataSpec
from dlspec.data.signature import Signature
from dlspec.data.split import WORDS, Split, part_of_word

Array = np.ndarray

DRAWS = 200
"""So many times groups are dealt out at random, and the draw is taken that comes nearest to what is asked."""
DEALT = 20_000
"""Groups that are dealt out at most in all draws together: many groups come near in one draw."""


class Given(NamedTuple):
    """How many of the last rows are parts that the data bring, the validation part before the test part."""

    validation: int
    test: int

    @classmethod
    def of(cls, signature: Signature) -> Given:
        return cls(signature.validation_rows, signature.test_rows)


def split_samples(
    section: DataSpec, seed: int, columns: Columns, classes: Array | None, given: Given, fold: int
) -> tuple[Array, Array, Array]:
    """The rows of the training, validation and test part, before any of them is left out: what a row of one part lacks
    moves no row of another.

    Args:
        columns: all rows of the data.
        classes: of all rows, a number of its own for what is no label, to draw from each class its share.
        fold: which of the folds, where there are several.
    """
    split, count = section.split, len(next(iter(columns.values())))
    if split.column is not None:
        parts = _as_a_column_says(section, split.column, columns)
        return np.flatnonzero(parts == 0), np.flatnonzero(parts == 1), np.flatnonzero(parts == 2)
    _check_sizes(section, count, given)
    if split.group is not None:
        words = words_of(section, split.group, columns, "split", "group")
        return _by_group(section, seed, split.group, words, classes, given, fold)
    if split.folds:
        return _fold(section, seed, classes, count, fold)
    if split.by == "order":
        return _in_order(split, count, given)
    free = count - sum(given)
    rest = stratified_order(generator(seed, "split"), None if classes is None else classes[:free], free)
    in_validation, in_test = split.amounts(count, given.test, given.validation)
    validation, test = np.arange(free, free + given.validation), np.arange(count - given.test, count)
    if not given.test:
        taken = draw_evenly(rest, in_test / free)
        rest, test = rest[~taken], rest[taken]
    if not given.validation:
        taken = draw_evenly(rest, in_validation / (count - in_test))
        rest, validation = rest[~taken], rest[taken]
    return rest, validation, test


def _check_sizes(section: DataSpec, count: int, given: Given) -> None:
    split = section.split
    if split.folds and count < split.folds:
        raise data_error(section, "too-few-rows", f"{count} rows are too few for {split.folds} folds", "split", "folds")
    sizes = split.sizes(count, given.test, given.validation)
    if min(sizes[0], sizes[2]) < 1 or (split.validation and not sizes[1]):
        asked = [f"{amount:g}" for amount in (split.validation, split.test) if isinstance(amount, int | float)]
        amounts = f"a split of {' and '.join(asked[: 1 if given.test else 2])}"
        wanted = f"{split.folds} folds and a validation part" if split.folds else amounts
        raise data_error(section, "too-few-rows", f"{count} rows are too few for {wanted}", "split")


def _in_order(split: Split, count: int, given: Given) -> tuple[Array, Array, Array]:
    """The rows as they stand: training, validation, test."""
    train, validation, test = np.split(
        np.arange(count), np.cumsum(split.sizes(count, given.test, given.validation)[:2])
    )
    if given.validation and not given.test:  # the test part is the end of the rows before it
        rows = np.arange(count)
        train, test, validation = np.split(rows, [len(train), len(train) + len(test)])
    return train, validation, test


def _fold(section: DataSpec, seed: int, classes: Array | None, count: int, fold: int) -> tuple[Array, Array, Array]:
    """All rows but those of one fold, some of them for validation, and those of the fold."""
    split = section.split
    folds = split.folds or 1
    in_validation, in_test = split.amounts(count)
    if split.by == "order":
        blocks = np.array_split(np.arange(count), folds)
        test = blocks.pop(fold)
        train, validation = np.split(np.concatenate(blocks), [count - len(test) - round(in_validation)])
        return train, validation, test
    order = stratified_order(generator(seed, "split"), classes, count)
    tested = np.arange(count) % folds == fold
    rest = order[~tested]
    taken = draw_evenly(rest, in_validation / (count - in_test))
    return rest[~taken], rest[taken], order[tested]


# --- groups


def _by_group(
    section: DataSpec, seed: int, name: str, words: Array, classes: Array | None, given: Given, fold: int
) -> tuple[Array, Array, Array]:
    """Whole groups in each part, with as many rows as is asked, as nearly as groups allow.

    Args:
        words: the group of each row.
    """
    split, count = section.split, len(words)
    free = count - sum(given)
    labels, group = np.unique(words, return_inverse=True)
    in_validation, in_test = split.amounts(count, given.test, given.validation)
    of_free = group[:free]
    sizes = _class_counts(of_free, len(labels), None if classes is None else classes[:free])
    folds = split.folds or 1
    parts = 1 + bool(in_validation and not given.validation) + bool(not given.test and not split.folds)
    wanted = f"{folds} folds" if split.folds else f"{parts} parts"

    def check_groups(there: int, needed: int) -> None:
        if there < needed:
            message = f"`{name}` has {there} group{'s' * (there != 1)}, which are too few for {wanted}"
            raise data_error(section, "too-few-groups", message, "split", "group")

    there = int((sizes.sum(axis=1) > 0).sum())
    check_groups(there, max(parts, folds))
    tested = np.zeros(len(labels), bool)
    if split.folds:
        tested = _deal_out(generator(seed, "split"), sizes, np.full(folds, 1 / folds)) == fold
        if there - tested.sum() < parts:  # of two folds, one is to train and to validate
            check_groups(there, there + 1)
    shares = np.array([in_test * (not given.test and not split.folds), in_validation * (not given.validation)])
    rest = np.where(tested[:, None], 0, sizes)
    purpose = "split" if not split.folds else f"split/{fold}"
    shares = np.append(shares, rest.sum() - shares.sum()) / rest.sum()
    dealt = _deal_out(generator(seed, purpose), rest, shares)
    part = np.where(tested, 0, dealt)[group]
    part[free : free + given.validation] = 1
    part[count - given.test :] = 0
    _check_apart(section, name, labels, group, part)
    return np.flatnonzero(part == 2), np.flatnonzero(part == 1), np.flatnonzero(part == 0)


def _class_counts(group: Array, groups: int, classes: Array | None) -> Array:
    """Rows of each class in each group, (groups, classes)."""
    kinds = 1 if classes is None else int(classes.max(initial=0)) + 1
    places = group * kinds if classes is None else group * kinds + classes
    return np.bincount(places, minlength=groups * kinds).reshape(groups, kinds)


def _deal_out(random: np.random.Generator, sizes: Array, shares: Array) -> Array:
    """A part for each group, so that every part has its share of the rows of each class, as nearly as may be.

    Groups come in random order, and each goes where most is lacking; of several such draws the best is taken. Every
    part with a share has a group.

    Args:
        sizes: rows of each class in each group, (groups, classes); groups without rows go nowhere.
        shares: of each part.
    """
    present = np.flatnonzero(sizes.sum(axis=1))
    total = np.maximum(sizes.sum(axis=0), 1)
    relative = sizes / total
    wanted = shares[:, None] * (sizes.sum(axis=0) > 0)
    parts = np.flatnonzero(shares > 0)
    best, least = np.full(len(sizes), -1), np.inf
    for _ in range(max(1, min(DRAWS, DEALT // len(present)))):
        dealt = np.full(len(sizes), -1)
        lacking = wanted.copy()
        for place, group in enumerate(random.permutation(present)):
            part = parts[place] if place < len(parts) else parts[np.argmax(lacking[parts] @ relative[group])]
            dealt[group] = part
            lacking[part] -= relative[group]
        cost = float((lacking**2).sum())
        if cost < least:
            best, least = dealt, cost
    return best


def _check_apart(section: DataSpec, name: str, labels: Array, group: Array, part: Array) -> None:
    """Files of the validation and test part may hold rows of groups that are elsewhere too."""
    lowest, highest = np.full(len(labels), 3), np.full(len(labels), -1)
    np.minimum.at(lowest, group, part)
    np.maximum.at(highest, group, part)
    both = np.flatnonzero(lowest < highest)
    if len(both):
        more = f" and {len(both) - 1} other groups" if len(both) > 1 else ""
        message = f"rows of `{labels[both[0]]}`{more} of `{name}` stand in files of two parts"
        help = "move them into one of the files, or leave `group` out"
        raise data_error(section, "group-in-two-parts", message, "split", "group", help=help)


# --- a column of parts


def _as_a_column_says(section: DataSpec, name: str, columns: Columns) -> Array:
    """0 in the rows that train, 1 in those of the validation, 2 in those of the test part."""
    words = words_of(section, name, columns, "split", "column")
    places = {part: place for place, part in enumerate(WORDS)}
    known = {word: part_of_word(word) for word in np.unique(words).tolist()}
    for word, part in known.items():
        if part is None:
            row = int(np.argmax(words == word))
            problem = ValueProblem.at(row, "unknown-part", f"column `{name}` has `{word}` in row {row + 1}", "")
            message = problem.diagnostics[0].message + file_of(section, None, problem) + ", which is no part"
            help = "write `train`, `validation` or `test`"
            raise data_error(section, "unknown-part", message, "split", "column", help=help)
    parts = np.array([places[known[word] or ""] for word in words.tolist()])
    for part in ("training", "test"):
        if not (parts == places[part]).any():
            message = f"no row of column `{name}` says `{WORDS[part][0]}`"
            raise data_error(section, "unknown-part", message, "split", "column")
    return parts
