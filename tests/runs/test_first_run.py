"""`init` writes what runs: what is done about missing values, and which columns cannot be read."""

import random

import numpy as np
import pytest

import dlspec
from dlspec.runs.job import load_data
from tests.commands import dlspec_here


def write(folder, rows, head):
    (folder / "a.csv").write_text(head + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))


def first_spec(folder, monkeypatch, **options):
    monkeypatch.chdir(folder)
    text = dlspec.init("a.csv", **options)
    (folder / "a.yaml").write_text(text)
    return text, dlspec.load(folder / "a.yaml")


def rows_with_holes(missing):
    draw = random.Random(0)
    for i in range(200):
        age, fare, kind = i % 70, f"{i / 7:.2f}", draw.choice("ab")
        city = draw.choice(["Ulm", "Bonn"])
        yield [missing.get(name, lambda i, value: value)(i, value) for name, value in
               {"age": age, "fare": fare, "city": city, "kind": kind}.items()]  # fmt: skip


def every(count):
    return lambda i, value: "" if i % count == 0 else value


@pytest.mark.parametrize(
    ("missing", "target", "settings", "said"),
    [
        ({}, "kind", {"missing": "error"}, ""),
        ({"age": every(9)}, "kind", {"missing": "median"}, "23 of age are missing"),
        ({"age": every(9), "city": every(4)}, "kind", {"missing": "median"}, "23 of age, 50 of city are missing"),
        ({"age": every(9)}, "age", {"missing": "drop"}, "23 of age are missing; rows are left out"),
        ({"age": lambda i, value: "n/k" if i in (70, 150) else value}, "kind", {"na": ["n/k"]}, "stands for no value"),
    ],
)
def test_what_lacks_values_is_filled_in_or_left_out_and_said(tmp_path, monkeypatch, missing, target, settings, said):
    write(tmp_path, rows_with_holes(missing), "age,fare,city,kind")
    text, spec = first_spec(tmp_path, monkeypatch, target=target)
    assert {key: getattr(spec.data, key) for key in settings} == settings
    assert said in text
    data = load_data(spec)
    assert len(data.train) + len(data.validation) + len(data.test) == (
        177 if settings.get("missing") == "drop" else 200
    )


def test_a_column_of_text_behind_numbers_is_left_out_and_said(tmp_path, monkeypatch):
    rows = [(f"word{i}" if i > 150 else i, i % 7, "ab"[i % 2]) for i in range(200)]
    write(tmp_path, rows, "code,age,kind")
    text, spec = first_spec(tmp_path, monkeypatch)
    load_data(spec)
    named = "code" in (spec.data.feature_names or []) and spec.data.features["code"].type_name != "numeric"
    assert named or "code (" in text


@pytest.mark.parametrize(
    ("sizes", "shape", "written"),
    [([1, 100, 0.01], (200, 9, 3), True), ([1, 2, 3], (200, 9, 3), False), ([1, 100], (200, 2), True)],
)
def test_channels_far_apart_get_scales_of_their_own(tmp_path, monkeypatch, sizes, shape, written):
    x = np.random.default_rng(1).normal(size=shape) * sizes
    np.savez(tmp_path / "a.npz", x=x, y=(x[..., -1].reshape(200, -1)[:, 0] > 0).astype(int))
    monkeypatch.chdir(tmp_path)
    text = dlspec.init("a.npz")
    assert ("  scale_by: channel  " in text) is written


def test_a_series_is_written_as_before(tmp_path, monkeypatch):
    rows = [(f"2021-{1 + day // 28:02d}-{1 + day % 28:02d}", day % 7) for day in range(300)]
    write(tmp_path, rows, "date,sold")
    text, spec = first_spec(tmp_path, monkeypatch)
    assert spec.data.series
    assert "missing" not in text


def test_an_id_among_numbers_is_no_missing_value(tmp_path, monkeypatch):
    rows = [("207a" if i == 150 else i, i % 7, "ab"[i % 2]) for i in range(200)]
    write(tmp_path, rows, "subject,age,kind")
    text, spec = first_spec(tmp_path, monkeypatch)
    assert "na:" not in text
    assert "subject (text among numbers)" in text
    load_data(spec)


def test_the_graph_of_a_table_with_holes_is_known(tmp_path, monkeypatch):
    write(tmp_path, rows_with_holes({"age": every(9)}), "age,fare,city,kind")
    monkeypatch.chdir(tmp_path)
    spec = dlspec.load("dlspec: 1\ndata: {table: a.csv, target: kind}\nmodel: [dense: 4, output]\n")
    assert dlspec.graph(spec).input_shape == (None, 4)
    assert dlspec.plan(spec).graph.input_shape == (None, 4)


def test_what_no_line_of_the_spec_mends_is_said_at_once(tmp_path):
    rows = "".join(f"{i},{i % 7},{i % 5},{'ab'[i % 2]}\n" for i in range(80))
    (tmp_path / "a.csv").write_text(f"80,3,some\n{rows}", encoding="utf-8")
    done = dlspec_here("init", "a.csv", "--yes", cwd=tmp_path)
    assert done.returncode == 3
    assert "name all 4 columns in the first line" in done.stderr
    assert "the data have to be mended before it can be run" in done.stdout
