"""Experiments: who gets which variant, who moves when allocations change, what is counted, what is concluded."""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.hashing import Keys
from common.retries import Retries
from common.table import Table
from experiments import handler
from experiments.buckets import BUCKETS, Plan, bucket, first, follow, moved, packed, sizes, unpacked
from experiments.catalogue import parse
from experiments.participants import Participants
from experiments.plans import Plans
from experiments.report import Counts, difference, holm, p_value, report, wilson
from tests.functions.world import CURRENT, PREVIOUS, Context, Killed, World, error, request

pytestmark = pytest.mark.functions

F5 = {"emotional-complexity": {"basic": 30, "standard": 50, "advanced": 20},
      "trust-rate": {"slow": 25, "standard": 50, "fast": 25},
      "visual-richness": {"minimal": 25, "standard": 50, "rich": 25},
      "memory": {"local": 40, "hybrid": 40, "cloud": 20}}
VISITORS = 100_000
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


# Buckets and plans

allocations = st.lists(st.integers(0, 100), min_size=1, max_size=5).map(sorted).map(
    lambda cuts: {f"v{index}": high - low for index, (low, high) in enumerate(
        zip([0, *cuts], [*cuts, 100], strict=True))})


@given(st.lists(allocations, min_size=2, max_size=5))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_a_new_allocation_is_met_and_moves_the_fewest_that_any_plan_could(history: list[dict[str, int]]) -> None:
    plan = first(history[0])
    for before, after in pairwise(history):
        new = follow(plan, after)
        assert Counter(new) == Counter({name: size for name, size in sizes(after).items() if size})
        lost = sum(max(0, sizes(before).get(name, 0) - sizes(after).get(name, 0)) for name in before.keys() | after)
        # Whatever the plan, a variant that loses n buckets must give n away: `lost` is a lower bound, and it is met.
        assert moved(plan, new) == lost
        kept = {name for name in before if sizes(after).get(name, 0) >= sizes(before)[name]}
        assert all(new[index] == name for index, name in enumerate(plan) if name in kept)
        plan = new


def test_ranges_by_themselves_would_move_twice_as_many() -> None:
    before, after = {"a": 30, "b": 50, "c": 20}, {"a": 20, "b": 50, "c": 30}
    assert moved(first(before), first(after)) == 2 * moved(first(before), follow(first(before), after)) == 2000


def test_a_plan_that_is_followed_by_the_same_allocation_is_the_same() -> None:
    plan = first(F5["memory"])
    assert follow(plan, F5["memory"]) == plan == unpacked(packed(plan))


@pytest.mark.parametrize("percents", [{"a": 33.3, "b": 33.3, "c": 33.4}, {"a": 100 / 3, "b": 100 / 3, "c": 100 / 3}])
def test_odd_percentages_use_all_buckets(percents: dict[str, float]) -> None:
    assert sum(sizes(percents).values()) == BUCKETS


def test_percentages_that_do_not_sum_to_100_are_refused() -> None:
    with pytest.raises(ValueError, match="do not sum to 100"):
        sizes({"a": 50, "b": 49})


@pytest.fixture(scope="module")
def population() -> dict[str, list[str]]:
    """The variant of each of 100,000 visitors in each experiment of F5."""
    plans: dict[str, Plan] = {name: first(percents) for name, percents in F5.items()}
    return {name: [plan[bucket(name, f"visitor-{number:012d}")] for number in range(VISITORS)]
            for name, plan in plans.items()}


def chi_square_limit(freedom: int, z: float = 3.719) -> float:
    """Quantile of the distribution (Wilson and Hilferty 1931); z = 3.719: by chance once in 10,000 tests."""
    return freedom * (1 - 2 / (9 * freedom) + z * math.sqrt(2 / (9 * freedom))) ** 3


@pytest.mark.parametrize("name", F5)
def test_visitors_are_divided_as_allocated(population: dict[str, list[str]], name: str) -> None:
    found = Counter(population[name])
    expected = {each: percent * VISITORS / 100 for each, percent in F5[name].items()}
    assert sum((found[each] - expected[each]) ** 2 / expected[each] for each in expected) < chi_square_limit(
        len(expected) - 1)


@pytest.mark.parametrize(("one", "other"), list(combinations(F5, 2)))
def test_experiments_are_independent(population: dict[str, list[str]], one: str, other: str) -> None:
    together = Counter(zip(population[one], population[other], strict=True))
    alone = {name: Counter(population[name]) for name in (one, other)}
    statistic = 0.0
    for first_variant in F5[one]:
        for second_variant in F5[other]:
            expected = alone[one][first_variant] * alone[other][second_variant] / VISITORS
            statistic += (together[first_variant, second_variant] - expected) ** 2 / expected
    assert statistic < chi_square_limit((len(F5[one]) - 1) * (len(F5[other]) - 1))


# Assignment

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


# The report

@pytest.mark.parametrize(("counts", "low", "high"), [
    (Counts(263, 81), 0.2553, 0.3662), (Counts(148, 15), 0.0624, 0.1605), (Counts(20, 0), 0.0, 0.1611),
    (Counts(29, 1), 0.0061, 0.1718), (Counts(0, 0), 0.0, 1.0)])
def test_a_rate_has_the_interval_of_wilson(counts: Counts, low: float, high: float) -> None:
    """Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I."""
    assert wilson(counts) == pytest.approx((low, high), abs=5e-5)


def test_a_difference_has_the_interval_of_newcombe() -> None:
    """Newcombe 1998, table II, case (a): 56/70 and 48/80."""
    assert difference(Counts(70, 56), Counts(80, 48)) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_p_values_are_right_and_corrected() -> None:
    assert p_value(Counts(1000, 120), Counts(1000, 90)) == pytest.approx(0.02865, abs=5e-6)
    assert p_value(Counts(0, 0), Counts(5, 1)) == p_value(Counts(5, 5), Counts(5, 5)) == 1
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})


def test_the_report_tells_chance_from_more() -> None:
    found = report({"control": Counts(10_000, 1000), "same": Counts(10_000, 1010), "better": Counts(10_000, 1200)})
    assert found["control"] == "control"
    assert "comparedWithControl" not in found["variants"]["control"]
    assert not found["variants"]["same"]["comparedWithControl"]["significant"]
    assert found["variants"]["better"]["comparedWithControl"]["significant"]
    assert found["variants"]["better"]["comparedWithControl"]["difference"] == 0.02


def test_an_interval_holds_the_true_rate_as_often_as_it_says() -> None:
    """All outcomes of 200 visitors at several rates, weighted with their chance: no random numbers."""
    for rate in (0.02, 0.1, 0.5, 0.9):
        covered = sum(math.comb(200, k) * rate**k * (1 - rate)**(200 - k) for k in range(201)
                      if wilson(Counts(200, k))[0] <= rate <= wilson(Counts(200, k))[1])
        assert 0.93 < covered < 0.975


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
