"""What all functions share: retries, logs, answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import logs
from common.http import Answer, Refusal, serve
from common.retries import LONGEST_SECONDS, Retries, Unavailable
from common.table import pack, unpack
from tests.functions.world import Context, request

pytestmark = pytest.mark.functions


class Refused(Exception):
    def __init__(self, code: str, status: int = 400) -> None:
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


class ReadTimeoutError(Exception):
    """By botocore's name."""


class Failing:
    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6))
@settings(max_examples=50, derandomize=True, deadline=None)
def test_waits_grow_to_a_limit_and_are_spread_over_all_of_it(dice: list[float]) -> None:
    waited: list[float] = []
    thrown = iter(dice)
    with pytest.raises(Unavailable, match="ThrottlingException after 6 attempts"):
        Retries(sleep=waited.append, random=lambda: next(thrown)).call(Failing(*[Refused("ThrottlingException")] * 6))
    assert waited == pytest.approx([dice[index] * min(LONGEST_SECONDS, 0.05 * 2 ** index) for index in range(5)])


@pytest.mark.parametrize("error", [
    Refused("ThrottlingException"), Refused("InternalServerError", 500), Refused("Anything", 503), ReadTimeoutError(),
    Refused("TransactionConflictException"), ConnectionResetError()])
def test_what_passes_is_tried_again(error: Exception) -> None:
    work = Failing(error)
    assert Retries(sleep=lambda _seconds: None).call(work) == "done"
    assert work.calls == 2


@pytest.mark.parametrize("error", [Refused("ValidationException"), Refused("AccessDeniedException"), KeyError("x"),
                                   Refused("ConditionalCheckFailedException")])
def test_what_stays_is_raised_at_once(error: Exception) -> None:
    work = Failing(error)
    with pytest.raises(type(error)):
        Retries(sleep=lambda _seconds: None).call(work)
    assert work.calls == 1


def test_no_attempt_begins_after_the_time_is_over() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    work = Failing(*[Refused("ThrottlingException")] * 10)
    with pytest.raises(Unavailable):
        Retries(until=0.2, clock=lambda: now[0], sleep=sleep, random=lambda: 1.0).call(work)
    assert (work.calls, now[0] < 0.2) == (3, True)
    assert Retries.within(Context(milliseconds=500)).exhausted()
    assert not Retries.within(None).exhausted()


def test_a_log_line_says_only_what_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    logs.log("INFO", "it happened", count=3)
    assert json.loads(capsys.readouterr().out) == {"level": "INFO", "event": "it happened", "count": 3}
    with pytest.raises(ValueError, match="visitor"):
        logs.log("INFO", "it happened", visitor="ada")


values = st.recursive(st.none() | st.booleans() | st.text() | st.integers(-2**53, 2**53)
                      | st.floats(allow_nan=False, allow_infinity=False) | st.sets(st.text(min_size=1), min_size=1),
                      lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


@given(st.dictionaries(st.text(min_size=1), values, max_size=4))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_what_is_kept_in_a_table_comes_back(item: dict[str, Any]) -> None:
    assert unpack(json.loads(json.dumps(pack(item)))) == item


def test_what_a_table_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes"):
        pack({"x": b""})


@pytest.mark.parametrize("event", [None, [], "x", {}, {"httpMethod": 1}, {"httpMethod": "GET", "body": {}},
                                   {"httpMethod": "POST", "body": "!", "isBase64Encoded": True},
                                   {"httpMethod": "POST", "body": "gICA", "isBase64Encoded": True}])
def test_what_is_no_request_is_refused(event: Any) -> None:
    answer = serve(event, lambda _request: Answer(200), "GET")
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["code"] in ("not_a_request", "not_text")


def test_a_body_in_base64_is_read() -> None:
    event = {**request("POST", "/", "eyJhIjogMX0="), "isBase64Encoded": True}
    assert json.loads(serve(event, lambda sent: Answer(200, sent.json()), "POST")["body"]) == {"a": 1}


def test_a_refusal_is_told_with_all_it_says() -> None:
    def refuse(_request: Any) -> Answer:
        raise Refusal(409, "conflict", "merge", current={"version": 2})

    answer = serve(request("PUT", "/"), refuse, "PUT")
    assert (answer["statusCode"], json.loads(answer["body"])) == (
        409, {"code": "conflict", "message": "merge", "current": {"version": 2}})
    assert answer["headers"]["cache-control"] == "no-store"
