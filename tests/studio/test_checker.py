"""The process that checks can be killed, and the next question is answered by another."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlspec.studio.checker import Checker, NoAnswer
from tests.conftest import ROOT
from tests.studio.servers import SPIRALS

SLOW = "dlspec: 1\ndata: {dataset: digits}\nmodel:\n" + "".join(
    f"  - dense: {{units: {n}, name: l{n}}}\n" for n in range(1, 10_000)
)


def asked(tmp_path, *questions, seconds=2.0, between=lambda checker: None):
    """Answers of one checker, or the words of what stood in the way."""

    async def ask():
        checker, found = Checker(tmp_path, seconds), []
        try:
            for kind, text in questions:
                try:
                    found.append(await checker.ask(kind, text=text, file=str(tmp_path / "a.yaml")))
                except NoAnswer as error:
                    found.append(str(error))
                between(checker)
        finally:
            await checker.close()
        return found

    return asyncio.run(ask())


def test_a_check_that_takes_too_long_is_ended(tmp_path):
    slow, next_ = asked(tmp_path, ("check", SLOW), ("check", SPIRALS), seconds=0.4)
    assert slow == "the check took longer than 0.4 seconds and was ended"
    assert next_["fine"]


def test_a_process_that_died_is_replaced(tmp_path):
    def kill(checker):
        checker._process.kill()

    assert [each["fine"] for each in asked(tmp_path, *[("check", SPIRALS)] * 2, between=kill)] == [True, True]


@pytest.mark.parametrize(
    "text", ["", "a", "{", "- [", "\0", "dlspec: 1\nmodel: [" * 200, "🙂: {", "model:\n  - dense:\n"]
)
def test_whatever_is_typed_is_answered(tmp_path, text):
    (answer,) = asked(tmp_path, ("check", text), seconds=5)
    assert answer["fine"] is False
    assert answer["diagnostics"]


def test_answers_say_where_things_are(tmp_path):
    text = "dlspec: 1\n# 🙂\ndata: {dataset: spirals}\nmodel: [dense: 16, {dense: {units: 8}}, output]\n"
    text += "train: {epoch: 1}\n"
    check, cure = asked(tmp_path, ("check", text), ("cure", text))
    (found,) = [each for each in check["diagnostics"] if each["severity"] == "error"]
    assert (found["code"], found["line"], found["here"]) == ("unknown-key", 5, True)
    boxes = {box["name"]: box for box in check["network"]["boxes"]}
    lines = text.splitlines()
    for name, value in (("dense_1", "16"), ("dense_2", "8")):
        size = boxes[name]["size"]
        assert lines[size["line"] - 1][size["column"] - 1 : size["end_column"] - 1] == value == str(size["value"])
    assert boxes["output"]["size"] is None
    (fix,) = next(each["fixes"] for each in cure["diagnostics"] if each["code"] == "unknown-key")
    assert [edit["text"] for edit in fix["edits"]] == ["epochs"] or "epochs" in fix["title"]


def test_many_equal_layers_fold(tmp_path):
    text = "dlspec: 1\ndata: {dataset: spirals}\nmodel:\n" + "  - dense: 16\n" * 99 + "  - output\ntrain: {epochs: 1}\n"
    (check,) = asked(tmp_path, ("check", text))
    network = check["network"]
    assert (network["layers"], network["folds"], network["folded"]) == (100, True, True)
    assert [box["layers"] for box in network["boxes"]] == [1, 1, 98, 1]
    assert len(network["boxes"][2]["lines"]) == 98


def test_what_checks_and_serves_loads_no_numpy_and_no_tensorflow(tmp_path):
    script = f"""
import sys, dlspec.studio.server
from dlspec.studio.checking import QUESTIONS, answer
assert answer(QUESTIONS, {{"ask": "check", "text": {SPIRALS!r}, "file": "a.yaml"}})["fine"]
assert answer(QUESTIONS, {{"ask": "palette"}})["layers"]
print([name for name in ("tensorflow", "keras", "numpy", "pandas") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_an_idle_server_is_small(studio):
    """Below 80 MB, after it has answered."""
    studio.ask("/api/files")
    status = Path(f"/proc/{studio.process.pid}/status")
    if not status.exists():
        pytest.skip("no /proc on this system")
    resident = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    assert int(resident.split()[1]) < 80_000


def test_the_checker_stays_in_its_folder(tmp_path):
    """Whatever way Python opens a file: by a path, a link, a folder that is listed, or to write."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("x", encoding="utf-8")
    (inside / "own").write_text("x", encoding="utf-8")
    (inside / "link").symlink_to(outside / "secret")
    script = f"""
import json, os, pathlib
from dlspec.studio.confinement import confine
confine(pathlib.Path({str(inside)!r}), writes=WRITES)
def may(what):
    try:
        what()
        return True
    except PermissionError:
        return False
inside, outside = pathlib.Path({str(inside)!r}), pathlib.Path({str(outside)!r})
print(json.dumps([
    may(lambda: (inside / "own").read_text()), may(lambda: os.listdir(inside)),
    may(lambda: (inside / "new").write_text("x")),
    may(lambda: (outside / "secret").read_text()), may(lambda: (inside / "link").read_text()),
    may(lambda: os.listdir(outside)), may(lambda: list(os.scandir(outside))),
    may(lambda: (outside / "new").write_text("x")),
    may(lambda: (inside / ".." / "outside" / "secret").open()), may(lambda: os.open(outside / "secret", os.O_RDONLY)),
    may(lambda: (inside / "own").open("r+")),
]))
"""
    for writes in (False, True):
        done = subprocess.run(
            [sys.executable, "-c", script.replace("WRITES", str(writes))],
            capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        own = [True, True, writes, *[False] * 7, writes]
        assert json.loads(done.stdout) == own, done.stderr


def test_a_check_answers_within_a_moment(tmp_path):
    """Of a hundred layers, which is the time from a key to what it changes without the browser."""
    text = "dlspec: 1\ndata: {dataset: spirals}\nmodel:\n" + "".join(f"  - dense: {n}\n" for n in range(2, 101))
    text += "  - output\ntrain: {epochs: 1}\n"
    times = []

    async def ask():
        checker = Checker(tmp_path)
        try:
            for _ in range(8):
                began = time.perf_counter()
                assert (await checker.ask("check", text=text, file=str(tmp_path / "a.yaml")))["fine"]
                times.append(time.perf_counter() - began)
        finally:
            await checker.close()

    asyncio.run(ask())
    assert sorted(times[1:])[3] < 0.25  # 20 ms on a machine that does nothing else
