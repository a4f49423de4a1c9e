"""Mistakes drawn at random, two and three in one spec: each is reported once, at its line, and nothing besides."""

import itertools
import random

import pytest

import dlspec

SPEC = """\
dlspec: 1
data:
  dataset: iris
  features: [sepal_length, petal_length]
  target: species
  scale: min_max
  split: {validation: 0.15, test: 0.15}
  limit: 90
model:
  - dense: {units: 16, activation: sigmoid, name: h1}
  - dropout: 0.2
  - dense: {units: 8, activation: sigmoid, name: h2}
  - output
pretrain:
  method: rbm
  epochs: 5
  batch_size: 16
  layers: [h1, h2]
train:
  optimizer: {adam: {learning_rate: 0.001}}
  loss: sparse_categorical_crossentropy
  epochs: 20
  batch_size: 32
  gradient_clipping: {norm: 1}
  early_stopping: {patience: 5}
evaluate:
  metrics: [accuracy, log_loss]
  baselines: [majority, linear]
runtime: {device: cpu}
budget: {parameters: 10000}
"""
MISTAKES = {
    "  dataset: iris": ["  dataset: irris", "  dataset: 5"],
    "  features: [sepal_length, petal_length]": [
        "  features: 5",
        "  features: [sepal_lenght, petal_length]",
        "  features: {sepal_length: numerik, petal_length: numeric}",
    ],
    "  target: species": ["  target: 5", "  target: specie"],
    "  scale: min_max": ["  scale: min_mox", "  scale: 3", "  scales: min_max"],
    "  split: {validation: 0.15, test: 0.15}": [
        "  split: {validation: 0.6, test: 0.5}",
        "  split: {validation: 0.15, tset: 0.15}",
        "  split: {validation: 0.15, test: -1}",
        "  split: {by: tyme}",
    ],
    "  limit: 90": ["  limit: many", "  limit: 0"],
    "  - dense: {units: 16, activation: sigmoid, name: h1}": [
        "  - dense: {units: 16, activation: sigmod, name: h1}",
        "  - dense: {units: -16, activation: sigmoid, name: h1}",
        "  - dense: {neurons: 16, activation: sigmoid, name: h1}",
        "  - dense: {units: 16, activation: sigmoid, name: h1, use_bios: false}",
        "  - dens: {units: 16, activation: sigmoid, name: h1}",
    ],
    "  - dropout: 0.2": ["  - dropout: 1.5", "  - droput: 0.2", "  - dropout: {rate: 0.2, seeds: 3}"],
    "  method: rbm": ["  method: rbn"],
    "  epochs: 5": ["  epochs: 0", "  epocs: 5"],
    "  layers: [h1, h2]": ["  layers: [h1, h3]", "  layers: [h1, h1]"],
    "  optimizer: {adam: {learning_rate: 0.001}}": [
        "  optimizer: {adma: {learning_rate: 0.001}}",
        "  optimizer: {adam: {learning_rat: 0.001}}",
        "  optimizer: {adam: {learning_rate: -0.001}}",
        "  optimizer: sdg",
    ],
    "  loss: sparse_categorical_crossentropy": ["  loss: mse", "  loss: sparse_categorical_crosentropy"],
    "  epochs: 20": ["  epochs: -20", "  epoch: 20", "  epochs: twenty"],
    "  batch_size: 32": ["  batch_size: 0", "  batchsize: 32"],
    "  gradient_clipping: {norm: 1}": ["  gradient_clipping: {norms: 1}", "  gradient_clipping: {norm: -1}"],
    "  early_stopping: {patience: 5}": ["  early_stopping: {patience: -5}", "  early_stopping: {patiense: 5}"],
    "  metrics: [accuracy, log_loss]": ["  metrics: [acuracy, log_loss]", "  metrics: [accuracy, rmse]"],
    "  baselines: [majority, linear]": ["  baselines: [majorty, linear]", "  baselines: [majority, persistence]"],
    "runtime: {device: cpu}": ["runtime: {device: gppu}", "runtime: {devise: cpu}"],
    "budget: {parameters: 10000}": ["budget: {parameters: 100}", "budget: {parameter: 10000}"],
}
BROKEN = ("dens:", "units: -16", "neurons", "dropout: 1.5", "droput")
"""What leaves a layer of which nothing is known."""
UNKNOWN = ("irris", "numerik", "dataset: 5", "features: 5", "sepal_lenght", "target: 5", "target: specie\n")
"""What leaves it open what the network takes and gives."""
OF_DATA = ("over-budget", "loss-mismatch", "metric-mismatch", "wrong-baseline", "unknown-column", "baseline-mismatch")
"""What can be known of a network and data alone."""
EACH = [(right, wrong) for right, several in MISTAKES.items() for wrong in several]


def found(*mistakes):
    text = SPEC
    for right, wrong in mistakes:
        assert text.count(f"{right}\n") == 1
        text = text.replace(f"{right}\n", f"{wrong}\n")
    return [(problem.span.line, problem.code) for problem in dlspec.validate(text)]


def test_the_spec_is_fine():
    assert found() == []


@pytest.mark.parametrize(("right", "wrong"), EACH)
def test_one_mistake_is_one_message(right, wrong):
    ((line, _),) = found((right, wrong))
    assert line == SPEC.splitlines().index(right) + 1


@pytest.mark.parametrize("count", [2, 3, 6])
def test_several_mistakes_are_all_told_and_nothing_besides(count):
    draw = random.Random(count)
    alone = {mistake: found(mistake) for mistake in EACH}
    pairs = list(itertools.combinations(EACH, 2)) if count == 2 else []
    drawn = draw.sample(pairs, 250) if pairs else [draw.sample(EACH, count) for _ in range(120)]
    for mistakes in drawn:
        if len({right for right, _ in mistakes}) == len(mistakes):
            wanted = sorted(place for mistake in mistakes for place in alone[mistake])
            if any(broken in wrong for _, wrong in mistakes for broken in BROKEN):  # who knows how large it is
                wanted = [place for place in wanted if place[1] != "over-budget"]
            if any(unknown in f"{wrong}\n" for _, wrong in mistakes for unknown in UNKNOWN):
                told = [place for place in found(*mistakes) if place[1] not in OF_DATA]
                assert sorted(told) == [place for place in wanted if place[1] not in OF_DATA], mistakes
                continue
            assert sorted(found(*mistakes)) == wanted, [wrong for _, wrong in mistakes]
