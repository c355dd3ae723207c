"""The estimate beside band and documents, and what-ifs."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.plans.estimate import Estimate, Line, Part, priced
from infra.plans.prices import book
from infra.plans.stack_costs import estimate
from infra.settings.costs import BANDS, Band
from infra.settings.load import load_file
from infra.settings.model import Environment, Settings
from infra.settings.operations import OffHours
from infra.settings.usage import Usage
from operations.cost import comparison, what_if
from operations.errors import NotAcceptable

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
NIGHTS = OffHours(enabled=True, stop_database=True)


def settings(stack: str) -> Settings:
    return load_file(ROOT / f"Pulumi.{stack}.yaml")


def of(part: Part, usd: float, price: str = "waf.rule") -> Estimate:
    """One row of so many dollars: a rule of a firewall costs one."""
    return priced([Line(part, "edge", "rules", usd, price, "us-east-1")], book(), 0)


def test_a_part_is_compared_with_the_documents_line_for_it() -> None:
    found = {each.what: (each.usd, each.documented, each.verdict) for each in comparison.parts(of(Part.EC2, 399))}
    assert [found[part] for part in ("EC2", "EKS", "the rest", "platform")] == [
        (399, (400, 800), "below"), (0, (75, 75), "below"), (0, None, ""), (399, (900, 1850), "below")]


def test_a_part_is_inside_at_whole_dollars() -> None:
    inside = {each.what: each.verdict for each in comparison.parts(of(Part.EC2, 399.6))}
    above = {each.what: each.verdict for each in comparison.parts(of(Part.BALANCER, 26))}
    assert (inside["EC2"], above["ALB"]) == ("inside", "above")


def test_the_serverless_part_is_compared_for_the_sessions_that_are_expected() -> None:
    found = estimate(settings("production"), book(), Usage(size="large"))
    documented = {each.what: each.documented for each in comparison.parts(found)}
    assert documented["serverless"] == (212.5, 637.5)  # about 425 a million sessions
    assert documented["serverless: CloudFront"] == (100, 300)


@pytest.mark.parametrize(("usd", "words", "inside"), [
    (150, "below the band of 200 to 400 USD", False), (200, "inside the band", True), (400, "inside the band", True),
    (401, "above the band of 200 to 400 USD", False)])
def test_the_first_sentence_says_where_the_band_is(usd: float, words: str, inside: bool) -> None:
    found, band = of(Part.EC2, usd), BANDS[Environment.DEVELOPMENT]
    assert words in next(comparison.sentences(found, band))
    assert comparison.inside(found, band) is inside


def test_rows_without_a_price_are_named_and_decide_nothing() -> None:
    found, band = of(Part.EC2, 150, "efs.storage"), BANDS[Environment.DEVELOPMENT]
    first, *_, last = comparison.sentences(found, band)
    assert first == ("The platform costs at least 0 USD a month, as far as it has prices; the band is 200 to 400 USD a "
                     "month.")
    assert last == "Not priced, and in no sum: edge: rules."
    assert comparison.inside(found, band) is None


def test_an_estimate_above_the_target_is_told() -> None:
    told = [*comparison.sentences(of(Part.EC2, 1300), Band(800, 1500, 1200))]
    assert "It is above the target of 1,200 USD a month." in told


def test_the_document_names_source_and_day_of_each_row() -> None:
    found = estimate(settings("staging"), book())
    document = comparison.document("staging", "medium", found, BANDS[Environment.STAGING])
    assert document["platform"] == pytest.approx(
        sum(part["usd"] for part in document["parts"][:8]))
    for row in document["rows"]:
        assert (row["usd"] is None) == (row["source"] == "not priced") == (row["priceRead"] is None)
    assert {row["what"] for row in document["unpriced"]} == {"backups in us-west-2", "optimizer's time"}


def test_spot_saves_its_share_of_the_nodes_on_demand() -> None:
    """Three t3.large on demand in production: 3 × 730 × 0.0832."""
    spot, reserved, _ = what_if.scenarios(settings("production"), book(), 70, 40, NIGHTS)
    base = 3 * 730 * 0.0832
    assert spot.saved == pytest.approx(base * 0.7)
    assert reserved.saved == pytest.approx((base + 730 * 0.13 + 2 * 730 * 0.0256) * 0.4)
    assert spot.usd + spot.saved == pytest.approx(reserved.usd + reserved.saved)


def test_nights_off_save_nodes_and_database_and_are_not_for_production() -> None:
    nights = what_if.scenarios(settings("production"), book(), 70, 40, NIGHTS)[2]
    assert nights.note == "the settings refuse it in production"
    assert nights.saved > 0.7 * 730 * 0.13  # the database alone


def test_where_nights_are_off_already_it_says_what_that_saves() -> None:
    nights = what_if.scenarios(settings("development"), book(), 70, 40, NIGHTS)[2]
    found = estimate(settings("development"), book())
    assert nights.usd == found.platform
    assert nights.words == "nights and weekends off, 18:00 to 08:00, as it is"
    assert nights.saved > 30


@pytest.mark.parametrize(("spot", "reserved", "words"), [(101, 40, "--spot-percent is 101; 0 to 100"),
                                                         (70, -1, "--reserved-percent is -1; 0 to 100")])
def test_percentages_are_from_0_to_100(spot: float, reserved: float, words: str) -> None:
    with pytest.raises(NotAcceptable, match=words):
        what_if.scenarios(settings("staging"), book(), spot, reserved, NIGHTS)
