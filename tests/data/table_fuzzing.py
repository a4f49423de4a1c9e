"""Random and mutated tables, and what becomes of them: `python -m tests.data.table_fuzzing 5000 100`.

Columns of numbers in any dress, words, dates and ids, with holes, in files of any separator, a third of them with
bytes changed. Each is checked, read, split and described; so many of those that are fine are trained on for an epoch,
with the check of the saved model at the end. Whatever comes out ends in diagnostics or in success, soon, and no other
library warns.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dlspec
from dlspec.language.codes import explanations
from dlspec.language.diagnostics.errors import DiagnosticError, SavedModelError
from dlspec.runs.describe import describe
from dlspec.runs.job import checked_data, load_data
from dlspec.runs.records.data import DataRecord

SECONDS = 5
WORDS = [
    "yes", "no", "Yes", "true", "False", "1", "0", "NA", "None", "[UNK]", "é", "a,b", 'q"x', "", "1.0", "01", "=1+1",
    "\x1b[2J",
]  # fmt: skip
NAMES = ["a", "b", "x y", "é", "n,1", "date", "time", "id", "\x1bz"]
HOLES = ["", "NA", "nan", "?", "-", "inf"]
PUT_IN = [b'"', b"\n", b",", b";", b"\0", b"\xff"]


def column(draw: random.Random, rows: int) -> list[str]:
    """The values of a column of some kind, as they are written."""
    some = draw.sample(WORDS, draw.randrange(2, 6))
    kinds = [
        lambda: str(draw.choice([draw.randrange(-50, 50), round(draw.gauss(0, 100), 2)])),
        lambda: str(draw.randrange(10 ** draw.randrange(1, 12))),
        lambda: f"{draw.gauss(0, 1e4):,.2f}",
        lambda: f"{draw.gauss(0, 1e4):,.2f}".translate({44: 46, 46: 44}),
        lambda: f"{draw.gauss(0, 9):.1f}%",
        lambda: f"${draw.gauss(0, 9):.2f}",
        lambda: draw.choice(some),
        lambda: f"20{draw.randrange(10, 30)}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}",
        lambda: f"{draw.randrange(1, 29):02d}/{draw.randrange(1, 13):02d}/2020",
        lambda: f"2020{draw.randrange(1, 13):02d}{draw.randrange(1, 29):02d}",
        lambda: draw.choice(["True", "False"]),
        lambda: f"text of {draw.randrange(99)} words {draw.choice(WORDS)}",
        lambda: str(10**18 + draw.randrange(50)),
        lambda: draw.choice(["1", "2", "3", "1.0", "2.0", "01"]),
        lambda: str(1_700_000_000 + draw.randrange(999)),
        lambda: str(500_000 + round(draw.random(), 4)),
    ]
    value = draw.choice(kinds)
    found = [value() for _ in range(rows)]
    if draw.random() < 0.3:
        for row in draw.sample(range(rows), max(1, rows // 10)):
            found[row] = draw.choice(HOLES)
    return found


def table(draw: random.Random) -> tuple[bytes, list[str]]:
    """A file, and the names of its columns."""
    rows, separator = draw.choice([3, 12, 40, 80]), draw.choice(",,,;;\t|")
    names = [f"{draw.choice(NAMES)}{place}" for place in range(draw.randrange(2, 6))]
    columns = [column(draw, rows) for _ in names]

    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in (separator, '"', "\n")) else text

    lines = [separator.join(map(cell, row)) for row in (names, *zip(*columns, strict=True))]
    data = bytearray((draw.choice(["\n", "\n", "\r\n"]).join(lines) + "\n").encode())
    if draw.random() < 0.35:
        for _ in range(draw.randrange(1, 4)):
            place = draw.randrange(len(data))
            change = draw.randrange(3)
            if change == 0:
                data[place] = draw.randrange(256)
            elif change == 1:
                del data[place : place + draw.randrange(1, 9)]
            else:
                data[place:place] = draw.choice(PUT_IN)
    return bytes(data), names


def spec(draw: random.Random, file: str, names: list[str]) -> str:
    """A spec for such a file, with any of the ways to split it and to see its columns."""
    series = draw.random() < 0.25
    target, other = (json.dumps(name) for name in draw.sample(names, 2))
    if series:
        more = ["", f", group: {other}", ", predict: difference", ", split: {walk_forward: {folds: 2}}"]
        more = f", window: {{length: 3}}{draw.choice(more)}"
    else:
        splits = ["", "", "{by: order}", "{by: random}", f"{{group: {other}}}", "{folds: 2}"]
        split = draw.choice(splits)
        more = draw.choice(["", "", ", missing: drop", ", missing: median"]) + (f", split: {split}" if split else "")
    source = "series" if series else "table"
    return (
        f"dlspec: 1\ndata: {{{source}: {file}, target: {target}{more}}}\nmodel: [flatten, {{dense: 3}}, output]\n"
        "train: {epochs: 1}\n"
    )


def code_of(error: DiagnosticError) -> str:
    """The code of the first diagnostic of an error that may happen."""
    assert not isinstance(error, SavedModelError), str(error)
    unknown = [problem.code for problem in error.diagnostics if problem.code not in explanations()]
    assert not unknown, unknown
    return error.diagnostics[0].code


def outcome(file: Path, run: Path | None) -> str:
    """What became of a spec: `fine`, `trained`, or the code of its first diagnostic."""
    try:
        dlspec.validate(file)
        loaded = dlspec.load(file)
        data = load_data(loaded)
        checked_data(loaded, data)
        DataRecord.model_validate_json(json.dumps(describe(loaded, data)))
        if run is None:
            return "fine"
        found = dlspec.run(file, out=run)
        assert found.metrics.saved_model is not None, "the saved model was not checked"
        dlspec.predict(run, file.with_name("t.csv"), file.with_name("predicted.csv"))
        return "trained"
    except DiagnosticError as error:
        return code_of(error)


def wrong(tables: int, runs: int, first: int = 0) -> Iterator[str]:
    """What should not have happened, with the number of the table; at the end a line that counts."""
    ended: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as home:
        for number in range(first, first + tables):
            draw = random.Random(number)
            folder = Path(home) / str(number)
            folder.mkdir()
            content, names = table(draw)
            (folder / "t.csv").write_bytes(content)
            file = folder / "s.yaml"
            file.write_text(spec(draw, "t.csv", names), encoding="utf-8")
            began = time.process_time()
            run = folder / "run" if ended["trained"] < runs else None
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                try:
                    ended[outcome(file, run)] += 1
                except Exception as error:
                    at = traceback.extract_tb(error.__traceback__)[-1]
                    yield f"{number}: {type(error).__name__}: {str(error)[:200]} ({at.filename}:{at.lineno})"
            for warning in warned:
                if not issubclass(warning.category, DeprecationWarning | PendingDeprecationWarning | ResourceWarning):
                    yield f"{number}: warns of {str(warning.message)[:200]}"
            if run is None and time.process_time() - began > SECONDS:
                yield f"{number}: took {time.process_time() - began:.1f} s"
    yield f"{ended.total()} tables: {', '.join(f'{count} {name}' for name, count in ended.most_common())}"


if __name__ == "__main__":
    counts = [int(argument) for argument in sys.argv[1:]]
    *found, said = wrong(*counts)
    print("\n".join([*found, said]))
    sys.exit(bool(found))
