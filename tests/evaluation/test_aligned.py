"""Texts that are read off logits: by the best path, and by a prefix beam search."""

from itertools import groupby, product

import numpy as np
import pytest

from dlspec.data.signature import Target, Written
from dlspec.evaluation.aligned import best_path, by_prefixes, log_shares, read
from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.sequences import alone, exact
from dlspec.runs.written_texts import texts_of

ITEMS = ("a", "b", "c")


def target_of(beam, items=ITEMS, unit="characters"):
    return Target("y", "class", ("<blank>", *items), places=(5,), written=Written(unit, None, beam))


def said(row):
    return tuple(int(item) for item in row if item >= 0)


def every_text(logits):
    """Each text that can be said, and its probability, by all ways."""
    shares, found = np.exp(log_shares(logits)), {}
    for way in product(range(shares.shape[1]), repeat=len(shares)):
        text = tuple(item for item, _ in groupby(way) if item)
        found[text] = found.get(text, 0.0) + np.prod(shares[range(len(shares)), way])
    return found


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_a_wide_beam_finds_the_likeliest_text_of_all(spread):
    random = np.random.default_rng(0)
    for steps, classes in product((1, 2, 4, 6), (2, 3, 4)):
        logits = random.normal(size=(5, steps, classes)) * spread
        for own, row in zip(logits, by_prefixes(logits, 300), strict=True):
            texts = every_text(own)
            assert texts[said(row)] == pytest.approx(max(texts.values()), rel=1e-9)


def plain_beam(logits, beam):
    """Prefix beam search of one text, with a mapping from beginnings to both probabilities (Hannun, 2014)."""
    beams = {(): (1.0, 0.0)}
    for now in np.exp(log_shares(logits)):
        found = {}
        for text, (blank, item) in beams.items():
            own = found.setdefault(text, [0.0, 0.0])
            own[0] += (blank + item) * now[0]
            if text:
                own[1] += item * now[text[-1]]
            for more in range(1, len(now)):
                before = blank if text and more == text[-1] else blank + item
                found.setdefault((*text, more), [0.0, 0.0])[1] += before * now[more]
        beams = dict(sorted(found.items(), key=lambda pair: -sum(pair[1]))[:beam])
    return max(beams, key=lambda text: sum(beams[text]))


@pytest.mark.parametrize("beam", [2, 3, 8])
def test_a_narrow_beam_is_that_of_the_plain_algorithm(beam):
    logits = np.random.default_rng(beam).normal(size=(80, 14, 6)) * 1.5
    found = by_prefixes(logits, beam)
    assert [said(row) for row in found] == [plain_beam(own, beam) for own in logits]


def test_a_beam_is_that_of_keras_where_it_is_wide():
    import keras

    logits = np.random.default_rng(4).normal(size=(30, 12, 5)).astype("float32") * 2
    decoded, _ = keras.ops.ctc_decode(
        logits, np.full(30, 12), strategy="beam_search", beam_width=100, top_paths=1, mask_index=0
    )
    own, theirs = by_prefixes(logits, 100), np.asarray(decoded[0])
    assert [said(row) for row in own] == [tuple(int(i) for i in row if i > 0) for row in theirs]


def test_the_best_path_is_that_of_keras():
    import keras

    logits = np.random.default_rng(5).normal(size=(60, 15, 5)).astype("float32") * 2
    decoded, _ = keras.ops.ctc_decode(logits, np.full(60, 15), strategy="greedy", mask_index=0)
    theirs = [tuple(int(i) for i in row if i > 0) for row in np.asarray(decoded[0])]
    assert [said(row) for row in best_path(logits)] == theirs


def of_path(path, classes=4):
    return np.eye(classes)[None, path] * 9.0


@pytest.mark.parametrize("beam", [1, 16])
@pytest.mark.parametrize(
    ("path", "text"),
    [([0, 1, 1, 0, 1, 2], "aab"), ([3, 3, 3], "c"), ([0, 0, 0, 0], ""), ([1, 2, 1], "aba"), ([2, 0, 2, 2], "bb")],
)
def test_items_that_follow_themselves_count_once_unless_a_blank_stands_between(beam, path, text):
    found = read(of_path(path), target_of(beam))
    assert texts_of(found, target_of(beam)).tolist() == [text]
    assert found.shape == (1, len(text) + 1)


def test_words_have_spaces_between_them():
    target = target_of(16, ("the", "07"), "items")
    assert texts_of(read(of_path([1, 0, 2, 1], 3), target), target).tolist() == ["the 07 the"]


def test_no_samples_are_no_texts():
    assert read(np.empty((0, 4, 4)), target_of(16)).shape == (0, 1)
    assert read(np.empty((0, 4, 4)), target_of(1)).shape == (0, 1)


def test_texts_of_unequal_places_are_compared_whole():
    truth = np.array([[2, 1, -1], [2, 3, 1], [1, -1, -1]])
    longer = np.array([[2, 1, -1, -1, -1], [2, 3, 2, 1, -1], [1, -1, -1, -1, -1]])
    assert exact(truth, longer).tolist() == [True, False, True]
    assert exact(longer, truth).tolist() == [True, False, True]


def test_weighted_samples_are_as_good_as_several():
    truth = np.array([[2, 3, 1], [3, 1, -1], [1, -1, -1]])
    guess = alone(np.array([[2, 1, -1], [3, 1, -1], [2, 1, -1]]))
    weights = np.array([2.0, 1.0, 3.0])
    rows = np.repeat(np.arange(3), weights.astype(int))
    for name in ("exact_match", "edit_distance"):
        metric = METRICS.read(name)
        assert metric.compute(truth, guess, None, weights) == pytest.approx(metric.compute(truth[rows], guess[rows]))
