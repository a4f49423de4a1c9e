"""A run can be repeated to the last bit, and `dlspec replay` says whether it was."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import pytest

import dlspec
from dlspec.runs.listener import Listener
from dlspec.runs.replay import TOLERANCE, Pair, compare_numbers
from dlspec.runtime.environment import Change, changes, usable_cpus
from dlspec.training.progress import Stopped
from tests.commands import dlspec as dlspec_in_copy
from tests.commands import dlspec_here
from tests.conftest import ROOT, TINY

ROWS = "".join(f"{i},{i % 7},{'high' if (i * i) % 11 > 5 else 'low'}\n" for i in range(90))
TABLE = """\
dlspec: 1
name: of_a_file
data: {table: rows/some.csv, target: level}
model: [{dense: 5}, {dropout: 0.2}, output]
train: {epochs: 3, batch_size: 16}
"""
TWO_LAYERS = """\
dlspec: 1
name: two_layers
data: {dataset: {spirals: {samples: 120}}}
model: [dense: {units: 6, activation: tanh, name: h1}, dense: {units: 5, activation: tanh, name: h2}, output]
pretrain: {method: denoising_autoencoder, corruption: {gaussian: {stddev: 0.2}}, epochs: 2}
train: {epochs: 2, batch_size: 16}
"""
KINDS = ["weights", "losses", "predictions", "metrics"]


def command(*arguments, cwd, **environment):
    if not environment:
        return dlspec_in_copy(*arguments, cwd=cwd, env={**os.environ, "COLUMNS": "100"})
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environment}
    whole = [sys.executable, "-m", "dlspec", *map(str, arguments)]
    return subprocess.run(whole, capture_output=True, text=True, cwd=cwd, env=variables)


def bits(run):
    return [np.asarray(weights).tobytes() for weights in dlspec.open_run(run.folder).model.get_weights()]


def code_of(call):
    with pytest.raises(dlspec.DataError) as caught:
        call()
    return caught.value.diagnostics[0].code


@pytest.fixture
def table(tmp_path):
    """A spec whose data lie in a folder beside it."""
    (tmp_path / "specs" / "rows").mkdir(parents=True)
    (tmp_path / "specs" / "rows" / "some.csv").write_text(f"a,b,level\n{ROWS}", encoding="utf-8")
    (tmp_path / "specs" / "table.yaml").write_text(TABLE, encoding="utf-8")
    return tmp_path / "specs" / "table.yaml"


def changeable(folder, copy):
    """A copy of a run whose files may be changed."""
    shutil.copytree(folder, copy)
    (copy / "SHA256SUMS").unlink()
    return dlspec.open_run(copy)


@pytest.fixture
def copied(tiny_run, tmp_path):
    """A finished run that may be changed."""
    return changeable(tiny_run("spirals").folder, tmp_path / "copied")


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where runs are made that are not kept."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


def change_weights(run, factor):
    """The same network with other weights in its last layer."""
    model = run.model
    *others, kernel, bias = model.get_weights()
    model.set_weights([*others, kernel * factor, bias])
    model.save(run.folder / "model.keras")


def change_environment(run, **values):
    path = run.folder / "environment.json"
    path.write_text(json.dumps({**run.environment.as_json(), **values}), encoding="utf-8")


# --- `dlspec run RUN/resolved.yaml`


class Interrupting(Listener):
    """Presses Ctrl-C after some epochs."""

    def __init__(self, stage: str, epoch: int) -> None:
        self.at = (stage, epoch)

    def epoch_ends(self, stage, row):
        if (stage.name, row.epoch) == self.at:
            raise KeyboardInterrupt


def of_a_built_in(home, table):
    return dlspec.run(dlspec.load(TINY["table"]), out=home / "first")


def of_a_table_beside_the_spec(home, table):
    return dlspec.run(table, out=home / "deep" / "down" / "first")


def of_a_table_on_the_command_line(home, table):
    shutil.copy(table.parent / "rows" / "some.csv", table.parent / "other.csv")
    overrides = {"data.table": "other.csv", "train.epochs": 2, "train.early_stopping": None, "model.0.dense": 4}
    return dlspec.run(dlspec.load(table, overrides), out=home / "first")


def with_pretraining(home, table):
    return dlspec.run(TWO_LAYERS, out=home / "first")


def that_begins_with_another_run(home, table):
    other = dlspec.run(TWO_LAYERS, out=home / "other")
    text = TWO_LAYERS.replace("corruption: {gaussian: {stddev: 0.2}}", "from: ../other, layers: [h1]")
    (home / "specs" / "few.yaml").write_text(text, encoding="utf-8")
    first = dlspec.run(home / "specs" / "few.yaml", out=home / "deep" / "first")
    assert first.environment.taken_fingerprint
    assert "h1" not in {row["stage"].partition(":")[2] for row in first.history}, "it is taken, not pretrained"
    assert other.finished
    return first


def that_was_stopped(home, table):
    with pytest.raises(Stopped):
        dlspec.run(dlspec.load(TINY["spirals"]), out=home / "first", listener=Interrupting("fine_tune", 2))
    resumed = dlspec.resume(home / "first")
    assert len(resumed.environment.resumed) == 1
    return resumed


@pytest.mark.everyday("that_was_stopped")
@pytest.mark.parametrize(
    "first",
    [
        of_a_built_in, of_a_table_beside_the_spec, of_a_table_on_the_command_line, with_pretraining,
        that_begins_with_another_run, that_was_stopped,
    ],
    ids=lambda first: first.__name__,
)  # fmt: skip
def test_a_run_is_repeated_to_the_last_bit(first, table, tmp_path, monkeypatch):
    """From its folder alone, wherever the command is typed."""
    run = first(tmp_path, table)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = dlspec.run(run.folder / "resolved.yaml", out=tmp_path / "again")
    assert bits(again) == bits(run)
    assert again.metrics == run.metrics
    assert (again.folder / "predictions.csv").read_bytes() == (run.folder / "predictions.csv").read_bytes()
    found = dlspec.replay(run.folder)
    assert (found.verdict, found.changes) == ("equal", ())


@pytest.mark.slow
def test_a_repetition_is_repeated_from_its_own_folder(table, tmp_path):
    run = dlspec.run(table, out=tmp_path / "first")
    again = dlspec.run(run.folder / "resolved.yaml", out=tmp_path / "deep" / "down" / "second")
    third = dlspec.run(again.folder / "resolved.yaml", out=tmp_path / "third")
    assert bits(third) == bits(run)
    assert dlspec.replay(third).verdict == "equal"


# --- verdicts


def test_a_replay_that_is_equal_leaves_nothing_behind(tiny_run, temporary):
    run = tiny_run("digits")
    before = {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")}
    found = dlspec.replay(run)
    assert found.verdict == "equal"
    assert [(one.what, one.equal, one.difference) for one in found.comparisons] == [(kind, True, 0.0) for kind in KINDS]
    assert found.folder is None
    assert list(temporary.iterdir()) == []
    assert {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")} == before


def test_the_new_run_is_kept_where_out_says(tiny_run, tmp_path):
    found = dlspec.replay(tiny_run("spirals").folder, tmp_path / "kept")
    kept = dlspec.open_run(found.folder)
    assert kept.folder == tmp_path / "kept"
    assert kept.report.is_file()
    assert bits(kept) == bits(tiny_run("spirals"))
    assert code_of(lambda: dlspec.replay(tiny_run("spirals"), kept.folder)) == "folder-not-empty"


def test_small_differences_are_within_the_tolerance_and_the_library_is_named(copied):
    change_weights(copied, 1 + TOLERANCE / 20)
    change_environment(copied, tensorflow="2.20.0", device="GPU, NVIDIA H100")
    found = dlspec.replay(copied.folder)
    assert found.verdict == "equal within tolerance"
    assert [one.what for one in found.comparisons if not one.equal] == ["weights"]
    assert found.comparisons[0].difference == pytest.approx(TOLERANCE / 20, rel=0.01)
    assert found.comparisons[0].where == "`output/kernel`"
    assert {change.name: change.before for change in found.changes} == {
        "tensorflow": "2.20.0",
        "device": "GPU, NVIDIA H100",
    }
    assert "5e-05 of its scale, among the weights (`output/kernel`)" in found.sentence


def test_large_differences_differ_and_the_library_is_named(copied):
    change_weights(copied, 1.5)
    change_environment(copied, tensorflow="2.20.0")
    found = dlspec.replay(copied.folder)
    assert found.verdict == "differs"
    assert found.sentence == (
        "Differs by more than 0.001 of its scale: weights by 0.33 (`output/kernel`). Not as it was: tensorflow."
    )
    assert [(change.name, change.before) for change in found.changes] == [("tensorflow", "2.20.0")]


@pytest.mark.everyday(2)
@pytest.mark.parametrize(
    ("file", "old", "new", "what", "said"),
    [
        ("metrics.json", r'("test": \{\s+"accuracy": )[\d.]+', r"\g<1>0.01", "metrics", "`test.accuracy`"),
        ("history.csv", r"\nfine_tune,3,[^\n]+", "", "losses", "`fine_tune` had 2 epochs and has 3"),
        ("history.csv", r"(\nfine_tune,1,)[\d.]+", r"\g<1>0.7", "losses", "`loss` of `fine_tune`"),
        ("predictions.csv", r"\n\d+,", "\n99999,", "predictions", "they are of other samples"),
    ],
    ids=["a metric", "an epoch fewer", "a loss", "other samples"],
)
def test_whatever_differs_is_said(copied, file, old, new, what, said):
    path = copied.folder / file
    text, count = re.subn(old, new, path.read_text(encoding="utf-8"))
    assert count
    path.write_text(text, encoding="utf-8")
    found = dlspec.replay(copied.folder)
    assert found.verdict == "differs"
    assert [(one.what, one.where) for one in found.comparisons if not one.equal] == [(what, said)]
    assert "Libraries, device, threads and data are as they were" in found.sentence


def test_classes_in_words_are_compared_by_how_many_samples_have_another(copied):
    path = copied.folder / "predictions.csv"
    table = copied.predictions
    other = {"first": "second", "second": "first"}
    table.loc[0, "network"] = other[table.loc[0, "network"]]
    table.to_csv(path, index=False)
    found = dlspec.replay(copied.folder).comparisons[KINDS.index("predictions")]
    assert found.where == "another `network`"
    assert found.difference == pytest.approx(1 / len(table))


@pytest.mark.slow
def test_stages_are_compiled_as_they_were(tmp_path):
    """The rule may say otherwise by then, and the two ways differ in the last digits."""
    run = dlspec.run(dlspec.load(TWO_LAYERS, {"runtime.xla": "on"}), out=tmp_path / "run")
    other = dlspec.run(dlspec.load(TWO_LAYERS, {"runtime.xla": "off"}), out=tmp_path / "other")
    assert bits(run) != bits(other)
    (run.folder / "resolved.yaml").write_text(run.resolved_text.replace("xla: on", "xla: off"), encoding="utf-8")
    (run.folder / "SHA256SUMS").unlink()
    found = dlspec.replay(run.folder, tmp_path / "again")
    assert found.verdict == "equal"
    assert dlspec.open_run(tmp_path / "again").environment.compiled_by_xla == run.environment.compiled_by_xla


@pytest.mark.parametrize(
    ("before", "now", "scale", "difference"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0, None),
        ([math.nan, 2.0], [math.nan, 2.0], 0.0, None),
        ([0.0], [-0.0], 0.0, 0.0),  # other bits, and the same number
        ([1.0, 2.0], [1.0, 2.5], 0.0, 0.2),
        ([1.0, 2.0], [1.0, 2.5], 5.0, 0.1),
        ([math.nan, 1.0], [math.nan, 2.0], 0.0, 0.5),
        ([1.0], [math.nan], 0.0, math.inf),
        ([1.0], [math.inf], 0.0, math.inf),
        ([1.0], [1.0, 1.0], 0.0, math.inf),
    ],
)
def test_numbers_are_compared_by_their_bits_and_then_by_their_scale(before, now, scale, difference):
    found = compare_numbers("losses", [Pair("it", before, now, scale)])
    assert found.equal == (difference is None)
    assert found.difference == pytest.approx(difference or 0.0)


def test_the_largest_difference_is_the_one_that_is_told():
    pairs = [Pair("a", 1.0, 1.1), Pair("b", 1.0, 2.0), Pair("c", 1.0, 1.2)]
    assert compare_numbers("metrics", pairs).where == "b"


# --- what is refused before anything is trained


class Untrained(Listener):
    def stage_begins(self, stage, samples, steps):
        raise AssertionError("it is trained")


def test_changed_data_are_refused(table, tmp_path, temporary):
    run = dlspec.run(table, out=tmp_path / "run")
    data = table.parent / "rows" / "some.csv"
    data.write_text(data.read_text().replace("\n5,5,", "\n5,4,"), encoding="utf-8")
    assert code_of(lambda: dlspec.replay(run, listener=Untrained())) == "data-changed"
    done = dlspec_here("replay", run.folder, cwd=tmp_path)
    assert (done.returncode, "error[data-changed]" in done.stderr, "fine_tune 1/" in done.stdout) == (3, True, False)
    data.unlink()
    assert code_of(lambda: dlspec.replay(run.folder, listener=Untrained())) == "data-not-found"
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_other_layers_to_begin_with_are_refused(table, tmp_path):
    run = that_begins_with_another_run(tmp_path, table)
    shutil.rmtree(tmp_path / "other")
    dlspec.run(dlspec.load(TWO_LAYERS, {"seed": 9}), out=tmp_path / "other")
    assert code_of(lambda: dlspec.replay(run, listener=Untrained())) == "layers-changed"


@pytest.mark.parametrize("name", ["metrics.json", "model.keras"])
def test_an_unfinished_run_is_refused(copied, name, tmp_path):
    (copied.folder / name).unlink()
    assert code_of(lambda: dlspec.replay(copied.folder, listener=Untrained())) == "unfinished-run"


def test_a_folder_without_a_run_is_refused(tmp_path):
    assert code_of(lambda: dlspec.replay(tmp_path)) == "no-run"


def test_a_replay_that_is_stopped_leaves_nothing_behind(tiny_run, temporary):
    with pytest.raises(Stopped):
        dlspec.replay(tiny_run("spirals"), listener=Interrupting("fine_tune", 1))
    assert list(temporary.iterdir()) == []


# --- the surroundings


def test_the_environment_says_what_the_last_digits_depend_on(tiny_run):
    environment = tiny_run("spirals").environment.as_json()
    assert environment["backend"] == "tensorflow"
    assert environment["usable_cpus"] == usable_cpus()
    assert environment["intra_op_threads"] == environment["inter_op_threads"] == usable_cpus()
    assert environment["processor"]
    assert environment["data_fingerprint"] == tiny_run("spirals").data.fingerprint
    assert {"dlspec", "python", "tensorflow", "keras", "numpy", "platform", "device", "seed", "command"} < {
        *environment
    }


def test_what_is_not_recorded_is_no_change_of_a_flag():
    before = {"keras": "3.15.1", "command": "dlspec run a.yaml", "seconds": 3}
    now = {"keras": "3.16.0", "command": "dlspec replay a", "seconds": 5, "threads": 2, "XLA_FLAGS": "--it"}
    found = {change.name: change for change in changes(before, now)}
    assert list(found) == ["keras", "threads", "XLA_FLAGS"]
    assert [change.known for change in found.values()] == [True, False, True]


def test_a_run_that_went_on_elsewhere_says_so():
    before = {"device": "CPU, 2 cores", "resumed": [{"device": "GPU, NVIDIA H100", "command": "x"}]}
    now = {"device": "CPU, 2 cores"}
    assert list(changes(before, now)) == [Change("device after a resume", "GPU, NVIDIA H100", "CPU, 2 cores")]


@pytest.mark.slow
def test_another_number_of_threads_and_other_flags_are_recorded_and_named(tiny_run, tmp_path):
    """A process with one thread and without oneDNN, beside one with all; how far they are apart depends on the machine,
    and on none of those known is it more than rounding."""
    folder = tiny_run("digits").folder
    single = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    done = command("replay", folder, "--json", "--out", "kept", cwd=tmp_path, **single)
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"] in ("equal", "equal within tolerance")) == (0, True), done.stdout
    named = {change["name"]: (change["before"], change["now"]) for change in found["changes"]}
    assert named["TF_ENABLE_ONEDNN_OPTS"] == (None, "0")
    assert named["inter_op_threads"] == (usable_cpus(), 3)
    kept = json.loads((tmp_path / "kept" / "environment.json").read_text())
    assert kept["intra_op_threads"] == 1
    assert kept["command"] == f"dlspec replay {folder} --json --out kept"


# --- the command


def test_the_command_says_equal_and_returns_0(tiny_run, tmp_path):
    done = command("replay", tiny_run("spirals").folder, "--out", "kept", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.stdout), "control characters"
    *_, verdict, path = done.stdout.splitlines()
    assert verdict == "Equal: weights, losses, predictions and metrics are the same to the last bit."
    assert path == "kept"
    for kind in KINDS:
        assert re.search(rf"^ {kind} +none +$", done.stdout, re.MULTILINE)
    assert "surroundings" not in done.stdout


@pytest.mark.slow
def test_the_command_shows_what_differs_and_returns_4(copied, tmp_path):
    change_weights(copied, 1.5)
    change_environment(copied, tensorflow="2.20.0", XLA_FLAGS="--xla_cpu_use_onednn=true")
    metrics = copied.metrics.as_json()
    metrics["test"]["accuracy"] = 0.125
    (copied.folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    done = dlspec_here("replay", copied.folder, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (4, "")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.stdout), "control characters"
    assert re.search(r"^ weights +3\.3e-01 +`output/kernel`", done.stdout, re.MULTILINE)
    assert re.search(r"^ tensorflow +2\.20\.0 +2\.\d+\.\d+", done.stdout, re.MULTILINE)
    assert re.search(r"^ XLA_FLAGS +--xla_cpu_use_onednn=true +not set", done.stdout, re.MULTILINE)
    assert re.search(r"^ accuracy +0\.125 +[\d.]+", done.stdout, re.MULTILINE)
    assert "Differs by more than 0.001 of its scale: weights by 0.33" in done.stdout
    found = json.loads(dlspec_here("replay", copied.folder, "--json", cwd=tmp_path).stdout)
    assert found["verdict"] == "differs"
    assert found["test"]["accuracy"]["before"] == 0.125


def test_the_command_returns_3_for_a_run_without_an_end(copied, tmp_path):
    (copied.folder / "metrics.json").unlink()
    done = dlspec_here("replay", copied.folder, cwd=tmp_path)
    assert (done.returncode, "error[unfinished-run]" in done.stderr) == (3, True)
