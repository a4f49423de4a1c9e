"""What trackers get of a run, and that nothing they do changes it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import dlspec
from dlspec.runs import tracking
from dlspec.runs.listener import Listener
from dlspec.runs.tracking import Trackers, artifacts, final_values, flatten
from dlspec.runtime.trackers.mlflow import _names
from dlspec.runtime.trackers.record import TrackerRecord, read_tracker, write_tracker
from dlspec.runtime.trackers.worker import in_words, without_secrets
from dlspec.training.progress import HistoryRow, Stopped
from tests.commands import forget_plugins
from tests.conftest import ROOT, TINY, TINY_SPIRALS
from tests.trained import StopAfter

ODD = ("hangs_at_once", "hangs", "raises", "disk_full", "quits")


class Told(Listener):
    """Keeps what is worth reading after the run."""

    def __init__(self):
        self.lines = []

    def remark(self, text):
        self.lines.append(text)


class StoppedAfter(Told, StopAfter):
    def __init__(self, steps):
        Told.__init__(self)
        StopAfter.__init__(self, steps)


def events(folder):
    """Tag -> [(step, value), …], and tag -> texts, of all files of events, as TensorBoard reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    read.Reload()
    scalars = {tag: [(e.step, e.value) for e in read.Scalars(tag)] for tag in read.Tags()["scalars"]}
    tags = [tag for tag in read.Tags()["tensors"] if not tag.startswith("_hparams_")]
    return scalars, {tag: [e.tensor_proto.string_val[0].decode() for e in read.Tensors(tag)] for tag in tags}


def parameters_in(folder):
    """What HPARAMS shows, and how the session ended."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata

    read = EventAccumulator(str(folder))
    read.Reload()
    plugin = read.PluginTagToContent("hparams")
    start = metadata.parse_session_start_info_plugin_data(plugin[metadata.SESSION_START_INFO_TAG])
    end = metadata.parse_session_end_info_plugin_data(plugin[metadata.SESSION_END_INFO_TAG])
    given = {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}
    return given, end.status


def same_results(one, other):
    """Whether two runs are the same to the last bit, in all that training wrote."""
    for name in ("layers.npz", "pretrained.npz", "pictures.npz"):
        if (one / name).is_file():
            with np.load(one / name) as ours, np.load(other / name) as theirs:
                assert list(ours) == list(theirs)
                assert all(ours[key].tobytes() == theirs[key].tobytes() for key in ours), name
    rows = [
        [(r.stage, r.epoch, r.loss, r.val_loss, r.measures) for r in dlspec.open_run(f).history] for f in (one, other)
    ]
    assert rows[0] == rows[1]
    for name in ("metrics.json", "predictions.csv", "data.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.fixture(scope="module")
def odd():
    dlspec.load_plugin(Path(__file__).with_name("odd_trackers.py"))
    yield
    forget_plugins()


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """A run with pretraining that is logged to TensorBoard, and what was told of it."""
    told, folder = Told(), tmp_path_factory.mktemp("tracked") / "run"
    spec = dlspec.load(TINY["digits"], {"runtime.track": "tensorboard"})
    return dlspec.run(spec, out=folder, listener=told), told.lines


def test_tensorboard_gets_every_epoch_and_the_results(tracked):
    run, lines = tracked
    scalars, texts = events(run.folder / "tensorboard")
    for row in run.history:
        assert (row.epoch, pytest.approx(row.loss)) in scalars[f"{row.stage}/loss"]
    assert [step for step, _ in scalars["fine_tune/val_loss"]] == [1, 2, 3]
    assert len(scalars["pretrain:h1/loss"]) == 2
    for name, value in final_values(run.metrics):
        assert scalars[name] == [(0, pytest.approx(value))]
    assert {f"baselines/{name}/accuracy" for name in run.metrics.baselines} < set(scalars)
    assert texts["verdict"] == [run.metrics.verdict.sentence]
    assert texts["state"] == ["finished"]
    count = len(run.history)
    assert lines[-1] == f"tensorboard: {count} epochs logged; tensorboard --logdir {run.folder / 'tensorboard'}"


def test_tensorboard_gets_every_value_of_the_spec(tracked):
    run, _ = tracked
    given, status = parameters_in(run.folder / "tensorboard")
    assert given["train.batch_size"] == 16
    assert given["model.1.dense.name"] == "h1"
    assert given["pretrain.tied_weights"] is True
    assert given["train.optimizer.adam.learning_rate"] == 0.001
    assert status == 1  # success


def test_a_tracked_run_is_the_same_to_the_last_bit(tracked, tiny_run):
    same_results(tracked[0].folder, tiny_run("digits").folder)


def test_artifacts_are_what_the_run_wrote_but_checkpoints(tracked):
    found = artifacts(tracked[0].folder)
    assert {"model.keras", "report.html", "metrics.json", "resolved.yaml"} < set(found)
    assert not [name for name in found if name.startswith((".", "checkpoints", "tensorboard", "trackers"))]


@pytest.mark.slow
def test_trackers_that_fail_change_nothing_and_are_reported(odd, tiny_run, tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "SECONDS", 3.0)
    ends, close = [], Trackers.close

    def timed(self, error):
        began = time.monotonic()
        close(self, error)
        ends.append(time.monotonic() - began)

    monkeypatch.setattr(Trackers, "close", timed)
    told = Told()
    spec = dlspec.load(TINY_SPIRALS, {"runtime.track": [*ODD, "tensorboard"]})
    run = dlspec.run(spec, out=tmp_path / "run", listener=told)
    same_results(run.folder, tiny_run("spirals").folder)
    assert ends[0] < 3.0 + 5.0, "it does not wait for those that hang"
    last = dict(line.split(": ", 1) for line in told.lines)
    assert "3 epochs logged" in last["tensorboard"]
    assert last["hangs_at_once"] == (
        "0 of 3 epochs logged; how the run ended was not logged: the tracker took too long"
    )
    assert "0 of 3 epochs logged; nowhere" in last["hangs"]
    assert last["hangs"].endswith("the tracker took too long")
    assert "RuntimeError: no way to http://***@example.org" in last["raises"]
    assert "hidden" not in " ".join(told.lines)
    assert "No space left on device" in last["disk_full"]
    assert last["quits"].endswith("its process ended with exit code 7")
    assert not process_is_there("trackers.worker")


def process_is_there(word):
    """Whether a process below this one has a word in its command line."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and word in (path / "cmdline").read_text():
                return True
        except OSError:
            continue
    return False


def test_a_resumed_run_goes_on_in_the_same_place(tmp_path, one_step_at_a_time):
    told = StoppedAfter(8)
    spec = dlspec.load(TINY_SPIRALS, {"runtime.track": "tensorboard"})
    with pytest.raises(Stopped):
        dlspec.run(spec, out=tmp_path / "run", listener=told)
    scalars, texts = events(tmp_path / "run" / "tensorboard")
    assert [step for step, _ in scalars["fine_tune/loss"]] == [1]
    assert texts["state"] == ["stopped"]
    run = dlspec.resume(tmp_path / "run")
    scalars, texts = events(run.folder / "tensorboard")
    assert [step for step, _ in scalars["fine_tune/loss"]] == [1, 2, 3]
    assert [value for _, value in scalars["fine_tune/loss"]] == pytest.approx([row.loss for row in run.history])
    assert texts["state"][-1] == "finished"


@pytest.mark.slow
def test_a_run_may_be_resumed_with_another_tracker(tmp_path, one_step_at_a_time):
    with pytest.raises(Stopped):
        dlspec.run(dlspec.load(TINY_SPIRALS), out=tmp_path / "run", listener=StopAfter(8))
    spec = dlspec.load(TINY_SPIRALS, {"runtime.track": {"tensorboard": str(tmp_path / "all")}})
    dlspec.resume(tmp_path / "run", spec=spec)
    scalars, _ = events(tmp_path / "all" / "tiny_spirals" / "run")
    assert [step for step, _ in scalars["fine_tune/loss"]] == [1, 2, 3], "with the epochs from before the stop"
    with pytest.raises(dlspec.DataError, match="finished"):
        dlspec.resume(tmp_path / "run", spec=spec)


def test_a_run_that_fails_is_closed_as_failed(tmp_path):
    changes = {"train.optimizer": {"sgd": 1e30}, "train.loss": "mse", "data.scale": "none", "train.epochs": 40}
    told = Told()
    spec = dlspec.load(TINY["table"], {**changes, "runtime.track": "tensorboard"})
    with pytest.raises(dlspec.TrainingError):
        dlspec.run(spec, out=tmp_path / "run", listener=told)
    _, texts = events(tmp_path / "run" / "tensorboard")
    assert texts["state"] == ["failed"]
    assert "loss" in texts["error"][0]
    assert "logged" in told.lines[-1]


def test_epochs_that_were_logged_before_a_kill_are_not_logged_again(tmp_path):
    """The tracker may be ahead of the checkpoint that a run goes on from."""
    write_tracker(tmp_path, "tensorboard", TrackerRecord(kept={"folder": str(tmp_path / "events")}, last=2))
    spec = dlspec.load(TINY_SPIRALS, {"runtime.track": "tensorboard"})
    trackers = Trackers(Told())
    rows = [HistoryRow("fine_tune", i, 1.0 / i, float("nan"), 0.1) for i in (1, 2, 3)]
    trackers.opens(tmp_path, spec, rows[:1])
    for row in rows[1:]:
        trackers.epoch_ends(None, row)
    trackers.close(Stopped())
    scalars, _ = events(tmp_path / "events")
    assert [step for step, _ in scalars["fine_tune/loss"]] == [3]
    assert np.isnan(scalars["fine_tune/val_loss"][0][1])
    assert read_tracker(tmp_path, "tensorboard").last == 3


def test_a_damaged_record_keeps_no_run_from_going_on(tmp_path):
    (tmp_path / "trackers").mkdir()
    (tmp_path / "trackers" / "tensorboard.json").write_text("{")
    trackers = Trackers(told := Told())
    trackers.opens(tmp_path, dlspec.load(TINY_SPIRALS, {"runtime.track": "tensorboard"}), ())
    trackers.close(None)
    assert [line.partition(":")[0] for line in told.lines] == ["tensorboard"]
    assert "damaged" in told.lines[0]


TRACKS_AND_WAITS = """
import sys, time
import dlspec
from pathlib import Path
from dlspec.runs.listener import Listener
from dlspec.runs.tracking import Trackers
from dlspec.training.progress import HistoryRow
trackers = Trackers(Listener())
trackers.opens(Path(sys.argv[1]), dlspec.load(sys.stdin.read(), {"runtime.track": "tensorboard"}), ())
trackers.epoch_ends(None, HistoryRow("fine_tune", 1, 0.5, None, 0.1))
print(trackers.processes[0]._process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_no_tracker_outlives_a_run_that_was_killed(tmp_path):
    command = [sys.executable, "-c", TRACKS_AND_WAITS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        process.stdin.write(TINY_SPIRALS)
        process.stdin.close()
        tracker = int(process.stdout.readline())
        until = time.monotonic() + 30
        while not (tmp_path / "trackers" / "tensorboard.json").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        for number in (signal.SIGINT, signal.SIGTERM):  # which the tracker does not hear
            os.kill(tracker, number)
        process.kill()
    while Path(f"/proc/{tracker}").exists() and "(zombie)" not in Path(f"/proc/{tracker}/status").read_text():
        assert time.monotonic() < until
        time.sleep(0.05)
    scalars, texts = events(tmp_path / "tensorboard")
    assert scalars["fine_tune/loss"] == [(1, 0.5)]
    assert texts["state"] == ["stopped"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of what MLflow uses
def test_mlflow_gets_the_run(tmp_path, one_step_at_a_time):
    mlflow = pytest.importorskip("mlflow")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    spec = dlspec.load(TINY_SPIRALS, {"runtime.track": {"mlflow": {"uri": uri, "experiment": "spirals"}}})
    with pytest.raises(Stopped):
        dlspec.run(spec, out=tmp_path / "run", listener=StopAfter(8))
    client = mlflow.MlflowClient(uri)
    of_it = [client.get_experiment_by_name("spirals").experiment_id]
    assert [run.info.status for run in client.search_runs(of_it)] == ["KILLED"]
    run = dlspec.resume(tmp_path / "run")
    (found,) = client.search_runs(of_it)
    assert found.info.status == "FINISHED"
    assert found.data.params["train.batch_size"] == "16"
    assert found.data.tags["dlspec.verdict"] == run.metrics.verdict.sentence
    assert found.data.metrics["test/accuracy"] == run.metrics.test["accuracy"]
    steps = [(m.step, m.value) for m in client.get_metric_history(found.info.run_id, "fine_tune/loss")]
    assert steps == [(row.epoch, row.loss) for row in run.history]
    assert {file.path for file in client.list_artifacts(found.info.run_id)} == set(artifacts(run.folder))


def test_wandb_gets_the_run(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    told = Told()
    spec = dlspec.load(TINY_SPIRALS, {"runtime.track": {"wandb": {"project": "spirals", "mode": "offline"}}})
    run = dlspec.run(spec, out=tmp_path / "run", listener=told)
    (written,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    assert told.lines[-1] == f"wandb: 3 epochs logged; wandb sync {written.parent}"
    content = written.read_bytes()
    assert run.metrics.verdict.sentence.encode() in content
    assert b"fine_tune/loss" in content
    assert json.loads((run.folder / "trackers" / "wandb.json").read_text())["kept"]["id"].encode() in content


def test_names_that_mlflow_refuses_are_changed_and_stay_apart():
    assert list(_names(["a/b", "가격.0", "x(y)", "x[y]", "../z", "pretrain:h1/loss"])) == [
        "a/b", "가격.0", "x_y_", "x_y__2", "_/z", "pretrain:h1/loss",
    ]  # fmt: skip


def test_values_of_a_spec_are_flat():
    values = {"a": {"b": [1, 2], "c": [{"d": True}, "e"]}, "f": None, "g": []}
    assert dict(flatten(values)) == {"a.b": "1, 2", "a.c.0.d": True, "a.c.1": "e", "f": "None", "g": ""}


def test_secrets_are_masked(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "0123456789")
    assert without_secrets("key 0123456789 at https://me:pw@x.org/a") == "key *** at https://***@x.org/a"
    assert in_words(ValueError("a\n  b")) == "ValueError: a b"


@pytest.mark.parametrize(
    ("track", "code", "severity"),
    [
        ("tensorbord", "unknown-tracker", "error"),
        (["tensorboard", "tensorboard"], "repeated-name", "error"),
        ({"mlflow": "http://me:secret@example.org"}, "wrong-value", "error"),
        ({"wandb": {"mode": "sometimes"}}, "unknown-value", "error"),
        ("mlflow", "missing-package", "note"),
    ],
)
def test_mistakes_in_track(track, code, severity, monkeypatch):
    monkeypatch.setattr("dlspec.runtime.packages.is_there", lambda name: name != "mlflow")
    found = [(d.code, str(d.severity)) for d in dlspec.validate(TINY_SPIRALS, {"runtime.track": track})]
    assert found == [(code, severity)]


def test_a_run_goes_on_without_a_tracker_that_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setattr("dlspec.runtime.packages.is_there", lambda name: name != "wandb")
    trackers = Trackers(told := Told())
    trackers.opens(tmp_path, dlspec.load(TINY_SPIRALS, {"runtime.track": "wandb"}), ())
    trackers.close(None)
    (line,) = told.lines
    assert line.startswith("wandb: not installed, so nothing is logged there; type `")
    assert line.endswith('-m pip install "dlspec[wandb]"`')
