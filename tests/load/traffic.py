"""Load: clients that keep a connection and send batches of events through CloudFront, each as soon as the one before is
answered; and a live subscriber."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.load import prices
from tests.load.environment import PROCESSOR, PUBLISHER, Environment, Report
from tests.load.events import LOAD, batches
from tests.load.figures import Spread
from tests.load.listening import Listener
from tests.load.orders import Orders

TARGET_MILLISECONDS = 100  # p95 inside the function (the Candlefish documents, N4)
ATTEMPTS = 8  # a batch is sent again, as a browser does
PAUSE_SECONDS = 0.2
EXPECTED = {"200", "429"}  # 429: more than the stage lets through
LIVE = "candlefish_animation_fps"  # what the subscriber hears of: every event here has it
STALE_SECONDS = 65.0  # after which nothing is live any more: it was told, or given up


@dataclass
class Sent:
    """What clients sent and were answered. milliseconds: of whole requests that were answered with 200."""

    milliseconds: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)  # by status, or by the kind of a broken connection
    requests: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    ids: set[str] = field(default_factory=set)  # of batches that were answered with 200
    unanswered: int = 0  # batches that were given up
    seconds: float = 0.0


@dataclass(frozen=True)
class Level:
    """One level of load."""

    clients: int
    sent: Sent
    inside: list[Report]

    def row(self) -> dict[str, Any]:
        whole, inside = Spread.of(self.sent.milliseconds), Spread.of([each.duration for each in self.inside])
        return {"clients": self.clients, "requests": self.sent.requests,
                "requests/s": round(self.sent.requests / self.sent.seconds, 1),
                "events/s": round(self.sent.accepted / self.sent.seconds, 1),
                **{f"whole {name}": value for name, value in whole.document().items()},
                **{f"inside {name}": value for name, value in inside.document().items()},
                f"p95 inside < {TARGET_MILLISECONDS}": inside.p95 < TARGET_MILLISECONDS}


@dataclass(frozen=True)
class Outcome:
    """missing: events that were answered for and are not in the table; strange: those in it that nobody sent. live:
    samples that a subscriber heard of, an event each; given_up: records that were too old or failed too often."""

    seed: int
    size: int
    levels: list[Level]
    missing: int
    strange: int
    live: int
    given_up: int
    usage: prices.Usage

    @property
    def accepted(self) -> int:
        return sum(level.sent.accepted for level in self.levels)

    @property
    def holds(self) -> bool:
        """Every answer is one that was expected, each accepted event is in the table once and nothing else is, and each
        was told to who listened or to the dead-letter queue."""
        sent = [level.sent for level in self.levels]
        return not (self.missing or self.strange or self.live + self.given_up != self.accepted or any(
            each.unanswered or each.rejected or set(each.answers) - EXPECTED or each.duplicates
            or sum(each.answers.values()) != each.requests or each.accepted != len(each.ids) for each in sent))

    def document(self) -> dict[str, Any]:
        cost = prices.per_million_events(self.usage)
        return {
            "seed": self.seed, "events a batch": self.size, "levels": [level.row() for level in self.levels],
            "answers": dict(sum((level.sent.answers for level in self.levels), Counter())),
            "accepted": self.accepted, "missing": self.missing, "strange": self.strange, "live": self.live,
            "given up": self.given_up, "holds": self.holds,
            "USD a million events": {name: round(usd, 4) for name, usd in cost.items()},
            "not included": list(prices.NOT_INCLUDED)}


def run(environment: Environment, *, levels: list[int], size: int, seconds: float, seed: int,
        say: Callable[[str], None]) -> Outcome:
    """levels: clients at a time, one level after another, each for its part of the seconds."""
    before = set(environment.events())
    environment.given_up(PUBLISHER)  # of what was before
    began = time.time()
    measured = []
    with Orders(environment.gateway) as orders, Listener(environment.sockets, [LIVE]) as listener:
        # Nothing is done to the calls: they are counted.
        orders.put(seed, {"service": "dynamodb", "operation": "Query", "contains": environment.table(
            "websocket-connections"), "kind": "error", "rate": 0})
        for clients in levels:
            say(f"load: {clients} clients, batches of {size}, {seconds / len(levels):g} s; seed {seed}")
            at = time.time()
            sent = asyncio.run(drive(f"{environment.site}/api/analytics", clients, size, seconds / len(levels),
                                     f"{seed}:{clients}"))
            measured.append(Level(clients, sent, environment.reports(PROCESSOR, at)))
        accepted = sum(level.sent.accepted for level in measured)
        given_up = 0
        deadline = time.monotonic() + STALE_SECONDS
        while (live := listener.counts[LIVE]) + given_up < accepted and time.monotonic() < deadline:
            given_up += sum(each["DDBStreamBatchInfo"]["batchSize"] for each in environment.given_up(PUBLISHER))
            time.sleep(PAUSE_SECONDS)
        reads = orders.told()[0]["seen"]
    there = environment.events()
    answered = set().union(*(level.sent.ids for level in measured))
    new = {id: item for id, item in there.items() if id not in before}
    processor = [report for level in measured for report in level.inside]
    usage = prices.Usage(
        events=accepted, requests=sum(level.sent.requests for level in measured),
        processor=invocations(processor), publisher=invocations(environment.reports(PUBLISHER, began)),
        write_units=sum(prices.write_units(item, "visitorHash") for item in new.values()), read_units=reads * 0.5)
    return Outcome(seed, size, measured, missing=len(answered - set(there)), strange=len(set(new) - answered),
                   live=live, given_up=given_up, usage=usage)


def invocations(found: list[Report]) -> prices.Invocations:
    return prices.Invocations(len(found), sum(each.billed for each in found),
                              max((each.memory for each in found), default=0))


async def drive(url: str, clients: int, size: int, seconds: float, seed: str) -> Sent:
    sent = Sent()
    began = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0),
                                     timeout=aiohttp.ClientTimeout(total=60)) as session:
        await asyncio.gather(*(_client(session, url, f"{seed}:{number}", size, began + seconds, sent)
                               for number in range(clients)))
    sent.seconds = time.perf_counter() - began
    return sent


async def _client(session: aiohttp.ClientSession, url: str, seed: str, size: int, until: float, sent: Sent) -> None:
    for batch in batches(seed, size, LOAD):
        if time.perf_counter() >= until:
            return
        body = json.dumps({"events": batch}).encode()
        for _ in range(ATTEMPTS):
            began = time.perf_counter()
            status, outcome = await post(session, url, body)
            sent.requests += 1
            sent.answers[status] += 1
            if outcome is not None:
                sent.milliseconds.append((time.perf_counter() - began) * 1000)
                sent.accepted += outcome["accepted"]
                sent.duplicates += outcome["duplicates"]
                sent.rejected += len(outcome["rejected"])
                sent.ids.update(event["id"] for event in batch)
                break
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            sent.unanswered += 1


async def post(session: aiohttp.ClientSession, url: str, body: bytes) -> tuple[str, dict[str, Any] | None]:
    """The status, or how the connection broke; and for 200 what became of the events."""
    try:
        async with session.post(url, data=body, headers={"Content-Type": "application/json"}) as answer:
            found = await answer.json(content_type=None)
            return str(answer.status), found if answer.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return type(error).__name__, None
