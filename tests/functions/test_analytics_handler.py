"""The analytics processor as it is deployed: over its API and its table, also when both misbehave."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics_processor import handler
from common import hashing
from common.hashing import Keys
from tests.functions.world import CURRENT, Context, Killed, World, error, request, response, uuid

pytestmark = pytest.mark.functions

VISITOR = "visitor-0123456789"


def event(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": uuid(number), "type": "frame", "timestamp": datetime.now(UTC).isoformat(), "fps": 60.0,
            "visitorId": VISITOR, **changes}


def post(events: Any, **more: Any) -> tuple[int, dict[str, Any]]:
    answer = handler.handle(request("POST", "/api/analytics", {"events": events}, **more), Context())
    return answer["statusCode"], json.loads(answer["body"])


def counted(written: str) -> float:
    """What CloudWatch makes of the lines that were printed."""
    lines = [json.loads(line) for line in written.splitlines()]
    return sum(sum(line.get("candlefish_events_accepted", [])) for line in lines)


def test_the_table_gets_each_event_with_the_time_when_it_expires(world: World) -> None:
    at = datetime.now(UTC) - timedelta(hours=2)
    assert post([event(1, timestamp=at.isoformat(), returning=True, emotionalState="shy")]) == (
        200, {"accepted": 1, "duplicates": 0, "rejected": []})
    (item,) = world.items("events")
    assert item == {
        "eventId": uuid(1), "type": "frame", "fps": 60.0, "returning": True, "emotionalState": "shy",
        "visitorHash": Keys(CURRENT).hash("visitor", VISITOR),
        "occurredAt": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z",
        "expiresAt": int((at + timedelta(days=90)).timestamp())}


@pytest.mark.parametrize(("events", "status"), [([1, 2], 200), ([1, None], 207), ([None], 400)])
def test_an_answer_says_whether_all_some_or_none_were_kept(world: World, events: list[int | None],
                                                           status: int) -> None:
    found, outcome = post([event(each) if each else "text" for each in events])
    assert found == status
    assert outcome["accepted"] == len(world.items("events")) == len([each for each in events if each])


@pytest.mark.parametrize(("body", "status", "code"), [
    ("{", 400, "not_json"), ("[]", 400, "no_events"), ('{"events": []}', 400, "no_events"), (None, 400, "no_body"),
    ('{"events": NaN}', 400, "not_json"), ("[" * 100_000, 400, "too_deep"), ("[" * 30 + "]" * 30, 400, "too_deep"),
    ('{"events": [' + "9" * 5000 + "]}", 400, "not_json"),
    ({"events": [0] * 101}, 400, "too_many_events"),
    ({"events": [{"id": "x" * 256 * 1024}]}, 413, "too_large"),
    ("\ud800", 400, "not_text"),
])
def test_a_batch_that_cannot_be_read_is_refused_with_a_reason(world: World, body: Any, status: int,
                                                              code: str) -> None:
    answer = handler.handle(request("POST", "/api/analytics", body), Context())
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (status, code)
    assert world.items("events") == []


def test_a_direct_invocation_returns_the_outcome(world: World) -> None:
    assert handler.handle({"events": [event(1)]}, None) == {"accepted": 1, "duplicates": 0, "rejected": []}


def test_browsers_of_the_site_and_no_others_may_read_the_answer(world: World) -> None:
    def allowed(origin: str, method: str = "POST") -> Any:
        answer = handler.handle(request(method, "/api/analytics", {"events": [event(1)]},
                                        headers={"Origin": origin}), Context())
        assert answer["headers"]["vary"] == "Origin"
        return answer["headers"].get("access-control-allow-origin")

    assert allowed("https://candlefish.ai") == allowed("https://candlefish.ai", "OPTIONS") == "https://candlefish.ai"
    assert allowed("https://evil.example") is None


PERSONAL = {"email": "ada@lovelace.example", "ip": "192.0.2.77", "name": "Ada Lovelace", "phone": "+1-202-555-0143",
            "userAgent": "Mozilla/5.0 (Ada)", "url": "https://candlefish.ai/?token=s3cret",
            "nested": {"address": "12 St James's Square"}}


def test_nothing_personal_that_was_sent_is_in_any_table_or_log(world: World,
                                                              capsys: pytest.CaptureFixture[str]) -> None:
    words = [*[value for value in PERSONAL.values() if isinstance(value, str)], "12 St James's Square", VISITOR,
             "session-of-ada-lovelace"]
    events = [event(1, sessionId="session-of-ada-lovelace", **PERSONAL),
              *(event(2 + index, **{field: "ada@lovelace.example"}) for index, field in enumerate(
                  ["emotionalState", "errorKind", "experiment", "variant", "type", "id", "fps", "timestamp",
                   "visitorId", "sessionId", "returning"]))]
    status, outcome = post(events)
    assert status == 207
    assert outcome["accepted"] == 1
    everywhere = world.everything() + capsys.readouterr().out + json.dumps(outcome)
    assert [word for word in words if word in everywhere] == []
    assert "visitorHash" in everywhere


def test_a_throttled_table_is_tried_again_and_counts_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    refusals = iter([error("ThrottlingException"), error("TransactionCanceledException", CancellationReasons=[
        {"Code": "TransactionConflict"}, {"Code": "None"}]), error("ProvisionedThroughputExceededException")])
    world.fault = lambda _operation, _input: next(refusals, None)
    assert post([event(1), event(2)])[0] == 200
    assert len(world.items("events")) == 2
    assert counted(capsys.readouterr().out) == 2


def test_a_write_whose_answer_was_lost_counts_as_accepted_once(world: World,
                                                              capsys: pytest.CaptureFixture[str]) -> None:
    def lost(_operation: str, body: dict[str, Any]) -> Any:
        world.fault = None
        world.dynamodb.transact_write_items(**body)
        return response(500, '{"__type": "InternalServerError"}')

    world.fault = lost
    assert post([event(1), event(2)]) == (200, {"accepted": 2, "duplicates": 0, "rejected": []})
    assert len(world.items("events")) == counted(capsys.readouterr().out) == 2


def test_a_table_that_stays_throttled_is_answered_with_try_again_and_nothing_is_counted(
        world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.fault = lambda _operation, _input: error("ThrottlingException")
    answer = handler.handle(request("POST", "/api/analytics", {"events": [event(1)]}), Context())
    assert answer["statusCode"] == 503
    assert answer["headers"]["retry-after"] == "2"
    assert json.loads(answer["body"]) == {"code": "unavailable", "message": "try again later"}
    assert "candlefish_events_accepted" not in capsys.readouterr().out
    world.fault = None
    assert post([event(1)]) == (200, {"accepted": 1, "duplicates": 0, "rejected": []})


def test_without_time_left_nothing_is_tried_again(world: World) -> None:
    world.fault = lambda _operation, _input: error("ThrottlingException")
    answer = handler.handle(request("POST", "/api/analytics", {"events": [event(1)]}), Context(milliseconds=900))
    assert answer["statusCode"] == 503
    assert world.calls["TransactWriteItems"] == 1


@pytest.mark.parametrize("written", [False, True])
def test_a_function_that_is_killed_loses_nothing_when_the_batch_is_sent_again(world: World, written: bool) -> None:
    def killed(operation: str, body: dict[str, Any]) -> None:
        if written:
            world.fault = None
            world.dynamodb.transact_write_items(**{key: body[key] for key in ("TransactItems",)})
        raise Killed

    events = [event(number) for number in range(100)]
    world.fault = killed
    with pytest.raises(Killed):
        post(events)
    world.fault = None
    status, outcome = post(events)
    assert (status, outcome["accepted"] + outcome["duplicates"]) == (200, 100)
    assert {item["eventId"] for item in world.items("events")} == {uuid(number) for number in range(100)}


def test_delivered_twice_and_out_of_order_each_event_is_there_once(world: World,
                                                                   capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(UTC)
    events = [event(number, timestamp=(now - timedelta(minutes=number)).isoformat()) for number in range(60)]
    for start, end in ((30, 60), (0, 40), (20, 60), (0, 60)):
        assert post(list(reversed(events[start:end])))[0] == 200
    assert len(world.items("events")) == counted(capsys.readouterr().out) == 60


def test_a_poisoned_batch_keeps_its_good_events(world: World) -> None:
    poison: list[Any] = [None, [], "x", {"id": uuid(7)}, event(8, fps=1e308), event(9, timestamp="never")]
    status, outcome = post([part for number, each in enumerate(poison) for part in (event(number), each)])
    assert status == 207
    assert (outcome["accepted"], [each["index"] for each in outcome["rejected"]]) == (6, [1, 3, 5, 7, 9, 11])


def test_an_error_nobody_expected_says_nothing_of_its_cause(world: World, capsys: pytest.CaptureFixture[str],
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "parse", lambda *_arguments: 1 / 0)
    answer = handler.handle(request("POST", "/api/analytics", {"events": [event(1)]}), Context())
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"]) == {"code": "internal", "message": "the request could not be handled"}
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["error"] == "ZeroDivisionError"
    assert VISITOR not in line


def test_the_secret_is_read_once_in_five_minutes_and_used_while_it_cannot_be_read(
        world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Throttled(Exception):
        response = {"Error": {"Code": "ThrottlingException"}}

    assert post([event(1)])[0] == 200
    world.secret.failure = Throttled()
    assert post([event(2)])[0] == 200
    now = hashing.time.monotonic()
    monkeypatch.setattr(hashing.time, "monotonic", lambda: now + 301)
    assert post([event(3)])[0] == 200
    hashing._kept.clear()
    assert post([event(4)])[0] == 503


@pytest.mark.parametrize("secret", ["", "[]", "{}", '{"current": "short"}', '{"current": 1}',
                                    json.dumps({"current": CURRENT, "previous": ["short"]})])
def test_a_secret_that_is_none_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="hash secret") as refused:
        hashing.parse(secret)
    assert CURRENT not in str(refused.value)
