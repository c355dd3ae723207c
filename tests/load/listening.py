"""A live subscriber, on a thread of its own: what it is told, as it is told."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from types import TracebackType
from typing import Any, Self

import aiohttp

OPEN_SECONDS = 60.0


class Listener:
    """counts: samples by metric, over all messages. errors: messages that are neither metrics nor an answer to
    `subscribe`. Leaves by breaking the connection off when `rudely`."""

    def __init__(self, url: str, metrics: list[str], *, rudely: bool = False) -> None:
        self.counts: Counter[str] = Counter()
        self.messages: list[str] = []  # their ids
        self.errors: list[Any] = []
        self._url, self._metrics, self._rudely = url, metrics, rudely
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(OPEN_SECONDS) or self._failed:
            raise RuntimeError(f"no subscription within {OPEN_SECONDS:g} s: {self._failed!r}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(OPEN_SECONDS)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._listen())
        except BaseException as error:
            self._failed = error
            self.errors.append(repr(error))
        finally:
            self._ready.set()
            self._loop.close()

    async def _listen(self) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(self._url, max_msg_size=0) as socket:
            await socket.send_json({"action": "subscribe", "metrics": self._metrics})
            reading = asyncio.create_task(self._read(socket))
            stopping = asyncio.create_task(self._stop.wait())
            await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in (reading, stopping):
                task.cancel()
            await asyncio.gather(reading, stopping, return_exceptions=True)
            connection = socket.get_extra_info("transport") if self._rudely else None
            if connection is not None:
                connection.abort()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            found = message.json()
            match found.get("type"):
                case "subscribed":
                    self._ready.set()
                case "metrics":
                    self.messages.append(found["id"])
                    for metric, sample in found["metrics"].items():
                        self.counts[metric] += sample["count"]
                case _:
                    self.errors.append(found)
        if not self._stop.is_set():
            self.errors.append(f"the connection ended with {socket.close_code}")
