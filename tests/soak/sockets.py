"""A WebSocket client that comes again when it is told to: lost is a message that is not answered after it has come
again, or a connection that is refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Protocol

import aiohttp

PAUSE_SECONDS = 0.05  # between two messages
ANSWER_SECONDS = 15.0
ATTEMPTS = 5  # connections for one message


class Counting(Protocol):
    messages: int
    handshakes: int
    closes: Counter[str]

    def fail(self, what: str) -> None: ...


async def talk(url: str, host: str, name: str, counts: Counting, stopped: Callable[[], bool]) -> None:
    """Numbered messages, each answered by itself, until `stopped`; a message that met an end is sent again."""
    number = attempts = 0
    async with aiohttp.ClientSession() as session:
        while not stopped():
            counts.handshakes += 1
            try:
                socket = await session.ws_connect(url, headers={"Host": host}, timeout=aiohttp.ClientWSTimeout(
                    ws_close=ANSWER_SECONDS))
            except (aiohttp.ClientError, OSError) as error:
                counts.fail(f"WebSocket refused: {error}")
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            async with socket:
                while not stopped():
                    ended = await _exchange(socket, f"{name} {number}")
                    if ended is not None:
                        counts.closes[ended] += 1
                        attempts += 1
                        break
                    counts.messages += 1
                    number, attempts = number + 1, 0
                    await asyncio.sleep(PAUSE_SECONDS)
            if attempts >= ATTEMPTS:
                counts.fail(f"WebSocket message {name} {number} not delivered over {ATTEMPTS} connections")
                number, attempts = number + 1, 0


async def _exchange(socket: aiohttp.ClientWebSocketResponse, text: str) -> str | None:
    """None when the message came back; else how the connection ended."""
    try:
        await socket.send_str(text)
        while True:
            answer = await socket.receive(ANSWER_SECONDS)
            if answer.type is aiohttp.WSMsgType.TEXT and answer.data == text:
                return None
            if answer.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED,
                               aiohttp.WSMsgType.ERROR):
                return str(socket.close_code)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        return type(error).__name__
