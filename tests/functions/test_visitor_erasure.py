"""Erasure: in every table, under every key, whenever it is interrupted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.functions.test_visitor_memory import add_assignment, add_events, call, hashed, later, put
from tests.functions.world import CURRENT, OLDEST, PREVIOUS, Context, Killed, World, error, response
from visitor_memory import erasure, handler

pytestmark = pytest.mark.functions


def test_an_erasure_leaves_nothing_in_any_table_under_any_key(world: World) -> None:
    world.secret.value = {"current": CURRENT, "previous": PREVIOUS}
    put(0, visits=1)
    add_events(world, hashed(CURRENT), 30)
    add_events(world, hashed(PREVIOUS), 30, first=100)
    add_events(world, "0" * 64, 1, first=1000)  # somebody else's
    add_assignment(world, hashed(PREVIOUS))
    assert call("DELETE") == (200, {"memory": 1, "events": 60, "experiments": 1, "complete": True})
    assert call("GET")[0] == 404
    assert [item["visitorHash"] for item in world.items("events")] == ["0" * 64]
    (journal,) = world.items("experiments")
    assert journal["visitorHash"] == erasure.JOURNAL
    assert later(world, timedelta(minutes=3)) == 1
    assert later(world, timedelta(minutes=4)) == 0
    assert later(world, timedelta(days=2)) == 1
    assert world.items("experiments") == []
    assert hashed(CURRENT) not in world.everything()


def test_an_erasure_finds_what_is_kept_under_a_key_that_the_secret_has_no_more(world: World) -> None:
    world.secret.value = {"current": OLDEST}
    put(0, visits=1)
    add_events(world, hashed(OLDEST), 3)
    handler.keys.__globals__["_kept"].clear()
    world.secret.value = {"current": PREVIOUS, "previous": OLDEST}
    call("GET")
    handler.keys.__globals__["_kept"].clear()
    world.secret.value = {"current": CURRENT, "previous": PREVIOUS}
    assert call("DELETE")[1]["events"] == 3
    assert world.items("events") == []


def test_what_arrives_late_is_erased_and_what_is_new_is_kept(world: World) -> None:
    put(0, visits=1)
    call("DELETE")
    now = datetime.now(UTC)
    add_events(world, hashed(CURRENT), 3, at=now - timedelta(hours=20))  # of a browser that was offline
    add_events(world, hashed(CURRENT), 2, at=now + timedelta(minutes=10), first=50)  # the visitor is back
    assert later(world, timedelta(days=1, minutes=11)) == 1
    assert len(world.items("events")) == 2


@pytest.mark.parametrize("after", range(1, 12))
def test_an_erasure_that_is_killed_anywhere_is_finished_by_the_next_pass(world: World, after: int) -> None:
    put(0, visits=1)
    add_events(world, hashed(CURRENT), 60)
    add_assignment(world, hashed(CURRENT))
    count = 0

    def killed(_operation: str, _input: dict[str, Any]) -> None:
        nonlocal count
        count += 1
        if count > after:
            raise Killed

    world.fault = killed
    try:
        call("DELETE")
    except Killed:
        world.fault = None
        written_down = any(item["visitorHash"] == erasure.JOURNAL for item in world.items("experiments"))
        if not written_down:  # it had not begun, and the visitor has seen no success
            assert call("DELETE")[0] == 200
    world.fault = None
    assert handler.handle({"action": "resume-erasures"}, Context())["passes"] <= 1
    assert world.items("events") == world.items("memory") == []
    assert [item["visitorHash"] for item in world.items("experiments")] == [erasure.JOURNAL]


def test_an_erasure_that_needs_more_time_goes_on_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "PAGE", 10)
    add_events(world, hashed(CURRENT), 40)
    status, answer = call("DELETE", milliseconds=0)
    assert (status, answer["complete"], answer["events"]) == (202, False, 10)
    assert handler.handle({"action": "resume-erasures"}, Context()) == {"passes": 1}
    assert world.items("events") == []


def test_the_next_erasure_resumes_those_that_wait(world: World) -> None:
    add_events(world, hashed(CURRENT), 3)
    world.fault = lambda operation, _input: error("ThrottlingException") if operation == "BatchWriteItem" else None
    assert call("DELETE")[0] == 503
    world.fault = None
    assert call("DELETE", visitor="another-visitor-1")[0] == 200
    assert world.items("events") == []


def test_items_that_the_table_does_not_take_at_once_are_sent_again(world: World) -> None:
    add_events(world, hashed(CURRENT), 30)
    refused = 0

    def some(operation: str, body: dict[str, Any]) -> Any:
        nonlocal refused
        if operation != "BatchWriteItem" or refused:
            return None
        refused += 1
        return response(200, json.dumps({"UnprocessedItems": body["RequestItems"]}))

    world.fault = some
    assert call("DELETE")[0] == 200
    assert world.items("events") == []
