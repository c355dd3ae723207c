"""The price book: every figure has a source and a date, and what is wrong with the file is told."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from infra.plans.instances import INSTANCE_TYPES
from infra.plans.prices import PriceBookError, book, parse

pytestmark = pytest.mark.unit

DAY = date(2026, 11, 21)
SOURCE = {"url": "https://aws.amazon.com/eks/pricing/", "read": DAY}
PRICE = {"price": "eks.cluster", "unit": "hour", "region": "us-east-1", "usd": 0.1, "source": "aws"}


def document(**changed: Any) -> dict[str, Any]:
    return {"sources": {"aws": SOURCE}, "prices": [{**PRICE, **changed}]}


def test_every_price_has_a_source_with_an_address_and_the_day_on_which_somebody_looked() -> None:
    prices = book().prices.values()
    assert len(prices) > 100
    for price in prices:
        assert price.source.url.startswith("https://"), price
        assert price.source.read >= DAY, price
        assert price.unit, price


def test_every_source_is_used() -> None:
    assert set(book().sources) == {price.source.name for price in book().prices.values()}


def test_sources_in_public_repositories_are_pinned_to_a_commit() -> None:
    urls = [source.url for source in book().sources.values() if "github" in source.url]
    assert urls
    assert all(re.search(r"/[0-9a-f]{40}/", url) for url in urls)


def test_every_instance_type_that_the_settings_allow_has_a_price_on_demand_in_the_primary_region() -> None:
    assert [name for name in INSTANCE_TYPES if not book().find(f"ec2.{name}", "us-east-1")] == []


def test_spot_is_cheaper_than_on_demand() -> None:
    spot = [price for price in book().prices.values() if price.name.startswith("ec2-spot.")]
    assert spot
    for price in spot:
        on_demand = book().find(price.name.replace("-spot", ""), price.region)
        assert on_demand is not None
        assert price.usd < on_demand.usd


def test_a_price_of_another_region_never_stands_in() -> None:
    assert book().find("rds.multi.db.t4g.medium", "us-east-1") is not None
    assert book().find("rds.multi.db.t4g.medium", "us-west-2") is None


def test_what_costs_the_same_everywhere_is_found_everywhere() -> None:
    assert book().find("waf.acl", "us-west-2") == book().find("waf.acl", "eu-west-1") is not None


@pytest.mark.parametrize(("wrong", "words"), [
    (document(usd=0), "price eks.cluster in us-east-1: usd is 0; dollars, more than 0"),
    (document(usd=True), "usd is True"),
    (document(usd="0.1"), "usd is '0.1'"),
    (document(source="hearsay"), "source is 'hearsay'; one of aws"),
    (document(note="x"), "'note' is not known; there are price, unit, region, usd, source"),
    ({"sources": {"aws": {"url": "https://x"}}, "prices": []}, "source aws: read is missing"),
    ({"sources": {"aws": {**SOURCE, "read": "then"}}, "prices": []}, "source aws: read is 'then'; a day such as"),
    ({"sources": {"aws": {**SOURCE, "url": "x"}}, "prices": []}, "begins with https://"),
    ({"sources": {"aws": SOURCE}, "prices": [PRICE, PRICE]}, "eks.cluster has two prices in us-east-1"),
    ({"sources": {"aws": SOURCE}, "prices": ["eks"]}, "price eks: 'eks'; a map with"),
    ({"sources": {"aws": SOURCE}, "prices": [{"price": "eks.cluster"}]}, "price eks.cluster: unit is missing"),
])
def test_what_is_wrong_with_the_file_is_told(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(PriceBookError) as refused:
        parse(wrong, "prices.yaml")
    assert str(refused.value).startswith("prices.yaml")
    assert words in str(refused.value)
