"""Built-in datasets hold what they say, and those that Keras keeps are read from its cache."""

import pickle

import numpy as np
import pytest

from dlspec.datasets import DATASETS
from dlspec.datasets.cifar import COARSE, FINE, Cifar10, Cifar100
from dlspec.datasets.keras_cache import KerasDataset
from dlspec.diagnostics import DataError

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

    monkeypatch.setattr("dlspec.datasets._fetching.fetch", offline)
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
    monkeypatch.setattr("dlspec.datasets.california_housing.ROWS", 3)
    cache.mkdir(parents=True)
    np.savez(cache / "california_housing.npz", x=np.arange(24.0).reshape(3, 8), y=np.array([1.0, 2, 3]))
    columns = housing().load(0)
    assert list(columns["income"]) == [7, 15, 23]
    assert list(columns["price"]) == [1, 2, 3]
    np.savez(cache / "california_housing.npz", x=np.zeros((3, 2)), y=np.zeros(3))
    with pytest.raises(DataError, match="it holds arrays of"):
        housing().load(0)
