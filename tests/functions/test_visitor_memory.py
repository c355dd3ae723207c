"""Visitor memory: two devices, a key that changes, an export."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.hashing import Keys
from common.retries import Retries
from common.table import Table, pack
from tests.functions.world import CURRENT, OLDEST, PREVIOUS, Context, World, error, request, uuid
from visitor_memory import export, handler

pytestmark = pytest.mark.functions

VISITOR = "visitor-0123456789"


def hashed(key: str, visitor: str = VISITOR) -> str:
    return Keys(key).hash("visitor", visitor)


def call(method: str, body: Any = None, visitor: str = VISITOR, path: str = "", milliseconds: int = 10_000,
         **more: Any) -> tuple[int, dict[str, Any]]:
    answer = handler.handle(request(method, f"/memory/{visitor}{path}", body, parameters={"visitor": visitor}, **more),
                            Context(milliseconds))
    return answer["statusCode"], json.loads(answer["body"])


def put(version: int, trust: float = 10, visitor: str = VISITOR, **memory: Any) -> tuple[int, dict[str, Any]]:
    return call("PUT", {"version": version, "trustLevel": trust, "memory": memory}, visitor)


def add_events(world: World, hash: str, count: int, at: datetime | None = None, first: int = 0) -> None:
    occurred = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    for number in range(first, first + count):
        world.dynamodb.put_item(TableName=world.table("events"), Item=pack(
            {"eventId": uuid(number), "visitorHash": hash, "occurredAt": occurred, "type": "frame", "fps": 60.0,
             "sessionHash": "s" * 64}))


def add_assignment(world: World, hash: str) -> None:
    world.dynamodb.put_item(TableName=world.table("experiments"), Item=pack(
        {"visitorHash": hash, "experiment": "trust-rate", "variant": "fast", "variants": {"fast"},
         "assignedAt": int(datetime.now(UTC).timestamp()), "expiresAt": 9_999_999_999}))


def later(world: World, by: timedelta) -> int:
    """The schedule's pass, at a later time; returns how many erasures it worked on."""
    return handler.tables(Retries(), datetime.now(UTC) + by).erasure.resume()


def test_what_is_put_is_what_is_got_and_nothing_was_before(world: World) -> None:
    assert call("GET")[0] == 404
    status, written = put(0, 12.5, scene="deep-sea", visits=3, sound=True, seen=["reef", "wreck"])
    assert (status, written["version"]) == (200, 1)
    assert call("GET") == (200, written)
    assert written["memory"] == {"scene": "deep-sea", "visits": 3, "sound": True, "seen": ["reef", "wreck"]}
    (item,) = world.items("memory")
    assert item["expiresAt"] == item["updatedAt"] + 90 * 86_400
    assert VISITOR not in world.everything()


def test_two_devices_never_lose_an_update(world: World) -> None:
    put(0, visits=1)
    assert put(1, visits=2)[0] == 200  # the telephone
    status, refused = put(1, trust=99, visits=7)  # the tablet, which had read version 1 too
    assert (status, refused["code"]) == (409, "conflict")
    assert (refused["current"]["version"], refused["current"]["memory"]) == (2, {"visits": 2})
    assert put(refused["current"]["version"], trust=99, visits=9)[1]["version"] == 3
    assert put(0, visits=0)[0] == 409


@given(steps=st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=15))
@settings(max_examples=25, derandomize=True, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_devices_do_every_write_that_was_accepted_counts_one_version(
        world: World, steps: list[tuple[int, bool]]) -> None:
    """Devices read, or write one more than they last read; the sum is the number of accepted writes."""
    visitor = f"visitor-{uuid4()}"
    seen, accepted = dict.fromkeys(range(3), (0, 0)), 0
    for number, (device, reads) in enumerate(steps):
        if reads:
            status, found = call("GET", visitor=visitor)
            seen[device] = (found["version"], found["memory"]["count"]) if status == 200 else (0, 0)
        else:
            version, count = seen[device]
            accepted += put(version, number, visitor, count=count + 1)[0] == 200
    status, found = call("GET", visitor=visitor)
    if accepted:
        assert (found["version"], found["memory"]["count"]) == (accepted, accepted)
    else:
        assert status == 404


def test_a_put_whose_answer_was_lost_is_answered_again(world: World) -> None:
    first = put(0, visits=1)
    assert put(0, visits=1) == first
    assert put(0, visits=2)[0] == 409


def test_what_has_expired_is_gone_before_the_table_deletes_it(world: World) -> None:
    put(0, visits=1)
    world.dynamodb.update_item(TableName=world.table("memory"), Key=pack({"visitorHash": hashed(CURRENT)}),
                               UpdateExpression="SET expiresAt = :past",
                               ExpressionAttributeValues=pack({":past": int(datetime.now(UTC).timestamp()) - 1}))
    assert call("GET")[0] == 404
    assert put(1, visits=2)[0] == 409
    assert put(0, visits=5)[1]["memory"] == {"visits": 5}


@pytest.mark.parametrize("body", [
    None, "{", [], {}, {"version": 0}, {"version": -1, "trustLevel": 0}, {"version": True, "trustLevel": 0},
    {"version": 0, "trustLevel": 101}, {"version": 0, "trustLevel": 0, "name": "Ada"},
    {"version": 0, "trustLevel": 0, "memory": {"note": "Ada Lovelace, 192.0.2.77"}},
    {"version": 0, "trustLevel": 0, "memory": {"mail": "ada@lovelace.example"}},
    {"version": 0, "trustLevel": 0, "memory": {"phone": "12025550143"}},
    {"version": 0, "trustLevel": 0, "memory": {"Bad Key": 1}},
    {"version": 0, "trustLevel": 0, "memory": {"deep": {"er": 1}}},
    {"version": 0, "trustLevel": 0, "memory": {f"k{number}": 1 for number in range(65)}},
    {"version": 2**60, "trustLevel": 0},
])
def test_what_could_be_personal_or_is_no_document_is_refused(world: World, body: Any) -> None:
    status, answer = call("PUT", body)
    assert status == 400
    assert answer["code"]
    assert "Ada" not in answer["message"]
    assert world.items("memory") == []


@pytest.mark.parametrize("visitor", ["", "short", "a" * 65, "ada@lovelace.example", "../../../etc/passwd00"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_identifier_that_could_be_guessed_or_is_none_is_refused(world: World, method: str, visitor: str) -> None:
    status, answer = call(method, visitor=visitor)
    assert (status, answer["code"]) == (400, "invalid_visitor")
    assert world.calls["GetItem"] == world.calls["PutItem"] == 0


def test_other_methods_are_refused(world: World) -> None:
    assert call("PATCH")[0] == call("PUT", path="/export")[0] == 405


def test_a_visitor_of_a_former_key_is_found_and_moved(world: World) -> None:
    world.secret.value = {"current": OLDEST}
    put(0, visits=1)
    handler.keys.__globals__["_kept"].clear()
    world.secret.value = {"current": CURRENT, "previous": [PREVIOUS, OLDEST]}  # type: ignore[dict-item]
    assert put(1, visits=2)[1] == {**call("GET")[1], "version": 2, "memory": {"visits": 2}}
    (item,) = world.items("memory")
    assert item["visitorHash"] == hashed(CURRENT)
    assert item["formerly"] == {hashed(OLDEST)}


def test_an_export_has_all_of_a_visitor_and_nothing_of_another(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE", 7)
    world.secret.value = {"current": CURRENT, "previous": PREVIOUS}
    put(0, 42, visits=1)
    add_events(world, hashed(CURRENT), 10)
    add_events(world, hashed(PREVIOUS), 10, first=100)
    add_events(world, "0" * 64, 5, first=1000)
    add_assignment(world, hashed(CURRENT))
    status, page = call("GET", path="/export")
    assert status == 200
    assert page["memory"][0]["trustLevel"] == 42
    assert [item["variant"] for item in page["experiments"]] == ["fast"]
    found = list(page["events"])
    while "next" in page:
        status, page = call("GET", path="/export", query={"cursor": page["next"]})
        assert status == 200
        assert "memory" not in page
        found += page["events"]
    assert sorted(event["eventId"] for event in found) == [uuid(number) for number in [*range(10), *range(100, 110)]]
    assert hashed(CURRENT) not in json.dumps(found)


@pytest.mark.parametrize("cursor", ["", "x", "W10=", "WzksICJhIiwgImIiXQ==", "WzAsICIiLCAiIl0=", "é", "a" * 500,
                                    "W3RydWUsICJhIiwgImIiXQ=="])
def test_a_cursor_that_is_none_is_refused(world: World, cursor: str) -> None:
    status, answer = call("GET", path="/export", query={"cursor": cursor})
    assert status == (200 if not cursor else 400)
    if cursor:
        assert answer["code"] == "invalid_cursor"


def test_a_throttled_table_is_answered_with_try_again(world: World) -> None:
    world.fault = lambda _operation, _input: error("ThrottlingException")
    assert call("GET")[0] == call("PUT", {"version": 0, "trustLevel": 1})[0] == call("DELETE")[0] == 503


def test_a_transaction_names_the_items_that_failed(world: World) -> None:
    table = Table(world.dynamodb, world.table("memory"))
    table.put({"visitorHash": "b"})
    from common.table import ConditionFailed

    with pytest.raises(ConditionFailed) as failed:
        table.transact([table.put_action({"visitorHash": name}, "attribute_not_exists(visitorHash)")
                        for name in "abc"])
    assert failed.value.failed == (1,)
