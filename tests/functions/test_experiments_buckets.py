"""Who gets which variant, and who moves when allocations change."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.buckets import BUCKETS, Plan, bucket, first, follow, moved, packed, sizes, unpacked
from tests.functions.test_experiments import F5

pytestmark = pytest.mark.functions

VISITORS = 100_000

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
