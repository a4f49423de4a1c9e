"""Spans of words are counted as `conlleval` counts them, and words without context by the tag that they mostly have."""

import importlib.util
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import dlspec
from dlspec.evaluation.metrics import METRICS
from dlspec.evaluation.scores import Scorer
from dlspec.evaluation.spans import SPANS, count_spans, has_spans, no_spans
from dlspec.evaluation.word_tags import FittedWordTags
from dlspec.runs.job import load_data

CLASSES = ("O", "B-A", "I-A", "B-B", "I-B")


def numbers(texts, length=None):
    length = length or max(len(text.split()) for text in texts)
    return np.array(
        [[CLASSES.index(tag) for tag in text.split()] + [-1] * (length - len(text.split())) for text in texts]
    )


def spans_by_hand(tags):
    """The spans of one text, word by word as `startOfChunk` and `endOfChunk` of conlleval.pl decide."""
    found, before, kind_before, begun = set(), "O", "", None
    for place, tag in enumerate([*tags, "O"]):
        mark, _, kind = tag.partition("-")
        ends = (before, mark) in {("B", "B"), ("B", "O"), ("I", "B"), ("I", "O")}
        ends |= before != "O" and kind_before != kind
        begins = (before, mark) in {("B", "B"), ("I", "B"), ("O", "B"), ("O", "I")}
        begins |= mark != "O" and kind_before != kind
        if begun is not None and ends:
            found.add((begun[0], place - 1, begun[1]))
            begun = None
        if begins:
            begun = (place, kind)
        before, kind_before = mark, kind
    return found


@pytest.mark.parametrize(
    ("truth", "guess", "right", "there", "said"),
    [
        ("B-A I-A O B-B", "B-A I-A O B-B", 2, 2, 2),
        ("B-A I-A O B-B", "B-A O O B-B", 1, 2, 2),  # too short
        ("B-A I-A O", "B-A I-A I-A", 0, 1, 1),  # too long
        ("B-A I-A", "B-B I-B", 0, 1, 1),  # another type
        ("B-A B-A", "B-A I-A", 0, 2, 1),  # two that touch, taken for one
        ("I-A I-A O I-B", "B-A I-A O B-B", 2, 2, 2),  # an `I-` at the beginning, and behind `O`, begins a span
        ("B-A I-B I-B", "B-A B-B I-B", 2, 2, 2),  # an `I-` of another type begins one
        ("B-A I-B I-A", "B-A O O", 1, 3, 1),
        ("O O", "O O", 0, 0, 0),
    ],
)
def test_spans_are_counted_by_their_ends_and_their_type(truth, guess, right, there, said):
    found = count_spans(numbers([truth]), numbers([guess]), CLASSES)
    assert [int(counts.sum()) for counts in found] == [right, there, said]
    precision, recall = right / max(1, said), right / max(1, there)
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    assert found.scores() == pytest.approx({"span_f1": f1, "span_precision": precision, "span_recall": recall})


def test_drawn_tags_have_the_spans_of_conlleval():
    random = np.random.default_rng(3)
    truth, guess = (random.choice(5, (300, 9), p=[0.4, 0.15, 0.2, 0.1, 0.15]) for _ in range(2))
    lengths = random.integers(0, 10, 300)
    truth[np.arange(9) >= lengths[:, None]] = -1
    own, other = (
        [spans_by_hand([CLASSES[tag] for tag in row[:count]]) for row, count in zip(tags, lengths, strict=True)]
        for tags in (truth, guess)
    )
    found = count_spans(truth, guess, CLASSES)
    for place, kind in enumerate("AB"):
        one, two = ([{span for span in row if span[2] == kind} for row in rows] for rows in (own, other))
        assert found.there[place] == sum(map(len, one))
        assert found.said[place] == sum(map(len, two))
        assert found.right[place] == sum(len(a & b) for a, b in zip(one, two, strict=True))
    assert found.right.sum() > 50


@pytest.mark.skipif(importlib.util.find_spec("seqeval") is None, reason="seqeval is not installed")
def test_drawn_tags_have_the_scores_of_seqeval():
    from seqeval.metrics import f1_score, precision_score, recall_score

    random = np.random.default_rng(5)
    truth, guess = (random.choice(5, (200, 8), p=[0.4, 0.15, 0.2, 0.1, 0.15]) for _ in range(2))
    scores = count_spans(truth, guess, CLASSES).scores()
    named = [[[CLASSES[tag] for tag in row] for row in tags] for tags in (truth, guess)]
    expected = [of(*named) for of in (f1_score, precision_score, recall_score)]
    assert [scores[name] for name in SPANS] == pytest.approx(expected)


def test_which_tags_mark_spans():
    assert has_spans(("O", "B-PER", "I-PER"))
    assert has_spans(("I-PER", "O"))
    assert no_spans(("NOUN", "VERB")) == "NOUN"
    assert no_spans(("O", "B-PER", "E-PER")) == "E-PER"
    assert no_spans(("O",)) == ""
    assert no_spans(("O", "B-")) == "B-"


NOTES = [
    ("May sang", "B-A O"), ("in May", "O B-B"), ("May May", "B-A I-A"),
    ("Ann , May", "B-A O B-B"), ("Ann May", "B-A I-A"),
] * 8  # fmt: skip


@pytest.fixture
def notes(tmp_path):
    rows = "\n".join(f'"{said}",{tags}' for said, tags in NOTES)
    (tmp_path / "notes.csv").write_text(f"said,tags\n{rows}\n", encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(
        "dlspec: 1\n"
        'data: {table: notes.csv, target: {tags: {sequence: " "}}, features: {said: {text: {length: 3}}}}\n'
        "model: [embedding: 2, output]\n",
        encoding="utf-8",
    )
    return load_data(dlspec.load(tmp_path / "spec.yaml"))


def test_scores_of_spans_are_of_whole_texts_and_of_types(notes):
    metrics = [METRICS[name]() for name in (*SPANS, "accuracy")]
    truth = np.asarray(notes.test.truth)
    guess = np.eye(len(notes.signature.target.classes))[np.maximum(truth, 0)]
    scorer = Scorer(metrics, notes, notes.test)
    assert scorer.scores(guess) == dict.fromkeys((*SPANS, "accuracy"), 1.0)
    outside = notes.signature.target.classes.index("O")
    guess[:, 0] = np.eye(guess.shape[-1])[outside]
    found = scorer.scores(guess)
    by_hand = count_spans(truth, guess.argmax(axis=-1), notes.signature.target.classes)
    assert found["span_recall"] == by_hand.right.sum() / by_hand.there.sum() < 1
    by_type = scorer.by_span({"network": guess})
    assert [*by_type] == ["A", "B"]
    assert sum(own["samples"] for own in by_type.values()) == by_hand.there.sum()
    assert by_type["B"]["scores"]["network"]["recall"] == by_hand.right[1] / by_hand.there[1]


def test_word_majority_says_the_tag_that_each_word_mostly_has(notes):
    classes = len(notes.signature.target.classes)
    fitted = FittedWordTags.of(notes.train, classes)
    inputs, truth = np.asarray(notes.train.inputs).astype(int), np.asarray(notes.train.truth)
    guess = fitted.guess(notes.train)
    assert guess.shape == (*truth.shape, classes)
    assert np.allclose(guess.sum(axis=-1), 1)
    shares = np.bincount(truth[truth >= 0], minlength=classes) / (truth >= 0).sum()
    for word in {*inputs[truth >= 0].tolist()}:
        counts = np.bincount(truth[(inputs == word) & (truth >= 0)], minlength=classes)
        own = guess[inputs == word][0]
        assert own.argmax() == (counts + shares).argmax()
        assert np.allclose(own, (counts + shares) / (counts.sum() + 1))
    other = replace(notes.test, inputs=np.array([[1, 99, 0]]))  # unknown, never there, and no word
    assert np.allclose(fitted.guess(other)[0, :2], shares)
    nothing = SimpleNamespace(inputs=np.empty((0, 3)))
    assert fitted.guess(nothing).shape == (0, 3, classes)
