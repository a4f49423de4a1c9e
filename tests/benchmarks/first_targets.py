"""How often the column that `init` predicts is the one that the documentation of a well-known table names.

`python -m tests.benchmarks.first_targets FOLDER` takes the tables of `targets.tsv` out of a folder of CSV files, as
they are, under the name of `table.csv`, and so with their columns shuffled and called `c1`, `c2`, … A choice by chance
is right once in as many columns.
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dlspec.language.diagnostics.errors import DataError
from dlspec.spec.first_spec import look_at

HERE = Path(__file__).parent


def tables() -> list[dict[str, str]]:
    lines = (line for line in (HERE / "targets.tsv").open(encoding="utf-8") if not line.startswith("#"))
    return list(csv.DictReader(lines, delimiter="\t"))


def without_names(rows: list[list[str]], seed: str) -> tuple[list[list[str]], dict[str, str]]:
    """The columns behind that of the row names, shuffled and renamed, and what each is called now."""
    order = list(range(1, len(rows[0])))
    random.Random(seed).shuffle(order)
    names = {rows[0][place]: f"c{number}" for number, place in enumerate(order, start=1)}
    head = ["", *(names[rows[0][place]] for place in order)]
    return [head, *([row[0], *(row[place] for place in order)] for row in rows[1:])], names


def chosen(rows: list[list[str]], file: str = "table.csv") -> str:
    with tempfile.TemporaryDirectory() as folder:
        with (Path(folder) / file).open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows(rows)
        try:
            return look_at(file, folder=Path(folder), series=False).target
        except DataError as error:
            return error.diagnostics[0].message


def results(folder: Path) -> Iterator[tuple[dict[str, str], str, str, bool]]:
    for table in tables():
        with (folder / f"{table['table']}.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        hidden, names = without_names(rows, table["table"])
        named = chosen(rows, f"{table['table']}.csv")
        yield table, named, chosen(rows), chosen(hidden) == names[table["target"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    counts: dict[str, list[int]] = {}
    for table, got, unnamed, without in results(parser.parse_args().folder):
        found = [1, got == table["target"], unnamed == table["target"], without]
        counts[table["half"]] = [a + b for a, b in zip(counts.get(table["half"], [0] * 4), found, strict=True)]
        if not found[1]:
            print(f"{table['half']:10} {table['table']:18} documented {table['target']:18} chosen {got}")
    for half, (all_of, right, alone, without) in counts.items():
        print(f"{half:10} {all_of} tables, {right} right, {alone} as table.csv, {without} without names and places")


if __name__ == "__main__":
    main()
