"""Two classes told apart by a softmax of two units are as good as by one sigmoid unit."""

import numpy as np
import pytest

import dlspec
from dlspec.data.preparation import class_shares

SPEC = """\
dlspec: 1
name: two
seed: 3
data: {dataset: {spirals: {samples: 160}}}
model: [dense: {units: 6, activation: tanh}, LAST]
train: {epochs: 2MORE}
"""
SOFTMAX = "dense: {units: 2, activation: softmax}"


def problems(last, more=""):
    return dlspec.validate(SPEC.replace("LAST", last).replace("MORE", more))


@pytest.mark.parametrize(
    "last",
    [
        SOFTMAX, "output: {units: 2}", "dense: {units: 2, activation: sparsemax}", "dense: 2, activation: softmax",
        "dense: 2, softmax", "repeat: {times: 1, layers: [dense: {units: 2, activation: softmax}]}",
    ],
)  # fmt: skip
def test_it_may_be_written_in_every_way(last):
    text = SPEC.replace("LAST", last).replace("MORE", "")
    assert problems(last) == []
    assert dlspec.load(text).train.loss.type_name == "sparse_categorical_crossentropy"
    assert dlspec.graph(text).output_shape == (None, 2)


def test_one_unit_stays_what_it_was():
    for last in ("output", "dense: {units: 1, activation: sigmoid}"):
        text = SPEC.replace("LAST", last).replace("MORE", "")
        assert dlspec.load(text).train.loss.type_name == "binary_crossentropy"
        assert dlspec.graph(text).output_shape == (None, 1)


@pytest.mark.parametrize(
    ("last", "more", "code", "message", "help"),
    [
        ("dense: 2", "", "output-mismatch", "add up to 1", "write `activation: softmax`"),
        ("dense: {units: 2, activation: sigmoid}", "", "output-mismatch", "add up to 1", "write `activation: softmax`"),
        ("dense: {units: 3, activation: softmax}", "", "output-mismatch", "needs (batch, 1)", "make `output` the last"),
        (
            SOFTMAX,
            ", loss: binary_crossentropy",
            "loss-mismatch",
            "one sigmoid unit",
            "sparse_categorical_crossentropy",
        ),
        (SOFTMAX, ", loss: hinge", "loss-mismatch", "one sigmoid unit", "or make the last layer `output`"),
        (SOFTMAX, ", loss: mse", "loss-mismatch", "is two classes", "sparse_categorical_crossentropy"),
        ("output", ", loss: sparse_categorical_crossentropy", "loss-mismatch", "is two classes", "binary_crossentropy"),
    ],
)
def test_what_does_not_fit_is_said_with_its_cure(last, more, code, message, help):
    (problem,) = problems(last, more)
    assert problem.code == code
    assert message in problem.message
    assert help in problem.help


def test_the_same_function_has_the_same_probabilities():
    """A softmax of two units is a sigmoid of their difference."""
    sums = np.random.default_rng(0).normal(size=(9, 2))
    softmax = np.exp(sums) / np.exp(sums).sum(axis=1, keepdims=True)
    sigmoid = 1 / (1 + np.exp(-(sums[:, 1:] - sums[:, :1])))
    np.testing.assert_allclose(class_shares(softmax), class_shares(sigmoid))
