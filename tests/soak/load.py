"""The load generator: a process of its own that counts every request.

    python -m tests.soak.load

Orders are JSON lines on stdin, each with one key:
`{"start": {…}}` with the fields of `Aim`; `{"stop": name}`; `{"look": id}`, answered by `{"look": id, "lanes": {name:
counts}}` on stdout. It ends with its stdin. Times are those of CLOCK_MONOTONIC, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.soak.sockets import talk

TIMEOUT_SECONDS = 15.0  # a request that is not answered by then has failed
AGAIN_SECONDS = 0.05  # before a connection that broke is made again
A_CONNECTION = 200  # requests of a kept connection before it is made anew
KEPT_FAILURES = 50  # of which the text is kept


@dataclass(frozen=True)
class Aim:
    """Where the load goes. kept, fresh, sockets: how many clients with a kept connection, with one a request, and with
    a WebSocket. pause_seconds: between an answer and the next request."""

    name: str
    port: int
    host: str
    kept: int = 4
    fresh: int = 1
    sockets: int = 1
    pause_seconds: float = 0.005


@dataclass
class Counts:
    """of: answers by colour. last: when the last request was sent that a colour answered. flying: requests that wait
    for their answer now. messages: of WebSockets, delivered and answered; closes: by code, each followed by a new
    connection."""

    requests: int = 0
    fresh: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    of: Counter[str] = field(default_factory=Counter)
    last: dict[str, float] = field(default_factory=dict)
    flying: int = 0
    messages: int = 0
    handshakes: int = 0
    closes: Counter[str] = field(default_factory=Counter)

    def fail(self, what: str) -> None:
        self.failed += 1
        if len(self.failures) < KEPT_FAILURES:
            self.failures.append(f"{time.monotonic():.3f} {what}")


class Lane:
    def __init__(self, aim: Aim) -> None:
        self.aim, self.counts, self.stopped = aim, Counts(), False
        self.clients: set[Client] = set()
        kept = aim.kept
        self.tasks = [asyncio.ensure_future(self._connect(number < kept)) for number in range(kept + aim.fresh)]
        self.tasks += [asyncio.ensure_future(talk(f"http://127.0.0.1:{aim.port}/ws", aim.host, f"{aim.name}-{number}",
                                                  self.counts, lambda: self.stopped)) for number in range(aim.sockets)]

    async def _connect(self, kept: bool) -> None:
        """One client for as long as the lane is; a connection after the other."""
        loop = asyncio.get_running_loop()
        while not self.stopped:
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    _, client = await loop.create_connection(lambda: Client(self, A_CONNECTION if kept else 1),
                                                             "127.0.0.1", self.aim.port)
            except (OSError, TimeoutError) as error:
                self.counts.requests += 1
                self.counts.fail(f"no connection: {error!r}")
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            self.clients.add(client)
            await client.over
            self.clients.discard(client)
            await asyncio.sleep(self.aim.pause_seconds)

    def look(self, now: float) -> None:
        """Ends what has waited for too long."""
        for client in list(self.clients):
            if client.sent and now - client.sent > TIMEOUT_SECONDS:
                client.end(f"no answer within {TIMEOUT_SECONDS:.0f} s")


class Client(asyncio.Protocol):
    """Requests one after the other on one connection; `over` is done when it has ended."""

    def __init__(self, lane: Lane, left: int) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent = 0.0  # 0: nothing is awaited
        self._lane, self._left, self._fresh = lane, left, left == 1
        self._buffer = bytearray()
        closing = "Connection: close\r\n" if left == 1 else ""
        self._request = f"GET / HTTP/1.1\r\nHost: {lane.aim.host}\r\n{closing}\r\n".encode()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        if self._lane.stopped or not self._left or self._transport.is_closing():
            self._transport.close()
            return
        self._left -= 1
        self.sent = time.monotonic()
        counts = self._lane.counts
        counts.requests += 1
        counts.fresh += self._fresh
        counts.flying += 1
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or not self.sent:
            return
        at = self._buffer.find(b"Content-Length: ", 0, end + 2)
        if at < 0:
            self.end(f"an answer without a length: {bytes(self._buffer[:200])!r}")
            return
        if len(self._buffer) < end + 4 + int(self._buffer[at + 16:self._buffer.find(b"\r\n", at)]):
            return
        self._answered(bytes(self._buffer[9:12]), bytes(self._buffer[end + 4:]))
        self._buffer.clear()
        asyncio.get_running_loop().call_later(self._lane.aim.pause_seconds, self._ask)

    def _answered(self, status: bytes, body: bytes) -> None:
        counts, sent, self.sent = self._lane.counts, self.sent, 0.0
        counts.flying -= 1
        at = body.find(b'"color": "')
        colour = body[at + 10:body.find(b'"', at + 10)].decode() if at >= 0 else ""
        if colour:
            counts.of[colour] += 1
            counts.last[colour] = max(counts.last.get(colour, 0.0), sent)
        if status != b"200" or not colour:
            counts.fail(f"{status.decode()} from {colour or 'the load balancer'}: {body[:100]!r}")

    def end(self, why: str) -> None:
        """Breaks the connection; what was awaited has failed."""
        if self.sent:
            self.sent = 0.0
            self._lane.counts.flying -= 1
            self._lane.counts.fail(why)
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if self.sent:
            self.end(f"the connection ended without an answer: {error!r}")
        if not self.over.done():
            self.over.set_result(None)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    lanes: dict[str, Lane] = {}

    async def look() -> None:
        while True:
            await asyncio.sleep(1.0)
            for lane in lanes.values():
                lane.look(time.monotonic())

    watching = asyncio.ensure_future(look())
    while line := await reader.readline():
        (key, value), = json.loads(line).items()
        match key:
            case "start":
                lanes[value["name"]] = Lane(Aim(**value))
            case "stop":
                lanes[value].stopped = True
                await asyncio.gather(*lanes[value].tasks)
            case "look":
                answer: dict[str, Any] = {"look": value, "lanes": {name: vars(lane.counts)
                                                                  for name, lane in lanes.items()}}
                sys.stdout.write(json.dumps(answer) + "\n")
                sys.stdout.flush()
    watching.cancel()


if __name__ == "__main__":
    asyncio.run(serve())
