"""Events: what the schema takes, what it refuses, what it drops, what is counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics_processor import handler
from analytics_processor.events import Event, parse
from analytics_processor.metrics import lines
from common.hashing import Keys
from common.schema import NUMBERS, TYPES, UNITS, WORDS
from common.values import Invalid
from tests.functions.world import CURRENT, uuid

pytestmark = pytest.mark.functions

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEYS = Keys(CURRENT)
CATALOGUE = {"trust-rate": frozenset({"slow", "fast"})}
IDS = iter(range(100_000))


class Memory:
    """A store in memory."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}

    def put(self, events: Any) -> frozenset[str]:
        there = frozenset(event.id for event in events if event.id in self.events)
        self.events |= {event.id: event for event in events if event.id not in there}
        return there


def event(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"id": uuid(next(IDS)), "type": "frame", "timestamp": "2026-11-21T11:59:59Z",
                              "sessionId": "session-0000000001", "fps": 58.5}
    return values | changes


def run(batch: list[Any], store: Memory | None = None) -> tuple[handler.Outcome, list[dict[str, Any]], Memory]:
    kept = store or Memory()
    written: list[str] = []
    outcome = handler.process(batch, kept, KEYS, "test", NOW, CATALOGUE, written.append)
    return outcome, [json.loads(text) for text in written], kept


def test_a_valid_batch_is_kept_and_counted() -> None:
    outcome, (metrics,), kept = run([event(fps=60), event(fps=30, memoryMb=41)])
    assert (outcome.accepted, outcome.duplicates, outcome.rejected) == (2, 0, [])
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


def test_refusals_say_the_index_and_do_not_stop_the_rest() -> None:
    outcome, (metrics,), kept = run([event(fps=-1), event(), "text", event(type="unknown"), event(id="x")])
    assert [(error.index, error.code) for error in outcome.rejected] == [
        (0, "invalid_number"), (2, "not_an_object"), (3, "unknown_type"), (4, "invalid_id")]
    assert outcome.accepted == len(kept.events) == 1
    assert metrics["candlefish_events_rejected"] == [4]


@pytest.mark.parametrize(("changes", "code"), [
    ({"timestamp": None}, "invalid_timestamp"),
    ({"timestamp": True}, "invalid_timestamp"),
    ({"timestamp": "yesterday"}, "invalid_timestamp"),
    ({"timestamp": "2026-11-21T11:59:59"}, "invalid_timestamp"),
    ({"timestamp": "9999-12-31T23:59:59-23:59"}, "timestamp_out_of_range"),
    ({"timestamp": "0001-01-01T00:00:00+23:59"}, "timestamp_out_of_range"),
    ({"timestamp": 1e300}, "invalid_timestamp"),
    ({"timestamp": 10 ** 400}, "invalid_timestamp"),
    ({"timestamp": "2026-11-20T11:59:59Z"}, "timestamp_out_of_range"),
    ({"timestamp": "2026-11-21T12:06:00Z"}, "timestamp_out_of_range"),
    ({"id": "john-smith-1970-01-01"}, "invalid_id"),
    ({"visitorId": "short"}, "invalid_visitorId"),
    ({"visitorId": "john.smith@example.com"}, "invalid_visitorId"),
    ({"emotionalState": "john smith"}, "invalid_word"),
    ({"returning": "yes"}, "invalid_flag"),
    ({"funnelStep": 1.5}, "invalid_number"),
    ({"type": "error"}, "incomplete"),
    ({"frames": 10, "frameDrops": 11}, "inconsistent"),
    ({"experiment": "trust-rate"}, "incomplete"),
    ({"experiment": "trust-rate", "variant": "unheard-of"}, "unknown_variant"),
    ({"experiment": "unheard-of", "variant": "fast"}, "unknown_variant"),
    ({"fps": None}, "empty"),
])
def test_what_cannot_be_is_refused_with_a_code(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(event(**changes), NOW, KEYS, CATALOGUE)
    assert refused.value.code == code


@pytest.mark.parametrize("timestamp", ["2026-11-21T13:00:00+01:00", NOW.timestamp() * 1000])
def test_a_time_is_kept_in_utc(timestamp: Any) -> None:
    assert parse(event(timestamp=timestamp), NOW, KEYS).at == NOW


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "60", [60], 1001, -0.1, 10 ** 400])
def test_a_number_outside_its_bounds_is_refused_without_being_repeated(value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        parse(event(fps=value), NOW, KEYS)
    assert str(refused.value) == "`fps` must be a number from 0 to 1000"


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                           lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
valid_events = st.fixed_dictionaries(
    {"id": st.uuids().map(str), "type": st.sampled_from([type for type in TYPES if type != "error"]),
     "timestamp": st.datetimes(datetime(2026, 11, 20, 12, 1), datetime(2026, 11, 21, 12, 4),
                               timezones=st.just(UTC)).map(datetime.isoformat),
     "interactions": st.integers(0, 100_000)},
    optional={**{name: st.integers(int(bounds.minimum), int(bounds.maximum)) if bounds.whole
                 else st.floats(bounds.minimum, bounds.maximum)
                 for name, bounds in NUMBERS.items() if name not in ("interactions", "frames", "frameDrops")},
              "emotionalState": st.sampled_from(WORDS["emotionalState"].values or ()), "returning": st.booleans(),
              "visitorId": st.from_regex(r"\A[A-Za-z0-9_-]{16,64}\Z")})


@given(json_values | st.fixed_dictionaries({}, optional=dict.fromkeys(
    ["id", "type", "timestamp", *NUMBERS, *WORDS, "sessionId", "visitorId", "returning"], json_values)))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_no_input_breaks_the_parser(raw: Any) -> None:
    try:
        found = parse(raw, NOW, KEYS)
    except Invalid as refused:
        assert refused.code  # noqa: PT017
    else:
        assert all(NUMBERS[name].minimum <= value <= NUMBERS[name].maximum for name, value in found.numbers.items())


@given(valid_events, st.dictionaries(st.text(min_size=1), st.text(), max_size=4))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_every_valid_event_is_taken_as_it_is_and_what_is_unknown_is_dropped(raw: dict[str, Any],
                                                                           unknown: dict[str, str]) -> None:
    found = parse({**unknown, **raw}, NOW, KEYS)
    assert found == parse(raw, NOW, KEYS)
    assert {**found.numbers, **found.words, **found.flags} == {
        name: value for name, value in raw.items() if name not in ("id", "type", "timestamp", "visitorId")}


def test_identifiers_are_kept_as_keyed_hashes() -> None:
    found = parse(event(visitorId="visitor-0000000001"), NOW, KEYS)
    assert set(found.hashes) == {"visitorHash", "sessionHash"}
    assert all(len(hash) == 64 for hash in found.hashes.values())
    assert found.hashes["visitorHash"] == KEYS.hash("visitor", "visitor-0000000001")
    assert found.hashes["visitorHash"] != KEYS.hash("session", "visitor-0000000001")
    assert parse(event(visitorId="visitor-0000000001"), NOW, Keys("x" * 40)).hashes != found.hashes


@pytest.mark.parametrize(("raw", "metric", "value"), [
    ({"type": "frame", "frames": 200, "frameDrops": 3}, "candlefish_frame_drop_rate", 1.5),
    ({"type": "frame"}, "candlefish_error_rate", 0),
    ({"type": "error", "errorKind": "shader"}, "candlefish_error_rate", 100),
    ({"type": "session", "interactions": 30, "sessionDurationS": 120}, "candlefish_interaction_rate", 15),
    ({"type": "session", "sessionDurationS": 120}, "candlefish_session_duration", 120),
    ({"type": "session", "returning": True}, "candlefish_return_rate", 100),
    ({"type": "trust", "trustProgression": -5}, "candlefish_trust_progression", -5),
    ({"type": "web_vitals", "largestContentfulPaintMs": 2400}, "candlefish_largest_contentful_paint", 2400),
])
def test_metrics_follow_from_fields(raw: dict[str, Any], metric: str, value: float) -> None:
    (line,) = lines([parse(event(**raw), NOW, KEYS)], "test", NOW, rejected=0)
    assert json.loads(line)[metric] == [value]


def test_metrics_follow_the_embedded_metric_format() -> None:
    (line,) = lines([parse(event(fps=60), NOW, KEYS)], "staging", NOW, rejected=0)
    found = json.loads(line)
    (directive,) = found["_aws"]["CloudWatchMetrics"]
    assert found["_aws"]["Timestamp"] == 1_795_262_400_000
    assert directive["Namespace"] == "Candlefish/Animation"
    assert directive["Dimensions"] == [["Environment"]]
    assert found["Environment"] == "staging"
    assert all(metric["Name"] in found and UNITS[metric["Name"]] == metric["Unit"] for metric in directive["Metrics"])
    assert set(found) == {"_aws", "Environment"} | {metric["Name"] for metric in directive["Metrics"]}


def test_no_line_has_more_values_than_the_format_allows() -> None:
    events = [parse(event(), NOW, KEYS)] * 250
    counted = [json.loads(line) for line in lines(events, "test", NOW, rejected=0)]
    assert [len(line["candlefish_animation_fps"]) for line in counted] == [100, 100, 50]
    assert [line.get("candlefish_events_accepted") for line in counted] == [[250], None, None]


def test_the_age_that_is_accepted_is_covered_by_the_erasure() -> None:
    from analytics_processor.events import FUTURE, PAST
    from visitor_memory.erasure import AHEAD, LATE

    assert PAST + timedelta(minutes=1) < LATE
    assert AHEAD >= FUTURE
