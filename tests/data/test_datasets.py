"""Built-in datasets hold what they say, and those that Keras keeps are read from its cache."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from dlspec.data.datasets import DATASETS
from dlspec.data.datasets.cifar import COARSE, FINE, Cifar10, Cifar100
from dlspec.data.datasets.keras_cache import KerasDataset
from dlspec.data.datasets.keras_texts import Imdb, Reuters
from dlspec.language.diagnostics.errors import DataError
from tests.conftest import ROOT

OFFLINE = [name for name in DATASETS if not issubclass(DATASETS[name], KerasDataset)]
KEPT = [name for name in DATASETS if name not in OFFLINE]


@pytest.mark.parametrize("name", OFFLINE)
def test_a_set_holds_what_it_says(name):
    dataset = DATASETS[name]()
    description, columns = dataset.describe(), dataset.load(7)
    assert list(columns) == description.names
    for column in description.columns:
        values = columns[column.name]
        assert values.shape == (description.rows, *column.shape)
        if column.kind == "class":
            assert set(values) == set(column.classes)
        elif column.kind == "number":
            assert np.isfinite(values).all()
    again = dataset.load(7)
    assert all((columns[name] == again[name]).all() for name in columns), "the same seed, the same data"


@pytest.mark.parametrize("name", KEPT)
def test_a_set_that_is_not_there_says_what_to_put_where(name, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def offline(name):
        raise OSError("no network")

    monkeypatch.setattr("dlspec.data.datasets._fetching.fetch", offline)
    with pytest.raises(DataError) as error:
        DATASETS[name]().load(0)
    (problem,) = error.value.diagnostics
    assert problem.code == "data-not-found"
    assert "no network" in problem.message
    assert DATASETS[name].files[0] in problem.help
    assert str(tmp_path / "datasets") in problem.help


def write_batch(path, data, **labels):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps({b"data": data, **{key.encode(): value for key, value in labels.items()}}))


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for kind in (Cifar10, Cifar100):
        monkeypatch.setattr(kind, "training", 10)
        monkeypatch.setattr(kind, "test", 2)
    return tmp_path / "datasets"


def planes(count, first=0):
    """Pictures that are red in the first row, (samples, values), and have their number in one place."""
    data = np.zeros((count, 3, 32, 32), "uint8")
    data[:, 0, 0, :] = 255
    data[:, 2, 5, 7] = np.arange(first, first + count)
    return data.reshape(count, -1)


def test_cifar10_is_read_from_the_cache(cache):
    for i, name in enumerate(Cifar10.files[:5]):
        write_batch(cache / name, planes(2, 2 * i), labels=[2 * i, 2 * i + 1])
    write_batch(cache / Cifar10.files[5], planes(2, 10), labels=[3, 4])
    columns = Cifar10().load(0)
    assert columns["image"].shape == (12, 32, 32, 3)
    assert (columns["image"][:, 0, :] == [255, 0, 0]).all()
    assert list(columns["image"][:, 5, 7, 2]) == list(range(12))
    assert list(columns["object"]) == [*Cifar10.classes, "cat", "deer"]


@pytest.mark.parametrize(("labels", "names"), [("fine", FINE), ("coarse", COARSE)])
def test_cifar100_has_two_sorts_of_labels(cache, labels, names):
    for name, count in zip(Cifar100.files, (10, 2), strict=True):
        write_batch(cache / name, planes(count), fine_labels=list(range(90, 90 + count)), coarse_labels=[19] * count)
    dataset = Cifar100(labels=labels)
    assert dataset.describe().column("object").classes == names
    assert dataset.load(0)["object"][1] == (names[91] if labels == "fine" else names[19])


def test_a_file_that_would_run_something_is_refused(cache):
    class Evil:
        def __reduce__(self):
            return print, ("run",)

    for name in Cifar10.files:
        write_batch(cache / name, Evil(), labels=[0, 1])
    with pytest.raises(DataError, match=r"is not what Keras keeps there: it holds `builtins\.print`"):
        Cifar10().load(0)


def test_california_housing_is_read_from_the_cache(cache, monkeypatch):
    housing = DATASETS["california_housing"]
    monkeypatch.setattr("dlspec.data.datasets.california_housing.ROWS", 3)
    cache.mkdir(parents=True)
    np.savez(cache / "california_housing.npz", x=np.arange(24.0).reshape(3, 8), y=np.array([1.0, 2, 3]))
    columns = housing().load(0)
    assert list(columns["income"]) == [7, 15, 23]
    assert list(columns["price"]) == [1, 2, 3]
    np.savez(cache / "california_housing.npz", x=np.zeros((3, 2)), y=np.zeros(3))
    with pytest.raises(DataError, match="it holds arrays of"):
        housing().load(0)


def lists(*texts):
    """Lists of different lengths as the entries of an array."""
    found = np.empty(len(texts), object)
    found[:] = texts
    return found


def test_imdb_is_words_again(cache, monkeypatch):
    monkeypatch.setattr(Imdb, "rows", 4)
    monkeypatch.setattr(Imdb, "test", 2)
    cache.mkdir(parents=True)
    (cache / "imdb_word_index.json").write_text('{"the": 1, "film": 2, "good": 3, "bad": 4}', encoding="utf-8")
    np.savez(
        cache / "imdb.npz",
        x_train=lists([1, 2, 3], [4]), y_train=np.array([1, 0]),
        x_test=lists([3, 3, 3, 3], []), y_test=np.array([1, 0]),
    )  # fmt: skip
    columns = Imdb().load(0)
    assert list(columns["text"]) == ["the film good", "bad", "good good good good", ""]
    assert list(columns["sentiment"]) == ["positive", "negative"] * 2

    class Evil:
        def __reduce__(self):
            return print, ("run",)

    np.savez(cache / "imdb.npz", x_train=lists(Evil()), y_train=np.array([1]), x_test=lists([1]), y_test=np.array([1]))
    with pytest.raises(DataError, match=r"it holds `builtins\.print`"):
        Imdb().load(0)


def test_reuters_keeps_the_test_part_of_keras(cache, monkeypatch):
    monkeypatch.setattr(Reuters, "rows", 10)
    monkeypatch.setattr(Reuters, "test", 2)
    cache.mkdir(parents=True)
    (cache / "reuters_word_index.json").write_text('{"oil": 1, "grain": 2}', encoding="utf-8")
    np.savez(cache / "reuters.npz", x=lists(*([1] * n for n in range(10))), y=np.arange(10))
    order = np.arange(10)
    np.random.RandomState(113).shuffle(order)
    columns = Reuters().load(0)
    assert [len(text.split()) for text in columns["text"]] == order.tolist()
    assert list(columns["topic"]) == [Reuters.classes[i] for i in order]


PLUGIN = """\
from typing import ClassVar

import numpy as np

from dlspec.data.datasets import DATASETS, Column, Dataset, Description
from dlspec.language.fields import PositiveInt


@DATASETS.register
class Coins(Dataset):
    \"\"\"Tossed coins.\"\"\"

    tosses: PositiveInt = 40
    generated: ClassVar = True

    def describe(self):
        columns = (Column("weight"), Column("side", "class", classes=("head", "tail")))
        return Description("samples", columns, target="side", about="Tossed coins.", rows=self.tosses)

    def load(self, seed):
        random = np.random.default_rng(seed)
        side = random.integers(0, 2, self.tosses)
        return {"weight": random.normal(size=self.tosses) + 9 * side, "side": np.array(["head", "tail"])[side]}
"""


@pytest.mark.slow
def test_another_package_adds_a_dataset(tmp_path):
    (tmp_path / "coins.py").write_text(PLUGIN, encoding="utf-8")
    information = tmp_path / "coins-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: coins\nVersion: 1.0\n", encoding="utf-8")
    (information / "entry_points.txt").write_text("[dlspec.datasets]\ncoins = coins:Coins\n", encoding="utf-8")
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\ndata: {dataset: {coins: {tosses: 200}}}\nmodel: [output]\ntrain: {epochs: 8}\n", encoding="utf-8"
    )
    (tmp_path / "wrong.yaml").write_text("dlspec: 1\ndata: {dataset: coin}\nmodel: [output]\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}

    def call(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "dlspec", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
        )

    done = call("run", "s.yaml")
    assert done.returncode == 0, done.stderr
    assert "accuracy 100.0%" in done.stdout
    assert "did you mean `coins`?" in call("validate", "wrong.yaml").stderr
    assert "Tossed coins." in call("layers", "coins").stdout
