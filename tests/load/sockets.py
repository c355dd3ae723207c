"""Hostile frames at the WebSocket API. What they are answered is JSON that says what was wrong, or the end of the
connection with the code that API Gateway's guide names."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from functions.common.schema import STREAMED
from tests.hostile import NASTY, broken, spoil

MARK = json.dumps({"action": "ping"})  # after each frame: what is answered before its pong is the frame's answer
SECONDS = 30.0
A_CONNECTION = 25  # frames, then another one
BYTES = 128 * 1024  # of a message; more ends the connection
ROUTES = ("subscribe", "unsubscribe", "ping", "$connect", "$disconnect", "$default", "", "PING", "nothing")
CODES = {"bad_message", "gone"}


@dataclass
class Talked:
    frames: int = 0
    connections: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


async def talk(url: str, frames: int, seed: int) -> Talked:
    talked, dice = Talked(), random.Random(f"frames:{seed}")
    async with aiohttp.ClientSession() as session:
        while talked.frames < frames:
            talked.connections += 1
            query, headers = dice.choice((("", {}), ("?a=%00&a=b", {}), ("?" + "x" * 500, {"X-Empty": ""}),
                                          ("", {"Sec-WebSocket-Protocol": "a, b"}), ("", {"Cookie": "a=b"})))
            async with session.ws_connect(url + query, headers=headers, max_msg_size=0) as socket:
                for _ in range(min(A_CONNECTION, frames - talked.frames)):
                    talked.frames += 1
                    if not await _sent(socket, frame(dice), talked):
                        break
                if dice.random() < 0.3:
                    _break_off(socket)
        for origin in ("https://evil.example", "null", ""):
            await _refused(session, url, origin, talked)
    return talked


def frame(dice: random.Random) -> str | bytes:
    """bytes: a binary frame."""
    message = {"action": dice.choice(ROUTES), "metrics": sorted(STREAMED)[:dice.randrange(1, 4)]}
    match dice.randrange(12):
        case 0:
            return dice.randbytes(dice.randrange(200))
        case 1:
            return "x" * dice.choice((4097, 40_000, BYTES - 40, BYTES, BYTES + 1, 300_000))
        case 2:
            return dice.choice(["[", '{"action":', '{"a":']) * 20_000
        case 3:
            return json.dumps({**message, "metrics": [dice.choice(NASTY)] * 3}).encode(errors="replace").decode()
        case 4 | 5:
            return broken(json.dumps(message), dice).encode(errors="replace").decode()
        case 6:
            return json.dumps(message)
        case 7:
            nasty = dice.choice(NASTY)
            return nasty.encode(errors="replace").decode() if isinstance(nasty, str) else json.dumps(nasty)
    return json.dumps(spoil(message, dice))


async def _sent(socket: aiohttp.ClientWebSocketResponse, sent: str | bytes, talked: Talked) -> bool:
    """Whether the connection is still there."""
    shown = f"frame {talked.frames}, {type(sent).__name__} of {len(sent)}: {sent[:120]!r}"
    expected = 1003 if isinstance(sent, bytes) else 1009 if len(sent.encode()) > BYTES else None
    try:
        await (socket.send_bytes(sent) if isinstance(sent, bytes) else socket.send_str(sent))
        await socket.send_str(MARK)
    except ConnectionError:
        pass  # the other side has ended it: receiving tells with which code
    pongs = 1 + (not isinstance(sent, bytes) and _is_ping(sent))
    while pongs:
        try:
            message = await asyncio.wait_for(socket.receive(), SECONDS)
        except TimeoutError:
            talked.faults.append(f"no answer within {SECONDS:g} s: {shown}")
            return False
        if message.type is not aiohttp.WSMsgType.TEXT:
            talked.answers[f"ended {socket.close_code}"] += 1
            if socket.close_code != expected:
                talked.faults.append(f"the connection ended with {socket.close_code}, not {expected}: {shown}")
            return False
        pongs -= _judged(message.data, shown, talked)
    if expected is not None:
        talked.faults.append(f"the connection did not end with {expected}: {shown}")
    return True


def _is_ping(sent: str) -> bool:
    try:
        found = json.loads(sent)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("action") == "ping"


def _judged(data: str, shown: str, talked: Talked) -> bool:
    """Whether it is a pong."""
    try:
        answer: Any = json.loads(data)
        kind = answer["type"]
    except (ValueError, TypeError, KeyError):
        talked.answers["other"] += 1
        talked.faults.append(f"answered with {data[:200]!r}: {shown}")
        return False
    if kind == "pong":
        return True
    talked.answers[kind if kind != "error" else str(answer.get("code"))] += 1
    fine = kind in ("subscribed", "unsubscribed", "metrics") or (
        kind == "error" and answer.get("code") in CODES and answer.get("message"))
    if not fine:
        talked.faults.append(f"answered with {data[:200]!r}: {shown}")
    return False


def _break_off(socket: aiohttp.ClientWebSocketResponse) -> None:
    """As a phone that loses its network."""
    transport = socket.get_extra_info("transport")
    if transport is not None:
        transport.abort()


async def _refused(session: aiohttp.ClientSession, url: str, origin: str, talked: Talked) -> None:
    """A page of another site cannot connect."""
    talked.connections += 1
    try:
        async with session.ws_connect(url, headers={"Origin": origin}):
            talked.faults.append(f"a page of {origin} could connect")
    except aiohttp.WSServerHandshakeError as error:
        talked.answers[f"handshake {error.status}"] += 1
        if not 400 <= error.status < 500:
            talked.faults.append(f"a page of {origin} was refused with {error.status}")
