"""The same table in the dialects that people save it in.

`python -m tests.benchmarks.dialects FOLDER OUT --sample 60` writes files of a folder again, each in another dialect in
turn, for `first_contact`.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pandas as pd

from tests.benchmarks.first_contact import files_of

NUMBER = re.compile(r"-?\d+\.\d+")
WHOLE = re.compile(r"-?\d{4,}")
DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(.*)")


def of_cells(
    change: Callable[[str], str],
    sep: str = ",",
    encoding: str = "utf-8",
    header: bool = True,
    quoting: Literal[0, 1] = csv.QUOTE_MINIMAL,
) -> Callable[[pd.DataFrame, Path], None]:
    """Writes a table of text with every cell changed."""

    def write(table: pd.DataFrame, path: Path) -> None:
        table.map(change).to_csv(path, index=False, sep=sep, encoding=encoding, header=header, quoting=quoting)

    return write


def with_comma(cell: str) -> str:
    return cell.replace(".", ",") if NUMBER.fullmatch(cell) else cell


def with_thousands(cell: str) -> str:
    return f"{int(cell):,}" if WHOLE.fullmatch(cell) else cell


def day_first(cell: str) -> str:
    return DATE.sub(r"\3.\2.\1\4", cell) if DATE.fullmatch(cell) else cell


def korean(table: pd.DataFrame, path: Path) -> None:
    """Korean names of two columns, in the encoding of Windows."""
    names = {table.columns[0]: "번호" if table.columns[0] == "" else f"{table.columns[0]}_값"}
    table.rename(columns=names).to_csv(path, index=False, encoding="cp949", errors="replace")


def converted(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers as numbers, and nothing where there is none."""
    found = {}
    for name in table:
        given = table[name].replace({"": None, "NA": None})
        try:
            found[name] = pd.to_numeric(given)
        except ValueError:
            found[name] = given
    return pd.DataFrame(found)


DIALECTS: dict[str, tuple[str, Callable[[pd.DataFrame, Path], None]]] = {
    "cp949": ("csv", korean),
    "semicolons": ("csv", of_cells(with_comma, sep=";")),
    "thousands": ("csv", of_cells(with_thousands)),
    "dates": ("csv", of_cells(day_first)),
    "excel": ("xlsx", lambda table, path: converted(table).to_excel(path, index=False)),
    "json": ("json", lambda table, path: converted(table).to_json(path, orient="records", force_ascii=False)),
    "quoted": ("csv", of_cells(str, quoting=csv.QUOTE_ALL)),
    "no_header": ("csv", of_cells(str, header=False)),
    "tabs_utf16": ("tsv", of_cells(str, sep="\t", encoding="utf-16")),
    "blanks": ("dat", of_cells(lambda cell: cell.replace(" ", "_") or "NA", sep=" ")),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    paths = files_of(given.folder)
    chosen = random.Random(given.seed).sample(paths, min(given.sample, len(paths)))
    for number, path in enumerate(chosen):
        name = list(DIALECTS)[number % len(DIALECTS)]
        ending, write = DIALECTS[name]
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table.columns = ["" if re.fullmatch(r"Unnamed: \d+", str(column)) else str(column) for column in table.columns]
        write(table, given.out / f"{path.stem}_{name}.{ending}")


if __name__ == "__main__":
    main()
