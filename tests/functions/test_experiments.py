"""Experiments as they are deployed: who takes part, what is counted, also when requests meet or die."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.hashing import Keys
from common.retries import Retries
from common.table import Table
from experiments import handler
from experiments.buckets import Plan, first
from experiments.catalogue import parse
from experiments.participants import Participants
from experiments.plans import Plans
from tests.functions.world import CURRENT, PREVIOUS, Context, Killed, World, error, request

pytestmark = pytest.mark.functions

F5 = {"emotional-complexity": {"basic": 30, "standard": 50, "advanced": 20},
      "trust-rate": {"slow": 25, "standard": 50, "fast": 25},
      "visual-richness": {"minimal": 25, "standard": 50, "rich": 25},
      "memory": {"local": 40, "hybrid": 40, "cloud": 20}}
VISITOR = "visitor-0123456789"


def document(name: str = "trust-rate", status: str = "running", segments: tuple[str, ...] = ("all",),
             **percents: int) -> dict[str, Any]:
    values = {"slow": 0.7, "fast": 1.3}
    return {name: {"status": status, "segments": list(segments), "variants": [
        {"name": variant, "percent": percent, **({"value": values[variant]} if variant in values else {})}
        for variant, percent in (percents or F5[name]).items()]}}


def configure(monkeypatch: pytest.MonkeyPatch, *documents: dict[str, Any]) -> None:
    """As a deployment does: new instances with new settings."""
    monkeypatch.setenv("EXPERIMENTS", json.dumps({name: each for one in documents for name, each in one.items()}))
    handler.catalogue.cache_clear()
    monkeypatch.setattr(handler, "_kept", handler.Kept())


@pytest.fixture
def running(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    configure(monkeypatch, document())
    return world


def call(method: str, path: str, body: Any = None, **query: str) -> tuple[int, dict[str, Any]]:
    answer = handler.handle(request(method, f"/experiments{path}", body, query=query), Context())
    return answer["statusCode"], json.loads(answer["body"])


def variant(visitor: str = VISITOR, experiment: str = "trust-rate", segments: str = "") -> str | None:
    status, answer = call("GET", "", visitor=visitor, segments=segments)
    assert status == 200, answer
    found = answer["assignments"].get(experiment)
    return found and str(found["variant"])


def convert(visitor: str = VISITOR, goal: str = "trust_milestone_50") -> tuple[int, dict[str, Any]]:
    return call("POST", "/conversions", {"visitor": visitor, "goal": goal})


def rows(goal: str = "trust_milestone_50", experiment: str = "trust-rate") -> dict[str, Any]:
    status, answer = call("GET", "/report", goal=goal, experiment=experiment)
    assert status == 200
    found: dict[str, Any] = answer["experiments"][experiment][goal]["variants"]
    return found


def test_a_visitor_keeps_a_variant_with_its_value(running: World) -> None:
    found = call("GET", "", visitor=VISITOR)
    assert found == call("GET", "", visitor=VISITOR)
    assert found[1]["assignments"]["trust-rate"].get("value", 1.0) in (0.7, 1.0, 1.3)
    assert sum(row["visitors"] for row in rows().values()) == 1
    assert VISITOR not in running.everything()


def test_a_changed_allocation_moves_only_visitors_of_what_shrinks(running: World,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    visitors = [f"visitor-{number:012d}" for number in range(120)]
    before = {visitor: variant(visitor) for visitor in visitors}
    configure(monkeypatch, document(slow=10, standard=50, fast=40))
    after = {visitor: variant(visitor) for visitor in visitors}
    changes = Counter((before[visitor], after[visitor]) for visitor in visitors if before[visitor] != after[visitor])
    assert set(changes) == {("slow", "fast")}
    seen = rows()
    assert seen["fast"]["visitors"] == sum(each == "fast" for each in after.values())
    assert seen["slow"]["visitors"] == sum(each == "slow" for each in before.values())


def test_an_instance_of_old_settings_does_not_turn_a_plan_back(world: World) -> None:
    table = Table(world.dynamodb, world.table("experiments"))
    old, new = parse(json.dumps(document())), parse(json.dumps(document(slow=0, standard=50, fast=50)))
    Plans(table, started=100, now=100).load(old.values())
    plan = Plans(table, started=200, now=200).load(new.values())
    assert Plans(table, started=100, now=201).load(old.values()) == plan
    assert Plans(table, started=300, now=300).load(old.values()) != plan


def test_two_instances_that_start_at_once_agree_on_the_plan(world: World) -> None:
    table = Table(world.dynamodb, world.table("experiments"))
    old, new = parse(json.dumps(document())), parse(json.dumps(document(slow=0, standard=50, fast=50)))
    Plans(table, started=1, now=1).load(old.values())
    other = Plans(table, started=3, now=3)
    meanwhile: dict[str, Plan] = {}

    def first_comes_another(operation: str, _input: dict[str, Any]) -> None:
        if operation == "PutItem":
            world.fault = None
            meanwhile.update(Plans(table, started=2, now=2).load(new.values()))

    world.fault = first_comes_another
    assert other.load(new.values()) == meanwhile


@pytest.mark.parametrize(("status", "before", "after"), [
    ("draft", None, None), ("finished", "slow", "slow"), ("paused", None, "kept")])
def test_a_status_says_who_takes_part(world: World, monkeypatch: pytest.MonkeyPatch, status: str, before: str | None,
                                      after: str | None) -> None:
    configure(monkeypatch, document(status=status))
    assert variant() == before
    configure(monkeypatch, document())
    joined = variant()
    configure(monkeypatch, document(status=status))
    assert variant() == (joined if after == "kept" else after)


def test_only_visitors_of_a_segment_join_and_those_who_joined_stay(world: World,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, document(segments=("new", "mobile")))
    assert variant(segments="returning,desktop") is None
    joined = variant(segments="new,desktop")
    assert joined is not None
    assert variant(segments="returning,desktop") == joined


def test_a_visitor_of_a_former_key_keeps_variants_and_is_counted_once(running: World) -> None:
    running.secret.value = {"current": PREVIOUS}
    joined = variant()
    convert()
    handler.keys.__globals__["_kept"].clear()
    running.secret.value = {"current": CURRENT, "previous": PREVIOUS}
    assert variant() == joined
    assert convert()[1] == {"counted": [], "already": ["trust-rate"]}
    assert rows()[str(joined)]["visitors"] == 1
    assert Keys(PREVIOUS).hash("visitor", VISITOR) not in running.everything()


@pytest.mark.parametrize("query", [{}, {"visitor": "short"}, {"visitor": "ada@lovelace.example"},
                                   {"visitor": VISITOR, "segments": "everybody"}])
def test_a_bad_question_is_refused(running: World, query: dict[str, str]) -> None:
    assert call("GET", "", **query)[0] == 400


# Conversions

def test_a_goal_is_counted_once_however_often_it_is_told(running: World) -> None:
    joined = str(variant())
    assert convert() == (200, {"counted": ["trust-rate"], "already": []})
    assert convert() == (200, {"counted": [], "already": ["trust-rate"]})
    assert (rows()[joined]["visitors"], rows()[joined]["conversions"]) == (1, 1)
    assert rows("returned")[joined]["conversions"] == 0


@pytest.mark.parametrize("body", [None, "{", [], {}, {"visitor": VISITOR}, {"visitor": VISITOR, "goal": "anything"},
                                  {"visitor": VISITOR, "goal": ["returned"]}, {"visitor": 1, "goal": "returned"}])
def test_a_conversion_that_is_none_is_refused(running: World, body: Any) -> None:
    status, answer = call("POST", "/conversions", body)
    assert status == 400
    assert answer["code"]


def test_a_visitor_who_takes_no_part_converts_nothing(running: World) -> None:
    assert convert()[0] == 404


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("path", ["assign", "convert"])
def test_killed_anywhere_and_asked_again_everything_is_counted_once(running: World, path: str, written: bool) -> None:
    def killed(operation: str, body: dict[str, Any]) -> None:
        if operation == "TransactWriteItems":
            running.fault = None
            if written:
                running.dynamodb.transact_write_items(TransactItems=body["TransactItems"])
            raise Killed

    if path == "convert":
        variant()
    running.fault = killed
    with pytest.raises(Killed):
        _ = variant() if path == "assign" else convert()
    joined = str(variant())
    convert()
    assert (rows()[joined]["visitors"], rows()[joined]["conversions"]) == (1, 1)


def test_conflicting_requests_of_one_visitor_count_once(running: World) -> None:
    """Two tabs join at once: the second meets what the first has written."""
    def first_comes_another(operation: str, _input: dict[str, Any]) -> None:
        if operation == "TransactWriteItems":
            running.fault = None
            variant()

    running.fault = first_comes_another
    joined = str(variant())
    assert rows()[joined]["visitors"] == 1


def test_a_throttled_table_is_answered_with_try_again_and_counts_nothing(running: World) -> None:
    running.fault = lambda operation, _input: error("TransactionCanceledException", CancellationReasons=[
        {"Code": "ThrottlingError"}]) if operation == "TransactWriteItems" else None
    assert call("GET", "", visitor=VISITOR)[0] == 503
    running.fault = None
    assert all(row["visitors"] == 0 for row in rows().values())


def test_an_assignment_is_renewed_when_half_of_its_time_is_over(world: World) -> None:
    experiments = parse(json.dumps(document()))
    plans = {"trust-rate": first(F5["trust-rate"])}
    table, now = Table(world.dynamodb, world.table("experiments")), datetime(2026, 11, 21, tzinfo=UTC)
    for days in (0, 10, 50, 51):
        people = Participants(table, timedelta(days=90), now + timedelta(days=days), Retries())
        people.assign(VISITOR, ("h",), frozenset(), experiments, plans)
    (item,) = [item for item in world.items("experiments") if item["visitorHash"] == "h"]
    assert item["expiresAt"] == int((now + timedelta(days=50 + 90)).timestamp())


@pytest.mark.parametrize("query", [{"experiment": "none"}, {"goal": "none"}])
def test_a_report_on_what_is_not_there_is_refused(running: World, query: dict[str, str]) -> None:
    assert call("GET", "/report", **query)[0] == 400


def test_a_report_without_choice_has_all_goals_that_were_reached(running: World) -> None:
    variant()
    convert(goal="returned")
    assert set(call("GET", "/report")[1]["experiments"]["trust-rate"]) == {"returned"}


@pytest.mark.parametrize(("method", "path"), [("DELETE", ""), ("GET", "/conversions"), ("POST", "/report")])
def test_other_methods_are_refused(running: World, method: str, path: str) -> None:
    assert call(method, path)[0] == 405
