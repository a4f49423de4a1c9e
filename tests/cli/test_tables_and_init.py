"""Tables in files, and first specs written for what the columns hold."""

import os
import pty
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_iris

import dlspec
from dlspec.cli import COMMANDS
from dlspec.data.datasets import DATASETS
from dlspec.data.source_of import source_of
from dlspec.data.sources.rows import TableFiles
from dlspec.language.diagnostics.errors import DataError
from tests.commands import dlspec as dlspec_command
from tests.conftest import REAL_DATA, ROOT

QUICK = {"train.epochs": 1, "train.early_stopping": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    iris = load_iris(as_frame=True)
    frame = iris.data.rename(columns=lambda name: name.removesuffix(" (cm)").replace(" ", "_"))
    frame.assign(species=iris.target_names[iris.target], id=range(150)).to_csv(folder / "iris.csv", index=False)
    load_breast_cancer(as_frame=True).frame.to_csv(folder / "cancer.tsv", sep="\t", index=False)
    rows = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=300), "sold": np.arange(300) % 7 + 1.0})
    rows.to_csv(folder / "sales.csv", index=False)
    (folder / "odd.csv").write_text(
        'who;wert;"ja, nein";gruppe;leer\nanna;1,5;ja;NA;\nben;2,25;nein;None;\ncem;3;ja;NA;\ndoro;4,5;nein;None;\n',
        encoding="utf-8",
    )
    return folder


def dlspec_in(folder, *arguments, **options):
    return dlspec_command(*arguments, cwd=folder, **options)


# --- tables


def test_columns_of_a_table_hold_numbers_classes_or_text(folder):
    columns = {c.name: c for c in TableFiles(("odd.csv",), folder).describe().columns}
    assert {name: c.kind for name, c in columns.items()} == {
        "who": "text", "wert": "number", "ja, nein": "class", "gruppe": "class", "leer": "number",
    }  # fmt: skip
    assert columns["gruppe"].classes == ("NA", "None")
    assert list(TableFiles(("odd.csv",), folder).load(0)["gruppe"]) == ["NA", "None", "NA", "None"]
    assert list(TableFiles(("odd.csv",), folder).load(0)["wert"]) == [1.5, 2.25, 3, 4.5]


def test_two_whole_numbers_are_classes_as_a_target_and_numbers_as_a_feature(folder):
    (folder / "two.csv").write_text(
        "smokes,age,ill\n" + "".join(f"{i % 2},{i},{i // 3 % 2}\n" for i in range(60)), encoding="utf-8"
    )
    text = "dlspec: 1\nname: two\ndata: {table: %s, target: ill}\nmodel: [output]\n" % (folder / "two.csv")
    run = dlspec.run(dlspec.load(text, overrides=QUICK), out=folder / "two_run")
    assert run.spec.data.features == ["smokes", "age"]
    assert set(run.metrics.test) == {"accuracy", "log_loss"}
    predicted = run.predict(pd.DataFrame({"smokes": [0, 1], "age": [3, 4]}))
    assert list(predicted.columns) == ["ill", "ill=0", "ill=1"]


@pytest.mark.everyday(1)
@pytest.mark.parametrize(
    ("file", "target"), [("iris.csv", "species"), ("iris.csv", "petal_width"), ("cancer.tsv", "target")]
)
def test_a_table_runs_from_its_file_to_predictions_for_its_rows(folder, tmp_path, file, target):
    spec = tmp_path / "spec.yaml"
    spec.write_text(dlspec.init(str(folder / file), target=target), encoding="utf-8")
    run = dlspec.run(dlspec.load(spec, overrides=QUICK), out=tmp_path / "run")
    rows = pd.read_csv(folder / file, sep=None, engine="python")
    assert len(run.predict(rows)) == len(rows)
    assert dlspec.validate(run.folder / "resolved.yaml") == []


def test_a_file_is_looked_at_once_until_it_changes(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("x,kind\n" + "1,a\n2,b\n" * 5, encoding="utf-8")
    looks = []
    look = TableFiles.look
    monkeypatch.setattr(TableFiles, "look", lambda self: looks.append(1) or look(self))
    for _ in range(3):
        assert TableFiles(("t.csv",), tmp_path).describe().column("kind").classes == ("a", "b")
    assert len(looks) == 1
    (tmp_path / "t.csv").write_text("x,kind\n" + "1,a\n2,b\n3,c\n" * 5, encoding="utf-8")
    assert TableFiles(("t.csv",), tmp_path).describe().column("kind").classes == ("a", "b", "c")


def test_a_missing_label_is_named_by_its_row(folder):
    (folder / "hole.csv").write_text("x,kind\n" + "1,a\n2,b\n" * 20 + "3,\n", encoding="utf-8")
    text = "dlspec: 1\ndata: {table: %s}\nmodel: [output]\n" % (folder / "hole.csv")
    with pytest.raises(DataError, match="lacks a label in row 41"):
        dlspec.run(dlspec.load(text, overrides={**QUICK, "data.target": "kind"}), out=folder / "hole_run")


def test_the_data_of_a_spec_that_is_extended_lie_beside_that_spec(folder):
    (folder / "sub").mkdir()
    base = "dlspec: 1\ndata: {table: small.csv, target: kind}\nmodel: [output]\n"
    (folder / "sub" / "base.yaml").write_text(base, encoding="utf-8")
    (folder / "sub" / "small.csv").write_text("x,kind\n1,a\n2,b\n3,a\n4,b\n", encoding="utf-8")
    (folder / "top.yaml").write_text("extends: sub/base.yaml\nseed: 3\n", encoding="utf-8")
    spec = dlspec.load(folder / "top.yaml")
    assert source_of(spec.data).files[0].file == folder / "sub" / "small.csv"


# --- init


@pytest.mark.parametrize("pretrain", [False, True], ids=["plain", "pretrained"])
@pytest.mark.parametrize("data", [*DATASETS, "iris.csv", "cancer.tsv", "sales.csv", "odd.csv"])
def test_the_first_spec_has_no_mistake_and_no_warning(data, pretrain, folder, tmp_path):
    file = str(folder / data) if "." in data else data
    spec = tmp_path / "spec.yaml"
    spec.write_text(dlspec.init(file, pretrain=pretrain), encoding="utf-8")
    assert dlspec.validate(spec) == []
    assert (dlspec.load(spec).pretrain is not None) == pretrain


def test_it_proposes_target_task_and_features(folder):
    for file, expected in {
        "iris.csv": "  table: iris.csv                 # a row is a sample\n"
        "  target: species                 # or sepal_length, sepal_width, petal_length, petal_width\n"
        "  features: [sepal_length, sepal_width, petal_length, petal_width]  # left out: id (counts the rows)\n",
        "sales.csv": "  series: sales.csv               # a row is a timestep, oldest first\n"
        "  time: day\n  target: sold\n",
        "cancer.tsv": "  target: target ",
    }.items():
        assert expected in dlspec_in(folder, "init", file, "-o", "-").stdout
    assert "2 classes" in dlspec.init(str(folder / "cancer.tsv"))
    assert "table:" in dlspec.init(str(folder / "sales.csv"), series=False)


@pytest.mark.parametrize(
    "name",
    [
        "stocks/yahoofinance-AAPL-20040819-20180120.csv",
        "timeseries/darts-AirPassengers.csv",
        "timeseries/darts-temps.csv",
    ],
)
def test_real_series_are_recognized(name):
    if not (REAL_DATA / name).is_file():
        pytest.skip("the real data are not here")
    text = dlspec.init(str(REAL_DATA / name))
    assert "series:" in text
    assert dlspec.validate(text) == []


def test_a_file_that_is_there_is_kept_and_the_path_is_that_from_the_spec(folder):
    (folder / "specs").mkdir()
    done = dlspec_in(folder, "init", "iris.csv", "-o", "specs/iris.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "table: ../iris.csv " in (folder / "specs" / "iris.yaml").read_text(encoding="utf-8")
    assert dlspec.validate(folder / "specs" / "iris.yaml") == []
    before = (folder / "specs" / "iris.yaml").read_bytes()
    done = dlspec_in(folder, "init", "iris", "-o", "specs/iris.yaml")
    assert done.returncode == 2
    assert "`--force`" in done.stderr
    assert (folder / "specs" / "iris.yaml").read_bytes() == before
    assert dlspec_in(folder, "init", "iris", "-o", "specs/iris.yaml", "--force").returncode == 0
    assert "dataset: iris" in (folder / "specs" / "iris.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "name a CSV file or a built-in dataset"),
        (("irs",), 3, "did you mean `iris`?"),
        (("nowhere.csv",), 3, "there is no file"),
        (("iris.csv", "--target", "specis"), 3, "did you mean `species`?"),
        (("odd.csv", "--target", "who"), 3, "holds neither numbers nor classes"),
        (("iris", "-o", "no/such/folder/x.yaml"), 3, "cannot write"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(folder, arguments, code, said):
    before = sorted(folder.iterdir())
    done = dlspec_in(folder, "init", *arguments, stdin=subprocess.DEVNULL)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(folder.iterdir()) == before


def test_on_a_terminal_it_shows_the_columns_and_asks(folder):
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover
        os.chdir(folder)
        os.execv(sys.executable, [sys.executable, "-m", "dlspec", "init", "-o", "asked.yaml"])
    said = b""
    for answer in (b"iris.csv\n", b"petal_length\n", b"y\n"):
        while not said.endswith(b": "):
            said += os.read(terminal, 1000)
        os.write(terminal, answer)
        said += b"|"
    try:
        while chunk := os.read(terminal, 1000):
            said += chunk
    except OSError:  # the end, on Linux
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert b"counts the rows" in said
    spec = dlspec.load(folder / "asked.yaml")
    assert (spec.data.target, spec.pretrain is not None) == ("petal_length", True)


def test_every_command_is_listed():
    assert {"init", "doctor"} <= set(COMMANDS)


@pytest.mark.parametrize("data", ["shapes", "tones", "moving.npz"])
def test_a_first_spec_for_folders_and_arrays_is_fine(data, tmp_path):
    text = dlspec.init(str(ROOT / "specs/data" / data))
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    assert dlspec.validate(tmp_path / "s.yaml") == []
    assert len(dlspec.columns(dlspec.load(tmp_path / "s.yaml"))) == 2
