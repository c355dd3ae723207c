"""Faults between a client and an emulator, by order: for runs that look at what a deployed function makes of them.

GET    /_candlefish/faults     {"rules": [{…, "seen", "hit", "held"}]}: calls that matched, were hit, are held now
PUT    /_candlefish/faults     {"seed": 1, "rules": [{"service", "kind", "operation", "contains", "rate", "limit"}]}
DELETE /_candlefish/faults     none any more; what was held goes on; the answer has the counts

`service` and `kind` are needed. `operation`: as the API names it, else any. `contains`: text of the request, such as a
table's name. `rate`: of the calls that match, by seed and number. `limit`: so many at most. The first rule that hits
counts. Requests whose body is streamed pass by.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web

from rehearsal.aws.gateway.errors import THROTTLING, Protocol, error
from rehearsal.aws.replay import Answer
from rehearsal.aws.routing import Addressed

HELD_SECONDS = 60.0  # nobody waits longer than that for who forgot to let go


class Kind(StrEnum):
    THROTTLE = "throttle"  # refused before it took effect, with the service's own code
    ERROR = "error"  # the service failed before it took effect: 500
    LOST = "lost"  # took effect, but the connection ended before the answer
    HOLD = "hold"  # waits before it takes effect; it never does when the caller is gone by then
    HOLD_ANSWER = "hold-answer"  # took effect, and the answer waits


@dataclass(frozen=True)
class Rule:
    service: str
    kind: Kind
    operation: str = ""
    contains: str = ""
    rate: float = 1.0
    limit: int | None = None

    def matches(self, to: Addressed, body: bytes) -> bool:
        return (self.service == to.service and self.operation in ("", to.operation)
                and self.contains.encode() in body)


def rule(document: Any) -> Rule:
    """Raises ValueError for what is no rule."""
    try:
        found = Rule(**{**document, "kind": Kind(document["kind"])})
    except (TypeError, KeyError, ValueError) as problem:
        raise ValueError(f"faults: not a rule: {document!r}: `service` and `kind` ({', '.join(Kind)}) are needed; "
                         f"{problem}") from None
    if not 0 <= found.rate <= 1:
        raise ValueError(f"faults: rate {found.rate:g}; allowed: from 0 to 1")
    return found


@dataclass
class _Counted:
    rule: Rule
    seen: int = 0
    hit: int = 0
    held: int = 0


@dataclass
class Faults:
    """Of one gateway. None at first."""

    seed: int = 0
    _rules: list[_Counted] = field(default_factory=list)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def order(self, seed: int, rules: list[Rule]) -> None:
        """In place of those that there were."""
        self._released.set()
        self.seed, self._rules, self._released = seed, [_Counted(each) for each in rules], asyncio.Event()

    def told(self) -> dict[str, Any]:
        return {"rules": [{**asdict(each.rule), "seen": each.seen, "hit": each.hit, "held": each.held}
                          for each in self._rules]}

    async def through(self, request: web.BaseRequest, to: Addressed, kind: Protocol, body: bytes,
                      call: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer of the call, or what a fault makes of it."""
        counted = self._drawn(to, body)
        if counted is None:
            return await call()
        match counted.rule.kind:
            case Kind.THROTTLE:
                return error(kind, 503 if kind is Protocol.S3 else 400, THROTTLING[kind], "Rate exceeded")
            case Kind.ERROR:
                return error(kind, 500, "InternalServerError", "an injected fault")
            case Kind.HOLD:
                await self._hold(counted)
                return _unheard() if _gone(request) else await call()
        answer = await call()
        if counted.rule.kind is Kind.HOLD_ANSWER:
            await self._hold(counted)
        elif request.transport is not None:
            request.transport.abort()
        return answer

    async def answer(self, request: web.BaseRequest) -> web.Response:
        if request.method == "PUT":
            document = await request.json()
            try:
                self.order(int(document.get("seed", 0)), [rule(each) for each in document["rules"]])
            except (ValueError, TypeError, KeyError, AttributeError) as problem:
                return web.json_response({"message": str(problem)}, status=400)
        told = self.told()
        if request.method == "DELETE":
            self.order(0, [])
        elif request.method not in ("GET", "PUT"):
            return web.json_response({"message": f"faults: {request.method} is not one of GET, PUT, DELETE"},
                                     status=405)
        return web.json_response(told)

    def _drawn(self, to: Addressed, body: bytes) -> _Counted | None:
        for place, counted in enumerate(self._rules):
            if not counted.rule.matches(to, body):
                continue
            counted.seen += 1
            if counted.rule.limit is not None and counted.hit >= counted.rule.limit:
                continue
            if random.Random(f"{self.seed}:{place}:{counted.seen}").random() < counted.rule.rate:
                counted.hit += 1
                return counted
        return None

    async def _hold(self, counted: _Counted) -> None:
        released = self._released
        counted.held += 1
        try:
            async with asyncio.timeout(HELD_SECONDS):
                await released.wait()
        except TimeoutError:
            pass
        finally:
            counted.held -= 1


def _gone(request: web.BaseRequest) -> bool:
    return request.transport is None or request.transport.is_closing()


def _unheard() -> Answer:
    """Nobody reads it."""
    return Answer(503, (), b"")
