"""What `dlspec doctor` says of machines that have everything, and of those that lack something."""

import json
import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from dlspec.runtime.doctor import _gpu


def doctor(*arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "dlspec", "doctor", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert "Traceback" not in done.stderr
    return done


def by_name(done):
    return {finding["name"]: finding for finding in json.loads(done.stdout)}


def test_here_everything_is_fine_that_a_run_needs():
    done = doctor("--json")
    assert done.returncode == 0
    found = by_name(done)
    assert [name for name, finding in found.items() if finding["status"] == "broken"] == []
    assert found["Keras"]["found"].startswith(f"{version('keras')} on tensorflow")
    assert found["packages"]["cure"] == ""


@pytest.mark.everyday(1)
@pytest.mark.parametrize(
    ("module", "text", "said"),
    [
        ("tensorflow", "raise ImportError('libcudart.so.12: cannot open shared object file')", "libcudart.so.12"),
        ("keras", "import os\nos.abort()", "ended by signal 6"),
        ("keras", "import sys\nsys.exit(7)", "exit code 7"),
    ],
)
def test_a_library_that_does_not_load_is_named_with_the_command_that_mends_it(tmp_path, module, text, said):
    (tmp_path / f"{module}.py").write_text(text, encoding="utf-8")
    done = doctor(PYTHONPATH=str(tmp_path))
    assert done.returncode == 3
    assert said in done.stdout
    assert f'{sys.executable} -m pip install --force-reinstall "tensorflow>=2.21"' in done.stdout
    assert "1 of these must be mended" in done.stdout


def test_a_backend_that_is_not_installed_is_named():
    done = doctor("--json", KERAS_BACKEND="nonsense")
    assert done.returncode == 3
    assert by_name(done)["Keras"]["cure"].startswith("unset KERAS_BACKEND")


@pytest.mark.slow
def test_a_package_of_another_version_is_named(tmp_path):
    folder = tmp_path / "click-7.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: click\nVersion: 7.0\n", encoding="utf-8")
    done = doctor("--json", PYTHONPATH=str(tmp_path))
    assert by_name(done)["packages"] == {
        "name": "packages",
        "status": "broken",
        "found": "click>=8.1 7.0",
        "cure": f'{sys.executable} -m pip install "click>=8.1"',
    }


@pytest.fixture
def card(tmp_path):
    """A driver that sees one card, as far as `nvidia-smi` goes."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H200, 570.1'\n", encoding="utf-8")
    program.chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hidden", "cure"), [("0", '-m pip install "dlspec[gpu]"'), ("-1", "unset CUDA_VISIBLE_DEVICES")]
)
def test_a_card_that_the_driver_sees_and_tensorflow_does_not_is_named(card, hidden, cure):
    done = doctor("--json", PATH=card, CUDA_VISIBLE_DEVICES=hidden)
    assert done.returncode == 0  # slow, but it runs
    gpu = by_name(done)["GPU"]
    assert gpu["status"] == "missing"
    assert "NVIDIA H200 (driver 570.1)" in gpu["found"]
    assert gpu["cure"].endswith(cure)


def test_a_card_that_tensorflow_sees_is_fine():
    assert _gpu(["NVIDIA H200"], ["NVIDIA H200 (driver 570.1)"]).status == "fine"
    assert _gpu([], []).status == "fine"


def test_a_folder_without_room_to_write_is_named(tmp_path):
    if os.getuid() == 0:
        pytest.skip("the superuser may write everywhere")
    tmp_path.chmod(0o500)
    done = subprocess.run([sys.executable, "-m", "dlspec", "doctor"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, "cannot be written to" in done.stdout) == (3, True)
