"""Runs that wait for their turn, and the processes that train them: one at a time, since two would slow each other.

A job is a file below `.dlspec-studio/jobs` in the root. So a server that is started anew goes on with what waits, and
finds what still trains. Once a run has a folder that says how it is doing, that is the truth and its job is forgotten.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from dlspec.runs.lock import in_use
from dlspec.runs.names import STATE
from dlspec.runtime.files import write_json
from dlspec.studio.checker import environment, plugins
from dlspec.studio.root import RUNS, Root

Job = dict[str, Any]
LOOKS = 0.25
"""Seconds between two looks at what trains."""
COOLS = 600.0
"""Seconds without a page after which the warm process is ended."""
PAUSE = 60.0
"""Seconds before a warm process is started again that has ended by itself."""
ENDING_OF_LOG = 2000
STARTING = 120.0
"""Seconds that a process of an earlier server has until its run must hold its folder."""


class Queue:
    """The jobs of a studio.

    Args:
        root: whose folder they are in.
        warm: whether a process is kept that has loaded Keras before there is a job.
    """

    def __init__(self, root: Root, *, warm: bool = True) -> None:
        self._root, self._keeps_warm = root, warm
        self._jobs = root.home / "jobs"
        self._waiting: asyncio.subprocess.Process | None = None
        self._own: dict[str, asyncio.subprocess.Process] = {}
        self._seen = time.monotonic()
        self._not_before = 0.0
        self._changed = asyncio.Event()

    async def watch(self) -> None:
        """Starts what waits, forgets what is done, and keeps a process warm; until it is cancelled."""
        try:
            while True:
                try:
                    await self._look()
                except Exception:  # what waits must not wait for ever
                    logging.getLogger("uvicorn.error").exception("a look at the queue failed")
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), LOOKS)
                self._changed.clear()
        finally:
            await self._cool()

    def page_is_open(self) -> None:
        """Somebody looks, so that a run may be asked for soon."""
        self._seen = time.monotonic()

    def jobs(self) -> list[Job]:
        """Those that wait, are starting or failed before there was a run, each with its `state`, the next one first."""
        found = []
        for file in sorted(self._jobs.glob("*.json")):
            with suppress(OSError, ValueError):  # another process has taken it away
                job = json.loads(file.read_text(encoding="utf-8"))
                job = {"id": file.stem, **job, "state": self._state(file, job)}
                if job["state"] == "failed":
                    job |= self._failure(file)
                found.append(job)
        return found

    def shown(self) -> list[Job]:
        """The same without the texts of the specs."""
        return [{key: value for key, value in job.items() if key != "text"} for job in self.jobs()]

    def add(
        self, kind: Literal["run", "resume"], *, name: str = "", run: str = "", text: str = "", file: str = ""
    ) -> Job:
        """A new job at the end.

        Args:
            name: of the spec, of which the next run folder is taken.
            run: the run to go on with.
            text, file: the spec and the file that it is of, whose folder its relative paths begin from.
        """
        self._jobs.mkdir(parents=True, exist_ok=True)
        (self._root.home / ".gitignore").write_text("*\n", encoding="ascii")
        job = {"kind": kind, "run": f"{RUNS}/{run}" if run else self._new_folder(name), "text": text, "file": file}
        stem = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        write_json(self._jobs / f"{stem}.json", job)
        self._changed.set()
        return {"id": stem, **job, "state": "waiting"}

    def remove(self, identity: str) -> bool:
        """Takes a job away that has no run yet; one that is starting is ended. Returns whether there was one."""
        file = self._file(identity)
        if file is None:
            return False
        job = json.loads(file.read_text(encoding="utf-8"))
        if self._state(file, job) == "starting":
            own = self._own.get(identity)
            with suppress(ProcessLookupError):
                os.kill(own.pid if own else job["process"], signal.SIGTERM)
        self._forget(file, job)
        return True

    def _file(self, identity: str) -> Path | None:
        file = self._jobs / f"{identity}.json"
        return file if re.fullmatch(r"\d{20}-[0-9a-f]{8}", identity) and file.is_file() else None

    def _new_folder(self, name: str) -> str:
        """The next folder of a spec of this name, made so that no other run takes it."""
        home = self._root.path(f"{RUNS}/{name}")
        home.mkdir(parents=True, exist_ok=True)
        numbers = [int(each.name) for each in home.iterdir() if re.fullmatch(r"\d{3,}", each.name)]
        number = max(numbers, default=0)
        while True:
            number += 1
            with suppress(FileExistsError):
                (home / f"{number:03d}").mkdir()
                return f"{RUNS}/{name}/{number:03d}"

    def _state(self, file: Path, job: Mapping[str, Any]) -> str:
        """`waiting`, `starting`, `training` (its run folder tells more), `done` or `failed`."""
        if "process" not in job:
            return "waiting"
        folder = self._root.folder / job["run"]
        alive = self._is_alive(file.stem, job, folder)
        if file.with_suffix(".failed").exists():
            return "done" if (folder / STATE).exists() else "failed"
        has_begun = (folder / STATE).exists() and (job["kind"] == "run" or in_use(folder) is not False or not alive)
        if has_begun:
            return "training" if alive else "done"
        return "starting" if alive else "failed"

    def _is_alive(self, identity: str, job: Mapping[str, Any], folder: Path) -> bool:
        own = self._own.get(identity)
        if own is not None:
            return own.returncode is None
        if in_use(folder):
            return True
        return time.time() - job["started"] < STARTING and _exists(job["process"])

    def _failure(self, file: Path) -> Mapping[str, Any]:
        """Why a job failed that has no run: diagnostics, or the end of what its process printed."""
        with suppress(OSError, ValueError):
            told: dict[str, Any] = json.loads(file.with_suffix(".failed").read_text(encoding="utf-8"))
            return told
        printed = ""
        with suppress(OSError):
            printed = file.with_suffix(".log").read_text(encoding="utf-8", errors="replace")[-ENDING_OF_LOG:].strip()
        return {"diagnostics": [], "printed": printed or "its process ended without a word"}

    def _forget(self, file: Path, job: Mapping[str, Any]) -> None:
        for ending in (".json", ".log", ".failed"):
            file.with_suffix(ending).unlink(missing_ok=True)
        with suppress(OSError):  # which it is not, once there is a run in it
            (self._root.folder / job["run"]).rmdir()

    async def _look(self) -> None:
        busy = False
        for job in self.jobs():
            file = self._jobs / f"{job['id']}.json"
            if job["state"] == "done":
                self._own.pop(job["id"], None)
                self._forget(file, job)
            elif job["state"] in ("starting", "training"):
                busy = True
            elif job["state"] == "waiting" and not busy:
                busy = True
                await self._start(file, job)
        if time.monotonic() - self._seen > COOLS:
            await self._cool()
        elif self._keeps_warm and not busy:
            await self._warm()

    async def _warm(self) -> None:
        """Starts a process that waits for a job; where the last one ended by itself, not at once again."""
        if self._waiting is not None and self._waiting.returncode is not None:
            self._waiting, self._not_before = None, time.monotonic() + PAUSE
        if self._waiting is None and time.monotonic() >= self._not_before:
            self._waiting = await self._process()

    async def _start(self, file: Path, job: Job) -> None:
        process, self._waiting = self._waiting, None
        if process is None or process.returncode is not None:
            process = await self._process()
        written = {name: job[name] for name in ("kind", "run", "text", "file")}
        write_json(file, {**written, "process": process.pid, "started": time.time()})
        self._own[job["id"]] = process
        assert process.stdin is not None, "it is a pipe"
        with suppress(OSError):  # it has died, which is told as its failure
            process.stdin.write(f"{file}\n".encode())
            await process.stdin.drain()

    async def _process(self) -> asyncio.subprocess.Process:
        """One that loads Keras and waits for its job."""
        place = self._root.home / "tmp"
        place.mkdir(parents=True, exist_ok=True)
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dlspec.studio.worker", str(self._root.folder), *plugins(),
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env=environment(TMPDIR=str(place), TEMP=str(place)),
        )  # fmt: skip

    async def _cool(self) -> None:
        process, self._waiting = self._waiting, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _exists(process: int) -> bool:
    """Whether there is such a process; Windows cannot be asked without ending it, and is trusted."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True
