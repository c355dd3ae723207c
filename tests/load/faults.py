"""Faults on the served path: the table throttles, fails, loses answers; batches come twice, at once and in any order;
a function's process is killed before and after its write; a record of the stream cannot be read.

Afterwards the table has what was accepted, once; live subscribers were told each sample, once; and the dead-letter
queue has the records that were given up, and no others.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from functions.common.schema import STREAMED
from tests.eventually import eventually
from tests.load.environment import EVENTS, PROCESSOR, PUBLISHER, Environment
from tests.load.events import FAULTS, batches, identifier
from tests.load.listening import Listener
from tests.load.orders import Orders

ATTEMPTS = 30  # a batch is sent again until it is answered
PAUSE_SECONDS = 0.05
SETTLE_SECONDS = 50.0  # less than the age at which a record is not live any more


@dataclass
class Outcome:
    """accepted: what the answers counted as new. hit: faults by kind."""

    seed: int
    sent: int
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    killed: int = 0
    hit: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    strange: int = 0
    told: list[dict[str, int]] = field(default_factory=list)  # by listener: samples by metric
    expected: dict[str, int] = field(default_factory=dict)
    given_up: list[str] = field(default_factory=list)  # sequence numbers
    poisoned: list[str] = field(default_factory=list)
    counted: int = 0  # events in the metrics of the function's log
    errors: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """A batch whose process was killed after its write is in the table, and nobody was told that it was accepted:
        neither who sent it nor, as docs/functions.md says, the metrics."""
        return (not (self.missing or self.strange or self.errors) and all(each == self.expected for each in self.told)
                and sorted(self.given_up) == sorted(self.poisoned) and self.counted == self.accepted <= self.sent
                and min(self.hit.values(), default=0) > 0)

    def document(self) -> dict[str, Any]:
        return {
            "seed": self.seed, "events sent": self.sent, "seconds": round(self.seconds, 1),
            "answers": dict(self.answers), "faults": dict(self.hit), "processes killed": self.killed,
            "answered as accepted": self.accepted, "missing": self.missing, "strange": self.strange,
            "samples expected": sum(self.expected.values()), "samples told": [sum(each.values()) for each in self.told],
            "records poisoned": len(self.poisoned), "records given up": len(self.given_up),
            "events in metrics": self.counted, "errors": self.errors, "holds": self.holds}


def run(environment: Environment, *, count: int, size: int, clients: int, seed: int,
        say: Callable[[str], None]) -> Outcome:
    """count: batches of so many events; each is sent twice."""
    say(f"faults: {count} batches of {size}, each sent twice by {clients} clients; seed {seed}")
    drawn = batches(f"faults:{seed}", size, FAULTS)
    lot = [next(drawn) for _ in range(count)]
    kills = [next(drawn) for _ in KILLS]
    events = [event for batch in [*lot, *kills] for event in batch]
    outcome = Outcome(seed, len(events))
    expected = {metric: sum(name in event for event in events) for metric, name in STREAMED.items()}
    outcome.expected = {metric: samples for metric, samples in expected.items() if samples}
    metrics = sorted(outcome.expected)  # no others: an earlier run may have left events of theirs in the stream
    environment.given_up(PUBLISHER)
    before, began = set(environment.events()), time.time()
    with (Orders(environment.gateway) as orders, Listener(environment.sockets, metrics) as first,
          Listener(environment.sockets, metrics) as second):
        with Listener(environment.sockets, metrics, rudely=True):
            asyncio.run(_bombard(environment, orders, lot, clients, outcome))
        poisoned = _poison(environment, random.Random(f"poison:{seed}"))
        for how, batch in zip(KILLS, kills, strict=True):
            asyncio.run(_killed(environment, orders, how, batch, outcome))
        outcome.hit["poison"] = len(poisoned)
        outcome.poisoned = _numbers(environment, poisoned)
        _settle(environment, outcome, (first, second))
        _order(orders, outcome)
        outcome.told = [dict(listener.counts) for listener in (first, second)]
        for listener in (first, second):
            outcome.errors += [f"a subscriber: {error}" for error in listener.errors]
            outcome.errors += [f"message {id} came {times} times"
                               for id, times in Counter(listener.messages).items() if times > 1]
    there, wanted = environment.events(), {event["id"] for event in events}
    outcome.missing = len(wanted - set(there))
    outcome.strange = len(set(there) - wanted - before - set(poisoned))
    outcome.counted = _counted(environment, began)
    for id in poisoned:
        environment.client("dynamodb").delete_item(TableName=environment.table(EVENTS), Key={"eventId": {"S": id}})
    outcome.seconds = time.time() - began
    return outcome


def _writes(environment: Environment) -> list[dict[str, Any]]:
    """Those of events: of ten attempts four to five fail, in one of three ways."""
    write = {"service": "dynamodb", "operation": "TransactWriteItems", "contains": environment.table(EVENTS)}
    return [{**write, "kind": kind, "rate": 0.18} for kind in ("throttle", "error", "lost")]


def _reads(environment: Environment, limit: int = 3) -> dict[str, Any]:
    """The publisher's, of who listens: the next ones fail. It tries six times, then the batch comes again."""
    return {"service": "dynamodb", "operation": "Query", "contains": environment.table("websocket-connections"),
            "kind": "throttle", "limit": limit}


def _order(orders: Orders, outcome: Outcome, *rules: dict[str, Any]) -> None:
    """In place of the faults that there were, whose hits are added up."""
    for told in orders.told():
        outcome.hit[f"{told['operation']} {told['kind']}"] += told["hit"]
    orders.put(outcome.seed, *rules)


async def _bombard(environment: Environment, orders: Orders, lot: Sequence[list[dict[str, Any]]], clients: int,
                   outcome: Outcome) -> None:
    dice = random.Random(f"order:{outcome.seed}")
    twice = [*lot, *lot]
    dice.shuffle(twice)
    waiting = iter([json.dumps({"events": dice.sample(batch, len(batch))}).encode() for batch in twice])
    _order(orders, outcome, *_writes(environment), _reads(environment, limit=7))

    async def client(session: aiohttp.ClientSession) -> None:
        for body in waiting:
            await _until_answered(session, environment, body, outcome)

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(client(session) for _ in range(clients)))


async def _until_answered(session: aiohttp.ClientSession, environment: Environment, body: bytes,
                          outcome: Outcome) -> None:
    for _ in range(ATTEMPTS):
        async with session.post(f"{environment.site}/api/analytics", data=body,
                                headers={"Content-Type": "application/json"}) as answer:
            outcome.answers[str(answer.status)] += 1
            if answer.status == 200:
                found = await answer.json()
                outcome.accepted += found["accepted"]
                return
        await asyncio.sleep(PAUSE_SECONDS)
    outcome.errors.append(f"a batch was not taken in {ATTEMPTS} attempts")


# When the process is killed: its write has not taken effect, or it has and the answer is under way.
KILLS = ("hold", "hold-answer")


async def _killed(environment: Environment, orders: Orders, how: str, batch: list[dict[str, Any]],
                  outcome: Outcome) -> None:
    """SIGKILL for the function's process in the middle of a batch, and the batch sent again."""
    _order(orders, outcome, {"service": "dynamodb", "operation": "TransactWriteItems", "kind": how, "limit": 1,
                             "contains": batch[0]["id"]}, _reads(environment))
    body = json.dumps({"events": batch}).encode()
    async with aiohttp.ClientSession() as session:
        sending = asyncio.create_task(_status(session, environment, body))
        await asyncio.to_thread(eventually, "the write is held", lambda: orders.told()[0]["held"])
        for process in environment.workers(PROCESSOR):
            process.kill()
            outcome.killed += 1
        status = await sending
        _order(orders, outcome, _reads(environment))
        if status != 502:
            outcome.errors.append(f"a function that was killed was answered for with {status}, not 502")
        await _until_answered(session, environment, body, outcome)


async def _status(session: aiohttp.ClientSession, environment: Environment, body: bytes) -> int:
    async with session.post(f"{environment.site}/api/analytics", data=body,
                            headers={"Content-Type": "application/json"}) as answer:
        return answer.status


def _poison(environment: Environment, dice: random.Random) -> list[str]:
    """Two items that no function of ours would write: their frame rate is a word. Their ids."""
    ids = [identifier(dice) for _ in range(2)]
    for id in ids:
        environment.client("dynamodb").put_item(TableName=environment.table(EVENTS), Item={
            "eventId": {"S": id}, "occurredAt": {"S": "2026-11-21T12:00:00.000Z"}, "fps": {"S": "fast"}})
    return ids


def _numbers(environment: Environment, ids: Sequence[str]) -> list[str]:
    """The sequence numbers of these items' records, from the table's stream."""
    table = environment.client("dynamodb").describe_table(TableName=environment.table(EVENTS))["Table"]
    streams, arn = environment.client("dynamodbstreams"), table["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard,
                                          ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    found: dict[str, str] = {}
    while iterator and len(found) < len(ids):
        page = streams.get_records(ShardIterator=iterator)
        for record in page["Records"]:
            if (id := record["dynamodb"]["Keys"]["eventId"]["S"]) in ids:
                found[id] = record["dynamodb"]["SequenceNumber"]
        iterator = page.get("NextShardIterator") if page["Records"] else None
    return [found[id] for id in ids]


def _settle(environment: Environment, outcome: Outcome, listeners: Sequence[Listener]) -> None:
    """Until everybody was told of everything and what was poisoned is given up, or it takes too long."""
    def settled() -> bool:
        for document in environment.given_up(PUBLISHER):
            where = document["DDBStreamBatchInfo"]
            if where["batchSize"] != 1:
                outcome.errors.append(f"{where['batchSize']} records were given up together")
            outcome.given_up.append(where["startSequenceNumber"])
        return len(outcome.given_up) >= len(outcome.poisoned) and all(
            each.counts.total() >= sum(outcome.expected.values()) for each in listeners)

    try:
        eventually("all is told or given up", settled, SETTLE_SECONDS)
    except AssertionError as late:
        outcome.errors.append(str(late))


def _counted(environment: Environment, since: float) -> int:
    """What CloudWatch makes of the processor's lines."""
    lines = [json.loads(line) for line in environment.lines(PROCESSOR, since, "candlefish_events_accepted")]
    return int(sum(sum(line.get("candlefish_events_accepted", ())) for line in lines))
