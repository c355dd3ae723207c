"""The analytics processor: what it keeps, what it refuses, what it counts."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "functions"))

from analytics_processor import handler
from analytics_processor.events import MAXIMUM_EVENTS, NUMBERS, Event, InvalidEvent, parse
from analytics_processor.metrics import line
from analytics_processor.store import DynamoStore

pytestmark = pytest.mark.functions

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
IDS = iter(f"event-{number:04d}" for number in range(10_000))


class Memory:
    """A store in memory."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}

    def put(self, event: Event) -> bool:
        if event.id in self.events:
            return False
        self.events[event.id] = event
        return True


def event(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"id": next(IDS), "type": "frame", "timestamp": "2026-11-21T11:59:59Z",
                              "sessionId": "session-1", "fps": 58.5}
    return values | changes


def run(batch: list[Any], store: Memory | None = None) -> tuple[handler.Outcome, list[dict[str, Any]], Memory]:
    kept = store or Memory()
    lines: list[str] = []
    outcome = handler.process(batch, kept, "test", NOW, lines.append)
    return outcome, [json.loads(text) for text in lines], kept


def test_a_valid_batch_is_kept_and_counted() -> None:
    outcome, (metrics,), kept = run([event(fps=60), event(fps=30, memoryMb=41)])
    assert (outcome.accepted, outcome.duplicates, outcome.errors) == (2, 0, [])
    assert metrics["candlefish_animation_fps"] == [60, 30]
    assert metrics["candlefish_webgl_memory_usage"] == [41]
    assert len(kept.events) == 2


def test_an_event_sent_again_is_neither_kept_nor_counted_twice() -> None:
    once = event()
    _, _, store = run([once])
    outcome, (metrics,), _ = run([once, once], store)
    assert (outcome.accepted, outcome.duplicates) == (0, 2)
    assert "candlefish_animation_fps" not in metrics
    assert metrics["candlefish_events_accepted"] == [0]


def test_personal_data_never_reaches_the_store() -> None:
    _, (metrics,), kept = run([event(email="a@b.c", ip="192.0.2.1", name="Ada", visitorId="v-1", userAgent="x")])
    (found,) = kept.events.values()
    assert set(found.numbers) | set(found.words) == {"fps", "sessionId"}
    assert "a@b.c" not in json.dumps(metrics)


def test_refusals_say_the_index_and_do_not_stop_the_rest() -> None:
    outcome, (metrics,), kept = run([event(fps=-1), event(), "text", event(type="unknown"), event(id="x")])
    assert [(error.index, error.code) for error in outcome.errors] == [
        (0, "invalid_number"), (2, "not_an_object"), (3, "unknown_type"), (4, "invalid_id")]
    assert outcome.accepted == len(kept.events) == 1
    assert metrics["candlefish_events_rejected"] == [4]


@pytest.mark.parametrize(("timestamp", "code"), [
    (None, "invalid_timestamp"),
    (True, "invalid_timestamp"),
    ("yesterday", "invalid_timestamp"),
    ("2026-11-21T11:59:59", "invalid_timestamp"),
    (1e300, "invalid_timestamp"),
    (float("nan"), "invalid_timestamp"),
    ("2026-11-19T11:59:59Z", "timestamp_out_of_range"),
    ("2026-11-21T12:06:00Z", "timestamp_out_of_range"),
])
def test_a_time_that_cannot_be_is_refused(timestamp: Any, code: str) -> None:
    with pytest.raises(InvalidEvent) as refused:
        parse(event(timestamp=timestamp), NOW)
    assert refused.value.code == code


@pytest.mark.parametrize("timestamp", ["2026-11-21T13:00:00+01:00", NOW.timestamp() * 1000])
def test_a_time_is_kept_in_utc(timestamp: Any) -> None:
    assert parse(event(timestamp=timestamp), NOW).at == NOW


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "60", [60], 1001, -0.1])
def test_a_number_outside_its_bounds_is_refused_without_being_repeated(value: Any) -> None:
    with pytest.raises(InvalidEvent) as refused:
        parse(event(fps=value), NOW)
    assert str(refused.value) == "`fps` must be a number from 0 to 1000"


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                           lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


@given(json_values | st.fixed_dictionaries({}, optional=dict.fromkeys(
    ["id", "type", "timestamp", *NUMBERS, "sessionId"], json_values)))
def test_no_input_breaks_the_parser(raw: Any) -> None:
    try:
        found = parse(raw, NOW)
    except InvalidEvent as refused:
        assert refused.code  # noqa: PT017
    else:
        assert all(NUMBERS[name].minimum <= value <= NUMBERS[name].maximum for name, value in found.numbers.items())


def test_metrics_follow_the_embedded_metric_format() -> None:
    found = json.loads(line([parse(event(fps=60), NOW)], "staging", NOW, rejected=0))
    (directive,) = found["_aws"]["CloudWatchMetrics"]
    assert found["_aws"]["Timestamp"] == 1_795_262_400_000
    assert directive["Namespace"] == "Candlefish/Animation"
    assert directive["Dimensions"] == [["Environment"]]
    assert found["Environment"] == "staging"
    assert all(metric["Name"] in found for metric in directive["Metrics"])


class Refused(Exception):
    pass


class Client:
    """As much of boto3's DynamoDB client as the store uses."""

    class exceptions:
        ConditionalCheckFailedException = Refused

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.sent: list[dict[str, Any]] = []

    def put_item(self, **arguments: Any) -> None:
        self.sent.append(arguments)
        if self.failure:
            raise self.failure


def test_the_table_gets_the_event_once_with_the_time_when_it_expires() -> None:
    client = Client()
    assert DynamoStore(client, "events", timedelta(days=90)).put(parse(event(id="event-id-1", trustLevel=20), NOW))
    (sent,) = client.sent
    assert (sent["TableName"], sent["ConditionExpression"]) == ("events", "attribute_not_exists(eventId)")
    assert sent["Item"]["eventId"] == {"S": "event-id-1"}
    assert sent["Item"]["trustLevel"] == {"N": "20.0"}
    assert int(sent["Item"]["expiresAt"]["N"]) == int((NOW - timedelta(seconds=1) + timedelta(days=90)).timestamp())


def test_an_event_that_is_there_already_is_no_error_but_a_failing_table_is() -> None:
    parsed = parse(event(), NOW)
    assert DynamoStore(Client(Refused()), "events", timedelta(days=1)).put(parsed) is False
    with pytest.raises(OSError, match="throttled"):
        DynamoStore(Client(OSError("throttled")), "events", timedelta(days=1)).put(parsed)


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Memory:
    store = Memory()
    monkeypatch.setattr(handler, "_store", lambda: store)
    monkeypatch.setenv("ENVIRONMENT", "test")
    return store


def fresh(**changes: Any) -> dict[str, Any]:
    return event(timestamp=datetime.now(UTC).isoformat(), **changes)


@pytest.mark.parametrize(("batch", "status"), [
    ([{}, None], 207), ([{}], 200), ([None], 400),
])
def test_an_http_answer_says_whether_all_some_or_none_were_kept(deployed: Memory, batch: list[Any],
                                                                status: int) -> None:
    events = [fresh() if entry is not None else "text" for entry in batch]
    answer = handler.handle({"body": json.dumps({"events": events})}, None)
    assert answer["statusCode"] == status
    assert json.loads(answer["body"])["accepted"] == len(deployed.events)


@pytest.mark.parametrize(("body", "message"), [
    ("{", "the body is not JSON"), ("[]", "non-empty list"), ('{"events": []}', "non-empty list"), (None, "non-empty"),
    (json.dumps({"events": [0] * (MAXIMUM_EVENTS + 1)}), "at most 100"),
])
def test_a_batch_that_cannot_be_read_is_answered_with_400(deployed: Memory, body: str | None, message: str) -> None:
    answer = handler.handle({"body": body}, None)
    assert answer["statusCode"] == 400
    assert message in json.loads(answer["body"])["message"]


def test_a_direct_invocation_returns_the_outcome_and_fails_on_a_bad_batch(deployed: Memory) -> None:
    assert handler.handle({"events": [fresh()]}, None) == {"accepted": 1, "duplicates": 0, "errors": []}
    with pytest.raises(handler.InvalidBatch):
        handler.handle({"events": "none"}, None)
