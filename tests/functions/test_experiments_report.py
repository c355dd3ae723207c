"""What is concluded from the counts."""

from __future__ import annotations

import math

import pytest

from experiments.report import Counts, difference, holm, p_value, report, wilson

pytestmark = pytest.mark.functions


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
