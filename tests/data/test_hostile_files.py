"""Files that have no end, wait for ever, or take all memory: `validate` says what is wrong, and soon."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import dlspec
from dlspec.runs.job import load_data

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="devices and pipes of POSIX")


def problem_of(data):
    (problem,) = dlspec.validate(f"dlspec: 1\ndata: {data}\nmodel: [output]\n")
    return problem.code, problem.message


@pytest.mark.parametrize("key", ["table", "series", "images", "arrays", "text", "audio"])
def test_only_files_and_folders_are_read(tmp_path, key):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", "/dev/zero"):
        code, message = problem_of(f"{{{key}: {path}, target: y}}")
        assert code == "data-unreadable"
        assert message == f"`{path}` is neither a file nor a folder"


def test_a_pipe_among_files_that_match_is_not_read(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    os.mkfifo(tmp_path / "b.csv")
    assert problem_of(f"{{table: {tmp_path}/*.csv, target: y}}")[0] == "data-unreadable"


@pytest.mark.skipif(not os.path.exists("/proc/version"), reason="files of the kernel")
def test_a_file_of_the_kernel_is_taken_for_empty():
    """Reading some of them waits for ever."""
    assert problem_of("{table: /proc/version, target: y}") == ("data-unreadable", "`/proc/version` is empty")


def test_a_file_with_holes_takes_no_memory(tmp_path):
    """20 GB on paper, and nothing on the disk."""
    with (tmp_path / "holes.csv").open("wb") as file:
        file.write(b"a,y\n1,2\n")
        file.truncate(20 * 2**30)
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\ndata: {table: holes.csv, target: y}\nmodel: [output]\n", encoding="utf-8"
    )
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))\n"
        "from dlspec.cli import cli; cli(['validate', sys.argv[1]])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "s.yaml")], capture_output=True, text=True, timeout=120
    )
    assert "a line of it is longer than 67,108,864 bytes" in done.stderr


def test_a_cell_may_have_a_megabyte(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=40), "note": "n", "y": random.normal(size=40)})
    frame.loc[3, "note"] = "long, " * 200_000
    frame.to_csv(tmp_path / "t.csv", index=False)
    spec = f"dlspec: 1\ndata: {{table: {tmp_path}/t.csv, target: y, features: [x]}}\nmodel: [output]\n"
    assert dlspec.validate(spec) == []
    assert load_data(dlspec.load(spec)).columns["y"].shape == (40,)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ("{dataset: sine, window: {length: 100000000000}}", "length"),
        ("{dataset: sine, window: {length: 5, steps: 1000000000}}", "steps"),
        ("{dataset: sine, window: {length: 5, horizon: 1000000000}}", "horizon"),
        ("{dataset: {spirals: {samples: 1000000000000}}}", "samples"),
        ("{dataset: {sine: {samples: 1000000000000}}, window: {length: 5}}", "samples"),
    ],
)
def test_numbers_that_would_take_all_memory_are_out_of_range(data, key):
    code, message = problem_of(data)
    assert code == "out-of-range"
    assert message.startswith(f"`{key}` must be at most")


def test_a_name_with_a_nul_is_no_file(tmp_path):
    for text in ('extends: "a\\0b.yaml"\ndata: {dataset: iris}', 'data: {images: "a\\0b"}'):
        (tmp_path / "s.yaml").write_text(f"dlspec: 1\n{text}\nmodel: [flatten, output]\n", encoding="utf-8")
        codes = [problem.code for problem in dlspec.validate(tmp_path / "s.yaml")]
        assert codes in (["file-unreadable"], ["data-unreadable"])


def test_a_walk_through_folders_has_an_end(tmp_path, monkeypatch):
    from dlspec.api import examine
    from dlspec.data.sources import walking

    monkeypatch.setattr(walking, "MOST_ENTRIES", 50)
    for place in range(60):
        (tmp_path / "many" / "one").mkdir(parents=True, exist_ok=True)
        (tmp_path / "many" / "one" / f"{place}.png").write_bytes(b"")
    for said in ("images: many", "table: 'many/**/*.csv', target: y"):
        (problem,) = [
            found
            for found in examine(write(tmp_path, f"dlspec: 1\ndata: {{{said}}}\nmodel: [output]\n")).diagnostics
            if found.code == "data-unreadable"
        ]
        assert "there are more than 50 files and folders below it" in problem.message


def write(folder, text):
    (folder / "walk.yaml").write_text(text)
    return folder / "walk.yaml"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.csv", {"a.csv"}),
        ("**/*.csv", {"a.csv", "x/b.csv", "x/y/c.csv"}),
        ("x/**/*.csv", {"x/b.csv", "x/y/c.csv"}),
        ("**/[bc].csv", {"x/b.csv", "x/y/c.csv"}),
        ("**/[!b].csv", {"a.csv", "x/y/c.csv"}),
        ("*/?.csv", {"x/b.csv"}),
    ],
)
def test_patterns_match_as_those_of_python(tmp_path, pattern, expected):
    import glob

    from dlspec.data.sources.walking import matching

    for name in ("a.csv", "x/b.csv", "x/y/c.csv", ".hidden/d.csv", "x/e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = matching(f"{tmp_path}/{pattern}")
    assert {str(file)[len(str(tmp_path)) + 1 :] for file in found} == expected
    assert found == sorted(glob.glob(f"{tmp_path}/{pattern}", recursive=True))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((30, 3), "complex64"), "`x` holds complex numbers, of which a network sees no imaginary part"),
        (np.full((30, 3), "word"), "`x` holds arrays of text"),
        (np.full((30, 3), b"word"), "`x` holds arrays of text"),
        (np.zeros((30, 3), "datetime64[s]"), "`x` holds arrays of times"),
        (np.zeros((0, 3)), "`x` has no sample"),
    ],
)
def test_arrays_that_are_no_samples_of_numbers_are_refused(tmp_path, values, message):
    np.savez(tmp_path / "a.npz", x=values, y=np.arange(len(values)) % 2)
    spec = write(tmp_path, "dlspec: 1\ndata: {arrays: a.npz}\nmodel: [flatten, output]\ntrain: {epochs: 1}\n")
    with pytest.raises(dlspec.DataError, match=message):
        dlspec.run(spec, out=tmp_path / "run")


def test_a_network_with_several_outputs_is_told():
    told = dlspec.explain(
        "dlspec: 1\ndata: {dataset: iris}\nmodel:\n  layers: [dense: 8]\n"
        "  outputs:\n    kind: {target: species}\n    width: {target: petal_width}\n"
    )
    assert "`species`" in told
    assert "`petal_width`" in told


def test_a_folder_is_walked_through_again_only_when_it_has_changed(tmp_path, monkeypatch):
    from dlspec.data.sources import walking

    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for place in range(3):
            Image.new("RGB", (8, 8)).save(tmp_path / "pets" / name / f"{place}.png")
    for folder in (tmp_path / "pets", tmp_path / "pets" / "cat", tmp_path / "pets" / "dog"):
        os.utime(folder, (1, 1))
    spec = write(tmp_path, "dlspec: 1\ndata: {images: pets}\nmodel: [flatten, output]\n")
    walks = []
    scan = os.scandir
    monkeypatch.setattr(walking.os, "scandir", lambda path: walks.append(path) or scan(path))
    rows = []
    for change in (None, None, tmp_path / "pets" / "dog" / "3.png", None):
        if change:
            Image.new("RGB", (8, 8)).save(change)
            os.utime(change.parent, (2, 2))
        walks.clear()
        rows.append((dlspec.examine(spec, fixes=False).checked.rows, bool(walks)))
    assert rows == [(6, True), (6, False), (7, True), (7, False)]


def test_what_is_remembered_is_named_as_it_is_asked_for(tmp_path, monkeypatch):
    from dlspec.data.sources.walking import matching

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("a\n1\n")
    for folder in (tmp_path, tmp_path / "in"):
        os.utime(folder, (1, 1))
    monkeypatch.chdir(tmp_path)
    for pattern in ("in/**/*.csv", f"{tmp_path}/in/**/*.csv", "in/**/*.csv"):
        assert matching(pattern) == [pattern.replace("**/*", "a")]


def test_what_has_just_changed_is_not_remembered(tmp_path):
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    spec = write(tmp_path, "dlspec: 1\ndata: {images: pets}\nmodel: [flatten, output]\n")
    for place in range(4):
        Image.new("RGB", (8, 8)).save(tmp_path / "pets" / "cat" / f"{place}.png")
        assert dlspec.examine(spec, fixes=False).checked.rows == place + 1


def test_a_pattern_is_followed_for_a_moment_only_where_a_spec_is_checked(tmp_path, monkeypatch):
    from dlspec.data.sources import walking

    monkeypatch.setattr(walking, "MOST_BRIEFLY", 5)
    for place in range(9):
        (tmp_path / f"{place}.csv").write_text("a,b\n1,2\n")
    text = "dlspec: 1\ndata: {table: '**/*.csv', target: a}\nmodel: [output]\n"
    (problem,) = dlspec.validate(write(tmp_path, text))
    assert (problem.code, problem.is_error) == ("data-unreadable", False)
    assert "more than 5 files" in problem.message
    assert dlspec.api.examine(write(tmp_path, text)).rows == 9
