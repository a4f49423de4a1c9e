"""`.ts` files of the time-series archives: series with a class or a number each."""

import numpy as np
import pytest

import dlspec
from dlspec.data.sources.series_archives import read_archive
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.job import load_data
from tests.conftest import REAL_DATA

HEAD = "# about\n@problemName p\n@timeStamps false\n@classLabel true up down\n@data\n"


def line(row, dimensions=2, length=10):
    values = [[row + place + step / 7 for step in range(length)] for place in range(dimensions)]
    return ":".join(",".join(f"{v:.3f}" for v in each) for each in values) + f":{'up' if row % 2 else 'down'}"


def write(folder, name="a.ts", rows=40, head=HEAD, **options):
    (folder / name).write_text(head + "\n".join(line(row, **options) for row in range(rows)) + "\n", encoding="utf-8")


def spec(folder, arrays="a.ts"):
    text = f"dlspec: 1\nname: t\ndata: {{arrays: {arrays}}}\nmodel: [flatten, dense: 3, output]\ntrain: {{epochs: 1}}\n"
    (folder / "s.yaml").write_text(text, encoding="utf-8")
    return dlspec.load(folder / "s.yaml")


def test_series_are_samples_with_timesteps_and_dimensions(tmp_path):
    write(tmp_path)
    data = load_data(spec(tmp_path))
    assert data.signature.input_shape == (None, 10, 2)
    assert data.signature.target.classes == ("down", "up")
    assert data.columns["x"][3, :, 1] == pytest.approx([4 + step / 7 for step in range(10)], abs=1e-3)


def test_shorter_series_go_on_with_their_last_value_which_is_said(tmp_path):
    lines = [line(row, length=5 + row % 6) for row in range(40)]
    (tmp_path / "a.ts").write_text(HEAD + "\n".join(lines), encoding="utf-8")
    data = load_data(spec(tmp_path))
    assert data.columns["x"].shape == (40, 10, 2)
    assert (data.columns["x"][0, 5:, 0] == data.columns["x"][0, 4, 0]).all()
    assert data.notes == ("The series have 5 to 10 timesteps; shorter ones go on with their last value.",)


def test_a_file_for_training_and_one_for_the_test(tmp_path):
    write(tmp_path, "a_TRAIN.ts", rows=40)
    write(tmp_path, "a_TEST.ts", rows=14)
    data = load_data(spec(tmp_path, "{train: a_TRAIN.ts, test: a_TEST.ts}"))
    assert len(data.test) == 14
    with pytest.raises(DataError, match="for training or for the test"):
        load_data(spec(tmp_path, "{x: a_TRAIN.ts, y: a_TEST.ts}"))


def test_numbers_may_be_predicted(tmp_path):
    lines = [line(row).rsplit(":", 1)[0] + f":{row / 3:.2f}" for row in range(40)]
    (tmp_path / "a.ts").write_text("@targetlabel true\n@data\n" + "\n".join(lines), encoding="utf-8")
    assert load_data(spec(tmp_path)).signature.target.kind == "number"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3\n", "neither `@data` nor what is said before it"),
        ("@data\n", "has no series"),
        ("@timestamps true\n@data\n(1,2):up\n", "has a time beside each value"),
        (HEAD + "1,?,3:up\n", "lacks a value in line 6"),
        (HEAD + "1,a,3:up\n", "which are no numbers"),
        (HEAD + "1,2:3,4:up\n1,2:up\n", "has 1 dimensions in line 7, and 2 before"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, message):
    (tmp_path / "a.ts").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_archive(tmp_path / "a.ts", "a.ts")


@pytest.mark.everyday(1)
@pytest.mark.parametrize("name", ["GunPoint", "JapaneseVowels"])
def test_real_archives_run_from_init_to_predictions(tmp_path, monkeypatch, name):
    folder = REAL_DATA / "ucr"
    if not folder.is_dir():
        pytest.skip("the real data are not here")
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"{name}_{part}.ts").write_bytes((folder / f"{name}_{part}.ts").read_bytes())
    monkeypatch.chdir(tmp_path)
    text = dlspec.init(f"{name}_TRAIN.ts")
    assert f"arrays: {{train: {name}_TRAIN.ts, test: {name}_TEST.ts}}" in text
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    run = dlspec.run(tmp_path / "s.yaml", {"train.epochs": 2}, out=tmp_path / "run")
    assert run.metrics.saved_model.difference is not None
    rows = dlspec.predict(run, tmp_path / f"{name}_TEST.ts", tmp_path / "out.csv")
    assert rows == len(np.asarray(run.predictions))
