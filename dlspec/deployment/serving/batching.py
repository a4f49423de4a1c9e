"""Requests put together: while one batch is computed the next one gathers. There is no clock."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .problems import Refused

Columns = dict[str, list[Any]]
Compute = Callable[[Columns, int], Any]
"""(columns, rows) -> what can be sliced by rows. It is called in a thread."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows of one request.

    Args:
        columns: of them.
        count: how many.
        answer: is waited for.
    """

    columns: Columns
    count: int
    answer: asyncio.Future[Any]


class Batcher:
    """Puts the rows of requests together for one function.

    Args:
        compute: is called with the rows of several requests.
        thread: in which it is called; of one worker.
        most_rows: of a batch, but for a single request that has more.
        most_waiting: rows that wait at most.
        seconds: how long a request waits at most.
        told: is called with the size of each batch.
    """

    def __init__(
        self,
        compute: Compute,
        thread: ThreadPoolExecutor,
        most_rows: int,
        most_waiting: int,
        seconds: float,
        told: Callable[[int], None],
    ) -> None:
        self.compute, self.thread, self.told = compute, thread, told
        self.most_rows, self.most_waiting, self.seconds = most_rows, most_waiting, seconds
        self.queue: deque[Waiting] = deque()
        self.rows = 0
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, columns: Columns, count: int) -> Any:
        """What is computed of some rows.

        Raises:
            Refused: too many rows wait, or these waited for too long.
        """
        if self.rows and self.rows + count > self.most_waiting:
            help = "ask again in a second, or start the server with a larger `--waiting`"
            raise Refused.of(503, f"{self.rows:,} rows are waiting already", help, retry_after="1")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self.queue.append(Waiting(columns, count, answer))
        self.rows += count
        timer = loop.call_later(self.seconds, self._too_late, answer)
        if self._task is None:
            self._task = loop.create_task(self._work())
        try:
            return await answer
        finally:
            timer.cancel()

    def _too_late(self, answer: asyncio.Future[Any]) -> None:
        if not answer.done():
            said = f"there was no answer within {self.seconds:g} seconds"
            answer.set_exception(Refused.of(504, said, "send fewer rows, or ask again later"))

    async def _work(self) -> None:
        await asyncio.sleep(0)  # what has come in at the same time comes along
        try:
            while self.queue:
                taken = self._take()
                if taken:
                    await self._answer(taken)
        finally:
            self._task = None

    def _take(self) -> list[Waiting]:
        taken: list[Waiting] = []
        count = 0
        while self.queue and (not taken or count + self.queue[0].count <= self.most_rows):
            each = self.queue.popleft()
            self.rows -= each.count
            if not each.answer.done():
                taken.append(each)
                count += each.count
        return taken

    async def _answer(self, taken: list[Waiting]) -> None:
        count = sum(each.count for each in taken)
        self.told(count)
        try:
            found = await self._computed(together(taken), count)
        except Exception as error:
            if len(taken) == 1:
                settle(taken[0].answer, error=error)
            else:  # one of them is to blame, and the others get their answers
                for each in taken:
                    await self._answer([each])
            return
        first = 0
        for each in taken:
            settle(each.answer, found[first : first + each.count])
            first += each.count

    async def _computed(self, columns: Columns, count: int) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.thread, self.compute, columns, count)


def together(taken: list[Waiting]) -> Columns:
    if len(taken) == 1:
        return taken[0].columns
    found: Columns = {name: [] for name in taken[0].columns}
    for each in taken:
        for name, values in each.columns.items():
            found[name] += values
    return found


def settle(answer: asyncio.Future[Any], result: Any = None, error: Exception | None = None) -> None:
    """Answers one whose asker still waits."""
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)
