"""Files that are written again with predictions beside their rows."""

import bz2
import gzip
import io
import json
import resource
import sys
import zipfile

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import dlspec
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs import predict as predicting
from tests.commands import dlspec as command

ROWS = 60


def make_table(rows=ROWS):
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"code": [f"{i:03}" for i in range(rows)], "age": random.normal(40, 9, rows).round(2)})
    frame["city"] = random.choice(["Seoul", "부산", "NA"], rows)
    frame["state"] = np.where(frame["age"] + 5 * (frame["city"] == "Seoul") > 41, "ill", "well")
    return frame


SPEC = (
    "dlspec: 1\nname: towns\ndata: {table: table.csv, target: state, features: {age: numeric, city: category}}\n"
    "model: [dense: 3, output]\ntrain: {epochs: 1}\n"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    make_table().to_csv(folder / "table.csv", index=False)
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return dlspec.run(folder / "spec.yaml", out=folder / "run")


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(predicting, "BLOCK", 7)


def printed(run, file):
    out = io.BytesIO()
    rows = dlspec.predict(run, file, out)
    return out.getvalue().decode(), rows


# --- formats


def test_rows_come_back_as_they_were_with_predictions_behind_them(run, tmp_path, small_blocks):
    text = 'code;age;city;note\r\n010;41,5;Seoul;"a; ""b"""\r\n007;3,25;NA;\r\n' + "1;50;부산; x\r\n" * 20
    (tmp_path / "new.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    written, rows = printed(run, tmp_path / "new.csv")
    assert rows == 22
    before, after = text.split("\r\n"), written.split("\r\n")
    assert after[0] == "code;age;city;note;state;state=ill;state=well"
    assert all(line.startswith(f"{own};") for own, line in zip(before[1:23], after[1:23], strict=True))
    ages = [41.5, 3.25, *[50.0] * 20]
    wanted = run.predict({"age": ages, "city": ["Seoul", "NA", *["부산"] * 20]})
    shares = [float(line.rsplit(";", 1)[1].replace(",", ".")) for line in after[1:23]]
    assert shares == pytest.approx(list(wanted["state=well"]), abs=1e-6)
    assert [line.split(";")[-3] for line in after[1:23]] == list(wanted["state"])


def test_json_lines_keep_every_character(run, tmp_path, small_blocks):
    lines = [
        '{"age": 1e1, "city": "\\ubd80\\uc0b0",  "id": 12345678901234567890}',
        '{"city": "Seoul", "age": 42.0}',
    ] * 6
    (tmp_path / "new.jsonl").write_text("\n".join(lines), encoding="utf-8")
    written, rows = printed(run, tmp_path / "new.jsonl")
    assert rows == 12
    for own, line in zip(lines, written.splitlines(), strict=True):
        assert line.startswith(own[:-1] + ', "state": "')
        assert set(json.loads(line)) - set(json.loads(own)) == {"state", "state=ill", "state=well"}


def test_parquet_keeps_its_types(run, tmp_path, small_blocks):
    frame = make_table().assign(when=pd.Timestamp("2024-01-31"), count=np.arange(ROWS, dtype="int16"))
    frame.to_parquet(tmp_path / "new.parquet", index=False)
    assert dlspec.predict(run, tmp_path / "new.parquet", tmp_path / "out.parquet") == ROWS
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.select(frame.columns).equals(pq.read_table(tmp_path / "new.parquet"))
    wanted = run.predict(frame)
    assert table.column("state=ill").to_pylist() == pytest.approx(list(wanted["state=ill"]), abs=1e-6)
    with pytest.raises(DataError, match="no text to be printed") as error:
        printed(run, tmp_path / "new.parquet")
    assert error.value.diagnostics[0].help == "add `--out predicted.parquet`"


@pytest.mark.parametrize("ending", ["tsv.gz", "csv.bz2", "csv.zip", "csv"])
def test_what_is_written_is_compressed_as_its_name_says(run, tmp_path, ending):
    separator = "\t" if "tsv" in ending else ","
    given, out = tmp_path / f"new.{ending}", tmp_path / f"out.{ending}"
    make_table().to_csv(given, sep=separator, index=False)
    dlspec.predict(run, given, out)
    raw = out.read_bytes()
    if ending.endswith("zip"):
        with zipfile.ZipFile(out) as archive:
            assert archive.namelist() == ["out.csv"]
            raw = archive.read("out.csv")
    elif ending != "csv":
        raw = {"gz": gzip, "bz2": bz2}[ending.rsplit(".")[-1]].decompress(raw)
    again = pd.read_csv(io.BytesIO(raw), sep=separator, dtype={"code": str}, keep_default_na=False)
    assert again[["code", "age", "city"]].equals(make_table()[["code", "age", "city"]])
    assert list(again["predicted state"]) == list(run.predict(make_table())["state"])


def test_a_column_that_is_there_is_not_overwritten(run, tmp_path):
    frame = make_table().assign(**{"predicted state": "mine", "state=ill": 3})
    frame.to_csv(tmp_path / "new.csv", index=False)
    header = printed(run, tmp_path / "new.csv")[0].splitlines()[0]
    assert header.endswith("predicted state,state=ill,predicted predicted state,predicted state=ill,state=well")


# --- series


def test_windows_cross_the_borders_of_blocks(tiny_run, tmp_path, small_blocks):
    run = tiny_run("series")
    values = np.sin(np.arange(50) / 5).round(4)
    pd.DataFrame({"t": pd.date_range("2024-02-01", periods=50).strftime("%d.%m.%Y"), "x": values}).to_csv(
        tmp_path / "new.csv", index=False
    )
    written, rows = printed(run, tmp_path / "new.csv")
    again = pd.read_csv(io.StringIO(written))
    length = run.data.timesteps
    wanted = run.predict({"x": values})
    assert rows == len(again) == 50
    assert again["x+2"].isna().sum() == length - 1
    assert list(again["x+2"][length - 1 :]) == pytest.approx(list(wanted["x+2"]), abs=1e-5)


def test_no_window_crosses_a_gap(tiny_run, tmp_path, small_blocks):
    run = tiny_run("series")
    length, values = run.data.timesteps, np.sin(np.arange(60) / 5).round(4)
    times = np.where(np.arange(60) < 31, np.arange(60), 1000 + np.arange(60))
    pd.DataFrame({"t": times, "x": values}).to_csv(tmp_path / "new.csv", index=False)
    written, rows = printed(run, tmp_path / "new.csv")
    there = pd.read_csv(io.StringIO(written))["x+2"].notna()
    assert rows == 60
    assert list(np.flatnonzero(there)) == [*range(length - 1, 31), *range(31 + length - 1, 60)]
    assert len(run.predict({"t": times, "x": values})) == there.sum()
    assert len(run.predict({"x": values})) == 60 - length + 1, "without times there are no gaps"
    with pytest.raises(DataError, match=f"takes {length} rows in order without a gap in time, got 12"):
        run.predict({"t": times[25:37], "x": values[25:37]})


def test_fewer_rows_than_a_window_are_named(tiny_run, tmp_path):
    (tmp_path / "new.csv").write_text("t,x\n1,2\n2,3\n")
    with pytest.raises(DataError, match="a prediction takes 9 rows in order, got 2"):
        printed(tiny_run("series"), tmp_path / "new.csv")


def test_time_runs_forwards_over_the_borders_of_blocks(tiny_run, tmp_path, small_blocks):
    times = list(range(40))
    times[36] = 30
    (tmp_path / "new.csv").write_text("t,x\n" + "".join(f"{t},{t % 3 + 1}\n" for t in times))
    with pytest.raises(DataError, match=r"from row 36 \(35.0\) to row 37 \(30.0\)"):
        printed(tiny_run("series"), tmp_path / "new.csv")


def test_inputs_that_are_given_back_stand_beside_their_own(tmp_path):
    frame = make_table()[["age"]].assign(height=np.arange(ROWS) % 7)
    frame.to_csv(tmp_path / "t.csv", index=False)
    spec = tmp_path / "s.yaml"
    spec.write_text("dlspec: 1\ndata: {table: t.csv, target: input}\nmodel: [dense: 1, output]\ntrain: {epochs: 1}\n")
    written, _ = printed(dlspec.run(spec, out=tmp_path / "run"), tmp_path / "t.csv")
    assert written.splitlines()[0] == "age,height,predicted age,predicted height,squared_error"


# --- mistakes


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("code,age,city\n" + "1,old,Seoul\n" * 30, '`age` has the text "old" in row 1'),
        ("code,age,city\n" + "1,2,Seoul\n" * 30 + "1,3\n", "row 31 of .* has 2 values"),
        ("code,age,city\n" + "1,2,Seoul\n" * 30 + "1,3,a,b\n", "row 31 of .* has 4 values"),
        ("code,age,city\n", "has a header and no rows"),
        ("code,city\n1,Seoul\n", "the rows have no column `age`"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_is_said_with_its_row(run, tmp_path, small_blocks, rows, message):
    (tmp_path / "new.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        dlspec.predict(run, tmp_path / "new.csv", tmp_path / "out.csv")
    assert [file.name for file in tmp_path.iterdir()] == ["new.csv"]  # written whole or not at all


ODD = {
    '`age` has the text "old" in row 31': "1,old,Seoul\n",
    "`age` lacks a value in row 31": "1,,Seoul\n",
    "`city` lacks a value in row 31": "1,3,\n",
}


@pytest.mark.parametrize("said", ODD)
def test_a_row_that_cannot_be_read_has_no_prediction_and_is_named(run, tmp_path, small_blocks, said):
    (tmp_path / "new.csv").write_text("code,age,city\n" + "1,42,Seoul\n" * 30 + ODD[said] + "1,42,Seoul\n" * 4, "utf-8")
    notes, out = [], tmp_path / "out.csv"
    assert dlspec.predict(run, tmp_path / "new.csv", out, note=notes.append) == 35
    assert any("a row of 35 cannot be read" in note and said in note for note in notes)
    found = pd.read_csv(out)["state"]
    assert np.flatnonzero(found.isna()).tolist() == [30]


@pytest.mark.parametrize("change", [0, 1e4, -1e4])
def test_values_far_outside_the_training_data_are_counted(run, tmp_path, change):
    frame = make_table()
    frame.loc[[3, 8], "age"] += change
    frame.to_csv(tmp_path / "new.csv", index=False)
    notes = []
    dlspec.predict(run, tmp_path / "new.csv", tmp_path / "out.csv", note=notes.append)
    said = [note for note in notes if "far outside the training data" in note]
    assert [note.split(" lie")[0] for note in said] == (["2 values of `age`"] if change else [])


@pytest.mark.parametrize("encoding", ["cp949", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_new_files_may_be_written_in_another_way(run, tmp_path, encoding, separator):
    frame = make_table()
    decimal = "," if separator == ";" else "."
    text = frame[["city", "state", "age"]].to_csv(index=False, sep=separator, decimal=decimal)
    (tmp_path / "new.csv").write_bytes(text.encode(encoding))
    notes = []
    dlspec.predict(run, tmp_path / "new.csv", tmp_path / "out.csv", note=notes.append)
    codec = encoding.removesuffix("-sig")
    found = pd.read_csv(tmp_path / "out.csv", sep=separator, decimal=decimal, encoding=codec, keep_default_na=False)
    assert list(found["predicted state"]) == list(run.predict(frame)["state"])
    assert [note for note in notes if "cp949" in note] == (
        [f"`{tmp_path / 'new.csv'}` is not UTF-8, and is read as cp949"] if encoding == "cp949" else []
    )


def test_excel_knows_utf_8_by_a_mark_where_it_is_asked_for(run, tmp_path):
    make_table().to_csv(tmp_path / "new.csv", index=False)
    for bom in (False, True):
        out = io.BytesIO()
        dlspec.predict(run, tmp_path / "new.csv", out, bom=bom)
        assert out.getvalue().startswith(b"\xef\xbb\xbf") == bom


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_rows_come_from_standard_input(run, tmp_path, form):
    frame = make_table()
    if form == "csv":
        frame.to_csv(tmp_path / "in", index=False)
    elif form == "json":
        frame.to_json(tmp_path / "in", orient="records")
    else:
        frame.to_excel(tmp_path / "in.xlsx", index=False)
        (tmp_path / "in.xlsx").rename(tmp_path / "in")
    with (tmp_path / "in").open("rb") as given:
        done = command("predict", run.folder, "-", "--out", f"out.{form}", cwd=tmp_path, stdin=given)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / f"out.{form}").stat().st_size > 1000


def test_nothing_is_overwritten_and_the_format_stays(run, tmp_path):
    make_table().to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError, match="is there already"):
        dlspec.predict(run, tmp_path / "new.csv", tmp_path / "new.csv")
    with pytest.raises(DataError, match=r"what it is, separated values, and .* is Parquet") as error:
        dlspec.predict(run, tmp_path / "new.csv", tmp_path / "out.parquet")
    assert error.value.diagnostics[0].help == "write `--out out.csv`"
    with pytest.raises(DataError, match="cannot write"):
        dlspec.predict(run, tmp_path / "new.csv", tmp_path / "absent" / "out.csv")
    with pytest.raises(DataError, match="there is no file"):
        dlspec.predict(run, tmp_path / "absent.csv", tmp_path / "out.csv")


def test_the_command_writes_a_file_or_prints(run, tmp_path):
    frame = make_table()
    frame["age"] = frame["age"].astype(object).where(frame.index < 5, "old")
    frame.to_csv(tmp_path / "new.csv", index=False)
    done = command("predict", run.folder, "new.csv", "--out", "out.csv", cwd=tmp_path)
    assert done.returncode == 3
    assert 'has the text "old" in row' in done.stderr
    assert not (tmp_path / "out.csv").exists()


# --- size


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is in other units elsewhere")
def test_memory_stays_flat(run, tmp_path):
    """Of ten times the rows, which as columns of text would take hundreds of megabytes."""

    def peak(rows):
        file = tmp_path / f"{rows}.csv"
        with file.open("w", encoding="utf-8") as lines:
            lines.write("age,city,note\n")
            lines.writelines(f"{i % 90},Seoul,{i:060}\n" for i in range(rows))
        with (tmp_path / "out.csv").open("wb") as out:
            dlspec.predict(run, file, out)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    small = peak(40_000)
    assert peak(400_000) - small < 60


@pytest.mark.parametrize(("value", "code"), [("abc", "not-a-number"), (None, "missing-value")])
def test_predict_refuses_rows_that_it_cannot_read(tiny_run, value, code):
    with pytest.raises(dlspec.DataError) as caught:
        tiny_run("series").predict({"x": [1.0] * 5 + [value] + [1.0] * 5})
    assert caught.value.diagnostics[0].code == code


TEXTS = """\
dlspec: 1
data: {table: %s, target: %s, features: {said: {text: {length: 8}}}}
model:
  - embedding: {output_dim: 8, mask_zero: true}
  - global_average_pooling1d
  - output
train: {epochs: 2}
"""


@pytest.mark.parametrize("target", ["op", "{op: {tags: ;}}"])
def test_a_sample_of_which_the_network_says_nothing_has_no_label(tmp_path, target):
    """A text without a word: the mean over no words is NaN, and NaN is never a class."""
    random = np.random.default_rng(0)
    words = {"pos": ["good", "fine", "nice"], "neg": ["bad", "awful", "poor"]}
    rows = [(" ".join(random.choice(words[op], 3)), op) for op in ["pos", "neg"] * 40]
    pd.DataFrame(rows, columns=["said", "op"]).to_csv(tmp_path / "t.csv", index=False)
    run = dlspec.run(TEXTS % (tmp_path / "t.csv", target), out=tmp_path / "run")
    found = run.predict(pd.DataFrame({"said": ["good fine", "...", "bad"]}))
    assert found["op"].isna().tolist() == [False, True, False]
    assert found[["op=pos", "op=neg"]].isna().all(axis=1).tolist() == [False, True, False]
