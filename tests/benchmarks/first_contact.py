"""What happens to a file that nobody here has made: `init`, `validate`, `plan` and `run` with two epochs, as typed.

`python -m tests.benchmarks.first_contact FOLDER` takes every data file of a folder, at any depth, and prints how far it
came. A row is written as soon as its file is done, so that a run that was stopped goes on where it was. Two processes
load TensorFlow once and take the files in turn; every fortieth goes through the command line itself.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from queue import Queue
from threading import Lock
from typing import Any

ENDS = (".csv", ".tsv", ".txt", ".gz", ".parquet", ".jsonl", ".json", ".xlsx", ".dat", ".ts")
FIELDS = ("file", "rows", "reached", "kind", "target", "lost", "left_out", "seconds", "code", "message")
STEPS = ("init", "validate", "plan", "run")
NOTHING_TO_LEARN = ("no-features", "no-target", "constant-target", "one-class", "too-few-rows", "one-column")
"""Codes of files in which nothing can be learned, which are counted apart."""
LEAST_ROWS = 60
LIMIT = 240
"""Seconds for one file."""


# --- one file, in a process that has TensorFlow


def try_file(path: Path, typed: bool) -> dict[str, Any]:
    """How far a file comes."""
    row: dict[str, Any] = dict.fromkeys(FIELDS, "")
    began, before = time.perf_counter(), Path.cwd()
    with tempfile.TemporaryDirectory(prefix="first_contact_") as folder:
        os.chdir(folder)
        try:
            name = path.name.replace("-", "_")
            shutil.copy(path, name)
            said = ""
            for step, arguments in zip(STEPS, _commands(name), strict=True):
                code, output = (_in_shell if typed else _in_process)(arguments)
                said += output
                if code != 0 or "Traceback" in output:
                    row |= {"reached": f"not {step}", **_first_error(output)}
                    break
            else:
                row["reached"] = "trained"
            row |= _of_spec(Path("spec.yaml"), name, said)
        finally:
            os.chdir(before)
    row["seconds"] = round(time.perf_counter() - began, 1)
    return row


def _commands(name: str) -> list[list[str]]:
    short = ["-s", "train.epochs=2"]
    return [["init", name, "--yes", "-o", "spec.yaml"], ["validate", "spec.yaml"], ["plan", "spec.yaml"],
            ["run", "spec.yaml", *short]]  # fmt: skip


def _in_process(arguments: list[str]) -> tuple[int, str]:
    """The command in this process, with what it prints."""
    from dlspec.cli import main

    out, before = io.StringIO(), sys.argv
    sys.argv = ["dlspec", *arguments]
    try:
        with redirect_stdout(out), redirect_stderr(out):
            main()
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    finally:
        sys.argv = before
    return 0, out.getvalue()


def _in_shell(arguments: list[str]) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "dlspec", *arguments], capture_output=True, text=True, timeout=LIMIT)
    return done.returncode, done.stdout + done.stderr


def _first_error(output: str) -> dict[str, str]:
    found = re.search(r"error\[([\w-]+)\]: (.*)", output)
    if found and "Traceback" not in output:
        help = re.search(r"^help: (.*)", output[found.end() :], re.MULTILINE)
        return {"code": found[1], "message": f"{found[2]} | {help[1] if help else ''}"}
    return {"code": "traceback" if "Traceback" in output else "other", "message": output.strip()[-300:]}


def _of_spec(spec: Path, name: str, said: str) -> dict[str, Any]:
    """Kind, target and columns of a first spec, and the columns that it loses without a word."""
    from dlspec.api import examine
    from dlspec.spec.first_spec import look_at

    if not spec.is_file():
        return {}
    text = spec.read_text(encoding="utf-8")
    try:
        start = look_at(name)
        columns, rows = start.description.names, start.description.rows
        signature = examine(spec).signature
    except Exception as error:
        return {"message": f"look_at: {error!r}"[:200]}
    lost = [column for column in columns if column not in text and column not in said]
    left_out = re.findall(r"^# (?:left out|not among).*", text, re.MULTILINE)
    return {
        "rows": rows,
        "kind": signature.task if signature else start.kind,
        "target": signature.target.name if signature else start.target,
        "lost": " ".join(lost),
        "left_out": " ".join(left_out)[:300],
    }


# --- workers


def serve() -> None:
    """Takes paths, a line of JSON each, and answers with rows."""
    import keras  # noqa: F401, which takes a while

    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            row = try_file(Path(asked["path"]), asked["typed"])
        except Exception as error:
            row = {**dict.fromkeys(FIELDS, ""), "reached": "no", "code": "benchmark", "message": repr(error)[:300]}
        answers.write(json.dumps(row) + "\n")
        answers.flush()


class Worker:
    """A process that does one file after the other, and is begun anew when one takes too long."""

    def __init__(self) -> None:
        self.process = self._begin()

    def _begin(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "DLSPEC_CACHE": tempfile.gettempdir()}
        return subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.first_contact", "--serve"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip

    def row_of(self, path: Path, typed: bool) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"path": str(path.resolve()), "typed": typed}) + "\n")
        self.process.stdin.flush()
        with ThreadPoolExecutor(1) as waiting:
            answer = waiting.submit(self.process.stdout.readline)
            try:
                return json.loads(answer.result(timeout=LIMIT))
            except (TimeoutError, ValueError) as error:
                self.process.kill()
                self.process = self._begin()
                why = "too-long" if isinstance(error, TimeoutError) else "died"
                return {**dict.fromkeys(FIELDS, ""), "reached": "no", "code": why}


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in ENDS and path.is_file() and path.name[0] != ".")


def go_on(paths: list[Path], table: Path) -> None:
    """Does the files that the table lacks, and adds their rows to it."""
    done = {row["file"] for row in rows_of(table)}
    waiting: Queue[tuple[int, Path]] = Queue()
    for number, path in enumerate(paths):
        if path.name not in done:
            waiting.put((number, path))
    lock = Lock()

    def work() -> None:
        worker = Worker()
        while not waiting.empty():
            number, path = waiting.get()
            row = worker.row_of(path, typed=number % 40 == 7) | {"file": path.name}
            with lock, table.open("a", newline="", encoding="utf-8") as out:
                writer = csv.DictWriter(out, FIELDS, delimiter="\t", extrasaction="ignore")
                if out.tell() == 0:
                    writer.writeheader()
                writer.writerow(row)
        worker.process.kill()

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(work) for _ in range(2)]:
            each.result()


def rows_of(table: Path) -> list[dict[str, str]]:
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def summary(rows: list[dict[str, str]]) -> Iterator[str]:
    large = [row for row in rows if not row["rows"] or int(float(row["rows"])) >= LEAST_ROWS]
    trained = [row for row in large if row["reached"] == "trained"]
    nothing = [row for row in large if row["code"] in NOTHING_TO_LEARN]
    rest = [row for row in large if row not in trained and row not in nothing]
    yield f"{len(rows)} files, {len(large)} of {LEAST_ROWS} rows or more, {len(nothing)} with nothing to learn"
    share = len(trained) / max(1, len(large) - len(nothing))
    yield f"{len(trained)} reached training unedited ({share:.1%}), {len(rest)} did not"
    lost = sum(bool(row["lost"]) for row in rows)
    yield f"tracebacks: {sum(row['code'] == 'traceback' for row in rows)}; columns lost without a word in {lost} files"
    for (reached, code), count in Counter((row["reached"], row["code"]) for row in rest).most_common():
        yield f"  {count:4} {reached:14} {code}"
    for row in rest:
        yield f"  {row['file'][:28]:28} {row['reached']:13} {row['code']:20} {row['message'][:150]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--table", type=Path, default=Path("first_contact.tsv"))
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve()
        return
    paths = files_of(given.folder)
    if given.sample:
        paths = sorted(random.Random(given.seed).sample(paths, min(given.sample, len(paths))))
    began = time.perf_counter()
    go_on(paths, given.table)
    print(*summary(rows_of(given.table)), f"{time.perf_counter() - began:.0f} s", sep="\n")


if __name__ == "__main__":
    main()
