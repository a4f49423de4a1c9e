"""The folder of an image holds all that the server needs, and neither dlspec nor TensorFlow."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import dlspec
from dlspec.deployment.records import read_receipt
from tests.deployment.servers import serving


@pytest.fixture(scope="module")
def image(network, tmp_path_factory):
    return dlspec.export(network("table"), out=tmp_path_factory.mktemp("images") / "image", format="docker")


def lines_of(image: Path, word: str) -> list[str]:
    text = (image / "Dockerfile").read_text(encoding="utf-8")
    return [line.partition(" ")[2] for line in text.splitlines() if line.startswith(f"{word} ")]


@pytest.mark.slow
def test_the_folder_of_an_image(image):
    assert {path.name for path in image.iterdir()} >= {
        "Dockerfile", ".dockerignore", "README.md", "requirements.txt", "model.onnx", "signature.json", "rows.json",
        "preprocessing.json", "receipt.json", "serving",
    }  # fmt: skip
    assert read_receipt(image)["proof"]["largest_difference"] <= 1e-5
    pinned = (image / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in pinned)
    names = {line.partition("==")[0] for line in pinned}
    assert {"onnxruntime", "numpy", "starlette", "uvicorn", "h11"} <= names
    assert not {"tensorflow", "keras", "pandas", "dlspec", "onnx", "tf2onnx"} & names
    assert lines_of(image, "USER") == ["10001"]
    for source in (image / "serving").rglob("*.py"):
        assert not re.search(r"^\s*(from|import) dlspec", source.read_text(encoding="utf-8"), re.MULTILINE), source
    ignored = (image / ".dockerignore").read_text(encoding="utf-8").split()
    assert not {"model.onnx", "signature.json", "rows.json", "preprocessing.json", "requirements.txt"} & {*ignored}


def test_it_starts_with_a_token_only(image, tmp_path):
    (command,) = lines_of(image, "CMD")
    words = [sys.executable, *json.loads(command)[1:]]
    environment = {key: value for key, value in os.environ.items() if key not in ("DLSPEC_TOKEN", "PYTHONPATH")}
    done = subprocess.run(words, cwd=image, env={**environment, "PORT": "0"}, capture_output=True, text=True)
    assert (done.returncode, "set a token in DLSPEC_TOKEN" in done.stderr) == (3, True), done.stderr
    assert "Traceback" not in done.stderr


def test_the_folder_is_served_as_it_is(image, tmp_path):
    rows = json.loads((image / "rows.json").read_text(encoding="utf-8"))
    with serving(image, home=tmp_path) as server:
        found = server.predict({"rows": rows["rows"]}).json()["predictions"]
        assert found == [pytest.approx(each, rel=1e-6) for each in rows["predictions"]]


@pytest.mark.slow
def test_the_image_runs_in_an_empty_environment(image, tmp_path):
    """There is no daemon that would build it: its requirements are installed into an empty environment, and its command
    is run there on a copy of what `.dockerignore` leaves."""
    app, venv = tmp_path / "app", tmp_path / "venv"
    ignored = [line for line in (image / ".dockerignore").read_text(encoding="utf-8").split() if "*" not in line]
    shutil.copytree(image, app, ignore=shutil.ignore_patterns(*ignored))
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    python = str(venv / "bin" / "python")
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "DLSPEC", "VIRTUAL"))
    }
    install = [python, "-m", "pip", "install", "--no-cache-dir", "-q", "-r", str(image / "requirements.txt")]
    subprocess.run(install, check=True, env=environment)
    installed = subprocess.run([python, "-m", "pip", "list"], capture_output=True, text=True, env=environment).stdout
    assert not re.search(r"^(tensorflow|keras|pandas|dlspec|tf2onnx)\b", installed, re.MULTILINE)
    (command,) = lines_of(image, "CMD")
    (check,) = (line for line in lines_of(image, "HEALTHCHECK"))
    port = "18943"
    environment |= {"DLSPEC_TOKEN": "secret-token", "PORT": port}
    process = subprocess.Popen([python, *json.loads(command)[1:]], cwd=app, env=environment, stdout=subprocess.PIPE)
    try:
        assert b"onnxruntime" in process.stdout.readline()
        healthy = json.loads(check.partition("CMD ")[2])
        for _ in range(50):
            if not subprocess.run([python, *healthy[1:]], env=environment, capture_output=True).returncode:
                break
        else:
            pytest.fail("the health check does not pass")
        rows = json.loads((image / "rows.json").read_text(encoding="utf-8"))
        headers = {"authorization": "Bearer secret-token"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
            assert client.get("/v2/health/ready").json() == {"ready": True}
            answer = client.post("/predict", json={"rows": rows["rows"]})
            assert answer.json()["predictions"] == [pytest.approx(each, rel=1e-6) for each in rows["predictions"]]
        process.terminate()
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.stdout.close()
    packages = next(venv.glob("lib/python*/site-packages"))
    own = [path for path in packages.iterdir() if not path.name.startswith(("pip", "setuptools"))]
    megabytes = sum(file.stat().st_size for path in own for file in [path, *path.rglob("*")] if file.is_file()) / 1e6
    model = sum(file.stat().st_size for file in app.rglob("*") if file.is_file()) / 1e6
    print(f"\nan image adds {megabytes:.0f} MB of packages and {model:.2f} MB of its own to Python's")
    assert megabytes < 300
