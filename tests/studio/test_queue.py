"""Runs that wait, and what is left of them after the server was killed."""

import asyncio
import json
import os
import shutil
import signal
import time
from types import SimpleNamespace

import pytest

from dlspec.studio.queue import Queue
from dlspec.studio.root import Root
from dlspec.studio.routes.stream import Tail
from tests.studio.servers import SPIRALS, serving

LONG = SPIRALS.replace("epochs: 120", "epochs: 100000").replace("  early_stopping: {patience: 30}\n", "")
SHORT = SPIRALS.replace("epochs: 120", "epochs: 3")


@pytest.fixture
def queue(tmp_path):
    return Queue(Root(tmp_path), warm=False)


def test_jobs_wait_in_order_with_folders_of_their_own(queue, tmp_path):
    first = queue.add("run", name="a", text=SPIRALS, file="a.yaml")
    second = queue.add("run", name="a", text=SPIRALS, file="a.yaml")
    other = queue.add("resume", run="b/001")
    assert [job["run"] for job in queue.jobs()] == ["runs/a/001", "runs/a/002", "runs/b/001"]
    assert {job["state"] for job in queue.jobs()} == {"waiting"}
    assert Queue(Root(tmp_path)).jobs() == queue.jobs()  # another server finds them
    assert queue.remove(first["id"])
    assert not (tmp_path / "runs/a/001").exists()
    assert [job["id"] for job in queue.jobs()] == [second["id"], other["id"]]
    assert not queue.remove("../../x")
    assert not queue.remove(first["id"])


def test_a_process_that_dies_before_there_is_a_run_has_failed(queue, tmp_path):
    job = queue.add("run", name="a", text=SPIRALS, file="a.yaml")
    file = tmp_path / ".dlspec-studio" / "jobs" / f"{job['id']}.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "process": 2**22 + 1, "started": time.time()}))
    (found,) = queue.jobs()
    assert (found["state"], found["printed"]) == ("failed", "its process ended without a word")
    file.with_suffix(".log").write_text("Killed", encoding="utf-8")
    assert queue.jobs()[0]["printed"] == "Killed"
    assert queue.remove(job["id"])
    assert queue.jobs() == []


def test_a_queue_without_a_page_keeps_nothing_warm(queue, monkeypatch):
    started = []

    async def process():
        started.append(1)
        raise AssertionError

    queue._seen = -1e9
    monkeypatch.setattr(queue, "_process", process)
    asyncio.run(queue._look())
    assert started == []


def test_a_warm_process_that_ends_by_itself_is_not_started_again_at_once(queue, monkeypatch):
    """As where TensorFlow cannot be loaded."""
    started = []

    async def process():
        started.append(SimpleNamespace(returncode=1))
        return started[-1]

    queue._keeps_warm = True
    monkeypatch.setattr(queue, "_process", process)

    async def looks():
        for _ in range(5):
            await queue._look()

    asyncio.run(looks())
    assert len(started) == 1


def test_events_are_read_as_they_are_written(tmp_path):
    path = tmp_path / "events.jsonl"
    tail = Tail(path, 1)
    assert tail.read() == []
    lines = [json.dumps({"seq": n, "event": "note", "text": "ü"}) for n in range(1, 5)]
    path.write_text(f"{lines[0]}\n{lines[1]}\n{lines[2][:9]}", encoding="utf-8")
    assert tail.read() == [lines[1]]
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{lines[2][9:]}\nno event\n")
    assert tail.read() == [lines[2]]
    path.write_text(f"{lines[0]}\n", encoding="utf-8")  # cut off by a process that goes on
    assert tail.read() == []
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert tail.read() == [lines[3]]


def stopped_after(server, epochs):
    """The history of the run, which is stopped once it has so many epochs."""
    run = {"run": "spiral_mlp/001"}
    until = time.monotonic() + 60
    while len(server.ask("/api/runs/show", **run)["history"]) < epochs:
        assert time.monotonic() < until
        time.sleep(0.1)
    server.ask("/api/runs/stop", **run)
    server.wait_for_run("spiral_mlp/001", "stopped")
    return server.ask("/api/runs/show", **run)["history"]


def test_runs_of_a_terminal_show_up(studio, tiny_run):
    """What is in the folder is what there is, whoever trained it."""
    run = tiny_run("table")
    shutil.copytree(run.folder, studio.folder / "runs" / "mine" / "001")
    found = next(each for each in studio.ask("/api/runs")["runs"] if each["name"] == "mine/001")
    assert (found["state"], found["folder"]) == ("finished", "runs/mine/001")
    shown = studio.ask("/api/runs/show", run="mine/001")
    assert shown["text"] == (run.folder / "spec.yaml").read_text(encoding="utf-8")
    assert [(row["stage"], row["epoch"], row["loss"]) for row in shown["history"]] == [
        (row.stage, row.epoch, pytest.approx(row.loss)) for row in run.history
    ]
    assert shown["metrics"]["verdict"]["sentence"] == run.metrics["verdict"]["sentence"]
    with studio.client() as client:
        assert client.post("/api/runs/resume", json={"run": "mine/001"}).status_code == 409
        assert client.post("/api/runs/stop", json={"run": "mine/001"}).status_code == 409
        address = client.post("/api/runs/report", json={"run": "mine/001"}).json()["address"]
        client.headers.pop("authorization")
        report = client.get(address)
        assert report.headers["content-security-policy"].startswith("sandbox;")
        assert report.content == run.report.read_bytes()
        assert client.get(address).status_code == 404
    shutil.rmtree(studio.folder / "runs" / "mine")


@pytest.mark.slow
def test_a_killed_server_loses_nothing(tmp_path):
    """The run goes on by itself; a new server shows it, stops it, goes on with it exactly, and starts what waited."""
    with serving(tmp_path) as server:
        server.ask("/api/runs/train", text=LONG, file="a.yaml")
        server.ask("/api/runs/train", text=SHORT, file="a.yaml")
        server.wait_for_run("spiral_mlp/001", "running")
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    with serving(tmp_path) as server:
        server.wait_for_run("spiral_mlp/001", "running")
        assert [job["state"] for job in server.ask("/api/runs")["jobs"]] == ["training", "waiting"]
        before = stopped_after(server, 5)
        server.wait_for_run("spiral_mlp/002", "finished")
        server.ask("/api/runs/resume", run="spiral_mlp/001")
        server.wait_for_run("spiral_mlp/001", "running")
        after = stopped_after(server, len(before) + 5)
        assert after[: len(before)] == before
        assert [row["epoch"] for row in after] == [*range(1, len(after) + 1)]


@pytest.mark.slow
def test_what_cannot_be_trained_says_why(tmp_path):
    """A spec that only the run itself can refuse, and one that is taken back while its process starts."""
    (tmp_path / "few.csv").write_text("a,y\n" + "1,0\n" * 4, encoding="utf-8")
    text = "dlspec: 1\nname: few\ndata: {table: few.csv, target: y}\nmodel: [dense: 3, output]\ntrain: {epochs: 2}\n"
    with serving(tmp_path) as server, server.client() as client:
        answer = client.post("/api/runs/train", json={"text": text, "file": "few.yaml"})
        if answer.status_code == 200:
            until = time.monotonic() + 60
            while True:
                jobs = server.ask("/api/runs")["jobs"]
                if jobs and jobs[0]["state"] == "failed":
                    break
                assert time.monotonic() < until, jobs
                time.sleep(0.2)
            assert jobs[0]["diagnostics"][0]["message"]
            server.ask("/api/runs/cancel", job=jobs[0]["id"])
        else:
            assert answer.json()["diagnostics"]
        job = server.ask("/api/runs/train", text=LONG, file="a.yaml")["job"]
        time.sleep(0.5)
        server.ask("/api/runs/cancel", job=job["id"])
        assert server.ask("/api/runs") == {"runs": [], "jobs": []}
        assert not os.path.exists(tmp_path / "runs/spiral_mlp/001")
