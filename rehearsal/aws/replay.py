"""Answers to calls that were made already: a call that is sent twice takes effect once.

A client that lost the answer (a timeout, a kill) sends the call again with the same key; the gateway then gives the
first answer, byte for byte. AWS has client tokens for some calls; here every mutating call of the provider has one.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

LIMIT_ENTRIES = 20_000
LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300


class Replay:
    """Bounded memory of answers, oldest forgotten first; for one event loop.

    The digest of the request is part of the key, so that the same ordinal of an operation whose course has changed
    (another call, another parameter) is not mistaken for the first.
    """

    def __init__(self, entries: int = LIMIT_ENTRIES, size: int = LIMIT_BYTES) -> None:
        self._entries, self._size = entries, size
        self._answers: OrderedDict[tuple[str, bytes], Answer] = OrderedDict()
        self._bytes = 0
        self._under_way: dict[tuple[str, bytes], asyncio.Task[Answer]] = {}

    async def once(self, key: str, digest: bytes, call: Callable[[], Awaitable[Answer]]) -> tuple[Answer, bool]:
        """The remembered answer and True, or that of `call` and False. A duplicate of a call that is under way waits
        for it; the call goes on when the client that asked for it has gone."""
        place = (key, digest)
        if (known := self._answers.get(place)) is not None:
            return known, True
        if (task := self._under_way.get(place)) is not None:
            return await asyncio.shield(task), True
        task = asyncio.ensure_future(call())
        self._under_way[place] = task
        task.add_done_callback(lambda done: self._done(place, done))
        return await asyncio.shield(task), False

    def clear(self) -> None:
        self._answers.clear()
        self._bytes = 0

    def _done(self, place: tuple[str, bytes], task: asyncio.Task[Answer]) -> None:
        del self._under_way[place]
        if task.cancelled() or task.exception() is not None or not task.result().succeeded:
            return
        self._answers[place] = task.result()
        self._bytes += len(task.result().body)
        while len(self._answers) > self._entries or self._bytes > self._size:
            _, oldest = self._answers.popitem(last=False)
            self._bytes -= len(oldest.body)
