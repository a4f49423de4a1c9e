"""What is odd about data is said before training: with its place, its row and a cure; what is in order is not."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import dlspec
from dlspec.cli import cli
from dlspec.data_check import check_data
from dlspec.datasets import DATASETS
from dlspec.datasets.keras_cache import KerasDataset
from dlspec.diagnostics import DataError
from dlspec.runs.jobs import load_data
from tests.conftest import ROOT


@pytest.fixture
def frame():
    random = np.random.default_rng(0)
    age, income = random.integers(18, 90, 200), random.normal(40, 9, 200).round(2)
    return pd.DataFrame({"age": age, "income": income, "kind": np.where(random.random(200) < 0.4, "ill", "well")})


def found(folder, frame, data="target: kind", **overrides):
    """What is odd: code -> diagnostic."""
    frame.to_csv(folder / "t.csv", index=False)
    text = f"dlspec: 1\ndata:\n  table: t.csv\n  {data}\nmodel: [output]\n"
    (folder / "s.yaml").write_text(text, encoding="utf-8")
    spec = dlspec.load(folder / "s.yaml", overrides=overrides)
    odd = check_data(spec, load_data(spec))
    assert len({problem.code for problem in odd}) == len(odd)
    return {problem.code: problem for problem in odd}


def test_data_in_order_are_not_odd(tmp_path, frame):
    assert found(tmp_path, frame) == {}
    assert found(tmp_path, frame, "target: income") == {}


@pytest.mark.parametrize("name", [n for n in DATASETS if not issubclass(DATASETS[n], KerasDataset)])
def test_the_built_in_sets_are_not_odd(name):
    series = DATASETS[name]().describe().layout == "series"
    window = ", window: {length: 10}" if series else ""
    spec = dlspec.load(f"dlspec: 1\ndata: {{dataset: {name}{window}}}\nmodel: [flatten, output]\n")
    assert check_data(spec, load_data(spec)) == []


def test_a_constant_column(tmp_path, frame):
    odd = found(tmp_path, frame.assign(country="KR"), "target: kind\n  features: [age, income, country]")
    assert odd["constant-column"].message == "`country` is KR in every row of the training part"
    assert odd["constant-column"].span.line == 5


def test_columns_that_are_mostly_missing(tmp_path, frame):
    frame.loc[frame.index % 5 != 0, "income"] = np.nan
    odd = found(tmp_path, frame, "{target: kind, missing: median}".strip("{}").replace(", ", "\n  "))
    assert "`income` lacks 8" in odd["mostly-missing"].message
    frame["income"] = np.nan
    odd = found(tmp_path, frame, "target: kind\n  missing: median\n  features: {age: numeric, income: numeric}")
    assert odd["mostly-missing"].is_error
    with pytest.raises(DataError, match="`income` has no value in the training part"):
        dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")


def test_a_leak(tmp_path, frame):
    odd = found(tmp_path, frame.assign(code=np.where(frame["kind"] == "ill", "J1", "Z0")))
    assert odd["target-leak"].message.startswith("`code` says what `kind` is: each follows from the other")
    odd = found(tmp_path, frame.assign(grade=np.where(frame["kind"] == "ill", 3.5, 1.5)))
    assert "`grade` says what `kind` is" in odd["target-leak"].message
    odd = found(tmp_path, frame.assign(won=frame["income"] * 1300 + 7).drop(columns="kind"), "target: income")
    assert "`won` says what `income` is" in odd["target-leak"].message
    odd = found(tmp_path, frame.assign(won=frame["income"] * 1300 + 7).drop(columns="kind"), "target: [age, income]")
    assert "`won` says what `income` is" in odd["target-leak"].message


def test_rows_on_two_sides(tmp_path, frame):
    twice = pd.concat([frame, frame.iloc[:60]], ignore_index=True)
    message = found(tmp_path, twice)["duplicate-rows"].message
    assert "samples of the test part stand in the training part too, the first in row" in message
    own, other = (int(part.split()[0].rstrip(",")) for part in message.split("row ")[1:])
    assert twice.iloc[own - 1].equals(twice.iloc[other - 1])


def test_classes_with_too_little(tmp_path, frame):
    frame.loc[16, "kind"] = "odd"
    message = found(tmp_path, frame)["rare-class"].message
    assert message == "the class `odd` has one sample, row 17, which cannot be both learned and tested"


def test_classes_that_are_uneven(tmp_path):
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"x": random.normal(size=600), "kind": np.where(np.arange(600) % 30 == 0, "ill", "well")})
    odd = found(tmp_path, frame)
    assert odd["uneven-classes"].message == "the class `well` has 406 training samples, and `ill` has 14"
    assert "class_weight: balanced" in odd["uneven-classes"].help
    assert found(tmp_path, frame, **{"train.class_weight": "balanced"}) == {}


def test_a_number_far_out(tmp_path, frame):
    frame.loc[43, "age"] = 19500
    odd = found(tmp_path, frame)
    assert odd["outlying-number"].message.startswith("`age` is 19500 in row 44, and half of all values lie between")
    assert found(tmp_path, frame, "target: kind\n  scale: robust") == {}


def test_text_in_two_columns_of_numbers_is_said_at_once(tmp_path, frame):
    frame = frame.astype({"age": object, "income": object})
    frame.loc[7, "age"], frame.loc[90, "income"] = "old", "much"
    frame.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\ndata: {table: t.csv, target: kind}\nmodel: [output]\n", encoding="utf-8"
    )
    with pytest.raises(DataError) as error:
        load_data(dlspec.load(tmp_path / "s.yaml"))
    assert [problem.message for problem in error.value.diagnostics] == [
        'column `age` has the text "old" in row 8, where a number is needed',
        'column `income` has the text "much" in row 91, where a number is needed',
    ]
    done = CliRunner().invoke(cli, ["plan", str(tmp_path / "s.yaml")], standalone_mode=False)
    assert done.return_value == 3
    assert "row 8" in done.stderr
    assert "row 91" in done.stderr
    assert "output shape" in done.stdout, "the rest of the plan is shown"


def series(folder, days, length=10):
    rows = "".join(f"{day},{i % 7}\n" for i, day in enumerate(days))
    (folder / "t.csv").write_text(f"date,level\n{rows}", encoding="utf-8")
    data = f"data:\n  series: t.csv\n  target: level\n  window: {{length: {length}}}\n"
    text = f"dlspec: 1\n{data}model: [lstm: 2, output]\n"
    (folder / "s.yaml").write_text(text, encoding="utf-8")
    spec = dlspec.load(folder / "s.yaml")
    return {problem.code: problem for problem in check_data(spec, load_data(spec))}


def test_gaps_in_time(tmp_path):
    days = pd.date_range("2024-01-01", periods=200)
    assert series(tmp_path, days.astype(str)) == {}
    shifted = days.where(np.arange(200) < 50, days + pd.Timedelta(days=40))
    problem = series(tmp_path, shifted.astype(str))["gap-in-time"]
    assert problem.message.startswith("time has a gap, the largest from 2024-02-19 (row 50) to 2024-03-31 (row 51); ")
    assert problem.span.line == 5


def test_few_windows(tmp_path):
    problem = series(tmp_path, pd.date_range("2024-01-01", periods=60).astype(str), length=7)["few-windows"]
    assert "which judge nothing" in problem.message


def test_few_samples(tmp_path, frame):
    assert found(tmp_path, frame.iloc[:40])["few-samples"].message == "the test part has 6 samples, which judge nothing"


def test_warnings_are_printed_and_kept(tmp_path, frame):
    frame.assign(country="KR").to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\ndata: {table: t.csv, target: kind, features: [age, country]}\nmodel: [output]\n"
        "train: {epochs: 1}\n",
        encoding="utf-8",
    )
    done = CliRunner().invoke(cli, ["run", str(tmp_path / "s.yaml"), "--out", str(tmp_path / "run")])
    assert done.exit_code == 0
    assert "warning[constant-column]" in done.stderr
    assert "`country` is KR in every row of the training part." in dlspec.open_run(tmp_path / "run").metrics["notes"][0]
    assert "is KR in every row" in (tmp_path / "run/report.html").read_text(encoding="utf-8")


def test_plan_shows_the_columns_without_tensorflow(tmp_path, frame):
    frame.loc[::4, "income"] = np.nan
    frame["note"] = [f"what {i} said" for i in range(200)]
    frame.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\ndata: {table: t.csv, target: kind, missing: mean}\nmodel: [output]\n", encoding="utf-8"
    )
    spec = dlspec.load(tmp_path / "s.yaml")
    shown = {column.name: column for column in dlspec.columns(spec)}
    assert (shown["age"].role, shown["age"].type, shown["age"].missing) == ("feature", "numeric", 0)
    assert shown["income"].missing == 0.25
    assert sum(shown["income"].histogram) == 150
    assert shown["kind"].values == "well, ill"
    assert (shown["note"].role, shown["note"].type) == ("", "text")
    code = (
        "import sys\nfrom dlspec.cli import cli\n"
        f"cli(['plan', {str(tmp_path / 's.yaml')!r}], standalone_mode=False)\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    for width in (60, 100):
        done = subprocess.run(
            [sys.executable, "-c", code], env={"COLUMNS": str(width), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "25.0%" in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= width
    assert "█" in done.stdout
