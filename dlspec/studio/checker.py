"""Asks the process that reads specs, and kills it where it takes too long."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

SECONDS = 2.0
"""How long an answer may take."""
STARTS = 60.0
"""Seconds that the process has to get ready."""
LONGEST = 2**26
"""Bytes of an answer."""


def plugins() -> list[str]:
    """The plugins of this process, which others that it starts load, too."""
    from dlspec.language.plugins import loaded

    return [str(plugin.path) for plugin in loaded()]


def environment(**more: str) -> dict[str, str]:
    """Of a process that this one starts: it finds what this one does, but nothing in the folder that this was started
    in, which may be anybody's.

    Args:
        more: further variables.
    """
    here = os.path.realpath(os.getcwd())
    home = os.path.realpath(Path(__file__).parents[2])
    found = [place for place in filter(None, sys.path) if os.path.realpath(place) != here]
    paths = os.pathsep.join([*found, *([home] if home == here else [])])
    return {**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1", **more}


class NoAnswer(Exception):
    """The process took too long or died; a new one answers the next question."""


class Checker:
    """A process that answers questions, such as `dlspec.studio.checking`; it is started with the first one.

    Args:
        root: the folder of the studio.
        seconds: how long an answer may take.
        module: what it runs, which calls `answering.answer_lines`.
        given: what it is told on its command line behind the folder, before the plugins.
        does: what it does, for messages.
    """

    def __init__(
        self,
        root: Path,
        seconds: float = SECONDS,
        *,
        module: str = "dlspec.studio.checking",
        given: Sequence[str] = (),
        does: str = "check",
    ) -> None:
        self._root, self.seconds, self._module, self._given, self._does = root, seconds, module, tuple(given), does
        self._process: asyncio.subprocess.Process | None = None
        self._one_at_a_time = asyncio.Lock()

    async def ask(self, ask: str, *, seconds: float | None = None, **question: Any) -> dict[str, Any]:
        """The answer to one of `checking.QUESTIONS`.

        Raises:
            NoAnswer: there is none within the time.
        """
        line = json.dumps({"ask": ask, **question}).encode() + b"\n"
        async with self._one_at_a_time:
            answer = await self._answer(line, seconds or self.seconds)
            if not answer:  # it may have been ended since the last question
                answer = await self._answer(line, seconds or self.seconds)
            if not answer:
                raise NoAnswer(f"the process of the {self._does} ended without an answer")
            found: dict[str, Any] = json.loads(answer)
            return found

    async def _answer(self, line: bytes, seconds: float) -> bytes:
        """What the process says; nothing where it has died."""
        process = await self._started()
        assert process.stdin is not None, "it is a pipe"
        assert process.stdout is not None, "it is a pipe"
        answer = b""
        try:
            process.stdin.write(line)
            answer = await asyncio.wait_for(process.stdout.readline(), seconds)
        except TimeoutError:  # its answer must not meet the next question
            await self._kill()
            raise NoAnswer(f"the {self._does} took longer than {seconds:g} seconds and was ended") from None
        except asyncio.CancelledError:
            await self._kill()
            raise
        except OSError:
            pass
        if not answer:
            await self._kill()
        return answer

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self._module, str(self._root), *self._given, *plugins(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LONGEST,
            env=environment(OPENBLAS_NUM_THREADS="1"),
        )  # fmt: skip
        assert self._process.stdout is not None, "it is a pipe"
        try:
            ready = await asyncio.wait_for(self._process.stdout.readline(), STARTS)
        except TimeoutError:
            ready = b""
        except asyncio.CancelledError:
            await self._kill()
            raise
        if not ready:
            await self._kill()
            raise NoAnswer(f"the process of the {self._does} did not start")
        return self._process

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def close(self) -> None:
        await self._kill()
