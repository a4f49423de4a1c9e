"""`validate` reads a stated part of large files, and what that does not settle is said."""

import io
import json
import os

import pytest

import dlspec
from dlspec.data.sources import reading, walking
from dlspec.data.sources.formats import base
from dlspec.runs.job import load_data

TEXT = "dlspec: 1\ndata: {table: %s, target: kind}\nmodel: [output]\n"


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "ROWS", 300)

    def spec(rows, source="t.csv", file="t.csv"):
        (tmp_path / file).write_text("size,city,kind\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        (tmp_path / "s.yaml").write_text(TEXT % source, encoding="utf-8")
        return tmp_path / "s.yaml"

    return spec


def rows(count, kinds):
    return [f"{place},{'Ulm' if place % 2 else 'Bonn'},{kinds[place * len(kinds) // count]}" for place in range(count)]


def test_what_is_read_to_its_end_is_settled(spec):
    assert not dlspec.validate(spec(rows(300, ["a", "b"])))


def test_what_is_not_read_is_a_note(spec):
    (found,) = dlspec.validate(spec(rows(301, ["a", "b", "a"])))
    assert (found.code, found.severity) == ("not-settled", "note")
    assert "the first 300 rows of `t.csv` were read" in found.message
    assert "`size`, `city` and `kind`" in found.message


def test_what_hangs_on_rows_that_were_read_is_no_error(spec):
    """One class in the first rows, another behind them."""
    file = spec(rows(900, ["a", "b"]))
    found = {problem.code: problem for problem in dlspec.validate(file)}
    assert found["one-class"].severity == "warning"
    assert found["one-class"].notes == ("as far as the first 300 rows of `t.csv` tell",)
    assert dlspec.load(file).data.target == "kind"  # reads all
    assert dlspec.graph(file).layers[-1].parameters == 4


def test_names_are_settled(spec):
    file = spec(rows(900, ["a", "b"]))
    found = {problem.code: problem for problem in dlspec.validate(file, {"data.target": "sort"})}
    assert found["unknown-column"].is_error


def test_columns_whose_type_is_said_are_settled(spec):
    changes = {"data.features": {"size": "numeric", "city": "category"}, "data.target": {"kind": "category"}}
    (found,) = dlspec.validate(spec(rows(900, ["a", "b", "a", "b", "a"])), changes)
    assert found.message.endswith("were read; that settles all types")


def test_programs_are_told_too(spec, capsys, monkeypatch):
    from dlspec.cli import main

    file = str(spec(rows(900, ["a", "b", "a", "b", "a"])))
    monkeypatch.setattr("sys.argv", ["dlspec", "validate", "--strict", "--format", "json", file])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["code"], found["severity"]) == ("not-settled", "note")
    monkeypatch.setattr("sys.argv", ["dlspec", "validate", file])
    with pytest.raises(SystemExit):
        main()
    assert f"{file}: fine" in capsys.readouterr().out


@pytest.mark.parametrize("ends", ["", "a", '"'])
def test_no_more_bytes_are_read_than_is_stated(spec, monkeypatch, ends):
    """Of a large file, of one that is one cell, and of one whose quote is open."""
    read = [0]

    class Counted(io.FileIO):
        def readinto(self, buffer):
            count = super().readinto(buffer)
            read[0] += count or 0
            return count

        def read(self, size=-1):
            found = super().read(size)
            read[0] += len(found)
            return found

    monkeypatch.setattr(reading, "CHARACTERS", 2**16)
    monkeypatch.setattr(base, "_decompressed", lambda file: Counted(file, "r"))
    monkeypatch.setattr(base, "COMPRESSED", (".csv",))
    long = [f"{place},{'x' * 1000},{'ab'[place % 2]}" for place in range(20_000)]
    file = spec([*long[:200], f"1,{ends}{'y' * 2**24}", *long] if ends else long)
    problems = dlspec.validate(file)
    assert problems
    assert read[0] < 2**26 + 2**22
    assert file.with_name("t.csv").stat().st_size > 2**24


def test_no_more_files_are_looked_at_than_is_stated(spec, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "FILES", 3)
    for place in range(9):
        file = spec(rows(20, ["a", "b"]), '"part*.csv"', f"part{place}.csv")
    opened = []
    real = base.opened
    monkeypatch.setattr(base, "opened", lambda file: opened.append(file.name) or real(file))
    monkeypatch.setattr("dlspec.data.sources.formats.separated.opened", base.opened)
    (found,) = dlspec.validate(file)
    assert "the first 3 files were read" in found.message
    assert {*opened} == {"part0.csv", "part1.csv", "part2.csv"}


def test_how_many_rows_there_are_is_told_by_the_size(spec):
    file = spec(rows(9000, ["a", "b"] * 450))
    (found,) = dlspec.validate(file, {"data.split": {"test": 5000}})
    assert found.code == "not-settled"
    found = {problem.code for problem in dlspec.validate(file, {"data.split": {"test": 50_000}})}
    assert "split-too-large" in found


def test_of_large_folders_some_entries_are_looked_at(tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.setattr(walking, "ENTRIES", 6)
    monkeypatch.setattr(reading, "ENTRIES", 6)
    for kind, count in (("cat", 4), ("dog", 30), ("fox", 9)):
        (tmp_path / "p" / kind / "more").mkdir(parents=True)
        for place in range(count):
            Image.new("L", (4, 4), place).save(tmp_path / "p" / kind / ("more" if place % 2 else ".") / f"{place}.png")
    (tmp_path / "s.yaml").write_text("dlspec: 1\ndata: {images: p}\nmodel: [flatten, output]\n")
    seen = []
    real = os.scandir
    with monkeypatch.context() as patch:
        patch.setattr(walking.os, "scandir", lambda path: Entries(real(path), seen))
        (found,) = dlspec.validate(tmp_path / "s.yaml")
    assert found.code == "not-settled"
    assert "6 entries of `dog` and `fox` were read; that settles all types" in found.message
    assert len(seen) <= 2 * 3 + 3 * 7
    assert dlspec.load(tmp_path / "s.yaml").data.target == "label"
    assert len(load_data(dlspec.load(tmp_path / "s.yaml")).columns["label"]) == 43


class Entries:
    """Entries of a folder, each of which is taken down."""

    def __init__(self, entries, seen):
        self.entries, self.seen = entries, seen

    def __enter__(self):
        self.entries.__enter__()
        return self

    def __exit__(self, *error):
        self.entries.__exit__(*error)

    def __iter__(self):
        for entry in self.entries:
            self.seen.append(entry.name)
            yield entry
