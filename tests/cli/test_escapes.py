"""Nothing out of a file steers the terminal, a comment or the page."""

import html
import re

import numpy as np
import pandas as pd
import pytest

import dlspec
from dlspec.cli import main
from dlspec.language.diagnostics.text import visible

EVIL = "\x1b]0;owned\x07\x1b[2J\u202egood\x9b31m"
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table, a spec and a run, full of control characters wherever a file can have them."""
    folder = tmp_path_factory.mktemp("escapes")
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            f"size{EVIL}": random.normal(size=90),
            "city\nof birth": random.choice(["Ulm", EVIL], 90),
            f"note{EVIL}": [f"{EVIL} many words {place}" for place in range(90)],
        }
    )
    rows["kind"] = np.where(rows.iloc[:, 0] > 0, f"yes{EVIL}", "no")
    rows.to_csv(folder / "rows.csv", index=False)
    quoted = EVIL.replace("\x1b", "\\e").replace("\x07", "\\a").replace("\u202e", "\\u202e").replace("\x9b", "\\x9b")
    (folder / "spec.yaml").write_text(
        f'dlspec: 1\nname: evil\ndescription: "{quoted}"\ndata: {{table: rows.csv, target: kind}}\n'
        "model: [dense: 2, output]\ntrain: {epochs: 1}\n"
    )
    text = (folder / "spec.yaml").read_text()
    (folder / "other.yaml").write_text(f"{text.replace('evil', 'good')}".replace("description: ", "description: x"))
    dlspec.run(folder / "spec.yaml", out=folder / "run")
    return folder


@pytest.fixture
def said(folder, monkeypatch, capfd):
    def said(*arguments):
        monkeypatch.chdir(folder)
        monkeypatch.setattr("sys.argv", ["dlspec", *arguments])
        with pytest.raises(SystemExit):
            main()
        found = capfd.readouterr()
        return found.out + found.err

    return said


COMMANDS = [
    ("validate", "spec.yaml"), ("plan", "spec.yaml"), ("explain", "spec.yaml"), ("show", "spec.yaml"),
    ("show", "--resolved", "spec.yaml"), ("run", "spec.yaml", "--out", "again"), ("report", "run"),
    ("replay", "run"), ("plan", "run/resolved.yaml"), ("validate", f"{EVIL}.yaml"), ("diff", "spec.yaml", "other.yaml"),
    ("diff", "spec.yaml", "other.yaml", "--format", "markdown"), ("diff", f"{EVIL}:spec.yaml", "spec.yaml"),
    ("runs", "."), ("runs", ".", "--json"), ("compare", "run", "again"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_command_lets_a_file_steer_the_terminal(said, arguments):
    shown = said(*arguments)
    assert shown
    assert not STEERING.search(shown)


def test_no_cell_of_what_is_written_is_a_formula(tmp_path, monkeypatch, capfdbinary):
    rows = pd.DataFrame({"size": np.arange(80.0), "kind": np.where(np.arange(80) % 2, "=1+1", "-x")})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\ndata: {table: rows.csv, target: kind}\nmodel: [output]\ntrain: {epochs: 1}\n"
    )
    run = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")
    assert {*run.predictions["truth"]} == {"=1+1", "-x"}
    rows[["size"]].to_csv(tmp_path / "new.csv", index=False)
    monkeypatch.setattr("sys.argv", ["dlspec", "predict", str(run.folder), str(tmp_path / "new.csv")])
    with pytest.raises(SystemExit):
        main()
    written = (run.folder / "predictions.csv").read_text() + capfdbinary.readouterr().out.decode()
    cells = [cell for line in written.splitlines() for cell in line.split(",")]
    assert {"'=1+1", "'-x"} <= {*cells}
    assert not [cell for cell in cells if cell[:1] in {*"=+-@"} and not re.fullmatch(r"[-+][\d.e-]+", cell)]


def test_init_writes_a_spec_that_is_valid(said, folder):
    said("init", "rows.csv", "--out", "first.yaml")
    assert not STEERING.search((folder / "first.yaml").read_text(encoding="utf-8"))
    assert not [problem for problem in dlspec.validate(folder / "first.yaml") if problem.is_error]


def test_the_report_has_a_content_policy_and_no_mark_up_of_a_file(tmp_path):
    rows = pd.DataFrame({"<img src=x onerror=alert(1)>": np.arange(60.0), "y": np.arange(60) % 2})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "s.yaml").write_text(
        "dlspec: 1\ndescription: '<script>alert(1)</script>'\ndata: {table: rows.csv, target: y}\n"
        "model: [output]\ntrain: {epochs: 1}\n"
    )
    run = dlspec.run(tmp_path / "s.yaml", out=tmp_path / "run")
    page = run.report.read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "<img src=x" not in page
    assert html.escape("<img src=x") in page


def test_what_steers_is_written_out():
    assert visible("a\x1b[2Jb\u202ec\x9b") == "a\\u001b[2Jb\\u202ec\\u009b"
