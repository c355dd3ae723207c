"""The arithmetic of `make load`: percentiles, cost, what counts as a good answer."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_processor.events import parse
from common.hashing import Keys
from common.schema import STREAMED
from tests.load import prices, requests, sockets
from tests.load.environment import Report, reports
from tests.load.events import FAULTS, FUZZ, LOAD, batches, event
from tests.load.figures import Spread, aligned, percentile
from tests.load.fuzz import judge

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (1, 100), (0.001, 1)])
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: int) -> None:
    values = list(range(1, 101))
    random.Random(1).shuffle(values)
    assert percentile(values, share) == expected


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.floats(0.001, 1))
def test_a_percentile_has_its_share_of_values_up_to_it_and_no_smaller_one_has(values: list[float],
                                                                             share: float) -> None:
    found = percentile(values, share)
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values)


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1], 0), ([1], 1.1), ([1], -1)])
def test_a_percentile_of_nothing_is_refused(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match=r"no values|allowed"):
        percentile(values, share)


def test_a_spread_is_rounded_to_a_tenth() -> None:
    assert Spread.of([1.04, 2.06, 3.0]) == Spread(2.1, 3.0, 3.0, 3.0)


def test_a_table_is_aligned() -> None:
    assert aligned([{"a": 1, "long": 1234.56}, {"a": 10_000, "long": False}]) == (
        "     a     long\n     1  1,234.6\n10,000       no")


def usage(**changes: Any) -> prices.Usage:
    none = prices.Invocations(0, 0, 0)
    return prices.Usage(**{"events": 1_000_000, "requests": 0, "processor": none, "publisher": none, "write_units": 0,
                           "read_units": 0, **changes})


@pytest.mark.parametrize(("changes", "part", "usd"), [
    ({"requests": 50_000}, "API Gateway", 0.175),  # 50,000 of 3.50 a million
    # 1 M requests of 100 ms with 1 GB: 0.20 + 100,000 GB-s
    ({"processor": prices.Invocations(1_000_000, 100_000_000, 1024)}, "analytics-processor", 0.20 + 1.33334),
    ({"publisher": prices.Invocations(10_000, 2_000_000, 512)}, "stream-publisher", 0.002 + 0.0133334),
    ({"write_units": 3_000_000}, "DynamoDB writes", 1.875),
    ({"read_units": 1_000_000}, "DynamoDB reads", 0.125),
    ({}, "stream reads", 0.0),
])
def test_each_part_costs_its_price(changes: dict[str, Any], part: str, usd: float) -> None:
    found = prices.per_million_events(usage(**changes))
    assert found[part] == pytest.approx(usd)
    assert found["total"] == pytest.approx(usd)


def test_the_cost_is_of_a_million_events_however_many_were_measured() -> None:
    small = prices.per_million_events(usage(events=20, requests=1, write_units=60))
    large = prices.per_million_events(usage(events=2_000_000, requests=100_000, write_units=6_000_000))
    assert small == pytest.approx(large)
    with pytest.raises(ValueError, match="no event"):
        prices.per_million_events(usage(events=0))


ITEM = {"eventId": {"S": "e" * 36}, "fps": {"N": "58.5"}, "frames": {"N": "600"}, "returning": {"BOOL": True}}


def test_the_size_of_an_item_is_of_its_names_and_values() -> None:
    # 7 + 36, 3 + (585: 2 + 1), 6 + (6: 1 + 1), 9 + 1
    assert prices.size(ITEM) == 43 + 6 + 8 + 10
    with pytest.raises(ValueError, match="no attribute of type"):
        prices.size({"x": {"M": {}}})


@pytest.mark.parametrize(("item", "units"), [
    (ITEM, 2), ({**ITEM, "visitorHash": {"S": "h" * 64}}, 3), ({**ITEM, "visitorHash": {"S": "h" * 1100}}, 6)])
def test_a_transaction_writes_twice_and_an_index_once_more_by_the_kilobyte(item: dict[str, Any], units: int) -> None:
    assert prices.write_units(item, "visitorHash") == units


def test_the_time_inside_a_function_is_what_lambda_reports() -> None:
    assert reports(["START RequestId: x Version: $LATEST", "REPORT RequestId: a\tDuration: 12.34 ms\t"
                    "Billed Duration: 13 ms\tMemory Size: 512 MB\tMax Memory Used: 60 MB",
                    "REPORT RequestId: b\tDuration: 1.00 ms\tBilled Duration: 202 ms\tMemory Size: 512 MB\t"
                    "Max Memory Used: 60 MB\tInit Duration: 200.10 ms"]) == [
        Report(12.34, 13, 512), Report(1.0, 202, 512)]


@pytest.mark.parametrize(("method", "status", "kind", "content", "by", "fault"), [
    ("POST", 200, "application/json", b"{}", "", False), ("GET", 304, "", b"", "", False),
    ("POST", 400, "application/json", b'{"code": "no_body", "message": "x"}', "the function", False),
    ("POST", 400, "application/json", b'{"accepted": 0, "rejected": [{"index": 0}]}', "the function", False),
    ("POST", 403, "application/json", b'{"message": "Missing Authentication Token"}', "API Gateway", False),
    ("FOO", 405, "text/html", b"<!DOCTYPE html><html><head><title>ERROR: The request could not be satisfied</title>",
     "CloudFront", False),
    ("HEAD", 403, "", b"", "HEAD", False), ("POST", 500, "", b'{"message": "x"}', "", True),
    ("POST", 302, "", b"", "", True), ("POST", 400, "", b"", "", True), ("POST", 400, "", b"[]", "", True),
    ("POST", 400, "", b'{"rejected": []}', "", True), ("POST", 400, "text/html", b"<html>", "", True),
    ("POST", 400, "", b'{"message": "Traceback (most recent call last)"}', "", True),
    ("POST", 200, "", b'{"errorMessage": "x"}', "", True), ("POST", 404, "", b'{"message": "in handler.py"}', "", True),
])
def test_an_answer_is_judged(method: str, status: int, kind: str, content: bytes, by: str, fault: bool) -> None:
    found, said = judge(method, status, kind, content)
    assert (found, bool(said)) == (by, fault)


def test_the_same_seed_draws_the_same_requests_frames_and_events() -> None:
    def draw(seed: int) -> list[Any]:
        dice = random.Random(seed)
        events = next(batches(seed, 5, LOAD))
        return [*(requests.spoiled(random.Random(f"{seed}:{number}")).spoiled for number in range(50)),
                *(sockets.frame(dice) for _ in range(50)), [{**event, "id": "", "timestamp": 0} for event in events]]

    assert draw(1) == draw(1) != draw(2)


def test_events_of_every_type_are_valid_and_the_runs_share_no_metric() -> None:
    keys = Keys("k" * 40)
    drawn = {type: event(random.Random(1), type) for type in (LOAD, FUZZ, FAULTS)}
    parsed = {type: parse(each, datetime.now(UTC), keys) for type, each in drawn.items()}
    streamed = [set(each.numbers) & set(STREAMED.values()) for each in parsed.values()]
    assert all(streamed)
    assert sum(map(len, streamed)) == len(set().union(*streamed))
    with pytest.raises(ValueError, match="are drawn"):
        event(random.Random(1), "trust")


def test_requests_are_spoiled_in_every_way() -> None:
    drawn = [requests.spoiled(random.Random(number)) for number in range(2000)]
    assert {change for request in drawn for change in request.spoiled} == set(requests.CHANGES)
    assert {request.path.split("/")[1] for request in drawn} == {"api", "memory", "experiments", "health"}
