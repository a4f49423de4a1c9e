"""What `plan` and `budget` say a training costs, against what Keras holds and what a run took."""

import math
import random
from datetime import date

import pytest

import dlspec
from dlspec.data.datasets import DATASETS
from dlspec.data.datasets.keras_cache import KerasDataset
from dlspec.data.preparation import prepare
from dlspec.data.source_of import source_of
from dlspec.language.quantities import count_bytes, show_bytes
from dlspec.language.yaml import read_text
from dlspec.runs.job import load_data, plan_of
from dlspec.spec.checks import check
from dlspec.spec.composition import compose
from dlspec.training.estimates import Memory, training_memory
from dlspec.training.optimizers import OPTIMIZERS
from dlspec.training.plan import SampleCounts
from tests.conftest import TINY

BUDGET = "dlspec: 1\ndata: {dataset: iris}\nmodel: [{dense: 10}, output]\nbudget: "


@pytest.mark.parametrize(
    "written",
    [
        *OPTIMIZERS,
        {"sgd": {"momentum": 0.5}},
        {"adam": {"amsgrad": True}},
        {"rmsprop": {"centered": True, "momentum": 0.5}},
        {"lion": {"use_ema": True, "gradient_accumulation_steps": 2}},
    ],
    ids=str,
)
def test_an_optimizer_keeps_as_many_numbers_as_counted(written):
    import keras

    optimizer = OPTIMIZERS.read(written)
    built = optimizer.over(10)
    built.build([keras.Variable(keras.ops.ones((400, 300)), name="kernel")])
    kept = sum(math.prod(variable.shape) for variable in built.variables)
    assert kept / (400 * 300) == pytest.approx(optimizer.state_per_weight, abs=0.02)


@pytest.mark.parametrize("name", DATASETS)
def test_a_dataset_has_as_many_rows_as_it_says(name, keras_home):
    dataset = DATASETS.read(name)
    if isinstance(dataset, KerasDataset):
        keras_home(name)
    assert {len(column) for column in dataset.load(0).values()} == {dataset.describe().rows}


@pytest.mark.parametrize("rows", [7, 5000])
def test_as_many_windows_are_planned_as_a_file_has(tmp_path, rows):
    lines = [f"{date.fromordinal(730_000 + day)},{day % 90 + 10:.2f}" for day in range(rows)]
    (tmp_path / "prices.csv").write_text("\n".join(["date,close", *lines]) + "\n")
    path = tmp_path / "spec.yaml"
    path.write_text(
        "dlspec: 1\ndata: {series: prices.csv, target: close, window: {length: 3}}\nmodel: [{lstm: 2}, output]\n"
    )
    windows = rows - 3
    assert dlspec.plan(dlspec.load(path)).samples.unlabeled == pytest.approx(windows * 0.7, rel=0.05, abs=1)


CHANCE = """\
data: {table: a.csv, target: y, missing: median}
data: {table: a.csv, target: y, missing: median, limit: 40}
data: {table: a.csv, target: y, missing: median, labels: 40}
data: {table: a.csv, target: y, missing: median, split: {by: order}}
data: {table: a.csv, target: y, missing: median, split: {folds: 4}}
data: {table: a.csv, target: num, missing: drop, features: [cat, rare]}
data: {table: a.csv, target: y, features: {rare: {category: {most: 4}}, num: {numeric: {missing: mean}}}}
data: {table: a.csv, target: y, features: {cat: {category: {embedding: 3}}, rare: {category: {embedding: 2}}}}
""".splitlines()


@pytest.mark.parametrize("data", CHANCE)
def test_the_network_that_is_planned_is_that_which_is_trained(tmp_path, data):
    """A table with words that the training part may lack, which decides what the network sees."""
    draw = random.Random(0)
    rows = [
        (draw.choice(["", "1.5"]), draw.choice("abcde"), f"w{i}" if draw.random() < 0.05 else "x", draw.choice("pqs"))
        for i in range(300)
    ]
    (tmp_path / "a.csv").write_text("num,cat,rare,y\n" + "".join(",".join(row) + "\n" for row in rows))
    (tmp_path / "spec.yaml").write_text(f"dlspec: 1\n{data}\nmodel: [dense: 8, output]\n")
    spec = dlspec.load(tmp_path / "spec.yaml")
    trained = load_data(spec)
    planned = dlspec.plan(spec)
    assert planned.samples == SampleCounts.of(trained)
    assert [given.shape for given in planned.graph.inputs] == [given.shape for given in trained.signature.inputs]
    assert planned.graph == plan_of(spec, trained).graph
    assert planned.graph.parameters == dlspec.graph(spec).parameters == dlspec.build(spec).count_params()


@pytest.mark.parametrize("name", TINY)
def test_as_many_samples_are_planned_as_are_trained_with(name):
    checked = check(compose(read_text(TINY[name])))
    spec = checked.spec
    data = prepare(spec.data, spec.seed, checked.signature, source_of(spec.data).load(spec.seed))
    planned = dlspec.plan(spec)
    assert planned.samples.labelled == pytest.approx(len(data.train), rel=0.05)
    assert planned.samples.unlabeled == pytest.approx(len(data.pretraining_inputs), rel=0.05)


def test_memory_is_that_of_weights_and_what_training_keeps_of_them():
    spec = dlspec.load(BUDGET + "{}\ntrain: {optimizer: adam, batch_size: 8}\n")
    weights = 4 * ((4 + 1) * 10 + (10 + 1) * 3)
    assert training_memory(spec.training, dlspec.graph(spec)) == Memory(weights, weights, 2 * weights, 4 * 8 * (10 + 3))


def test_half_precision_takes_half():
    spec = dlspec.load(
        "dlspec: 1\ndata: {dataset: iris}\nmodel: [{dense: {units: 3, activation: softmax, dtype: float16}}]\n"
    )
    assert training_memory(spec.training, dlspec.graph(spec)).weights == 2 * (4 + 1) * 3


@pytest.mark.parametrize(
    ("budget", "lines"),
    [
        ("{parameters: 83, flops: 166, size: 332 B, memory: 1 GB}", []),
        ("{parameters: 82}", ["the network has 83 parameters, and `budget` allows 82"]),
        ("{size: 331 B}", ["the saved weights take 332 B, and `budget` allows 331 B"]),
        ("{flops: 10, memory: 1.5 KB}", ["a sample takes", "training takes about"]),
    ],
)
def test_a_budget_is_checked(budget, lines):
    found = check(compose(read_text(BUDGET + budget))).diagnostics
    assert [d.code for d in found] == ["over-budget"] * len(lines)
    for diagnostic, line in zip(found, lines, strict=True):
        assert diagnostic.message.startswith(line)
        assert diagnostic.labels[0].span.line == 3


@pytest.mark.parametrize("size", ["5", "5 XB", "-1 MB", "0 MB", "MB"])
def test_a_size_needs_a_number_and_a_unit(size):
    (found,) = dlspec.validate(f'{BUDGET}{{size: "{size}"}}\n')
    assert (found.code, found.help) == ("wrong-value", "write a number and a unit: `50 MB`")


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1_450_000, "1.4 MB"), (2 * 10**12, "2.0 TB")])
def test_sizes_are_shown_with_a_unit(count, text):
    assert show_bytes(count) == text
    assert count_bytes(text) == pytest.approx(count, rel=0.05)


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        ("{dataset: goog, window: {length: 9}, split: {by: time}}", []),
        ("{dataset: goog, window: {length: 9}, split: {by: random}}", ["wrong-split"]),
        ("{dataset: digits, split: {by: time}}", ["wrong-split"]),
        ("{dataset: digits, split: {by: random}}", []),
    ],
)
def test_a_series_is_split_by_time_and_nothing_else_is(data, codes):
    text = f"dlspec: 1\ndata: {data}\nmodel: [flatten, output]\n"
    assert [d.code for d in dlspec.validate(text)] == codes
