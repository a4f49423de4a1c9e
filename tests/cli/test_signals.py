"""Runs under signals, closed terminals and pipes, in files and on machines without a person."""

import fcntl
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time

import pytest

import dlspec
from dlspec.cli.signals import lasting
from dlspec.language.diagnostics.errors import Terminated
from dlspec.runs import unfinished
from dlspec.training.progress import Checkpoint, Stopped
from tests.commands import dlspec_here
from tests.conftest import ROOT

SPEC = (
    "dlspec: 1\nname: lasting\ndata: {dataset: iris}\nmodel: [dense: 8, output]\n"
    "train: {epochs: EPOCHS, batch_size: 10, checkpoint_every: 0.2 s}\nruntime: {xla: off}\n"
)
CONTROL = r"[\x00-\x08\x0b-\x1f\x7f]"
LONG, SHORT = 100_000, 700
"""Epochs of a run that is stopped, and of one that is waited for."""


@pytest.fixture
def begun(tmp_path):
    """Starts `dlspec run` in a process of its own, and waits until it trains."""
    processes = []

    def begin(epochs: int, *arguments: str, terminal: int | None = None, **options) -> subprocess.Popen:
        """`terminal` is read until training has begun: a run waits for a terminal that is full."""
        (tmp_path / "spec.yaml").write_text(SPEC.replace("EPOCHS", str(epochs)), encoding="utf-8")
        env = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
        with (tmp_path / "err.txt").open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "dlspec", "run", *(arguments or ["spec.yaml"])],
                cwd=tmp_path,
                **{"stderr": errors, "stdout": subprocess.DEVNULL, "env": env, **options},
            )
        processes.append(process)
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("runs/lasting/*/checkpoints/before.npz")):
            assert process.poll() is None, (tmp_path / "err.txt").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
            if terminal is not None and select.select([terminal], [], [], 0)[0]:
                os.read(terminal, 65536)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.wait()


def steps_done(folder) -> int:
    progress = Checkpoint.load(folder / "checkpoints" / "latest.npz").progress
    return 11 * progress.epoch + progress.step


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_ends_a_run_after_the_step_with_a_checkpoint(number, code, begun, tmp_path):
    process = begun(LONG)
    folder = tmp_path / "runs/lasting/001"
    before = steps_done(folder)
    process.send_signal(number)
    assert process.wait(timeout=30) == code
    said = (tmp_path / "err.txt").read_text()
    assert "Stopped; what was learned is kept." in said
    assert "dlspec run --resume runs/lasting/001" in said
    assert "Traceback" not in said
    assert steps_done(folder) >= before, "nothing of what was done is lost"


@pytest.mark.slow
def test_a_signal_before_training_ends_quietly(tmp_path):
    """While TensorFlow is loaded there is nothing to keep."""
    (tmp_path / "spec.yaml").write_text(SPEC.replace("EPOCHS", "10"), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "dlspec", "run", "spec.yaml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline(), "the plan is printed before"
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "Stopped." in errors
    assert "Traceback" not in errors


@pytest.mark.slow
def test_a_closed_pipe_does_not_stop_a_run(begun, tmp_path):
    process = begun(SHORT, stdout=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(timeout=120) == 0, (tmp_path / "err.txt").read_text()
    assert (tmp_path / "err.txt").read_text() == ""
    run = dlspec.open_run(tmp_path / "runs/lasting/001")
    assert run.finished
    assert run.report.is_file()


@pytest.mark.slow
def test_a_terminal_that_vanishes_does_not_stop_a_run(begun, tmp_path):
    terminal, inside = os.openpty()
    process = begun(
        SHORT,
        terminal=terminal,
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        env={"TERM": "xterm-256color"},
    )
    os.close(inside)
    os.close(terminal)  # the terminal's processes get SIGHUP, and writing to it fails
    assert process.wait(timeout=120) == 0
    assert dlspec.open_run(tmp_path / "runs/lasting/001").finished


@pytest.mark.slow
def test_files_and_pipes_get_no_control_characters(begun, tmp_path):
    env = {"GITHUB_ACTIONS": "true", "CI": "true", "TERM": "xterm-256color"}
    with (tmp_path / "out.txt").open("w") as out:
        process = begun(SHORT, stdout=out, env=env)
        assert process.wait(timeout=120) == 0
    printed = (tmp_path / "out.txt").read_text() + (tmp_path / "err.txt").read_text()
    assert "fine_tune 1/700" in printed
    assert not re.search(CONTROL, printed)


@pytest.mark.slow
def test_a_terminal_without_a_cursor_gets_lines(begun, tmp_path):
    terminal, inside = os.openpty()
    process = begun(LONG, stdout=inside, env={"TERM": "dumb"})
    os.close(inside)
    shown, pressed = b"", False
    while True:
        try:
            read = os.read(terminal, 65536)
        except OSError:
            break
        if not read:
            break
        shown += read
        if not pressed and b"fine_tune 1/" in shown:
            process.send_signal(signal.SIGINT)
            pressed = True
    os.close(terminal)
    assert process.wait(timeout=30) == 130
    text = shown.decode().replace("\r\n", "\n")
    assert "fine_tune 1/100000" in text
    assert not re.search(CONTROL, text)


@pytest.mark.slow
def test_resume_goes_on_with_the_last_run_of_a_spec(begun, tmp_path):
    process = begun(SHORT)
    process.kill()
    process.wait()
    folder = tmp_path / "runs/lasting/001"
    assert not (folder / "metrics.json").exists()
    other = dlspec_here("run", "spec.yaml", "--resume", "-s", "train.epochs=2", cwd=tmp_path)
    assert other.returncode == 3
    assert "the spec has changed since `runs/lasting/001` was started: `train.epochs`" in other.stderr
    done = dlspec_here("run", "spec.yaml", "--resume", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Going on with `runs/lasting/001`." in done.stderr
    assert done.stdout.splitlines()[-1] == "runs/lasting/001"
    again = dlspec_here("run", "--resume", "spec.yaml", cwd=tmp_path)
    assert "There is nothing to go on with; a run begins." in again.stderr
    assert again.stdout.splitlines()[-1] == "runs/lasting/002"
    first, second = (dlspec.open_run(tmp_path / "runs/lasting" / number) for number in ("001", "002"))
    assert first.metrics == second.metrics


@pytest.mark.slow
def test_a_plain_rerun_says_that_there_is_something_to_resume(begun, tmp_path):
    process = begun(LONG)
    process.kill()
    process.wait()
    done = dlspec_here("run", "spec.yaml", "-s", "train.epochs=2", cwd=tmp_path)
    assert done.returncode == 0
    assert "`runs/lasting/001` was stopped; `dlspec run spec.yaml --resume` would go on with it." in done.stderr
    assert done.stdout.splitlines()[-1] == "runs/lasting/002"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_library_that_makes_an_error_of_its_own_of_a_signal_is_understood(number):
    """As matplotlib does where Ctrl-C meets it in C code: `ValueError: Invalid affine transformation matrix`."""
    expected = Terminated if number == signal.SIGTERM else KeyboardInterrupt

    @lasting()
    def draw():
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            raise ValueError("Invalid affine transformation matrix") from None

    with pytest.raises(expected):
        draw()
    with pytest.raises(ValueError, match="a real one"), lasting():
        raise ValueError("a real one")


def test_a_run_that_was_stopped_in_its_report_goes_on_to_it(tmp_path, monkeypatch):
    (tmp_path / "spec.yaml").write_text(SPEC.replace("EPOCHS", "2"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("dlspec.views.report.write_report", lambda run: signal.raise_signal(signal.SIGINT))
        with pytest.raises(Stopped) as stopped:
            dlspec.run("spec.yaml")
    assert unfinished("lasting") == stopped.value.folder
    assert dlspec.resume(stopped.value.folder).report.is_file()
    assert unfinished("lasting") is None


@pytest.mark.slow
def test_a_replay_that_is_terminated_says_so(tmp_path, write_spec):
    dlspec.run(write_spec(SPEC.replace("EPOCHS", str(SHORT))), out=tmp_path / "runs/lasting/001")
    replay = subprocess.Popen(
        [sys.executable, "-m", "dlspec", "replay", "runs/lasting/001"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in replay.stdout:
        if line.startswith("fine_tune 1/"):
            replay.send_signal(signal.SIGTERM)
            break
    _, errors = replay.communicate(timeout=60)
    assert replay.returncode == 143
    assert "the two runs were not compared" in errors
    assert "Traceback" not in errors
