"""Data that something is wrong with, each as a person might have it.

`python -m tests.data.bad_data` writes the page about them, `docs/bad_data.md`.

A case writes its files into a folder and gives the `data` section of a spec.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy.io import wavfile

import dlspec
from dlspec.language.diagnostics.errors import DataError, SpecError
from dlspec.runs.job import load_data
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "bad_data.md"
Case = Callable[[Path], str]
CASES: dict[str, Case] = {}
TABLE = "{table: t.csv, target: kind}"
SERIES = "{series: t.csv, target: level, window: {length: 10}}"


def case(title: str) -> Callable[[Case], Case]:
    def add(function: Case) -> Case:
        CASES[title] = function
        return function

    return add


def rows(count: int = 40) -> list[str]:
    return ["age,kind", *(f"{20 + i},{'ab'[i % 2]}" for i in range(count))]


def write(folder: Path, lines: list[str], encoding: str = "utf-8", name: str = "t.csv") -> None:
    (folder / name).write_bytes("\n".join([*lines, ""]).encode(encoding))


def table_with(place: int, line: str) -> Case:
    """A table with another line in one place."""

    def make(folder: Path) -> str:
        lines = rows()
        lines[place] = line
        write(folder, lines)
        return TABLE

    return make


@case("an absent file")
def absent(folder: Path) -> str:
    write(folder, rows(), name="patients.csv")
    return "{table: patient.csv, target: kind}"


@case("a pattern that matches nothing")
def no_match(folder: Path) -> str:
    return "{table: year-*.csv, target: kind}"


@case("an empty file")
def empty(folder: Path) -> str:
    (folder / "t.csv").write_bytes(b"")
    return TABLE


@case("a header and no rows")
def header_only(folder: Path) -> str:
    write(folder, rows(0))
    return "{table: t.csv, target: age, features: kind}"


CASES["a row too short"] = table_with(7, "31")
CASES["a row too long"] = table_with(7, "31,a,b")
CASES["other separators in a row"] = table_with(7, "31;a")
CASES["a number with separators of thousands"] = table_with(7, '"1,234",a')
CASES["text in a column of numbers"] = table_with(7, "old,a")
CASES["a missing number"] = table_with(7, ",a")
CASES["NaN"] = table_with(7, "NaN,a")
CASES["an infinite number"] = table_with(7, "inf,a")
CASES["a missing label"] = table_with(7, "31,")


@case("a file of Korean Windows (CP949)")
def cp949(folder: Path) -> str:
    write(folder, ["나이,종류", *(f"{i},{'가나'[i % 2]}" for i in range(40))], "cp949")
    return "{table: t.csv, target: 종류}"


@case("UTF-16 without a mark at its beginning")
def utf16(folder: Path) -> str:
    write(folder, rows(), "utf-16-le")
    return TABLE


@case("a column named twice")
def twice(folder: Path) -> str:
    write(folder, ["age,age,kind", *(f"{i},{i},{'ab'[i % 2]}" for i in range(40))])
    return TABLE


@case("10,000 columns")
def wide(folder: Path) -> str:
    write(folder, [",".join(f"c{i}" for i in range(10_000)), *(",".join(["1"] * 10_000) for _ in range(3))])
    return "{table: t.csv, target: c0}"


@case("one class only")
def one_class(folder: Path) -> str:
    write(folder, ["age,kind", *(f"{i},a" for i in range(40))])
    return TABLE


@case("a JSON line that is none")
def bad_json(folder: Path) -> str:
    write(folder, ['{"age": 1, "kind": "a"}', '{"age": 2, "kind": "b"'], name="t.jsonl")
    return "{table: t.jsonl, target: kind}"


@case("a Parquet file with nested types")
def nested(folder: Path) -> str:
    pd.DataFrame({"sizes": [[1, 2], [3]] * 20, "kind": ["a", "b"] * 20}).to_parquet(folder / "t.parquet")
    return "{table: t.parquet, target: kind, features: sizes}"


@case("a Parquet file that is torn")
def torn(folder: Path) -> str:
    pd.DataFrame({"age": range(40), "kind": ["a", "b"] * 20}).to_parquet(folder / "t.parquet")
    content = (folder / "t.parquet").read_bytes()
    (folder / "t.parquet").write_bytes(content[: len(content) // 2])
    return "{table: t.parquet, target: kind}"


def series_with(place: int, line: str) -> Case:
    def make(folder: Path) -> str:
        days = pd.date_range("2024-01-01", periods=120).astype(str)
        lines = ["date,level", *(f"{day},{i % 7}" for i, day in enumerate(days))]
        lines[place] = line
        write(folder, lines)
        return SERIES

    return make


CASES["a date that is none"] = series_with(9, "2024-13-40,3")
CASES["time that runs backwards"] = series_with(9, "2023-12-01,3")


@case("a window longer than the series")
def long_window(folder: Path) -> str:
    write(folder, ["level", *map(str, range(60))])
    return "{series: t.csv, target: level, window: {length: 100}}"


def pictures(folder: Path) -> None:
    random = np.random.default_rng(0)
    for kind in ("cats", "dogs"):
        (folder / "pets" / kind).mkdir(parents=True)
        for i in range(6):
            values = random.integers(0, 255, (12, 16, 3)).astype("uint8")
            Image.fromarray(values).save(folder / "pets" / kind / f"{i}.png")


@case("a broken picture")
def broken_picture(folder: Path) -> str:
    pictures(folder)
    content = (folder / "pets/dogs/3.png").read_bytes()
    (folder / "pets/dogs/3.png").write_bytes(content[: len(content) // 2])
    return "{images: pets}"


@case("pictures of different sizes")
def sizes(folder: Path) -> str:
    pictures(folder)
    Image.new("RGB", (20, 20)).save(folder / "pets/dogs/3.png")
    return "{images: pets}"


@case("a folder without pictures")
def no_pictures(folder: Path) -> str:
    (folder / "pets").mkdir()
    return "{images: pets}"


def masked(folder: Path) -> str:
    """Pictures of two kinds of pixels, and masks that say which."""
    random = np.random.default_rng(0)
    for i in range(12):
        values = random.choice([0, 255], (12, 16)).astype("uint8")
        for kind in ("photos", "masks"):
            (folder / kind).mkdir(exist_ok=True)
            Image.fromarray(values).save(folder / kind / f"{i}.png")
    return "{images: {path: photos, masks: masks, classes: {0: sky, 255: road}}}"


@case("a photo without a mask")
def without_mask(folder: Path) -> str:
    section = masked(folder)
    (folder / "masks/3.png").unlink()
    return section


@case("a mask with a value that is no class")
def stray_value(folder: Path) -> str:
    section = masked(folder)
    Image.new("L", (16, 12), 128).save(folder / "masks/3.png")
    return section


@case("a mask with colors")
def colored_mask(folder: Path) -> str:
    section = masked(folder)
    Image.new("RGB", (16, 12), "red").save(folder / "masks/3.png")
    return section


@case("a mask that is not as large as its photo")
def other_size(folder: Path) -> str:
    section = masked(folder)
    Image.new("L", (12, 16)).save(folder / "masks/3.png")
    return section


@case("a WAV file that is cut off")
def cut_sound(folder: Path) -> str:
    for kind in ("no", "yes"):
        (folder / "words" / kind).mkdir(parents=True)
        for i in range(6):
            wavfile.write(folder / "words" / kind / f"{i}.wav", 8000, np.zeros(800, "int16"))
    content = (folder / "words/yes/2.wav").read_bytes()
    (folder / "words/yes/2.wav").write_bytes(content[:-300])
    return "{audio: words}"


@case("a text in another encoding")
def latin_text(folder: Path) -> str:
    for kind in ("bad", "good"):
        (folder / "texts" / kind).mkdir(parents=True)
        for i in range(6):
            (folder / "texts" / kind / f"{i}.txt").write_bytes("très bien".encode("latin-1" if i == 4 else "utf-8"))
    return "{text: texts}"


@case("arrays of different lengths")
def uneven_arrays(folder: Path) -> str:
    np.savez(folder / "t.npz", x=np.zeros((40, 3)), y=np.zeros(39))
    return "{arrays: t.npz}"


@case("pickled objects among arrays")
def pickled(folder: Path) -> str:
    np.savez(folder / "t.npz", x=np.array([{"a": 1}], object), y=np.zeros(1))
    return "{arrays: t.npz}"


@case("words without a tag")
def without_tag(folder: Path) -> str:
    lines = ["said,tags", *["Anna sang .,B-PER O O"] * 30, "Anna sang.,B-PER O O", *["She sang,O O"] * 9]
    lines[35] = "She sang again,O O"
    write(folder, lines)
    return '{table: t.csv, target: {tags: {sequence: " "}}, features: {said: {text: {length: 9}}}}'


def said_of(case: Case, folder: Path) -> str:
    """The spec, and what is said of it, as `dlspec run` prints it."""
    data = case(folder)
    first = "embedding: 2" if "length: 9" in data else "flatten"  # of words
    (folder / "spec.yaml").write_text(f"dlspec: 1\ndata: {data}\nmodel: [{first}, output]\n", encoding="utf-8")
    try:
        load_data(dlspec.load(folder / "spec.yaml"))
    except (DataError, SpecError) as error:
        lines = []
        for problem in error.diagnostics:
            place = f"spec.yaml:{problem.span.line}: " if problem.span.line else ""
            lines.append(f"{place}error[{problem.code}]: {problem.message}")
            lines += [f"help: {problem.help}"] if problem.help else []
        return "\n".join(lines).replace(str(folder.absolute()), "…")
    return "nothing"


def page() -> str:
    """The list of what may be wrong with data, and what is said of each."""
    parts = [
        "# When something is wrong with data\n",
        "What `dlspec run` says, always before anything is trained; it ends with the exit code 3, or 1 where the spec "
        "has to change. Tests make each of these files and compare the words.\n",
    ]
    for title, each in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            parts.append(f"**{title[0].upper()}{title[1:]}**\n\n```text\n{said_of(each, Path(folder))}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    if sys.argv[1:]:
        raise SystemExit("usage: python -m tests.data.bad_data")
    PAGE.write_text(page(), encoding="utf-8")
