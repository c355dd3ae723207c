"""Hostile requests and frames at the served APIs. Every answer is a 2xx, or a 4xx with a reason; no answer tells of
what is behind; and everything still works afterwards."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

from tests.load import sockets
from tests.load.environment import Environment
from tests.load.events import FUZZ, event
from tests.load.requests import Request, spoiled

CLIENTS = 8
THROUGH_CLOUDFRONT = 0.5  # of the requests; the others go to the API itself
SECONDS = 60.0  # for an answer
# What only the inside of something has: no answer may have any of it.
_INSIDE = re.compile(rb"Traceback|stackTrace|errorType|errorMessage|File \"|\.py\b|site-packages|line \d+, in |aiohttp|"
                     rb"hypercorn|ministack|moto\b|boto3?|Exception\(|Error\(|127\.0\.0\.1|localhost", re.I)
_CLOUDFRONT_PAGE = b"<!DOCTYPE html><html><head><title>ERROR: The request could not be satisfied</title>"


@dataclass
class Answered:
    """What a run of requests found. faults: what should not be, with the request."""

    statuses: Counter[str] = field(default_factory=Counter)
    by: Counter[str] = field(default_factory=Counter)  # which part gave the refusals
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    seed: int
    requests: int
    answered: Answered
    talked: sockets.Talked
    works: bool
    alive: bool
    traces: int

    @property
    def holds(self) -> bool:
        return not (self.answered.faults or self.talked.faults or self.traces) and self.works and self.alive

    def document(self) -> dict[str, Any]:
        return {"seed": self.seed, "requests": self.requests, "statuses": dict(sorted(self.answered.statuses.items())),
                "refused by": dict(self.answered.by), "frames": self.talked.frames,
                "frame answers": dict(self.talked.answers), "connections": self.talked.connections,
                "faults": [*self.answered.faults, *self.talked.faults], "works afterwards": self.works,
                "every server lives": self.alive, "stack traces in the servers' logs": self.traces,
                "holds": self.holds}


def run(environment: Environment, *, requests: int, frames: int, seed: int, say: Callable[[str], None]) -> Outcome:
    say(f"fuzz: {requests} requests and {frames} frames; seed {seed}")
    servers, traces = environment.servers(), environment.traces()
    answered = asyncio.run(fire(environment, requests, seed))
    talked = asyncio.run(sockets.talk(environment.sockets, frames, seed))
    return Outcome(seed, requests, answered, talked, works=asyncio.run(_works(environment)),
                   alive=environment.servers() == servers and environment.alive(), traces=environment.traces() - traces)


async def fire(environment: Environment, requests: int, seed: int) -> Answered:
    """The requests are the same for a seed; which client sends which is not."""
    answered = Answered()
    dice = random.Random(f"requests:{seed}")
    waiting = iter([(number, dice.getrandbits(64)) for number in range(requests)])

    async def client(session: aiohttp.ClientSession) -> None:
        for number, one in waiting:
            own = random.Random(one)
            request = spoiled(own)
            through = own.random() < THROUGH_CLOUDFRONT and not request.path.startswith("/health")
            await _sent(session, environment.site if through else environment.api, request, number, answered)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(),
                                     timeout=aiohttp.ClientTimeout(total=SECONDS)) as session:
        await asyncio.gather(*(client(session) for _ in range(CLIENTS)))
    return answered


async def _sent(session: aiohttp.ClientSession, base: str, request: Request, number: int, answered: Answered) -> None:
    body: Any = _pieces(request.body or b"") if request.chunked else request.body
    try:
        async with session.request(request.method, URL(base + request.target, encoded=True), data=body,
                                   headers=list(request.headers), allow_redirects=False,
                                   skip_auto_headers=("Content-Type",)) as answer:
            content = await answer.read()
    except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        answered.statuses[type(error).__name__] += 1
        answered.faults.append(f"request {number} was not answered, {error!r}: {request.told()}")
        return
    answered.statuses[str(answer.status)] += 1
    by, fault = judge(request.method, answer.status, answer.headers.get("Content-Type", ""), content)
    if by:
        answered.by[by] += 1
    if fault:
        answered.faults.append(f"request {number}: {answer.status} {content[:300]!r}: {fault}: {request.told()}")


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start:start + 1000]


def judge(method: str, status: int, content_type: str, content: bytes) -> tuple[str, str]:
    """Who refused, and what is wrong with an answer; empty for neither."""
    if found := _INSIDE.search(content):
        return "", f"it tells of the inside: {found[0]!r}"
    if 200 <= status < 300 or status == 304:
        return "", ""
    if not 400 <= status < 500:
        return "", "neither a 2xx nor a 4xx"
    if method.upper() == "HEAD":
        return "HEAD", ""
    if content.startswith(_CLOUDFRONT_PAGE) and "html" in content_type:
        return "CloudFront", ""
    try:
        reason = json.loads(content)
    except ValueError:
        return "", "its body is not JSON"
    if not isinstance(reason, dict):
        return "", "its body is no object"
    if reason.get("rejected") or (reason.get("code") and reason.get("message")):
        return "the function", ""
    return ("API Gateway", "") if reason.get("message") else ("", "it gives no reason")


async def _works(environment: Environment) -> bool:
    """A good request is accepted, and its event is in the table."""
    sent = event(random.Random(), FUZZ)
    async with aiohttp.ClientSession() as session, session.post(
            f"{environment.site}/api/analytics", json={"events": [sent]}) as answer:
        accepted = answer.status == 200 and (await answer.json())["accepted"] == 1
    return accepted and sent["id"] in environment.events()
