"""What is odd about data is said before training: with its place, its row and a cure; what is in order is not."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

import dlspec
from dlspec.cli import cli
from dlspec.data.arrays import is_read_later
from dlspec.data.datasets import DATASETS
from dlspec.data.datasets.keras_cache import KerasDataset
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.job import checked_data, find_oddities, load_data
from tests.commands import dlspec_here
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
    odd = find_oddities(spec, load_data(spec))
    assert len({problem.code for problem in odd}) == len(odd)
    return {problem.code: problem for problem in odd}


def test_data_in_order_are_not_odd(tmp_path, frame):
    assert found(tmp_path, frame) == {}
    assert found(tmp_path, frame, "target: income") == {}


@pytest.mark.parametrize("name", [n for n in DATASETS if not issubclass(DATASETS[n], KerasDataset)])
def test_the_built_in_sets_are_not_odd(name):
    series = DATASETS[name]().describe().layout == "series"
    window = ", window: {length: 10}" if series else ""
    several = {"parcels": "a: picture, b: [pixel, material]", "digit_pairs": "a: left, b: right"}.get(name)
    model = "[flatten, output]"
    if several:
        model = f"{{inputs: {{{several}}}, layers: [{{flatten: {{from: a}}}}, output]}}"
    spec = dlspec.load(f"dlspec: 1\ndata: {{dataset: {name}{window}}}\nmodel: {model}\n")
    assert find_oddities(spec, load_data(spec)) == []


def test_a_constant_column(tmp_path, frame):
    odd = found(tmp_path, frame.assign(country="KR"), "target: kind\n  features: [age, income, country]")
    assert odd["constant-column"].message == "`country` is KR in every row of the training part"
    assert odd["constant-column"].span.line == 5


def test_a_column_that_is_constant_once_it_is_filled(tmp_path, frame):
    holes = frame.assign(rate=np.where(np.arange(200) % 9 == 0, np.nan, 4.0))
    odd = found(tmp_path, holes, "target: kind\n  missing: median")
    assert odd["constant-column"].message == "`rate` is 4 in every row of the training part that has a value"
    shown = "target: kind\n  missing: median\n  features: {age: numeric, rate: {numeric: {indicator: true}}}"
    assert "constant-column" not in found(tmp_path, holes, shown)


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


def test_a_leak_beside_missing_values_and_several_targets(tmp_path, frame):
    coded = frame.assign(code=np.where(frame["kind"] == "ill", "J1", "Z0"))
    coded.loc[5, "kind"] = None
    assert (
        "`code` says what `kind` is" in found(tmp_path, coded, "target: kind\n  missing: drop")["target-leak"].message
    )
    money = frame.assign(won=frame["income"] * 1300 + 7, x=np.arange(200) % 17).drop(columns="kind")
    odd = found(tmp_path, money, "target: [income, age]")
    assert "`won` says what `income` is" in odd["target-leak"].message


def test_long_numbers_of_which_float64_makes_the_same(tmp_path, frame):
    ids = frame.assign(order=[str(10**18 + row) for row in range(len(frame))])
    assert "nearer than 128: different ones became the same" in found(tmp_path, ids)["rounded-number"].message
    wide = frame.assign(order=[str(10**18 + 10**14 * (row * 37 % 200)) for row in range(len(frame))])
    assert "rounded-number" not in found(tmp_path, wide)
    (tmp_path / "s.yaml").write_text("dlspec: 1\ndata: {table: t.csv, target: kind}\nmodel: [output]\n")
    found(tmp_path, ids)
    done = dlspec_here("plan", "s.yaml", cwd=tmp_path)
    assert "order" in done.stdout, done.stderr


def test_a_leak_of_more_values_than_classes(tmp_path, frame):
    halves = np.arange(200) % 2
    finer = frame.assign(code=np.where(frame["kind"] == "ill", "J", "Z") + halves.astype(str).astype(object))
    assert "each of its values stands beside one class alone" in found(tmp_path, finer)["target-leak"].message
    finer.loc[0, "code"] = "J0" if finer.loc[0, "kind"] == "well" else "Z0"
    assert "target-leak" not in found(tmp_path, finer)


def test_rows_on_two_sides(tmp_path, frame):
    twice = pd.concat([frame, frame.iloc[:60]], ignore_index=True)
    message = found(tmp_path, twice)["duplicate-rows"].message
    assert "samples of the test part stand in the training part too; the first, row" in message
    assert "another `kind`" not in message
    own, other = (int(part.split()[0].rstrip(",")) for part in message.split("row ")[1:])
    assert twice.iloc[own - 1].equals(twice.iloc[other - 1])


def test_rows_on_two_sides_whose_labels_differ(tmp_path, frame):
    other = frame.iloc[:60].assign(kind=np.where(frame["kind"][:60] == "ill", "well", "ill"))
    message = found(tmp_path, pd.concat([frame, other], ignore_index=True))["duplicate-rows"].message
    count = int(message.split()[0])
    assert message.endswith(f"; {count} of them have another `kind` there")


def test_rows_that_are_equal_by_accident_are_not_odd(tmp_path, frame):
    assert found(tmp_path, frame[["age", "kind"]]) == {}
    assert found(tmp_path, frame[["age", "income"]], "target: income") == {}


def test_rows_on_two_sides_of_a_large_table(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=150_000), "kind": random.choice(["ill", "well"], 150_000)})
    twice = pd.concat([frame, frame.iloc[:60_000]], ignore_index=True)
    assert "of those that were looked at, stand" in found(tmp_path, twice)["duplicate-rows"].message


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_pictures_on_two_sides_are_named_by_their_files(tmp_path, cache):
    random = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / "pets" / label).mkdir(parents=True)
        for i in range(40):
            picture = Image.fromarray(random.integers(0, 255, (8, 8, 3), "uint8"))
            picture.save(tmp_path / f"pets/{label}/{i}.png")
    for i in range(20):
        shutil.copy(tmp_path / f"pets/a/{i}.png", tmp_path / f"pets/a/copy{i}.png")
    text = f"dlspec: 1\ndata: {{images: pets, cache: {cache}}}\nmodel: [flatten, output]\n"
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    spec = dlspec.load(tmp_path / "s.yaml")
    data = load_data(spec)
    assert is_read_later(data.train.inputs) == (cache == "none")
    (odd,) = [problem for problem in find_oddities(spec, data) if problem.code == "duplicate-rows"]
    one, other = re.findall(r"`(pets/.*?)`", odd.message)
    assert (tmp_path / one).read_bytes() == (tmp_path / other).read_bytes()


def test_rows_of_several_files_are_named_with_their_file(tmp_path, frame):
    twice = pd.concat([frame, frame.iloc[:60]], ignore_index=True)
    twice.loc[230, "age"] = 19500
    twice.iloc[:200].to_csv(tmp_path / "a.csv", index=False)
    twice.iloc[200:].to_csv(tmp_path / "b.csv", index=False)
    text = "dlspec: 1\ndata: {table: [a.csv, b.csv], target: kind}\nmodel: [output]\n"
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    spec = dlspec.load(tmp_path / "s.yaml")
    odd = {problem.code: problem.message for problem in find_oddities(spec, load_data(spec))}
    assert "19500 in row 31 of `b.csv`" in odd["outlying-number"]
    assert re.search(r"row \d+ of `a.csv`, is the same as row \d+ of `b.csv`", odd["duplicate-rows"])


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


def wrong_with(folder, frame, data):
    """What is said of data that cannot be prepared."""
    frame.to_csv(folder / "t.csv", index=False)
    (folder / "s.yaml").write_text(f"dlspec: 1\ndata: {{{data}}}\nmodel: [flatten, output]\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        load_data(dlspec.load(folder / "s.yaml"))
    return [problem.message for problem in error.value.diagnostics]


def test_a_feature_and_the_target_are_wrong_at_once(tmp_path, frame):
    frame = frame.drop(columns="kind").astype(object)
    frame.loc[7, "age"], frame.loc[90, "income"] = "old", "much"
    said = wrong_with(tmp_path, frame.assign(x=np.arange(200)), "table: t.csv, target: income")
    assert [("age" in message, "row 8" in message) for message in said] == [(True, True), (False, False)]
    assert "`income` has the text" in said[1]


def test_columns_and_time_of_a_series_are_wrong_at_once(tmp_path):
    days = pd.date_range("2024-01-01", periods=200).astype(str).to_numpy(object)
    frame = pd.DataFrame({"date": days, "level": np.arange(200) % 7, "other": np.arange(200) % 5}).astype(object)
    frame.loc[3, "level"], frame.loc[9, "other"], frame.loc[20, "date"] = "x", "y", "2023-01-01"
    said = wrong_with(tmp_path, frame, "series: t.csv, target: level, window: {length: 5}")
    assert [message.split()[1] for message in said] == ["`level`", "`other`", "`date`"]
    assert "from row 20 (2024-01-20) to row 21 (2023-01-01)" in said[2]


def test_rows_that_are_left_out_are_counted(tmp_path, frame):
    frame = frame.astype(object)
    frame.loc[3, "income"], frame.loc[50, "age"] = None, "old"
    (message,) = wrong_with(tmp_path, frame, "table: t.csv, target: kind, missing: drop")
    assert 'the text "old" in row 51' in message


def test_rows_of_a_table_that_is_read_in_blocks(tmp_path):
    frame = pd.DataFrame({"a": np.arange(70_000) % 97, "b": np.arange(70_000) % 89, "kind": "ill"}).astype(object)
    frame.loc[::2, "kind"] = "well"
    frame.loc[5, "b"], frame.loc[66_000, "a"], frame.loc[66_001, "b"] = None, "old", "much"
    data = "table: t.csv, target: kind, missing: drop, cache: none"
    assert [re.findall(r"row (\d+)", message) for message in wrong_with(tmp_path, frame, data)] == [
        ["66001"],
        ["66002"],
    ]


def test_plan_shows_columns_that_are_wrong(tmp_path, frame):
    frame = frame.astype({"age": object})
    frame.loc[7, "age"] = "old"
    wrong_with(tmp_path, frame, "table: t.csv, target: kind")
    done = CliRunner().invoke(cli, ["plan", str(tmp_path / "s.yaml")], standalone_mode=False)
    assert done.return_value == 3
    assert re.search(r"age +feature +numeric +18 … 89 +\S{10}", done.stdout)


def test_a_series_that_is_shorter_than_its_window(tmp_path):
    frame = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=60).astype(str), "level": np.arange(60) % 7})
    (message,) = wrong_with(tmp_path, frame, "series: t.csv, target: level, window: {length: 80}")
    assert message == "the training part has 42 of 60 rows, and one window with its target takes 81"


def test_time_that_runs_backwards_in_the_second_of_two_files(tmp_path):
    days = pd.date_range("2024-01-01", periods=60).astype(str).to_numpy(object)
    frame = pd.DataFrame({"date": days, "level": np.arange(60) % 7})
    frame.loc[40, "date"] = "2023-01-01"
    frame.iloc[:30].to_csv(tmp_path / "a.csv", index=False)
    frame.iloc[30:].to_csv(tmp_path / "b.csv", index=False)
    (message,) = wrong_with(tmp_path, frame, "series: [a.csv, b.csv], target: level, window: {length: 5}")
    assert message.endswith("to row 41 (2023-01-01), which is row 11 of `b.csv`")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_folder_without_permission(tmp_path):
    (tmp_path / "shut").mkdir()
    (tmp_path / "shut/t.csv").write_text("age,kind\n1,ill\n2,well\n", encoding="utf-8")
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\ndata: {table: shut/t.csv, target: kind}\nmodel: [output]\n", encoding="utf-8"
    )
    (tmp_path / "shut").chmod(0)
    try:
        if os.access(tmp_path / "shut", os.R_OK | os.X_OK):
            pytest.skip("whoever runs the tests may read everything")
        with pytest.raises(DataError, match="permission denied"):
            load_data(dlspec.load(tmp_path / "s.yaml"))
    finally:
        (tmp_path / "shut").chmod(0o700)


def series(folder, days, length=10):
    rows = "".join(f"{day},{i % 7}\n" for i, day in enumerate(days))
    (folder / "t.csv").write_text(f"date,level\n{rows}", encoding="utf-8")
    data = f"data:\n  series: t.csv\n  target: level\n  window: {{length: {length}}}\n"
    text = f"dlspec: 1\n{data}model: [lstm: 2, output]\n"
    (folder / "s.yaml").write_text(text, encoding="utf-8")
    spec = dlspec.load(folder / "s.yaml")
    return {problem.code: problem for problem in find_oddities(spec, load_data(spec))}


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


def test_a_test_part_without_samples_is_an_error(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(6)))
    path = tmp_path / "s.yaml"
    path.write_text("dlspec: 1\ndata: {table: t.csv, target: y}\nmodel: [dense: 3, output]\n")
    with pytest.raises(DataError, match="the test part has no samples"):
        dlspec.run(path, out=tmp_path / "run")


@pytest.mark.parametrize("data", ["{table: t.csv, target: y}", "{table: t.csv, target: [x, y]}"])
def test_a_number_that_never_changes_is_nothing_to_predict(tmp_path, data):
    rows = [f"{row % 7},{row * 37 % 11},{'5' if row % 2 else '05'}" for row in range(90)]
    (tmp_path / "t.csv").write_text("\n".join(["a,x,y", *rows]) + "\n", encoding="utf-8")
    (tmp_path / "s.yaml").write_text(f"dlspec: 1\ndata: {data}\nmodel: [output]\n", encoding="utf-8")
    spec = dlspec.load(tmp_path / "s.yaml")
    found = [each for each in checked_data(spec, load_data(spec)) if each.code == "constant-column"]
    assert [each.message for each in found] == [
        "`y` is 5 in every row of the training part, so that there is nothing to predict"
    ]
    assert found[0].help == "predict another column"
