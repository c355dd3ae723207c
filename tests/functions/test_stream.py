"""The stream: connections and subscriptions, what subscribers get, and what becomes of those who cannot take it."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.retries import Retries
from common.schema import NUMBERS, STREAMED, UNITS
from common.table import Table, pack
from stream import handler
from stream.connections import CONNECTION, Connections
from stream.gauge import Gauge
from stream.publishing import publish
from stream.samples import Batch, read
from tests.functions.world import Context, World, error, uuid

pytestmark = pytest.mark.functions

FPS, MEMORY = "candlefish_animation_fps", "candlefish_webgl_memory_usage"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def gauge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "_gauge", Gauge())


def send(route: str, body: Any = None, connection: str = "abc=", **headers: str) -> tuple[int, Any]:
    answer = handler.handle({"requestContext": {"routeKey": route, "connectionId": connection}, "headers": headers,
                             "body": body if isinstance(body, str | None) else json.dumps(body)}, Context())
    return answer["statusCode"], json.loads(answer["body"]) if "body" in answer else None


def subscribe(connection: str, *metrics: str) -> None:
    assert send("$connect", connection=connection)[0] == 200
    assert send("subscribe", {"action": "subscribe", "metrics": list(metrics)}, connection)[0] == 200


def record(number: int, kind: str = "INSERT", age: float = 0, **values: Any) -> dict[str, Any]:
    image = {"eventId": uuid(number), "visitorHash": "h" * 64, "type": "frame",
             "occurredAt": f"2026-11-21T12:00:{number % 60:02d}.000Z", **values}
    return {"eventName": kind, "dynamodb": {"SequenceNumber": f"{number:021d}", "NewImage": pack(image),
                                            "ApproximateCreationDateTime": time.time() - age}}


def deliver(*records: Any, milliseconds: int = 10_000) -> list[str]:
    answer = handler.publish({"Records": list(records)}, Context(milliseconds))
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


# Connections

def test_a_connection_lives_two_hours_and_leaves_nothing_behind(world: World) -> None:
    subscribe("abc=", FPS, MEMORY)
    items = {item["metric"]: item for item in world.items("connections")}
    assert set(items) == {CONNECTION, FPS, MEMORY}
    assert {item["expiresAt"] for item in items.values()} == {items[CONNECTION]["connectedAt"] + 7200}
    assert send("$disconnect") == (200, None)
    assert send("$disconnect") == (200, None)
    assert world.items("connections") == []


def test_a_ping_is_answered_with_a_pong(world: World) -> None:
    status, answer = send("ping", {"action": "ping"})
    assert (status, answer["type"]) == (200, "pong")
    assert datetime.fromisoformat(answer["at"]).tzinfo is not None


def test_subscriptions_come_and_go(world: World) -> None:
    subscribe("abc=", FPS, MEMORY, FPS)
    assert send("unsubscribe", {"metrics": [MEMORY]}) == (200, {"type": "unsubscribed", "metrics": [MEMORY]})
    assert {item["metric"] for item in world.items("connections")} == {CONNECTION, FPS}


def test_only_pages_of_the_site_connect(world: World) -> None:
    assert send("$connect", Origin="https://evil.example")[0] == 403
    assert send("$connect", Origin="https://candlefish.ai")[0] == 200


@pytest.mark.parametrize("body", [None, "", "{", "[]", '"x"', {}, {"metrics": []}, {"metrics": "x"}, {"metrics": [1]},
                                  {"metrics": [FPS, "other"]}, {"metrics": [[]]}, "[" * 4000, "x" * 5000,
                                  {"metrics": [CONNECTION]}])
@pytest.mark.parametrize("route", ["subscribe", "unsubscribe"])
def test_a_message_that_is_none_is_answered_and_changes_nothing(world: World, route: str, body: Any) -> None:
    send("$connect")
    status, answer = send(route, body)
    assert (status, answer["code"]) == (400, "bad_message")
    assert len(world.items("connections")) == 1


@pytest.mark.parametrize("route", ["$default", "publish", "__class__"])
def test_an_unknown_action_is_answered(world: World, route: str) -> None:
    assert send(route, {"action": "x"})[1]["code"] == "bad_message"


@pytest.mark.parametrize("route", ["$connect", "$disconnect"])
def test_a_message_that_names_a_route_of_the_connections_life_is_answered_and_changes_nothing(
        world: World, route: str) -> None:
    subscribe("abc=", FPS)
    before = world.items("connections")
    answer = handler.handle({"requestContext": {"routeKey": route, "connectionId": "abc=", "eventType": "MESSAGE"},
                             "body": json.dumps({"action": route})}, Context())
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "bad_message")
    assert world.items("connections") == before


@pytest.mark.parametrize("event", [None, {}, {"requestContext": {}}, {"requestContext": None}, []])
def test_what_is_no_message_is_refused(world: World, event: Any) -> None:
    assert handler.handle(event, Context())["statusCode"] == 400


def test_who_has_gone_cannot_subscribe(world: World) -> None:
    assert send("subscribe", {"metrics": [FPS]})[0] == 410
    send("$connect")

    def disconnects_meanwhile(operation: str, _input: dict[str, Any]) -> None:
        if operation == "TransactWriteItems":
            world.fault = None
            send("$disconnect")

    world.fault = disconnects_meanwhile
    assert send("subscribe", {"metrics": [FPS]})[0] == 410
    assert world.items("connections") == []


def test_a_throttled_table_is_answered_with_try_again(world: World) -> None:
    world.fault = lambda _operation, _input: error("ThrottlingException")
    assert send("$connect")[0] == send("$disconnect")[0] == 503


def test_the_number_of_connections_is_told_once_a_minute(world: World, capsys: pytest.CaptureFixture[str],
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        send("$connect", connection=f"c{number}")
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["candlefish_active_connections"] == [1]
    monkeypatch.setattr(handler, "_gauge", Gauge())
    deliver(record(1, fps=60.0))
    assert json.loads(capsys.readouterr().out)["candlefish_active_connections"] == [3]


# Publishing

def test_subscribers_get_one_message_a_batch_with_what_they_asked_for(world: World) -> None:
    subscribe("both", FPS, MEMORY)
    subscribe("memory", MEMORY)
    assert deliver(record(1, fps=60.0), record(2, fps=30.0, memoryMb=41.5), record(3, trustLevel=50.0)) == []
    (both,), (memory,) = world.connected.messages["both"], world.connected.messages["memory"]
    assert both["metrics"][FPS] == {"at": "2026-11-21T12:00:02.000Z", "latest": 30, "minimum": 30, "maximum": 60,
                                    "mean": 45, "count": 2}
    assert set(both["metrics"]) == {FPS, MEMORY}
    assert set(memory["metrics"]) == {MEMORY}
    assert (both["type"], both["environment"]) == ("metrics", "test")


def test_nothing_of_a_visitor_reaches_a_subscriber(world: World) -> None:
    subscribe("abc=", *STREAMED)
    deliver(record(1, sessionHash="s" * 64, emotionalState="shy",
                   **{name: 1.0 for name, field in NUMBERS.items() if field.metric}))
    text = json.dumps(world.connected.messages)
    assert all(word not in text for word in ("h" * 64, "s" * 64, uuid(1), "shy"))
    assert all(metric in text for metric in STREAMED)


def test_only_new_events_of_the_last_minute_are_live(world: World) -> None:
    subscribe("abc=", FPS)
    assert deliver(record(1, "REMOVE", fps=1.0), record(2, "MODIFY", fps=2.0), record(3, age=61, fps=3.0)) == []
    assert world.connected.messages == {}


def test_the_latest_value_is_the_latest_that_arose_not_that_arrived() -> None:
    batch = read([record(5, fps=50.0), record(3, fps=30.0), record(9, fps=90.0), record(4, fps=40.0)], 0)
    assert (batch.samples[FPS].latest, batch.samples[FPS].at) == (90, "2026-11-21T12:00:09.000Z")


def test_a_batch_that_comes_again_has_the_same_id(world: World) -> None:
    subscribe("abc=", FPS)
    deliver(record(1, fps=60.0))
    deliver(record(1, fps=60.0))
    first, second = world.connected.messages["abc="]
    assert first == second


def test_a_connection_that_has_gone_is_removed_with_its_subscriptions(world: World) -> None:
    subscribe("gone", FPS, MEMORY)
    subscribe("here", FPS)
    world.connected.fates["gone"] = "GoneException"
    assert deliver(record(1, fps=60.0)) == []
    assert {item["connectionId"] for item in world.items("connections")} == {"here"}
    assert len(world.connected.messages["here"]) == 1
    deliver(record(2, fps=60.0))
    assert world.connected.calls["gone"] == 1


def test_who_cannot_take_a_message_in_time_gets_the_next_one(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    subscribe("slow", FPS)
    subscribe("fast", FPS)
    world.connected.fates["slow"] = "LimitExceededException"
    capsys.readouterr()
    assert deliver(record(1, fps=10.0)) == []
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["dropped"] == 1
    world.connected.fates.clear()
    assert deliver(record(2, fps=20.0)) == []
    assert [message["metrics"][FPS]["latest"] for message in world.connected.messages["slow"]] == [20]
    assert [message["metrics"][FPS]["latest"] for message in world.connected.messages["fast"]] == [10, 20]


def test_without_time_left_the_rest_is_dropped(world: World) -> None:
    subscribe("abc=", FPS)
    assert deliver(record(1, fps=60.0), milliseconds=500) == []
    assert world.connected.messages == {}


def test_a_poisoned_record_is_answered_and_those_before_it_are_delivered_once(world: World) -> None:
    subscribe("abc=", FPS)
    poison = record(3)
    del poison["dynamodb"]["NewImage"]["occurredAt"]
    records = [record(1, fps=10.0), record(2, fps=20.0), poison, record(4, fps=40.0)]
    assert deliver(*records) == [records[2]["dynamodb"]["SequenceNumber"]]
    assert deliver(*records[2:]) == [records[2]["dynamodb"]["SequenceNumber"]]
    assert deliver(*records[3:]) == []  # after the last attempt at the poisoned one
    assert [message["metrics"][FPS]["count"] for message in world.connected.messages["abc="]] == [2, 1]


@pytest.mark.parametrize("image", [{"occurredAt": {"N": "1"}, "fps": {"N": "1"}}, {"fps": {"N": "1"}}, {"fps": "1"},
                                   {"occurredAt": {"S": "x"}, "fps": {"S": "many"}}, {"fps": {"N": "x"}}, {"a": {}}])
def test_no_image_breaks_the_stream(image: Any) -> None:
    poison = record(1)
    poison["dynamodb"]["NewImage"] = image
    assert read([poison, record(2, fps=1.0)], 0) == Batch({}, "", f"{1:021d}")


@pytest.mark.parametrize("failing", ["Query", "posts"])
def test_a_batch_that_reached_nobody_comes_again_as_a_whole(world: World, failing: str) -> None:
    subscribe("abc=", FPS)
    if failing == "posts":
        world.connected.fates["abc="] = "ForbiddenException"
    else:
        world.fault = lambda operation, _input: error("ThrottlingException") if operation == "Query" else None
    assert deliver(record(1, fps=60.0), record(2, fps=60.0)) == [f"{1:021d}"]
    world.fault, world.connected.fates = None, {}
    assert deliver(record(1, fps=60.0), record(2, fps=60.0)) == []
    assert [message["metrics"][FPS]["count"] for message in world.connected.messages["abc="]] == [2]


def test_a_batch_that_was_delivered_does_not_come_again_because_the_connections_could_not_be_counted(
        world: World) -> None:
    subscribe("abc=", FPS)
    handler._gauge.told = float("-inf")  # it is told now
    world.fault = lambda _operation, body: error("ThrottlingException") if body.get("Select") == "COUNT" else None
    assert deliver(record(1, fps=30.0)) == []
    assert len(world.connected.messages["abc="]) == 1


def test_a_thousand_subscribers_get_the_batch(world: World) -> None:
    table = Table(world.dynamodb, world.table("connections"))
    for start in range(0, 1000, 25):
        world.dynamodb.batch_write_item(RequestItems={table.name: [{"PutRequest": {"Item": pack(
            {"metric": FPS, "connectionId": f"c{number}", "expiresAt": 9_999_999_999})}}
            for number in range(start, start + 25)]})
    world.connected.fates = {f"c{number}": "GoneException" for number in range(0, 1000, 10)}
    outcome = publish(read([record(1, fps=60.0)], 0), Connections(table, NOW), world.connected.post_to_connection,
                      Retries(), "test")
    assert (outcome.delivered, outcome.gone, outcome.dropped, outcome.failed) == (900, 100, 0, 0)
    assert len(world.connected.messages) == len(world.items("connections")) == 900


def test_a_subscription_whose_time_is_over_gets_nothing(world: World) -> None:
    connections = Connections(Table(world.dynamodb, world.table("connections")), NOW)
    connections.add("abc=")
    connections.subscribe("abc=", [FPS])
    assert list(connections.subscribers(FPS)) == ["abc="]
    after = Connections(connections.table, NOW + timedelta(hours=2))
    assert list(after.subscribers(FPS)) == []


@given(st.lists(st.tuples(st.integers(0, 59), st.floats(0, 1000)), min_size=1, max_size=30))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_a_sample_is_what_the_values_say_in_any_order(values: list[tuple[int, float]]) -> None:
    batch = read([record(second, fps=value) for second, value in values], 0)
    sample = batch.samples[FPS]
    assert (sample.count, sample.minimum, sample.maximum) == (
        len(values), min(value for _, value in values), max(value for _, value in values))
    assert sample.total == pytest.approx(sum(value for _, value in values))
    latest = max(second for second, _ in values)
    assert sample.latest in [value for second, value in values if second == latest]


def test_every_streamed_metric_has_a_unit() -> None:
    assert set(STREAMED) <= set(UNITS)
