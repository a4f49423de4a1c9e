"""The command as a user types it: what it prints, what it returns, and what it does not load."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from dlspec.cli import COMMANDS, cli
from tests.commands import dlspec, dlspec_anew, modules_loaded_by
from tests.conftest import ROOT, SPECS, TINY

SERIES = """\
dlspec: 1
name: tiny_series
seed: 3
data: {dataset: {mackey_glass: {samples: 400}}, window: {length: 8, horizon: 2}, predict: difference}
model: [flatten, dense: {units: 6, activation: tanh, name: h1}, dense: {units: 4, activation: tanh, name: h2}, output]
pretrain: {method: autoencoder, epochs: 2}
train: {epochs: 3, batch_size: 16, early_stopping: {patience: 5}}
"""
BAD = "dlspec: 1\ndata: {dataset: iris}\nmodel: [dens: 3, output]\n"


def test_help_loads_next_to_nothing():
    loaded = modules_loaded_by("--help")
    assert not loaded & {"pydantic", "numpy", "pandas", "matplotlib", "keras", "tensorflow", "yaml", "rich"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", SPECS[0]],
        ["validate", "--explain", "shape-mismatch"],
        ["show", SPECS[0]],
        ["show", "--resolved", SPECS[0]],
        ["explain", SPECS[0], "--lang", "ko"],
        ["init", "goog", "-o", "-"],
    ],
    ids=lambda arguments: " ".join(argument for argument in arguments if argument != SPECS[0]),
)
def test_checking_and_telling_load_no_framework(arguments):
    loaded = modules_loaded_by(*arguments)
    assert "dlspec" in loaded
    assert not loaded & {"numpy", "pandas", "matplotlib", "keras", "tensorflow", "sklearn"}


def test_a_plan_reads_the_data_and_loads_no_framework():
    assert not modules_loaded_by("plan", SPECS[0]) & {"keras", "tensorflow", "jax", "torch"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_that_names_it(name):
    done = CliRunner().invoke(cli, [name, "--help"])
    assert done.exit_code == 0
    first_line = done.output.split("\n\n")[1].strip()
    assert first_line.endswith(".")
    assert f"dlspec {name} " in done.output


def test_run_and_plan_show_warnings_and_go_on(tmp_path):
    (tmp_path / "odd.yaml").write_text(f"{TINY['table']}".replace("train: {", "train: {optimizer: {adam: 0.5}, "))
    for arguments in (["plan", "odd.yaml"], ["run", "odd.yaml", "-s", "train.epochs=1"]):
        done = dlspec(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("warning[large-learning-rate]") == 1


def test_data_that_are_not_there_are_said_once(tmp_path):
    (tmp_path / "x.yaml").write_text("dlspec: 1\ndata: {table: no.csv, target: y}\nmodel: [output]\n")
    for command, code in (("plan", 0), ("run", 3)):
        done = dlspec(command, "x.yaml", cwd=tmp_path)
        assert (done.returncode, done.stderr.count("data-not-found")) == (code, 1), done.stderr


def test_a_misspelt_command_names_the_nearest():
    done = dlspec("valdate", "x.yaml")
    assert done.returncode == 2
    assert "no such command `valdate`; did you mean `validate`?" in done.stderr


def test_validate_says_fine_and_returns_0():
    done = dlspec("validate", *SPECS)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert "the columns were checked, and not all values; `dlspec plan` reads these" in done.stderr
    assert done.stdout.splitlines() == [f"{path}: fine" for path in SPECS]
    assert dlspec("validate", SPECS[0], "--quiet").stderr == ""


def test_validate_returns_1_with_the_place(write_spec):
    path = write_spec(BAD)
    done = dlspec("validate", path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{path}:3:9: error[unknown-layer]: there is no layer `dens`")
    assert "\x1b" not in done.stderr


def test_validate_as_json_is_one_list_on_standard_output(write_spec):
    done = dlspec("validate", "--format", "json", write_spec(BAD), SPECS[0])
    assert [row["code"] for row in json.loads(done.stdout)] == ["unknown-layer"]
    assert done.stderr == ""
    assert json.loads(dlspec("validate", "--format", "json", SPECS[0]).stdout) == []


def test_a_file_that_is_not_there_returns_3_and_the_nearest_name(tmp_path, write_spec):
    write_spec(BAD, "prices.yaml")
    done = dlspec("validate", tmp_path / "price.yaml")
    assert done.returncode == 3
    assert "did you mean" in done.stderr
    assert "prices.yaml" in done.stderr


@pytest.mark.parametrize("arguments", [["run"], ["nonsense"], ["validate"], ["run", "x.yaml", "-s", "epochs"]])
def test_wrong_use_returns_2(arguments):
    done = dlspec(*arguments)
    assert done.returncode == 2
    assert "Usage" in done.stderr


def test_missing_data_are_a_warning_to_validate_and_an_error_to_run(write_spec):
    path = write_spec(
        "dlspec: 1\ndata: {series: none.csv, target: y, window: {length: 3}}\nmodel: [{lstm: 3}, output]\n"
    )
    checked = dlspec("validate", path)
    assert checked.returncode == 0
    assert "warning[data-not-found]" in checked.stderr
    done = dlspec("run", path)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_overrides_are_checked_like_the_spec():
    done = dlspec("validate", SPECS[0], "-s", "train.epochs=many", "-s", "train.epoch=3", "-s", "model.99=output")
    assert done.returncode == 1
    assert "--set train.epochs=many:1:15: error[wrong-type]" in done.stderr
    assert "error[unknown-key]: unknown key `epoch`" in done.stderr
    assert "error[unknown-path]" in done.stderr


def test_plan_shows_layers_shapes_parameters_and_stages():
    done = dlspec("plan", ROOT / "specs" / "lstm_stock.yaml", env={"COLUMNS": "100", "PATH": "/usr/bin"})
    assert done.returncode == 0, done.stderr
    for words in ("lstm_1", "(batch, 30, 64)", "17,920", "pretrain:lstm_2", "fine_tune", "up to 60", "30,369"):
        assert words in done.stdout


def test_a_closed_pipe_ends_quietly():
    done = subprocess.run(
        f"{sys.executable} -m dlspec plan {ROOT / 'specs' / 'lstm_stock.yaml'} | head -1",
        shell=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""


@pytest.fixture(scope="module")
def printed_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    (folder / "tiny.yaml").write_text(SERIES)
    compared = "evaluate.compare={without_pretraining: {seeds: 1}}"
    return folder, dlspec_anew("run", "tiny.yaml", "-s", "train.epochs=2", "-s", compared, cwd=folder)


def test_run_prints_plain_lines_where_there_is_no_terminal(printed_run):
    folder, done = printed_run
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "TensorFlow's own lines"
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.stdout), "control characters"
    epochs = [line for line in done.stdout.splitlines() if re.match(r"\S+ \d+/\d+  loss ", line)]
    assert [line.split("  ")[0] for line in epochs] == [
        "pretrain:h1 1/2", "pretrain:h1 2/2", "pretrain:h2 1/2", "pretrain:h2 2/2",
        "fine_tune 1/2", "fine_tune 2/2",
    ]  # fmt: skip
    assert "persistence" in done.stdout
    assert re.search(r"\d with pretraining and [\d.]+( USD)? without", " ".join(done.stdout.split()))
    assert done.stdout.splitlines()[-1] == "runs/tiny_series/001"
    assert "-s train.epochs=2" in json.loads((folder / "runs/tiny_series/001/environment.json").read_text())["command"]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
def test_a_terminal_shows_every_stage_and_stops_on_ctrl_c(tmp_path):
    (tmp_path / "tiny.yaml").write_text(SERIES.replace("epochs: 3", "epochs: 4000"))
    terminal, inside = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dlspec", "run", "tiny.yaml", "-s", "train.early_stopping=null"],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "50"},
    )
    os.close(inside)
    shown, pressed = "", False
    while True:
        try:
            read = os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
        if not read:
            break
        shown += read.decode("utf-8", "replace")
        if not pressed and re.search(r"fine_tune .*[2-9]\d?/4000", shown):
            process.send_signal(signal.SIGINT)
            pressed = True
    os.close(terminal)
    assert process.wait(timeout=30) == 130
    for words in ("pretrain:h1", "fine_tune", "samples/s", "━━━", "dlspec run --resume runs/tiny_series/001"):
        assert words in shown
    assert "oneDNN" not in shown
    assert "Traceback" not in shown


def test_predict_and_report_work_on_the_folder(printed_run):
    folder, _ = printed_run
    rows = "t,x\n" + "".join(f"{i},{1 + i % 3 / 10}\n" for i in range(12))
    (folder / "new.csv").write_text(rows)
    done = dlspec("predict", "runs/tiny_series/001", "new.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "t,x,x+2"
    assert lines[1:9] == [f"{line}," for line in rows.splitlines()[1:9]]
    assert [line.rpartition(",")[0] for line in lines[9:]] == rows.splitlines()[9:]
    assert all(float(line.rpartition(",")[2]) for line in lines[9:])
    report = folder / "runs/tiny_series/001/report.html"
    before = report.read_text()
    report.unlink()
    assert dlspec("report", "runs/tiny_series/001", cwd=folder).stdout.strip() == "runs/tiny_series/001/report.html"
    assert report.read_text() == before


def test_a_run_that_fails_returns_4_and_says_what_to_lower(write_spec, tmp_path):
    path = write_spec(TINY["spirals"].replace("{adam: 0.01}", "{sgd: 1e30}").replace("tanh", "relu"))
    done = dlspec("run", path, cwd=tmp_path)
    assert done.returncode == 4
    assert "lower `learning_rate`" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bug_returns_5_with_a_traceback(monkeypatch, capsys):
    import dlspec.cli as package

    monkeypatch.setattr(package, "cli", lambda **_: 1 / 0)
    with pytest.raises(SystemExit) as caught:
        package.main()
    assert caught.value.code == 5
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("train x.yaml", "there is no command `train`; type  dlspec run x.yaml"),
        ("fit x.yaml -s seed=3", "type  dlspec run x.yaml -s seed=3"),
        ("check x.yaml", "type  dlspec validate x.yaml"),
        ("list", "type  dlspec layers"),
        ("help", "type  dlspec --help"),
        ("version", "type  dlspec --version"),
        ("resume runs/a/001", "type  dlspec run --resume runs/a/001"),
        ("specs/a.yaml", "type  dlspec run specs/a.yaml"),
        ("my data.csv", "no such command"),
        ("data.csv", "type  dlspec init data.csv"),
        ("valdiate x.yaml", "did you mean `validate`?"),
    ],
)
def test_wrong_turns_say_what_to_type(typed, says):
    done = CliRunner().invoke(cli, typed.split())
    assert done.exit_code == 2
    assert says.lower() in " ".join(done.output.split("Error:")[-1].split()).replace("type ", "type  ").lower()


def test_a_run_folder_in_place_of_a_spec_names_the_spec(tmp_path):
    (tmp_path / "resolved.yaml").write_text("dlspec: 1\n")
    done = CliRunner().invoke(cli, ["plan", str(tmp_path)])
    assert "the spec of this run is" in str(done.exception) + done.output
    for command in ("run", "validate", "plan", "show"):
        (tmp_path / "t.csv").write_text("a,b\n1,2\n")
        done = CliRunner().invoke(cli, [command, str(tmp_path / "t.csv")])
        assert "write `dlspec init" in str(done.exception) + done.output
