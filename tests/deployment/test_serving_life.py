"""A server stands what clients do to it, is loaded anew under way, and ends without losing what it has taken."""

import asyncio
import json
import os
import shutil
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import numpy as np
import pytest

import dlspec
from dlspec.deployment.serving.batching import Batcher
from dlspec.deployment.serving.problems import Refused
from tests.deployment.servers import serving

ROW = {"ward": "north", "garden": "yes"}


def copied(file, folder, name="net"):
    """An export with its companions, in another folder under another name."""
    folder.mkdir(exist_ok=True)
    for each in file.parent.glob(f"{file.name}*"):
        shutil.copy(each, folder / each.name.replace(file.stem, name, 1))
    return folder / f"{name}.onnx"


def batcher(compute, **changed):
    limits = {"most_rows": 4, "most_waiting": 8, "seconds": 5.0} | changed
    sizes = []
    return Batcher(compute, ThreadPoolExecutor(1), told=sizes.append, **limits), sizes


def test_what_gathers_while_a_batch_is_computed_is_computed_together():
    going, go_on = threading.Event(), threading.Event()

    def compute(columns, count):
        going.set()
        assert go_on.wait(10)
        return np.array(columns["x"]) * 2

    async def ask():
        gathered, sizes = batcher(compute)
        first = asyncio.create_task(gathered({"x": [0]}, 1))
        await asyncio.to_thread(going.wait, 10)
        others = [asyncio.create_task(gathered({"x": [i, 10 * i]}, 2)) for i in (1, 2, 3)]
        await asyncio.sleep(0)
        assert gathered.rows == 6
        with pytest.raises(Refused) as caught:
            await gathered({"x": [1, 2, 3]}, 3)
        assert (caught.value.status, caught.value.headers["retry-after"]) == (503, "1")
        go_on.set()
        return [found.tolist() for found in await asyncio.gather(first, *others)], sizes

    assert asyncio.run(ask()) == ([[0], [2, 20], [4, 40], [6, 60]], [1, 4, 2])


def test_a_request_that_fails_does_not_spoil_the_others_of_its_batch():
    def compute(columns, count):
        if -1 in columns["x"]:
            raise ValueError("minus one")
        return np.array(columns["x"])

    async def ask():
        gathered, _ = batcher(compute)
        asked = (gathered({"x": [x]}, 1) for x in (1, -1, 3))
        return await asyncio.gather(*asked, return_exceptions=True)

    one, wrong, three = asyncio.run(ask())
    assert (one.tolist(), str(wrong), three.tolist()) == ([1], "minus one", [3])


def test_who_waits_for_too_long_is_told_so():
    go_on = threading.Event()

    async def ask():
        gathered, sizes = batcher(lambda columns, count: go_on.wait(10) and columns["x"], seconds=0.1)
        asked = [asyncio.create_task(gathered({"x": [x] * 4}, 4)) for x in (1, 2)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        go_on.set()
        assert await gathered({"x": [7]}, 1) == [7]
        return [each.status for each in found], sizes

    assert asyncio.run(ask()) == ([504, 504], [4, 1])  # what nobody waits for is not computed


def test_the_open_inference_protocol(server, exported):
    client = server("table").client
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2").json() == {"name": "dlspec", "version": dlspec.__version__, "extensions": []}
    described = client.get("/v2/models/table").json()
    assert {each["name"]: each["datatype"] for each in described["inputs"]} == {
        "age": "FP64", "rooms": "FP64", "sold": "FP64", "ward": "BYTES", "town": "BYTES", "garden": "BYTES",
        "said": "BYTES",
    }  # fmt: skip
    assert client.get("/v2/models/table/ready").status_code == 200
    shown = json.loads(exported("table").with_name("table.onnx.rows.json").read_text(encoding="utf-8"))
    inputs = [
        {**each, "shape": [5, 1], "data": [row[each["name"]] for row in shown["rows"]]} for each in described["inputs"]
    ]
    answer = client.post("/v2/models/table/infer", json={"id": "7", "inputs": inputs}).json()
    (output,) = answer["outputs"]
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("7", "table", described["versions"][0])
    assert (output["shape"], output["datatype"]) == ([5, 1], "FP64")
    assert output["data"] == pytest.approx(np.ravel(shown["outputs"]).tolist(), rel=1e-6)

    def error(status=400, name="table", **changed):
        found = client.post(f"/v2/models/{name}/infer", json={"inputs": inputs} | changed)
        assert found.status_code == status, found.text
        return found.json()["error"]

    assert "no such model" in error(404, name="tables")
    assert "`age` is missing" in error(inputs=[each for each in inputs if each["name"] != "age"])
    assert "`inputs`" in error(inputs=None)
    wrong = {"datatype": "FP32", "shape": [5, 2], "data": [1, 2]}
    for key, value in wrong.items():
        assert "`age`" in error(inputs=[each | ({key: value} if each["name"] == "age" else {}) for each in inputs])
    assert "one output" in error(outputs=[{"name": "cost"}])
    assert "`rooms`" in error(
        422, inputs=[each | ({"data": ["x"] * 5} if each["name"] == "rooms" else {}) for each in inputs]
    )


def test_pictures_are_taken_by_the_open_inference_protocol(server, exported):
    shown = json.loads(exported("pictures").with_name("pictures.onnx.rows.json").read_text(encoding="utf-8"))
    pixels = np.array([row["raw"] for row in shown["rows"]])
    tensor = {"name": "raw", "shape": [5, 8, 8, 1], "datatype": "FP32", "data": pixels.ravel().tolist()}
    answer = server("pictures").client.post("/v2/models/pictures/infer", json={"inputs": [tensor]}).json()
    assert answer["outputs"][0]["data"] == pytest.approx(np.ravel(shown["outputs"]).tolist(), rel=1e-5)


def test_a_network_is_changed_under_way_and_no_request_is_dropped(exported, tmp_path):
    file = copied(exported("numbers"), tmp_path / "served")
    statuses, stop = [], threading.Event()
    with serving(file, home=tmp_path, DLSPEC_TOKEN="secret-token") as server:
        headers = {"authorization": "Bearer secret-token"}

        def ask():
            with httpx.Client(base_url=server.address, headers=headers) as client:
                while not stop.is_set():
                    statuses.append(client.post("/predict", json=ROW).status_code)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        os.kill(server.process.pid, signal.SIGHUP)
        server.wait_for("loaded anew")
        right = file.read_bytes()
        file.write_bytes(right[:-200])
        broken = server.client.post("/reload", headers=headers)
        assert broken.status_code == 409
        assert "goes on" in broken.json()["errors"][0]["message"]
        file.with_name("net.onnx.signature.json").unlink()
        assert "signature.json" in server.client.post("/reload", headers=headers).text
        copied(exported("counted"), tmp_path / "served")
        changed = server.client.post("/reload", headers=headers)
        assert changed.json()["name"] == "counted"
        assert server.client.get("/v2/models/counted", headers=headers).status_code == 200
        copied(exported("numbers"), tmp_path / "served")
        assert server.client.post("/reload", headers=headers).json()["name"] == "numbers"
        until, asked = time.monotonic() + 20, len(statuses)
        while len(statuses) < asked + 20 and time.monotonic() < until:
            time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join()
        metrics = server.client.get("/metrics", headers=headers).text
    assert "dlspec_reloads_total 3" in metrics
    assert "dlspec_failed_reloads_total 2" in metrics
    assert statuses[-1] == 200
    assert {*statuses} <= {200, 422}  # 422: in between, of the other network


def test_files_that_do_not_belong_together_are_not_served(exported, tmp_path):
    file = copied(exported("numbers"), tmp_path / "mixed")
    rows = json.loads(file.with_name("net.onnx.rows.json").read_text(encoding="utf-8"))
    rows["outputs"][0][0] += 1000
    file.with_name("net.onnx.rows.json").write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(dlspec.DataError, match="do not belong together"):
        dlspec.serve(file, port=0)
    with pytest.raises(dlspec.DataError, match="no run folder"):
        dlspec.serve(tmp_path, port=0)
    with pytest.raises(dlspec.DataError, match="no port 70000"):
        dlspec.serve(file, port=70000)
    with pytest.raises(dlspec.DataError, match="token is too short"):
        dlspec.serve(file, port=0, token="abc")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(dlspec.DataError, match="already in use"):
        dlspec.serve(exported("numbers"), port=taken.getsockname()[1])


def post(port, body, length=None, path="/predict"):
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: "
    return f"{head}{len(body) if length is None else length}\r\n\r\n".encode() + body


def test_sigterm_answers_what_was_taken(exported, tmp_path):
    body = json.dumps({"rows": [ROW] * 2000}).encode()
    with serving(exported("numbers"), home=tmp_path) as server, ExitStack() as stack:
        connect = socket.create_connection
        connections = [stack.enter_context(connect(("127.0.0.1", server.port), timeout=20)) for _ in range(8)]
        for connection in connections[:-1]:
            connection.sendall(post(server.port, body))
        half = post(server.port, body)
        connections[-1].sendall(half[: len(half) // 2])
        time.sleep(0.1)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        connections[-1].sendall(half[len(half) // 2 :])
        answers = [b"".join(iter(lambda c=c: c.recv(65536), b"")) for c in connections]
        assert server.process.wait(timeout=20) == 0
        with pytest.raises(ConnectionError):
            socket.create_connection(("127.0.0.1", server.port), timeout=2)
    for answer in answers:
        head, _, content = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        assert len(json.loads(content)["predictions"]) == 2000


def test_ctrl_c_ends_it_with_exit_code_0(exported, tmp_path):
    with serving(exported("numbers"), home=tmp_path) as server:
        assert server.predict([ROW]).status_code == 200  # whose connection stays open
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=20) == 0
    assert "Traceback" not in server.printed


@pytest.mark.slow
def test_a_run_is_exported_once_by_a_process_of_its_own(network, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(network("numbers").folder, folder)
    expected = network("numbers").predict({name: [value] for name, value in ROW.items()}).to_dict("records")
    for said in (True, False):
        with serving(folder, home=tmp_path) as server:
            assert ("exporting" in server.printed) is said
            assert server.runtime.startswith("onnxruntime")
            found = server.predict([ROW]).json()["predictions"]
            assert found[0] == pytest.approx(expected[0], rel=1e-5)
    assert next(path.name for path in (folder / "exports").iterdir()).startswith("onnx-")
    assert dlspec.open_run(folder).metrics.test


@pytest.mark.slow
@pytest.mark.parametrize("name", ["numbers", "table", "series"])
def test_keras_serves_what_the_run_predicts(network, exported, tmp_path, name):
    with serving(network(name).folder, "--runtime", "keras", home=tmp_path) as server:
        assert server.runtime.startswith("keras")
        shown = json.loads(exported(name).with_name(f"{name}.onnx.rows.json").read_text(encoding="utf-8"))
        found = server.predict({"rows": shown["rows"]}).json()["predictions"]
    for one, other in zip(found, shown["predictions"], strict=True):
        assert one == pytest.approx(other, rel=1e-4)


HASHED = """\
dlspec: 1
name: hashed
data: {arrays: codes.npz, scale: none}
model: [hashing: 12, embedding: {input_dim: 12, output_dim: 3}, flatten, output]
train: {epochs: 1}
"""


@pytest.mark.slow
def test_what_onnx_cannot_do_is_served_by_tensorflow(tmp_path):
    codes = np.random.default_rng(0).integers(0, 50, (80, 4))
    np.savez(tmp_path / "codes.npz", x=codes, y=np.arange(80) % 2)
    (tmp_path / "hashed.yaml").write_text(HASHED, encoding="utf-8")
    run = dlspec.run(tmp_path / "hashed.yaml", out=tmp_path / "run")
    expected = run.predict(codes[:3])["y=1"].tolist()
    for first in (True, False):
        with serving(run.folder, home=tmp_path) as server:
            assert ("exporting" in server.printed) is first
            assert "served by TensorFlow" in server.printed
            assert "`hashing_1` (hashing)" in server.printed
            assert server.runtime.startswith("keras")
            found = server.predict({"rows": [{"raw": row} for row in codes[:3].tolist()]}).json()["predictions"]
            assert [row["probabilities"]["1"] for row in found] == pytest.approx(expected, rel=1e-4)
            assert server.stop() == 0
    with pytest.raises(dlspec.DataError, match="hashing"):
        dlspec.serve(run, port=0, runtime="onnx")


@pytest.mark.slow
def test_slow_and_broken_requests_are_answered_and_closed(exported, tmp_path):
    with serving(exported("numbers"), home=tmp_path) as server:
        began = time.monotonic()
        waiting = [
            (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{", b"408"),
            (b"POST /predict HT", b"408"),
            (b"nonsense\r\n\r\n", b"400"),
            (b"GET /v2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"200"),
        ]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(server.raw, [sent for sent, _ in waiting]))
        for answer, (sent, status) in zip(answers, waiting, strict=True):
            assert answer.startswith(b"HTTP/1.1 " + status), (sent, answer)
        assert time.monotonic() - began < 18
        with socket.create_connection(("127.0.0.1", server.port)) as gone:
            gone.sendall(post(server.port, b"[", 100))
        assert server.predict([ROW]).status_code == 200
    assert "Traceback" not in server.printed
