"""Models of pairs and triples, held against counting by hand."""

from collections import Counter

import numpy as np
import pytest

from dlspec.data.preparation.language import Windows
from dlspec.evaluation.token_models import FittedTokens, context_codes
from dlspec.evaluation.verdict import losses

VOCABULARY = ["a", "b", "c"]
CLASSES = len(VOCABULARY) + 1


def windows(text, length=8):
    return Windows.of([(0, [sign.encode() for sign in text])], VOCABULARY, length, "characters").part(0)


@pytest.fixture(scope="module")
def part():
    random = np.random.default_rng(0)
    signs, text = "abc", "a"
    for _ in range(2000):  # mostly the next letter after the one before the last
        text += signs[(signs.index(text[-2:][0]) + 1) % 3] if random.random() < 0.8 else random.choice(list(signs))
    return windows(text)


def test_contexts_are_the_last_tokens():
    seen = np.array([[2, 3, 4]])
    assert context_codes(seen, 0, 4).tolist() == [[0, 0, 0]]
    assert context_codes(seen, 1, 4).tolist() == [[2, 3, 4]]
    assert context_codes(seen, 2, 4).tolist() == [[2, 2 * 5 + 3, 3 * 5 + 4]]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_guesses_are_probabilities_and_no_token_is_impossible(part, order):
    shares = FittedTokens.fit(part, CLASSES, order).guess(part)
    assert shares.shape == (*part.truth.shape, CLASSES)
    assert np.allclose(shares.sum(axis=-1), 1, atol=1e-5)
    assert (shares > 0).all()


def test_more_tokens_guess_better_where_they_tell_more(part):
    each = [
        losses("tokens", part.truth, FittedTokens.fit(part, CLASSES, order).guess(part)).mean() for order in (1, 2, 3)
    ]
    assert each[2] < 0.75 < 0.9 < each[1] <= each[0] + 0.02


def test_pairs_are_mixed_shares_of_what_followed(part):
    fitted = FittedTokens.fit(part, CLASSES, 2)
    seen, truth = part.inputs.astype(int), part.truth
    there = truth >= 0
    single = Counter(truth[there].tolist())
    pairs = Counter(zip(seen[there].tolist(), truth[there].tolist(), strict=True))
    behind = Counter(seen[there].tolist())
    one, two = fitted.weights[0], fitted.weights[1]
    total = there.sum()
    for before in (2, 3, 4):
        for token in range(CLASSES):
            low = one[min(11, int(np.log2(total)))]
            share = low * single[token] / total + (1 - low) / CLASSES
            high = two[min(11, int(np.log2(behind[before])))]
            expected = high * pairs[before, token] / behind[before] + (1 - high) * share
            place = np.argwhere(seen == before)[0]
            assert fitted.guess(part)[place[0], place[1], token] == pytest.approx(expected, rel=1e-4)


def test_what_was_kept_guesses_the_same(part):
    fitted = FittedTokens.fit(part, CLASSES, 3)
    again = FittedTokens.restored(fitted.arrays())
    assert np.array_equal(fitted.guess(part), again.guess(part))
    with pytest.raises(ValueError, match="do not fit"):
        FittedTokens.restored({**fitted.arrays(), "tokens": fitted.tokens[1:]})
