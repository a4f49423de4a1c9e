"""Samples without labels, rows that are drawn, left out or read later, and the model that is saved."""

from __future__ import annotations

import numpy as np
import pytest

from dlspec.training.values import predict as outputs_of
from tests.ejection.test_folders import FLAT, in_folders, picture
from tests.ejection.test_series import GROUPED, grouped, holes, hour, series
from tests.ejection.test_series import MODEL as SERIES_MODEL
from tests.ejection.test_series import PLAIN as SERIES
from tests.ejection.test_tables import ROWS, people, separated
from tests.ejection.written import MODEL, check_preprocessing, check_rows, small_network, written

FEATURES = "{income: numeric, age: {numeric: {missing: mean}}, city: {category: {missing: mean}}}"
PRETRAIN = "pretrain: {method: autoencoder, epochs: 1}\n"


def table(first=0, rows=ROWS):
    return separated([people(row) for row in range(first, first + rows)])


DATA = {
    "few labels": "  target: kind\n  labels: 10",
    "a limit": "  target: kind\n  limit: 20",
    "folds": "  target: kind\n  split: {folds: 3}",
    "groups": "  target: paid\n  split: {group: code}",
    "in order": "  target: paid\n  split: {by: order, validation: 0}",
    "large": "  target: paid\n  cache: none",
    "large, of classes": "  target: member\n  cache: none",
}


@pytest.mark.everyday(3)
@pytest.mark.parametrize("name", DATA)
def test_rows_that_are_drawn(name, case_of):
    case = case_of({"t.csv": table()}, f"  table: t.csv\n{DATA[name]}\n  features: {FEATURES}", MODEL)
    assert not case.fell_back
    check_rows(case)
    check_preprocessing(case)
    assert ("large" in name) == any("in memory at once" in sentence for sentence in case.script.left_out)


def test_rows_whose_part_a_column_says(case_of):
    rows = [people(row) | {"part": ("train", "train", "valid", "test")[row % 4]} for row in range(ROWS)]
    data = f"  table: t.csv\n  target: paid\n  split: {{column: part}}\n  features: {FEATURES}"
    case = case_of({"t.csv": separated(rows)}, data, MODEL)
    check_rows(case)
    assert not case.fell_back


@pytest.mark.parametrize("features", ["[income]", FEATURES], ids=["numbers", "types"])
def test_samples_without_labels(features, case_of):
    data = f"  table: t.csv\n  target: paid\n  features: {features}\n  unlabeled: {{table: more.csv}}"
    case = case_of({"t.csv": table(), "more.csv": table(20, 60)}, data, MODEL + PRETRAIN)
    assert not case.fell_back
    assert case.subject.data.left_out > 0
    seen = outputs_of(case.module.build_preprocessing(), case.module.load_unlabeled())
    np.testing.assert_allclose(seen, case.subject.data.unlabeled, rtol=1e-6, atol=1e-6)
    check_rows(case)


def test_pictures_without_labels(case_of):
    files = in_folders(picture, ".png") | {f"more/{row}.png": picture(100 + row) for row in range(9)}
    case = case_of(files, "  images: files\n  scale: min_max\n  unlabeled: {images: more}", FLAT + PRETRAIN)
    assert not case.fell_back
    seen = outputs_of(case.module.build_preprocessing(), case.module.load_unlabeled())
    np.testing.assert_allclose(seen, case.subject.data.unlabeled[:], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (series(), SERIES),
        (
            series(),
            SERIES.replace("[a, b]", "[b]").replace("horizon: 1", "horizon: 1, every: 2") + "\n  predict: return",
        ),
        (series(grouped()), GROUPED + "\n  predict: difference"),
    ],
    ids=["plain", "returns", "groups"],
)
def test_series_without_labels(text, data, case_of):
    files = {"t.csv": text, "more.csv": text}
    model = "model: [lstm: 3, output]\ntrain: {epochs: 1}\n" + PRETRAIN
    case = case_of(files, data + "\n  unlabeled: {series: more.csv}", model)
    assert case.subject.data.left_out > 0
    seen = outputs_of(case.module.build_preprocessing(), case.module.load_unlabeled())
    np.testing.assert_allclose(seen, case.subject.data.unlabeled, rtol=1e-6, atol=1e-6)


def later(first):
    return lambda step: hour(first + step)


def test_series_in_files_of_parts(case_of):
    files = {"t.csv": series(), "v.csv": series(steps=30, when=later(90)), "w.csv": series(steps=31, when=later(120))}
    data = SERIES + "\n  split: {validation: v.csv, test: w.csv}"
    case = case_of(files, data, SERIES_MODEL)
    assert not case.fell_back
    check_rows(case)


def test_series_in_files_that_are_evened_by_themselves(case_of):
    files = {"t.csv": series(holes), "v.csv": series(holes, 30, later(90)), "w.csv": series(holes, 31, later(120))}
    data = SERIES + "\n  split: {validation: v.csv, test: w.csv}\n  missing: previous"
    case = case_of(files, data, SERIES_MODEL)
    assert case.fell_back
    check_rows(case)


def test_pictures_that_are_read_later(case_of, monkeypatch):
    monkeypatch.setattr("dlspec.ejection.folders.COMPARED", 4000)
    case = case_of(in_folders(picture, ".png"), "  images: files\n  cache: none", FLAT)
    assert not case.fell_back
    assert "[::" not in case.loading
    check_rows(case)


def test_layers_that_change_pictures_are_not_saved(case_of):
    model = "model: [random_flip: horizontal, random_rotation: 0.2, flatten, output]\ntrain: {epochs: 1}\n"
    case = case_of(in_folders(picture, ".png"), "  images: files", model)
    from dlspec.model.build import build_network, with_preprocessing

    network = build_network(case.subject.graph)
    own = case.module.with_preprocessing(case.module.build_preprocessing(), network)
    other = with_preprocessing(network, case.subject.data)
    raw = case.subject.data.test.raw[:]
    np.testing.assert_allclose(outputs_of(own, raw), outputs_of(other, raw), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("target", ["paid", "kind"])
def test_what_is_saved_loads_without_the_script(target, case_of, tmp_path):
    import keras

    features = (
        "{income: numeric, age: {numeric: {bins: 3, missing: mean, indicator: true}}, joined: time, member: boolean, "
        "city: {category: {missing: mean}}, said: text}"
    )
    rows = [people(row) | {"said": f"number {row} is {people(row)['said']}"} for row in range(ROWS)]
    case = case_of({"t.csv": separated(rows)}, f"  table: t.csv\n  target: {target}\n  features: {features}", MODEL)
    network = small_network(case.subject.data.train.inputs.shape[1:], case.subject.target.units)
    network.compile("adam", "mse")
    model = case.module.with_preprocessing(case.module.build_preprocessing(), network)
    model.save(tmp_path / "saved.keras")
    loaded = keras.models.load_model(tmp_path / "saved.keras", safe_mode=True)
    x, _ = case.module.load_data()
    np.testing.assert_allclose(outputs_of(loaded, x), outputs_of(model, x), rtol=1e-6)
    kept = [layer for layer in (loaded, *loaded.layers) if getattr(layer, "optimizer", None) is not None]
    assert not kept


def test_a_script_reads_its_files_from_another_folder(case_of, tmp_path, monkeypatch):
    case = case_of({"in/t.csv": table()}, f"  table: in/t.csv\n  target: paid\n  features: {FEATURES}", MODEL)
    assert str(tmp_path) not in case.text
    monkeypatch.chdir("/")
    check_rows(case)


def test_a_file_that_changed_is_read_anew(case_of, tmp_path):
    case = case_of({"t.csv": table()}, "  table: t.csv\n  target: paid\n  features: [income]", MODEL)
    (tmp_path / "t.csv").write_text(table(rows=5))
    x, y = case.module.load_data()
    assert len(x) == len(y) == 5


def test_data_beside_the_spec_that_names_them(case_of, tmp_path):
    base = "dlspec: 1\ndata: {table: t.csv, target: paid, features: [income]}\nmodel: [output]\n"
    files = {"bases/base.yaml": base, "bases/t.csv": table(), "t.csv": table(rows=12)}
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    spec = tmp_path / "spec.yaml"
    spec.write_text("extends: bases/base.yaml\ntrain: {epochs: 2}\n", encoding="utf-8")
    case = written(spec, tmp_path / "out")
    assert "../bases/t.csv" in case.loading
    check_rows(case)
