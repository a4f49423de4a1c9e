"""Files are written whole or not at all, through links, and nothing that is no file is replaced."""

import os
import stat
import sys
import threading
from contextlib import suppress

import pytest

from dlspec.runtime.files import write_text, written_whole

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX")


def test_what_a_link_leads_to_is_written_and_the_link_stays(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "target.txt").write_text("old", encoding="utf-8")
    for name, target in (("link.txt", "deep/target.txt"), ("dangling.txt", "deep/new.txt")):
        (tmp_path / name).symlink_to(target)
        write_text(tmp_path / name, "new")
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / target).read_text(encoding="utf-8") == "new"
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["new.txt", "target.txt"]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    write_text(pipe, "all of it")
    reader.join(timeout=10)
    assert read == ["all of it"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_what_a_link_leads_to_stays_as_it_was_after_an_error(tmp_path):
    (tmp_path / "target.txt").write_text("old", encoding="utf-8")
    (tmp_path / "link.txt").symlink_to("target.txt")
    with suppress(RuntimeError), written_whole(tmp_path / "link.txt") as draft:
        draft.write_text("half", encoding="utf-8")
        raise RuntimeError
    assert (tmp_path / "target.txt").read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.txt", "target.txt"]
