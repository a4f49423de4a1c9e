"""Every run says how it ended, and `dlspec runs` lists them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

import dlspec
from dlspec.cli.runs import COLORS, SORTINGS, VERDICTS, list_of_runs
from dlspec.runs.listener import Listener
from dlspec.runs.listing import _SORT_KEYS, RunState, RunSummary
from dlspec.runs.lock import only_here
from dlspec.training.progress import Stopped
from tests.commands import dlspec_here, modules_loaded_by
from tests.conftest import ROOT, TINY


class AtEpoch(Listener):
    """Does something at the end of an epoch of fine-tuning."""

    def __init__(self, epoch, act):
        self.epoch, self.act = epoch, act

    def epoch_ends(self, stage, row):
        if stage.kind == "fine_tune" and row.epoch == self.epoch:
            self.act()


def fails():
    raise ZeroDivisionError("a bug \x1b[2J of a plugin")


@pytest.fixture(scope="module")
def home(tiny_run, tmp_path_factory):
    """Runs that ended in every way there is, two folders deep."""
    home = tmp_path_factory.mktemp("listed")
    spec = dlspec.load(TINY["spirals"])
    shutil.copytree(tiny_run("spirals").folder, home / "spirals" / "001")
    shutil.copytree(tiny_run("table").folder, home / "deep" / "down" / "table")
    with pytest.raises(Stopped):
        dlspec.run(spec, out=home / "stopped", listener=AtEpoch(2, lambda: signal.raise_signal(signal.SIGINT)))
    with pytest.raises(ZeroDivisionError):
        dlspec.run(spec, out=home / "broken", listener=AtEpoch(2, fails))
    with pytest.raises(dlspec.TrainingError):
        dlspec.run(spec, {"train.optimizer": {"sgd": 1e38}}, out=home / "diverged")
    shutil.copytree(home / "stopped", home / "killed")
    change(home / "killed", state="running")
    shutil.copytree(tiny_run("spirals").folder, home / "older")
    shutil.copytree(home / "stopped", home / "older_stopped")
    for name in ("older", "older_stopped"):
        (home / name / "state.json").unlink()
    shutil.copytree(tiny_run("spirals").folder, home / "damaged")
    (home / "damaged" / "state.json").write_text('{"state": "fin', encoding="utf-8")
    (home / "of another program").mkdir()
    (home / "of another program" / "state.json").write_text("[1, 2]", encoding="utf-8")
    return home


def change(folder, **values):
    path = folder / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}), encoding="utf-8")


def state_of(folder):
    return json.loads((folder / "state.json").read_text(encoding="utf-8"))


def test_each_run_says_how_it_ended(home):
    found = {summary.name: summary for summary in dlspec.list_runs(home)}
    assert {name: summary.state for name, summary in found.items()} == {
        "spirals/001": "finished", "deep/down/table": "finished", "stopped": "stopped", "broken": "failed",
        "diverged": "failed", "killed": "interrupted", "older": "finished", "older_stopped": "unfinished",
        "damaged": "unreadable",
    }  # fmt: skip
    assert found["stopped"].reason == "by Ctrl-C, after epoch 2 of fine_tune"
    assert found["killed"].reason == "its process ended without a word, after epoch 2 of fine_tune"
    assert found["broken"].reason == "ZeroDivisionError: a bug \\u001b[2J of a plugin"
    assert (found["broken"].stage, found["broken"].epoch) == ("fine_tune", 2)
    (problem,) = found["diverged"].problems
    assert problem.code == "loss-not-finite"
    assert found["diverged"].reason.startswith("loss-not-finite: the loss became ")
    assert "`state" not in found["damaged"].name
    assert "state.json` is damaged: " in found["damaged"].reason


def test_a_finished_run_is_listed_with_its_result(home, tiny_run):
    found = {summary.name: summary for summary in dlspec.list_runs(home)}
    metrics = tiny_run("table").metrics
    table = found["deep/down/table"]
    assert (table.metric, table.verdict, table.baseline) == ("rmse", metrics.verdict.outcome, metrics.verdict.against)
    assert (table.value, table.baseline_value) == (
        metrics.test["rmse"],
        metrics.baselines[metrics.verdict.against]["rmse"],
    )
    new, old = found["spirals/001"], found["older"]
    judged = ("metric", "value", "baseline", "baseline_value", "verdict")
    assert [getattr(new, name) for name in judged] == [getattr(old, name) for name in judged]
    assert new.seconds == pytest.approx(tiny_run("spirals").environment.seconds, abs=1)


def test_folds_are_listed_by_their_means(tiny_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(tiny_run("spirals").folder, folder)
    path = folder / "metrics.json"
    metrics = json.loads(path.read_text())

    def spread(scores, by):
        return {name: {"mean": value * by, "sd": None, "values": [value]} for name, value in scores.items()}

    metrics["folds"] = {
        **spread(metrics["test"], 0.5),
        "baselines": {name: spread(scores, 0.25) for name, scores in metrics["baselines"].items()},
        "parts": [{"train": 1, "validation": 1, "test": 1}],
        "sentence": "",
        "verdict": {**metrics["verdict"], "outcome": "worse", "against": "majority"},
    }
    path.write_text(json.dumps(metrics), encoding="utf-8")
    (folder / "state.json").unlink()
    (summary,) = dlspec.list_runs(tmp_path)
    assert (summary.value, summary.verdict) == (metrics["test"]["accuracy"] * 0.5, "worse")
    assert summary.baseline_value == metrics["baselines"]["majority"]["accuracy"] * 0.25


def test_what_is_resumed_says_so_at_its_end(home, tmp_path):
    for name in ("broken", "killed"):
        shutil.copytree(home / name, tmp_path / name)
        before = state_of(home / name)
        dlspec.resume(tmp_path / name)
        after = state_of(tmp_path / name)
        assert (after["state"], after["epoch"]) == ("finished", 3)
        assert after["seconds"] > before["seconds"]
        assert "problems" not in after
        assert "signal" not in after
        assert after["began"] == before["began"]


def test_a_resume_that_fails_says_why(home, tmp_path):
    shutil.copytree(home / "stopped", tmp_path / "run")
    path = tmp_path / "run" / "data.json"
    path.write_text(path.read_text().replace('"fingerprint": "', '"fingerprint": "0'), encoding="utf-8")
    with pytest.raises(dlspec.DataError):
        dlspec.resume(tmp_path / "run")
    (summary,) = dlspec.list_runs(tmp_path)
    assert (summary.state, summary.problems[0].code) == ("failed", "data-changed")


def test_a_run_whose_results_are_there_is_finished_by_its_report(tiny_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(tiny_run("spirals").folder, folder)
    (folder / "report.html").unlink()
    judged = state_of(folder)["judged"]
    for state in ("running", "stopped"):
        change(folder, state=state, judged=None)
        assert [summary.state for summary in dlspec.list_runs(tmp_path)] == [
            "finished" if state == "running" else "stopped"
        ]
        dlspec.resume(folder).report.unlink()
        assert state_of(folder)["state"] == "finished"
        assert state_of(folder)["judged"] == judged


def test_checksums_are_of_what_is_not_written_again(tiny_run):
    sums = (tiny_run("spirals").folder / "SHA256SUMS").read_text()
    assert "metrics.json" in sums
    assert "state.json" not in sums


@pytest.mark.slow
def test_a_run_in_a_process_that_lives_is_running_and_that_of_a_killed_one_interrupted(tmp_path):
    (tmp_path / "spec.yaml").write_text(TINY["spirals"].replace("epochs: 3", "epochs: 1000000"), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "dlspec", "run", "spec.yaml", "--out", "runs/long"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not (tmp_path / "runs/long/history.csv").is_file() and time.monotonic() < until:
            time.sleep(0.05)
        (first,) = dlspec.list_runs(tmp_path / "runs")
        time.sleep(0.3)
        (later,) = dlspec.list_runs(tmp_path / "runs")
        assert first.state == later.state == "running"
        assert later.seconds > first.seconds
    finally:
        process.kill()
        process.wait()
    (summary,) = dlspec.list_runs(tmp_path / "runs")
    assert (summary.state, summary.began is not None) == ("interrupted", True)


def test_a_run_that_is_resumed_now_is_running(home, tmp_path):
    for name in ("killed", "older_stopped"):
        shutil.copytree(home / name, tmp_path / name)
        with only_here(tmp_path / name):
            assert [summary.state for summary in dlspec.list_runs(tmp_path / name)] == ["running"]


def test_runs_are_sorted_and_chosen(home):
    by_name = [summary.name for summary in dlspec.list_runs(home, sort="name")]
    assert by_name == sorted(by_name)
    when = [summary.when for summary in dlspec.list_runs(home)]
    assert when == sorted(when)
    by_metric = [summary for summary in dlspec.list_runs(home, sort="metric") if summary.value is not None]
    assert by_metric[-1].metric == "rmse", "one metric after the other"
    assert {summary.name for summary in dlspec.list_runs(home, state="failed")} == {"broken", "diverged"}
    better = RunSummary("a", home, "finished", metric="rmse", value=1.0)
    worse = RunSummary("b", home, "finished", metric="rmse", value=2.0)
    assert sorted((better, worse), key=_SORT_KEYS["metric"]) == [worse, better]


def test_folders_are_found_once_and_links_lead_to_them(home, tmp_path):
    (tmp_path / "linked").symlink_to(home / "spirals")
    (tmp_path / "again").symlink_to(home / "spirals")
    (tmp_path / "circle").symlink_to(tmp_path)
    assert [summary.name for summary in dlspec.list_runs(tmp_path)] in (["again/001"], ["linked/001"])
    (tmp_path / "linked").unlink()
    (tmp_path / "again").unlink()
    assert dlspec.list_runs(tmp_path) == []
    assert [summary.name for summary in dlspec.list_runs(home / "older")] == ["."]


def test_a_folder_that_is_not_there_is_an_error(tmp_path, home):
    for name in ("nothing", "spirals/001/metrics.json"):
        done = dlspec_here("runs", home / name, cwd=tmp_path)
        assert done.returncode == 3
        assert "error[no-run]" in done.stderr
    assert "There is no run in `.`." in dlspec_here("runs", ".", cwd=tmp_path).stdout
    assert "of the state `failed` in `x`" in dlspec_here("runs", home / "spirals", "--state", "failed", cwd=tmp_path) \
        .stdout.replace(str(home / "spirals"), "x")  # fmt: skip


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_keep_within_the_terminal(home, width):
    runs = dlspec.list_runs(home)
    lines = list_of_runs(runs, width).plain.splitlines()
    assert len(lines) == 1 + len(runs) + sum(bool(summary.reason) for summary in runs)
    assert max(map(len, lines)) <= max(width, 67), "what cannot be left out stays"
    shown = "\n".join(lines)
    assert ("took" in shown) == (width == 200)
    assert "interrupted" in shown
    assert "\x1b" not in shown


def test_the_list_for_programs_has_everything(home):
    found = json.loads(dlspec_here("runs", home, "--json", cwd=home).stdout)
    assert found == [summary.as_json() for summary in dlspec.list_runs(home)]
    (diverged,) = [one for one in found if one["name"] == "diverged"]
    assert diverged["problems"][0]["message"] in diverged["reason"]


def test_the_command_knows_every_state_sorting_and_verdict():
    from typing import get_args

    from dlspec.evaluation.outcome import Outcome

    assert set(COLORS) == set(get_args(RunState))
    assert set(SORTINGS) == set(_SORT_KEYS)
    assert set(VERDICTS) == set(get_args(Outcome))


def test_listing_loads_nothing_heavy(home):
    loaded = modules_loaded_by("runs", home)
    assert "dlspec" in loaded
    assert not loaded & {"numpy", "pandas", "matplotlib", "keras", "tensorflow", "sklearn"}
