"""`load_data` of ejected scripts gives what dlspec reads itself."""

import json
import os
import pickle
from typing import ClassVar

import numpy as np
import pytest

from dlspec.data.datasets import DATASETS, Column, Dataset, Description
from dlspec.data.datasets.cifar import Cifar10, Cifar100
from dlspec.data.datasets.keras_cache import KerasDataset
from dlspec.data.datasets.keras_texts import Imdb, Reuters
from dlspec.data.preparation import READERS
from dlspec.ejection.datasets import write_dataset, write_unlabeled_dataset
from tests.ejection.scripts import loaded, script_of, subject_of

OF_SEVERAL_INPUTS = ("digit_pairs", "parcels")
"""Sets whose features cannot all go into one input, of which no script is written."""
OFFLINE = [name for name in DATASETS if not issubclass(DATASETS[name], KerasDataset) and name not in OF_SEVERAL_INPUTS]
SMALL = {"samples": 60}


def load_data(subject, folder):
    return loaded(script_of(subject, write_dataset), folder).load_data()


def assert_same(found, expected):
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert ((found == expected) | ((found != found) & (expected != expected))).all()  # NaN is not itself


def check(subject, folder):
    """x and y of all rows are those of the parts; where the model takes columns by name, those of the data."""
    x, y = load_data(subject, folder)
    data, target = subject.data, subject.target
    if subject.is_series:
        names = data.preprocessing.raw_columns
        assert_same(x, np.stack([data.columns[name] for name in names], axis=1).astype("float64"))
        if target.kind != "input":
            expected = [data.columns[name].astype("float64") for name in target.names]
            assert_same(y, expected[0] if len(expected) == 1 else np.stack(expected, axis=1))
            last = 0 if target.steps == () else target.steps[0] - subject.spec.data.window.horizon
            first_of_each = np.flatnonzero([step == min(target.steps) for step in target.steps])
            truth = np.asarray(data.test.truth)
            truth = truth[:, first_of_each] if target.columns else truth[:, None]
            assert_same(y.reshape(len(y), -1)[data.test.rows + last], truth)
    elif subject.is_typed:
        assert list(x) == data.preprocessing.input_names
        given = zip(x.values(), data.preprocessing.columns, data.signature.types, strict=True)
        for values, column, kind in given:
            own = READERS[kind.raw](column.name, data.columns[column.name], holes=True)
            assert_same(values, own.astype("int64" if column.dtype == "int64" else own.dtype)[:, None])
            assert not len(values) or isinstance(values[0, 0], str) == (kind.raw in ("word", "text"))
    if target.kind == "input":
        assert y is None
    for part in () if subject.is_series else (data.train, data.validation, data.test):
        if not subject.is_typed:
            assert_same(x[part.rows], np.asarray(part.raw))
        if y is not None:
            assert_same(y[part.rows], np.asarray(part.truth))
    assert len(y if y is not None else x) == len(next(iter(data.columns.values())))


@pytest.mark.everyday(12)
@pytest.mark.parametrize("target", [False, True], ids=["", "input"])
@pytest.mark.parametrize("name", OFFLINE)
def test_a_set_is_loaded_as_dlspec_loads_it(name, target, tmp_path):
    kind = DATASETS[name]
    for i, example in enumerate(kind.examples):
        settings = dict(example[name]) if isinstance(example, dict) else {}
        if "samples" in kind.model_fields:
            settings = {**settings, "samples": 200}
        dataset = kind(**settings)
        folder = tmp_path / str(i)
        folder.mkdir()
        window = ", window: {length: 5}" if dataset.describe().layout == "series" else ""
        given = ", target: input" if target else ""
        text = f"seed: 5\ndata: {{dataset: {{{name}: {json.dumps(settings)}}}{window}{given}}}"
        check(subject_of(text if settings else f"data: {{dataset: {name}{window}{given}}}", folder), folder)


MEASURED = ("radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "symmetry")
MANY = [f"{how}_{what}" for how in ("worst", "mean", "error_of") for what in MEASURED]


@pytest.mark.parametrize(
    "data",
    [
        "dataset: iris, features: [petal_width, sepal_length]",
        "dataset: iris, target: sepal_width",
        "dataset: iris, target: petal_length, features: [sepal_length, species]",
        "dataset: iris, target: [petal_length, sepal_width], features: species",
        "dataset: iris, target: input, features: [petal_length, sepal_width]",
        "dataset: wine, features: {proline: {numeric: {bins: 4}}, ash: numeric}",
        "dataset: breast_cancer, missing: median",
        "dataset: diabetes, target: [bmi, progression]",
        "dataset: {copy_memory: {samples: 90, bits: 3}}, features: sequence, target: [bit_3, bit_1]",
        "dataset: {copy_memory: {samples: 90, bits: 3}}, features: sequence, target: bit_2",
        "dataset: {xor: {samples: 90}}, target: x, features: [y, exclusive_or]",
        "dataset: {moons: {samples: 90}}, target: {moon: category}, features: y",
        "dataset: diabetes, target: bmi",
        "dataset: diabetes, target: [age, s1], features: [progression, s3, s2, bmi]",
        f"dataset: breast_cancer, features: [{', '.join(MANY)}]",
        "dataset: breast_cancer, target: mean_radius",
        "dataset: goog, target: close, predict: return, window: {length: 4}",
        "dataset: goog, target: [high, low], features: [close], predict: difference, window: {length: 4, steps: 2}",
        "dataset: goog, target: [high, low], features: [close, volume], window: {length: 4}",
        "dataset: goog, target: volume, features: volume, window: {length: 4}",
        "dataset: goog, target: volume, features: close, window: {length: 4}",
        "dataset: {sine: {samples: 90}}, target: x, window: {length: 4, steps: 3}",
    ],
)
def test_features_and_targets_are_those_of_the_spec(data, tmp_path):
    check(subject_of(f"data: {{{data}}}", tmp_path), tmp_path)


def test_a_series_that_was_brought_to_even_steps_stands_beside_the_script(tmp_path):
    more = "resample: 1d, missing: previous, target: [close, low], features: [close, volume], window: {length: 5}"
    subject = subject_of(f"data: {{dataset: goog, {more}}}", tmp_path)
    assert subject.data.evened["steps"] > 300
    check(subject, tmp_path)


def test_the_seed_is_that_of_the_spec(tmp_path):
    subjects = [subject_of(f"seed: {seed}\ndata: {{dataset: {{moons: {SMALL}}}}}", tmp_path) for seed in (1, 2)]
    first, second = (load_data(subject, tmp_path)[0] for subject in subjects)
    assert not np.array_equal(first, second)


# --- sets that Keras fetches


@pytest.mark.slow
@pytest.mark.parametrize("target", ["", ", target: input"])
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_pictures_that_keras_keeps(name, target, tmp_path, keras_home, point_keras_to):
    keras_home(name)
    point_keras_to(os.environ["KERAS_HOME"])
    check(subject_of(f"data: {{dataset: {name}, limit: 500{target}}}", tmp_path), tmp_path)


@pytest.fixture
def own_files(monkeypatch, point_keras_to, tmp_path):
    """An empty folder of datasets; files in it are taken for those that Keras fetches, whatever they hold."""
    point_keras_to(tmp_path)
    folder = tmp_path / "datasets"
    folder.mkdir()

    def get_file(fname, origin=None, **more):
        assert origin is None or origin.startswith("https://")
        return str(folder / fname)

    for module in ("cifar10", "cifar100", "imdb", "reuters"):
        monkeypatch.setattr(f"keras.src.datasets.{module}.get_file", get_file)
    monkeypatch.setattr("keras.utils.get_file", get_file)
    return folder


def write_batch(path, count, random, **labels):
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = random.integers(0, 256, (count, 3072), "uint8")
    path.write_bytes(pickle.dumps({b"data": pictures, **{key.encode(): value for key, value in labels.items()}}))


@pytest.mark.slow
def test_cifar10(own_files, tmp_path):
    random = np.random.default_rng(0)
    for name in Cifar10.files:
        write_batch(own_files / name, 10_000, random, labels=random.integers(0, 10, 10_000).tolist())
    check(subject_of("data: {dataset: cifar10, limit: 100}", tmp_path), tmp_path)


@pytest.mark.parametrize("labels", ["fine", "coarse"])
def test_cifar100(labels, own_files, tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    for name, count in zip(Cifar100.files, (300, 100), strict=True):
        of_each = {"fine_labels": np.arange(count) % 100, "coarse_labels": np.arange(count) % 20}
        write_batch(own_files / name, count, random, **{key: own.tolist() for key, own in of_each.items()})
    monkeypatch.setattr(Cifar100, "training", 300)
    monkeypatch.setattr(Cifar100, "test", 100)
    check(subject_of(f"data: {{dataset: {{cifar100: {{labels: {labels}}}}}}}", tmp_path), tmp_path)


@pytest.mark.parametrize(
    "more", ["", ", features: [income, price], target: [age, rooms]", ", target: age", ", target: age, features: rooms"]
)
def test_california_housing(more, own_files, tmp_path, monkeypatch):
    monkeypatch.setattr("dlspec.data.datasets.california_housing.ROWS", 80)
    random = np.random.default_rng(0)
    np.savez(own_files / "california_housing.npz", x=random.normal(size=(80, 8)), y=random.normal(size=80))
    check(subject_of(f"data: {{dataset: california_housing{more}}}", tmp_path), tmp_path)


def lists(count, random):
    """Lists of different lengths as the entries of an array."""
    found = np.empty(count, object)
    found[:] = [[1, *random.integers(1, 8, random.integers(0, 6)).tolist()] for _ in range(count)]
    return found


def write_words(path):
    path.write_text(json.dumps({f"w{i}": i for i in range(1, 8)}), encoding="utf-8")


def test_imdb(own_files, tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    monkeypatch.setattr(Imdb, "rows", 80)
    monkeypatch.setattr(Imdb, "test", 30)
    write_words(own_files / "imdb_word_index.json")
    labels = random.integers(0, 2, 80)
    np.savez(own_files / "imdb.npz", x_train=lists(50, random), x_test=lists(30, random),
             y_train=labels[:50], y_test=labels[50:])  # fmt: skip
    subject = subject_of("data: {dataset: imdb, features: {text: {text: {words: 6}}}}", tmp_path)
    check(subject, tmp_path)


def test_reuters(own_files, tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    monkeypatch.setattr(Reuters, "rows", 200)
    monkeypatch.setattr(Reuters, "test", 40)
    write_words(own_files / "reuters_word_index.json")
    np.savez(own_files / "reuters.npz", x=lists(200, random), y=np.arange(200) % 46)
    subject = subject_of("data: {dataset: reuters, features: {text: {text: {words: 6}}}}", tmp_path)
    check(subject, tmp_path)


# --- sets of plugins


class Shops(Dataset):
    """A set that another package brings."""

    examples: ClassVar = []

    def describe(self):
        columns = (
            Column("size"), Column("opened", "time"), Column("kind", "class", classes=("small", "large")),
            Column("about", "text"), Column("sold"), Column("weight"),
            Column("old", "class", classes=("no", "yes")), Column("dear", "class", classes=("no", "yes")),
        )  # fmt: skip
        return Description("samples", columns, target="sold", about="Shops.", rows=60)

    def load(self, seed):
        random = np.random.default_rng(seed)
        words = np.array(["bread and butter", "shoes", "old books"], object)
        return {
            "size": random.normal(size=60),
            "opened": np.datetime64("2020-01-01") + np.arange(60),
            "kind": np.array(["small", "large"])[np.arange(60) % 2],
            "about": words[np.arange(60) % 3],
            "sold": random.normal(size=60),
            "weight": np.where(np.arange(60) % 7, random.normal(size=60), np.nan),
            "old": np.array(["no", "yes"])[np.arange(60) // 2 % 2],
            "dear": np.array(["no", "yes"])[np.arange(60) // 3 % 2],
        }


@pytest.mark.parametrize(
    ("data", "unlabeled"),
    [
        ("dataset: {moons: {samples: 60}}", "{dataset: {circles: {samples: 200}}}"),
        ("dataset: {moons: {samples: 60}}, features: y", "{dataset: {moons: {samples: 90, noise: 0.4}}}"),
        ("dataset: digits", "{dataset: digits}"),
        ("dataset: {sine: {samples: 90}}, window: {length: 4}", "{dataset: {mackey_glass: {samples: 80}}}"),
        ("dataset: goog, features: [close, low], target: high, window: {length: 4}", "{dataset: goog}"),
        ("dataset: iris, features: [petal_width, species], target: petal_length", "{dataset: iris}"),
        ("dataset: {adding_problem: {samples: 90, timesteps: 9}}", "{dataset: {copy_memory: {bits: 4, delay: 4}}}"),
    ],
)
def test_what_is_unlabeled_is_loaded_as_dlspec_loads_it(data, unlabeled, tmp_path):
    pretrain = "pretrain: {method: autoencoder}"
    subject = subject_of(
        f"seed: 4\ndata: {{{data}, unlabeled: {unlabeled}}}\n{pretrain}", tmp_path, "[flatten, dense: 4, output]"
    )
    x = loaded(script_of(subject, write_unlabeled_dataset), tmp_path).load_unlabeled()
    columns = subject.spec.data.unlabeled.dataset.load(4)
    names = [column.name for column in subject.data.signature.features]
    if subject.is_typed:
        assert {name: values[:, 0].tolist() for name, values in x.items()} == {
            name: columns[name].tolist() for name in names
        }
    else:
        arrays = columns[names[0]].ndim > 1
        assert_same(x, columns[names[0]] if arrays else np.stack([columns[name] for name in names], axis=1))


@pytest.mark.parametrize(
    "more",
    [
        ", features: [size, sold], target: kind",
        ", features: size",
        ", features: {size: numeric, opened: time, kind: category, about: {text: {words: 5}}}",
        ", target: input, features: [sold, size]",
        ", target: [sold, size], features: kind",
        ", target: [old, dear], features: size",
        ", missing: median, features: [weight, size, kind]",
    ],
)
def test_a_set_of_a_plugin_stands_beside_the_script(more, tmp_path, monkeypatch):
    monkeypatch.setitem(DATASETS._classes, "shops", Shops)
    subject = subject_of(f"data: {{dataset: shops{more}}}", tmp_path)
    check(subject, tmp_path)
    assert (tmp_path / "tried.npz").is_file()
