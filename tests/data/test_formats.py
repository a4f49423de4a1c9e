"""Files of rows: every format gives the same data, and what is wrong with one is said with its place."""

import bz2
import csv
import gzip
import lzma
import os
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dlspec
from dlspec.data.sources.formats import format_of
from dlspec.data.sources.formats.base import as_word
from dlspec.data.sources.rows import SeriesFiles, TableFiles
from dlspec.language.diagnostics.errors import DataError

SPEC = "dlspec: 1\nname: files\ndata: {table: %s, target: kind}\nmodel: [{dense: 4}, output]\ntrain: {epochs: 1}\n"
ROWS = 60


@pytest.fixture(scope="module")
def frame():
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "a": random.normal(size=ROWS).round(3),
            "b": random.integers(0, 50, ROWS),
            "kind": np.where(random.random(ROWS) < 0.5, "NA", "yes"),
            "when": pd.date_range("2024-01-01", periods=ROWS).astype(str),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory, frame):
    folder = tmp_path_factory.mktemp("files")
    frame.to_csv(folder / "rows.csv", index=False)
    frame.to_csv(folder / "rows.tsv", index=False, sep="\t")
    frame.to_json(folder / "rows.jsonl", orient="records", lines=True)
    frame.to_parquet(folder / "rows.parquet", index=False)
    data = (folder / "rows.csv").read_bytes()
    (folder / "rows.csv.gz").write_bytes(gzip.compress(data))
    (folder / "rows.csv.bz2").write_bytes(bz2.compress(data))
    (folder / "rows.csv.xz").write_bytes(lzma.compress(data))
    with zipfile.ZipFile(folder / "rows.csv.zip", "w") as archive:
        archive.write(folder / "rows.csv", "rows.csv")
    (folder / "rows.jsonl.gz").write_bytes(gzip.compress((folder / "rows.jsonl").read_bytes()))
    (folder / "parts").mkdir()
    for i in range(3):
        part = frame.iloc[20 * i : 20 * i + 20]
        part[part.columns if i != 1 else part.columns[::-1]].to_csv(folder / "parts" / f"{i}.csv", index=False)
    return folder


WRITTEN = ["rows.tsv", "rows.jsonl", "rows.parquet", "rows.csv.gz", "rows.csv.bz2", "rows.csv.xz", "rows.csv.zip",
           "rows.jsonl.gz", "parts/*.csv", "parts/**/*.csv"]  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_every_format_gives_the_same_table(folder, name):
    plain, other = TableFiles(("rows.csv",), folder), TableFiles((name,), folder)
    assert other.describe() == plain.describe()
    expected, columns = plain.load(0), other.load(0)
    assert list(columns) == list(expected)
    for key in expected:
        assert columns[key].dtype == expected[key].dtype
        assert list(columns[key]) == list(expected[key])


def test_a_column_is_read_for_what_it_holds(folder, frame):
    columns = {column.name: column for column in TableFiles(("rows.jsonl",), folder).describe().columns}
    assert {name: column.kind for name, column in columns.items()} == {
        "a": "number", "b": "number", "kind": "class", "when": "time",
    }  # fmt: skip
    assert columns["kind"].classes == ("NA", "yes")
    assert list(TableFiles(("rows.jsonl",), folder).load(0)["kind"]) == list(frame["kind"])


def test_parquet_says_itself_what_are_times_and_what_is_no_value_of_a_column(tmp_path):
    times = pd.date_range("2024-01-01", periods=30, tz="Asia/Seoul")
    frame = pd.DataFrame({"when": times, "x": range(30), "tags": [["a", "b"]] * 30, "sure": [True, False, None] * 10})
    frame.to_parquet(tmp_path / "odd.parquet")
    columns = {column.name: column for column in TableFiles(("odd.parquet",), tmp_path).describe().columns}
    assert {name: column.kind for name, column in columns.items()} == {
        "when": "time", "x": "number", "tags": "nested", "sure": "class",
    }  # fmt: skip
    assert columns["sure"].classes == ("false", "true")
    loaded = TableFiles(("odd.parquet",), tmp_path).load(0)
    assert loaded["when"][0] == np.datetime64("2023-12-31T15:00")
    assert list(loaded["sure"][:3]) == ["true", "false", ""]
    data = f"{{table: {tmp_path}/odd.parquet, target: x, features: [tags], split: {{by: order}}}}"
    (problem,) = dlspec.validate(f"dlspec: 1\ndata: {data}\nmodel: [output]\n")
    assert problem.message == "`tags` holds nested values, and features are numbers, words, texts or times"


def test_several_files_run_as_one_table(folder, tmp_path):
    one = dlspec.run(SPEC % f"{folder}/rows.csv", out=tmp_path / "one")
    many = dlspec.run(SPEC % f"['{folder}/parts/0.csv', '{folder}/parts/[12].csv']", out=tmp_path / "many")
    assert many.metrics.test == one.metrics.test
    assert many.data.fingerprint == one.data.fingerprint
    again = dlspec.load(many.folder / "resolved.yaml")
    assert len(again.data.table) == 2


def test_a_series_may_stand_in_several_files(folder):
    whole, parts = SeriesFiles(("rows.csv",), folder), SeriesFiles(("parts/0.csv", "parts/1.csv"), folder)
    assert parts.describe().rows == 40
    assert list(parts.load(0)["a"]) == list(whole.load(0)["a"][:40])


def test_rows_of_a_long_file_are_counted_about(tmp_path):
    for name, line in (("n.csv", "{i},{i}.5\n"), ("n.jsonl", '{{"n": {i}, "m": {i}.5}}\n')):
        text = "n,m\n" * name.endswith("csv") + "".join(line.format(i=i) for i in range(1000, 6000))
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert SeriesFiles((name,), tmp_path).describe().rows == pytest.approx(5000, rel=0.2)


# --- what is wrong with a file

GOOD = "x,y,kind\n" + "1,2,a\n3,4,b\n" * 20
HANGUL = "이름,나이,kind\n" + "김철수,2,a\n이영희,4,b\n" * 20
TORN = gzip.compress(GOOD.encode() + os.urandom(5000).hex().encode())[:-200]
BAD = {
    "absent.csv": (None, "there is no file `absent.csv`"),
    "empty.csv": (b"", "`empty.csv` is empty"),
    "blank.csv": (b"\nx,y,kind\n", "`blank.csv` begins with an empty line"),
    "header.csv": (b"x,y,kind\n", "`header.csv` has a header and no rows"),
    "short.csv": (GOOD + "5,6\n" + "7,8,a\n", "row 41 of `short.csv` has 2 values, and the header names 3 columns"),
    "long.csv": (GOOD + "5,6,a,7\n", "row 41 of `long.csv` has 4 values, and the header names 3 columns"),
    "first_long.csv": ("x,y,kind\n1,2,a,7\n3,4,b,7\n" + "5,6,a,7\n" * 9, "row 1 of `first_long.csv` has 4 values"),
    "mixed.csv": (GOOD + "5;6;a\n", "`mixed.csv` has semicolons in row 41, and commas in its header"),
    "korean.csv": (HANGUL.encode("cp949"), "`korean.csv` is saved as CP949 (the Korean Windows encoding"),
    "wide.csv": (HANGUL.encode("utf-16-le"), "`wide.csv` is saved as UTF-16LE (Notepad's `Unicode`), and data are UTF"),
    "late.csv": (GOOD.encode() * 3000 + "김,2,a\n".encode("cp949"), "`late.csv` is saved as"),
    "excel.csv": ("sep=;\nx;y\n" + "1;2\n" * 40, "names 1 column"),
    "grouped.csv": (
        'x,y,kind\n"1,234",2,a\n' + "3,4,b\n5,6,a\n" * 20,
        "`x` of `grouped.csv` has `1,234`, which may be thousands or a fraction",
    ),
    "words.csv": (GOOD + "many,6,a\n", 'column `x` has the text "many" in row 41, where a number is needed'),
    "nan.csv": (GOOD + "NaN,6,a\n", "column `x` lacks a value in row 41"),
    "infinite.csv": (GOOD + "inf,6,a\n", "column `x` is infinite in row 41"),
    "one_class.csv": ("x,kind\n" + "1,a\n" * 40, "`kind` has one class, `a`, and so there is nothing to tell apart"),
    "twice.csv": ("x,x,kind\n1,2,a\n", "`twice.csv` has two columns named `x`"),
    "columns.csv": (",".join(f"c{i}" for i in range(10_000)) + "\n", "`columns.csv` has 10,000 columns, and 5,000"),
    "torn.csv.gz": (TORN, "cannot read `torn.csv.gz`: it is no whole .gz file"),
    "torn.parquet": (b"PAR1 and then nothing", "cannot read `torn.parquet`: it is no whole Parquet file"),
    "list.jsonl": ('[{"x": 1, "kind": "a"}, 3]\n', "entry 2 of `list.jsonl` is no JSON object"),
    "open.json": ('[{"x": 1, "kind": "a"},\n', "`open.json` begins with `[`, and is no JSON array in line"),
    "torn.jsonl": ('{"x": 1, "kind": "a"}\n{"x": 2, "ki\n', 'line 2 of `torn.jsonl` is no JSON object: {"x": 2'),
    "none_*.csv": (None, "no file matches `none_*.csv`"),
}  # fmt: skip


def message_of(spec):
    """What stops the run, whether the check of the spec says it or the run."""
    try:
        with pytest.raises(DataError) as error:
            dlspec.run(dlspec.load(spec), out=spec.parent / "never")
    except dlspec.SpecError as error:
        return "\n".join(problem.message for problem in error.diagnostics)
    return "\n".join(problem.message for problem in error.value.diagnostics)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_named_with_the_place(name, tmp_path):
    content, said = BAD[name]
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC % f"'{name}'", encoding="utf-8")
    assert said in message_of(spec)


def test_the_nearest_file_is_offered(tmp_path):
    (tmp_path / "prices.csv").write_text(GOOD, encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(SPEC % "price.csv", encoding="utf-8")
    (problem,) = (p for p in dlspec.validate(tmp_path / "spec.yaml") if p.code == "data-not-found")
    assert problem.help.startswith("did you mean `prices.csv`?")
    assert (problem.span.line, problem.span.column) == (3, 15)


def test_the_file_and_row_are_named_where_there_are_several(tmp_path):
    (tmp_path / "1.csv").write_text(GOOD, encoding="utf-8")
    (tmp_path / "2.csv").write_text("x,y,kind\n1,2,a\noften,2,b\n", encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(SPEC % "'[12].csv'", encoding="utf-8")
    assert "in row 42, where a number is needed, which is row 2 of `2.csv`" in message_of(tmp_path / "spec.yaml")
    (tmp_path / "2.csv").write_text("x,kind\n1,a\n", encoding="utf-8")
    assert "`2.csv` has no column `y`, which `1.csv` has" in message_of(tmp_path / "spec.yaml")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path):
    (tmp_path / "secret.csv").write_text(GOOD, encoding="utf-8")
    (tmp_path / "secret.csv").chmod(0)
    (tmp_path / "spec.yaml").write_text(SPEC % "secret.csv", encoding="utf-8")
    assert "cannot read `secret.csv`: permission denied" in message_of(tmp_path / "spec.yaml")


def test_a_folder_is_no_table(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "spec.yaml").write_text(SPEC % "folder", encoding="utf-8")
    assert "cannot read `folder`: is a directory" in message_of(tmp_path / "spec.yaml")


# --- one reader for values and another for rows


CELL = st.text(alphabet="ab12,;\"'\n\t .-#é", max_size=5) | st.sampled_from(["NA", "nan", "01", "\r\n", "# no comment"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), end=st.sampled_from(["\n", "\r\n"]))
def test_rows_and_values_are_the_same_whatever_stands_in_quotes(tmp_path, data, end):
    """Commas, quotes and line breaks in cells and in names, as `csv` writes them."""
    count = data.draw(st.integers(2, 4))
    names = [f"c{i}" + data.draw(st.text(alphabet='ab1"\n é', max_size=5)) for i in range(count)]
    rows = data.draw(st.lists(st.lists(CELL, min_size=count, max_size=count), min_size=1, max_size=8))
    with (tmp_path / "t.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator=end).writerows([names, *rows])
    found = format_of(tmp_path / "t.csv", "t.csv")
    header = [name.strip() for name in names]
    assert found.header() == header
    assert list(found.rows()) == rows
    values = list(found.blocks(3, header))
    assert [list(block) for block in values] == [header] * len(values)
    for place, name in enumerate(header):
        assert [word for block in values for word in block[name]] == [as_word(row[place]) for row in rows]


def test_each_row_of_a_file_with_a_long_header_gets_its_own_prediction(tmp_path):
    """A name of two lines in quotes; the target is twice `x`."""
    x = np.linspace(-1, 1, 60).round(3)
    pd.DataFrame({"x": x, "y": 2 * x}).to_csv(tmp_path / "t.csv", index=False)
    text = f"dlspec: 1\ndata: {{table: {tmp_path}/t.csv, target: y}}\nmodel: [output]\n"
    run = dlspec.run(text, {"train.epochs": 200, "train.optimizer": {"adam": 0.05}}, out=tmp_path / "run")
    for names in (["x", "note\n(text)"], ["note\n(text)", "x"]):
        new = pd.DataFrame({"x": [0.9, -0.9, 0.3], "note\n(text)": ["n0", "n\n1", "n2"]})[names]
        new.to_csv(tmp_path / "new.csv", index=False)
        out = tmp_path / f"{names[0][0]}.csv"
        assert dlspec.predict(run, tmp_path / "new.csv", out) == 3
        written = pd.read_csv(out)
        assert list(written) == [*names, "y"]
        assert written[names].equals(new)
        np.testing.assert_allclose(written["y"], 2 * new["x"], atol=0.1)


@pytest.mark.parametrize("header", ['x,"y\n', '"x,y\n'])
def test_a_quote_that_is_not_closed_in_the_header_is_reported(tmp_path, header):
    (tmp_path / "t.csv").write_text(header + "1,2\n" * 50, encoding="utf-8")
    (problem,) = dlspec.validate(f"dlspec: 1\ndata: {{table: {tmp_path}/t.csv, target: y}}\nmodel: [output]\n")
    assert (problem.code, problem.message) == (
        "data-unreadable",
        f"a quote in the first line of `{tmp_path}/t.csv` is not closed",
    )


def test_a_quote_inside_a_name_is_part_of_it(tmp_path):
    (tmp_path / "t.csv").write_text('size 5",y\n' + "1,2\n3,5\n" * 20, encoding="utf-8")
    assert format_of(tmp_path / "t.csv", "t.csv").header() == ['size 5"', "y"]
