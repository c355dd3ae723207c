"""HTTP/1.1 and WebSocket on one connection of a stand-in."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from rehearsal.kubernetes.standin import websocket
from rehearsal.kubernetes.standin.service import Answer, Service

MAX_HEAD_BYTES = 64 * 1024
HEARTBEAT_SECONDS = 30.0  # below the 10 minutes after which proxies cut an idle connection


class Connection(asyncio.Protocol):
    """Requests are answered one after the other. `drain` lets the current one finish and closes."""

    def __init__(self, service: Service, open_connections: set[Connection]) -> None:
        self._service = service
        self._all = open_connections
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._websocket = False
        self._beat: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._all.add(self)
        self._service.telemetry.active_connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.discard(self)
        self._service.telemetry.active_connections -= 1
        if self._websocket:
            self._service.telemetry.websockets -= 1
        if self._beat is not None:
            self._beat.cancel()
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._websocket:
            self._frames()
        elif self._task is None:
            self._next()

    def drain(self) -> None:
        """Idle connections close now, busy ones after their answer, WebSockets with 1012."""
        if self._websocket:
            self._transport.write(websocket.close_frame(websocket.RESTART, "service restart"))
            self._transport.close()
        elif self._task is None:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def _next(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                self._write(Answer(431, b"{}"), close=True, head_only=False)
            return
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip()
                   for name, _, value in (line.partition(":") for line in lines[1:])}
        body, after = _body(self._buffer, end + 4, headers)
        if body is None:
            if headers.get("expect", "").lower() == "100-continue" and len(self._buffer) == end + 4:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return
        del self._buffer[:after]
        parts = lines[0].split(" ")
        if len(parts) != 3:
            self._write(Answer(400, b"{}"), close=True, head_only=False)
            return
        if headers.get("upgrade", "").lower() == "websocket" and "sec-websocket-key" in headers:
            self._upgrade(headers["sec-websocket-key"])
            return
        self._task = asyncio.get_running_loop().create_task(self._serve(parts[0], parts[1], parts[2], headers, body))

    async def _serve(self, method: str, target: str, version: str, headers: dict[str, str], body: bytes) -> None:
        answer = await self._service.answer(method, target, headers, body)
        wanted = headers.get("connection", "").lower()
        close = (self._service.draining.is_set() or wanted == "close"
                 or (version == "HTTP/1.0" and wanted != "keep-alive"))
        self._task = None
        self._write(answer, close, method == "HEAD")
        if not close and self._buffer:
            self._next()

    def _write(self, answer: Answer, close: bool, head_only: bool) -> None:
        head = (f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
                f"Content-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}\r\n"
                f"Connection: {'close' if close else 'keep-alive'}\r\n"
                + "".join(f"{name}: {value}\r\n" for name, value in answer.headers) + "\r\n")
        self._transport.write(head.encode("latin-1") + (b"" if head_only else answer.body))
        if close:
            self._transport.close()

    def _upgrade(self, key: str) -> None:
        if self._service.draining.is_set():
            self._write(Answer(503, b'{"error": "draining"}'), close=True, head_only=False)
            return
        self._websocket = True
        self._service.telemetry.websockets += 1
        self._transport.write(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               f"Sec-WebSocket-Accept: {websocket.accept_key(key)}\r\n\r\n").encode())
        self._heartbeat()
        self._frames()

    def _heartbeat(self) -> None:
        loop = asyncio.get_running_loop()
        if self._beat is not None:
            self._transport.write(websocket.encode(websocket.PING, b"heartbeat"))
        self._beat = loop.call_later(HEARTBEAT_SECONDS, self._heartbeat)

    def _frames(self) -> None:
        while (frame := websocket.decode(self._buffer)) is not None:
            if frame.opcode == websocket.CLOSE:
                self._transport.write(websocket.encode(websocket.CLOSE, frame.payload[:2]))
                self._transport.close()
            elif frame.opcode == websocket.PING:
                self._transport.write(websocket.encode(websocket.PONG, frame.payload))
            elif frame.opcode in (websocket.TEXT, websocket.BINARY):
                self._transport.write(websocket.encode(frame.opcode, frame.payload))


def _body(buffer: bytearray, start: int, headers: dict[str, str]) -> tuple[bytes | None, int]:
    """The body and where it ends; None until it is complete."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body, at = bytearray(), start
        while True:
            line = buffer.find(b"\r\n", at)
            if line < 0:
                return None, start
            size = int(bytes(buffer[at:line]).split(b";")[0], 16)
            at = line + 2 + size + 2
            if len(buffer) < at:
                return None, start
            if size == 0:
                return bytes(body), at
            body += buffer[line + 2:line + 2 + size]
    length = int(headers.get("content-length", "0"))
    if len(buffer) < start + length:
        return None, start
    return bytes(buffer[start:start + length]), start + length
