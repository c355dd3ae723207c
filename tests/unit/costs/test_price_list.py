"""The price book against AWS's price list, with botocore's own checks of requests and answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.plans.prices import FILE, book, parse
from infra.settings.yaml import read_yaml
from operations.cost import price_list
from operations.errors import OperationError

pytestmark = pytest.mark.unit

TODAY = date(2026, 12, 1)
CACHE = {"ServiceCode": "AmazonElastiCache", "Filters": [
    {"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in (
        ("regionCode", "us-west-2"), ("instanceType", "cache.t4g.small"), ("cacheEngine", "Valkey"))]}


def client() -> Any:
    return boto3.client("pricing", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


def product(usage: str, *steps: tuple[str, str]) -> str:
    """steps: where a step begins, and its price."""
    dimensions = {f"d{begin}": {"beginRange": begin, "pricePerUnit": {"USD": usd}} for begin, usd in steps}
    return json.dumps({"product": {"attributes": {"usagetype": usage}},
                       "terms": {"OnDemand": {"term": {"priceDimensions": dimensions}}}})


def refreshed(name: str, region: str, *products: str, asked: Mapping[str, Any] | None = None) -> price_list.Refreshed:
    pricing = client()
    with Stubber(pricing) as aws:
        aws.add_response("get_products", {"FormatVersion": "aws_v1", "PriceList": [*products]}, asked)
        return price_list.refresh(pricing, book(), [name], [region], TODAY)


def test_a_price_that_the_book_has_not_is_taken_with_source_and_day() -> None:
    found = refreshed("cache.valkey.cache.t4g.small", "us-west-2",
                      product("USW2-NodeUsage:cache.t4g.small", ("0", "0.0256")),
                      product("USW2-ExtendedSupportYr3-NodeUsage:cache.t4g.small", ("0", "0.05")), asked=CACHE)
    assert found.changes == (price_list.Change("cache.valkey.cache.t4g.small", "us-west-2", None, 0.0256),)
    price = found.book.find("cache.valkey.cache.t4g.small", "us-west-2")
    assert price is not None
    assert (price.unit, price.source.name, price.source.read) == ("hour", "aws-price-list", TODAY)


def test_the_same_price_is_no_change_but_has_a_new_source() -> None:
    found = refreshed("eks.cluster", "us-east-1", product("USE1-AmazonEKS-Hours:perCluster", ("0", "0.10")))
    price = found.book.find("eks.cluster", "us-east-1")
    assert found.changes == ()
    assert price is not None
    assert price.source.read == TODAY


def test_a_price_by_the_request_is_taken_for_the_books_unit() -> None:
    found = refreshed("s3.writes", "us-east-1", product("Requests-Tier1", ("0", "0.000006")))
    assert found.changes == (price_list.Change("s3.writes", "us-east-1", 0.005, 0.006),)


def test_the_first_step_counts_and_a_free_one_does_not() -> None:
    found = refreshed("logs.ingestion", "us-east-1", product(
        "DataProcessing-Bytes", ("0", "0"), ("5", "0.6"), ("50", "0.1")))
    assert found.changes == (price_list.Change("logs.ingestion", "us-east-1", 0.5, 0.6),)


def test_a_usage_type_may_begin_with_the_regions_own_name() -> None:
    found = refreshed("kms.key", "us-west-2", product("us-west-2-KMS-Keys", ("0", "2")))
    assert found.changes == (price_list.Change("kms.key", "us-west-2", 1, 2),)


@pytest.mark.parametrize(("products", "why"), [
    ((), "the list has no such price"),
    ((product("NatGateway-Hours", ("0", "0.04")), product("USE1-NatGateway-Hours", ("0", "0.05"))),
     "the list has 2 prices that fit"),
    ((product("NatGateway-Prvd-Bytes", ("0", "0.04")),), "the list has no such price")])
def test_what_the_list_does_not_answer_stays_and_is_told(products: tuple[str, ...], why: str) -> None:
    found = refreshed("nat.hour", "us-east-1", *products)
    assert found.unread == (("nat.hour", "us-east-1", why),)
    assert found.book.find("nat.hour", "us-east-1") == book().find("nat.hour", "us-east-1")


def test_pages_are_followed() -> None:
    pricing = client()
    with Stubber(pricing) as aws:
        aws.add_response("get_products", {"FormatVersion": "aws_v1", "PriceList": [], "NextToken": "more"})
        aws.add_response("get_products", {"FormatVersion": "aws_v1", "PriceList": [
            product("NatGateway-Hours", ("0", "0.05"))]})
        found = price_list.refresh(pricing, book(), ["nat.hour"], ["us-east-1"], TODAY)
    assert [change.new for change in found.changes] == [0.05]


def test_a_refusal_of_aws_is_told_with_what_is_needed() -> None:
    pricing = client()
    with Stubber(pricing) as aws:
        aws.add_client_error("get_products", "AccessDeniedException", "no")
        with pytest.raises(OperationError, match="It needs credentials with pricing:GetProducts"):
            price_list.refresh(pricing, book(), ["nat.hour"], ["us-east-1"], TODAY)


def test_spot_is_no_list_price_and_is_named_as_not_asked() -> None:
    found = price_list.refresh(None, book(), ["ec2-spot.t3.large"], ["us-east-1"], TODAY)
    assert found.unasked == ("ec2-spot.t3.large",)
    assert found.book == book()


def test_the_file_is_what_the_book_renders() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert price_list.render(book(), price_list.header(text)) == text


def test_a_refreshed_book_can_be_read_again(tmp_path: Any) -> None:
    found = refreshed("lambda.duration-arm64", "us-east-1", product("Lambda-GB-Second-ARM", ("0", "0.0000133335")))
    path = tmp_path / "prices.yaml"
    path.write_text(price_list.render(found.book, "# header"), encoding="utf-8")
    assert parse(read_yaml(path), path.name).prices == found.book.prices
