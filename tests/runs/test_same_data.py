"""Two runs saw the same data where what is in the files is the same, wherever and whenever they were written."""

import os
import shutil
import signal

import numpy as np
import pytest
from PIL import Image

import dlspec
from dlspec.data.sources import known_files
from dlspec.language.diagnostics.errors import DataError
from dlspec.runs.listener import Listener
from dlspec.training.progress import Stopped

SPEC = """\
dlspec: 1
data: {images: %s, cache: none}
model: [flatten, {dense: 4}, output]
train: {epochs: 2}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Pictures that are read when they are needed, and a run of them."""
    home = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for kind in ("dark", "light"):
        (home / "pics" / kind).mkdir(parents=True)
        for place in range(20):
            pixels = random.integers(0, 120, (6, 6, 3)) + 120 * (kind == "light")
            Image.fromarray(pixels.astype("uint8")).save(home / "pics" / kind / f"{place}.bmp")
    (home / "spec.yaml").write_text(SPEC % "pics")
    dlspec.run(home / "spec.yaml", out=home / "run")
    return home


@pytest.fixture
def copied(home, tmp_path):
    return shutil.copytree(home, tmp_path / "elsewhere")


def test_pictures_that_stay_in_their_files_replay_here_and_elsewhere(home, copied, monkeypatch):
    assert dlspec.replay(home / "run").verdict == "equal"
    for file in (copied / "pics").rglob("*.bmp"):
        os.utime(file, ns=(10**18, 10**18))
    monkeypatch.chdir(copied)
    assert dlspec.replay("run").verdict == "equal"


def test_another_picture_of_the_same_size_and_time_is_noticed(copied):
    file = copied / "pics" / "dark" / "3.bmp"
    state = file.stat()
    content = bytearray(file.read_bytes())
    content[-1] ^= 255
    file.write_bytes(content)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(DataError, match="the data have changed since the run was started"):
        dlspec.replay(copied / "run")


def test_a_picture_with_another_name_is_noticed(copied):
    (copied / "pics" / "dark" / "3.bmp").rename(copied / "pics" / "light" / "0b.bmp")
    with pytest.raises(DataError, match="the data have changed since the run was started"):
        dlspec.replay(copied / "run")


class StopsAfterAnEpoch(Listener):
    def epoch_ends(self, *arguments, **more):
        os.kill(os.getpid(), signal.SIGINT)


def files_read(monkeypatch):
    """The files that are read for their content from now on."""
    read, whole = [], known_files._read
    monkeypatch.setattr(known_files, "_read", lambda path: read.append(path) or whole(path))
    return read


@pytest.fixture
def stopped(copied, monkeypatch):
    """A run that was stopped, and the files that are read for their content since then."""
    with pytest.raises(Stopped):
        dlspec.run(copied / "spec.yaml", out=copied / "stopped", listener=StopsAfterAnEpoch())
    known_files.forget_files()
    return copied, files_read(monkeypatch)


def test_a_resume_reads_again_what_has_changed(stopped):
    home, read = stopped
    (home / "pics" / "dark" / "3.bmp").write_bytes((home / "pics" / "dark" / "3.bmp").read_bytes())
    assert dlspec.resume(home / "stopped").finished
    assert [path.rpartition("/")[2] for path in read] == ["3.bmp"]


def test_a_resume_notices_what_was_written_over(stopped):
    home, _ = stopped
    file = home / "pics" / "dark" / "3.bmp"
    state = file.stat()
    file.write_bytes(bytes([*file.read_bytes()[:-1], 7]))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(DataError, match="the data have changed since the run was started"):
        dlspec.resume(home / "stopped")


def test_a_replay_reads_all(home, monkeypatch):
    read = files_read(monkeypatch)
    dlspec.replay(home / "run")
    assert len(read) == 40


def test_a_list_of_files_that_is_damaged_is_named(stopped):
    home, _ = stopped
    text = (home / "stopped" / "files.json").read_text()
    (home / "stopped" / "files.json").write_text(text.replace('"size"', '"seize"', 1))
    with pytest.raises(DataError, match=r"files\.json` is damaged"):
        dlspec.resume(home / "stopped")
