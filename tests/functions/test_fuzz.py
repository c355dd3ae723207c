"""Requests that nobody should send, at every way in, until 10,000 were refused: with a reason, never a 5xx, never a
trace. Some are still good ones: what was spoiled in them doesn't matter."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import analytics_processor.handler
import experiments.handler
import stream.handler
import visitor_memory.handler
from common.schema import STREAMED
from tests.functions.world import Context, Direct, World, request, uuid
from tests.hostile import broken, spoil

pytestmark = pytest.mark.functions

SEED, REFUSALS = 20261121, 10_000
VISITOR = "visitor-0123456789"
Entry = Callable[[Any, Any], dict[str, Any]]


def seeds() -> list[tuple[Entry, dict[str, Any]]]:
    event = {"id": uuid(1), "type": "session", "timestamp": datetime.now(UTC).isoformat(), "visitorId": VISITOR,
             "sessionId": VISITOR, "fps": 60.0, "frames": 60, "frameDrops": 1, "emotionalState": "shy",
             "experiment": "trust-rate", "variant": "slow", "returning": True}
    memory = {"version": 0, "trustLevel": 1, "memory": {"visits": 1, "seen": ["reef"]}}
    parameters = {"visitor": VISITOR}
    socket = {"requestContext": {"routeKey": "subscribe", "connectionId": "abc="},
              "body": json.dumps({"metrics": sorted(STREAMED)[:2]})}
    return [
        (analytics_processor.handler.handle, request("POST", "/api/analytics", {"events": [event, event]})),
        (visitor_memory.handler.handle, request("GET", f"/memory/{VISITOR}", parameters=parameters)),
        (visitor_memory.handler.handle, request("PUT", f"/memory/{VISITOR}", memory, parameters=parameters)),
        # Erasures that are accepted have tests of their own; hundreds of them at once are slow in the emulated table.
        (visitor_memory.handler.handle, request("DELETE", "/memory/short", parameters={"visitor": "short"})),
        (visitor_memory.handler.handle, request("GET", f"/memory/{VISITOR}/export", parameters=parameters,
                                                query={"cursor": "WzAsICJhIiwgImIiXQ=="})),
        (experiments.handler.handle, request("GET", "/experiments", query={"visitor": VISITOR, "segments": "new"})),
        (experiments.handler.handle, request("POST", "/experiments/conversions",
                                             {"visitor": VISITOR, "goal": "returned"})),
        (experiments.handler.handle, request("GET", "/experiments/report", query={"experiment": "trust-rate",
                                                                                  "goal": "returned"})),
        (stream.handler.handle, socket),
        (stream.handler.handle, {"requestContext": {"routeKey": "$connect", "connectionId": "abc="},
                                 "headers": {"Origin": "https://candlefish.ai"}}),
    ]


def spoiled(sent: dict[str, Any], dice: random.Random) -> Any:
    body = sent.get("body")
    if body is None or dice.random() < 0.3:
        return spoil(sent, dice)
    match dice.randrange(4):
        case 0:
            return {**sent, "body": broken(body, dice)}
        case 1:
            return {**sent, "isBase64Encoded": True}
    return {**sent, "body": json.dumps(spoil(json.loads(body), dice))}


def test_ten_thousand_refusals_have_a_reason_and_nothing_is_an_error_of_ours(
        world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("EXPERIMENTS", json.dumps({"trust-rate": {"status": "running", "segments": ["new"], "variants": [
        {"name": "slow", "percent": 50}, {"name": "fast", "percent": 50}]}}))
    experiments.handler.catalogue.cache_clear()
    analytics_processor.handler._catalogue.cache_clear()
    monkeypatch.setattr(world, "dynamodb", Direct())
    dice, entries = random.Random(SEED), seeds()
    statuses: Counter[int] = Counter()
    refused = number = 0
    while refused < REFUSALS:
        number += 1
        entry, sent = dice.choice(entries)
        bad = spoiled(sent, dice)
        answer = entry(bad, Context())
        status, body = answer.get("statusCode", 200), answer.get("body") or "{}"
        statuses[status] += 1
        assert status < 500, f"seed {SEED}, request {number}: {bad!r} was answered with {answer}"
        assert "Traceback" not in body
        if status >= 400:
            refused += 1
            reason = json.loads(body)
            assert (reason.get("code") and reason["message"]) or reason["rejected"], (number, bad, answer)
    written = capsys.readouterr().out
    assert '"ERROR"' not in written
    with capsys.disabled():
        print(f" fuzz, seed {SEED}: {dict(sorted(statuses.items()))}", end="")
    analytics_processor.handler._catalogue.cache_clear()
