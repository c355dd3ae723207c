"""AWS's price list, asked by boto3, and the price book as it would be then."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.plans.prices import EVERYWHERE, Book, Price, Source
from operations.aws import pages
from operations.errors import OperationError

SOURCE = "aws-price-list"
URL = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/index.json"
_ON_DEMAND = {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}


@dataclass(frozen=True)
class Query:
    """usage: of the usage type, behind the region's prefix. per: how many of the list's units are one of the book's."""

    service: str
    unit: str
    usage: str
    filters: Mapping[str, str]
    per: float = 1


def query(name: str) -> Query | None:
    """How the price of this name is asked for; None: by nobody yet (spot is no list price)."""
    for pattern, make in _PATTERNS:
        found = re.fullmatch(pattern, name)
        if found:
            made: Query = make(*found.groups())
            return made
    return None


def _instance(name: str) -> Query:
    return Query("AmazonEC2", "hour", r"BoxUsage:.+", {"instanceType": name, **_ON_DEMAND})


def _balancer(unit: str, usage: str) -> Query:
    return Query("AWSELB", unit, usage, {"productFamily": "Load Balancer-Application"})


def _rds(zones: str, instance: str) -> Query:
    deployment = {"single": "Single-AZ", "multi": "Multi-AZ"}[zones]
    return Query("AmazonRDS", "hour", r"(InstanceUsage|Multi-AZUsage):.+", {
        "instanceType": instance, "databaseEngine": "PostgreSQL", "deploymentOption": deployment})


def _cache(engine: str, node: str) -> Query:
    return Query("AmazonElastiCache", "hour", r"NodeUsage:.+", {
        "instanceType": node, "cacheEngine": {"valkey": "Valkey", "redis": "Redis"}[engine]})


def _rds_storage(zones: str) -> Query:
    usage = {"single": r"RDS:GP3-Storage", "multi": r"RDS:Multi-AZ-GP3-Storage"}[zones]
    return Query("AmazonRDS", "GB-month", usage, {"productFamily": "Database Storage",
                                                  "volumeType": "General Purpose-GP3"})


_PATTERNS: tuple[tuple[str, Any], ...] = (
    (r"ec2\.(.+)", _instance),
    (r"rds\.(single|multi)\.(.+)", _rds), (r"rds\.storage-(single|multi)", _rds_storage),
    (r"cache\.(valkey|redis)\.(.+)", _cache),
    (r"rds\.backup", lambda: Query(
        "AmazonRDS", "GB-month", r"RDS:ChargedBackupUsage", {"databaseEngine": "PostgreSQL"})),
    (r"eks\.cluster", lambda: Query("AmazonEKS", "hour", r"AmazonEKS-Hours:perCluster", {})),
    (r"ebs\.gp3", lambda: Query("AmazonEC2", "GB-month", r"EBS:VolumeUsage\.gp3", {"volumeApiName": "gp3"})),
    (r"nat\.hour", lambda: Query("AmazonEC2", "hour", r"NatGateway-Hours", {"productFamily": "NAT Gateway"})),
    (r"nat\.data", lambda: Query("AmazonEC2", "GB", r"NatGateway-Bytes", {"productFamily": "NAT Gateway"})),
    (r"ipv4\.address", lambda: Query("AmazonVPC", "hour", r"PublicIPv4:InUseAddress", {})),
    (r"endpoint\.hour", lambda: Query("AmazonVPC", "hour", r"VpcEndpoint-Hours", {})),
    (r"endpoint\.data", lambda: Query("AmazonVPC", "GB", r"VpcEndpoint-Bytes", {})),
    (r"alb\.hour", lambda: _balancer("hour", "LoadBalancerUsage")),
    (r"alb\.lcu", lambda: _balancer("LCU-hour", "LCUUsage")),
    (r"s3\.storage", lambda: Query("AmazonS3", "GB-month", r"TimedStorage-ByteHrs", {"volumeType": "Standard"})),
    (r"s3\.writes", lambda: Query("AmazonS3", "1,000 requests", r"Requests-Tier1", {}, 1000)),
    (r"s3\.reads", lambda: Query("AmazonS3", "1,000 requests", r"Requests-Tier2", {}, 1000)),
    (r"kms\.key", lambda: Query("awskms", "month", r"KMS-Keys", {})),
    (r"secrets\.secret", lambda: Query("AWSSecretsManager", "month", r"AWSSecretsManager-Secrets", {})),
    (r"logs\.ingestion", lambda: Query("AmazonCloudWatch", "GB", r"DataProcessing-Bytes", {})),
    (r"logs\.storage", lambda: Query("AmazonCloudWatch", "GB-month", r"TimedStorage-ByteHrs", {})),
    (r"cloudwatch\.metric", lambda: Query("AmazonCloudWatch", "month", r"CW:MetricMonitorUsage", {})),
    (r"cloudwatch\.alarm", lambda: Query("AmazonCloudWatch", "month", r"CW:AlarmMonitorUsage", {})),
    (r"cloudwatch\.composite-alarm", lambda: Query("AmazonCloudWatch", "month", r"CW:CompositeAlarmMonitorUsage", {})),
    (r"cloudwatch\.canary-run", lambda: Query("AmazonCloudWatch", "run", r"CW:Canary-runs", {})),
    (r"lambda\.duration-arm64", lambda: Query("AWSLambda", "GB-second", r"Lambda-GB-Second-ARM", {})),
)


@dataclass(frozen=True)
class Change:
    """`old` None: the book had no price there."""

    name: str
    region: str
    old: float | None
    new: float


@dataclass(frozen=True)
class Refreshed:
    """unread: (name, region, why). unasked: names that no query is known for."""

    book: Book
    changes: tuple[Change, ...]
    unread: tuple[tuple[str, str, str], ...]
    unasked: tuple[str, ...]


def refresh(pricing: Any, old: Book, names: Iterable[str], regions: Iterable[str], today: date) -> Refreshed:
    """`pricing`: boto3's client, in us-east-1. The list's prices take the place of the book's; what it does not answer
    stays. Raises OperationError where AWS can't be asked."""
    source = Source(SOURCE, URL, today)
    prices, changes, unread = dict(old.prices), [], []
    places = list(regions)
    queries = {name: query(name) for name in sorted(set(names))}
    unasked = tuple(name for name, asked in queries.items() if asked is None)
    for name, asked in queries.items():
        if asked is None or (name, EVERYWHERE) in old.prices:
            continue
        for region in places:
            found = set(_asked(pricing, asked, region))
            if len(found) != 1:
                unread.append((name, region, "the list has no such price" if not found else
                               f"the list has {len(found)} prices that fit"))
                continue
            usd, before = found.pop(), old.prices.get((name, region))
            prices[name, region] = Price(name, asked.unit, region, usd, source)
            if before is None or abs(before.usd - usd) > usd * 1e-6:
                changes.append(Change(name, region, before.usd if before else None, usd))
    used = {price.source.name for price in prices.values()}
    sources = {name: each for name, each in {**old.sources, SOURCE: source}.items() if name in used}
    return Refreshed(replace(old, sources=sources, prices=prices), tuple(changes), tuple(unread), unasked)


def _asked(pricing: Any, asked: Query, region: str) -> Iterator[float]:
    """USD of the book's unit, at the first step where the price falls with quantity; 0 is a free allowance's."""
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value}
               for field, value in {"regionCode": region, **asked.filters}.items()]
    usage = re.compile(rf"([A-Z0-9]+-|{re.escape(region)}-)?{asked.usage}")
    try:
        for text in pages(pricing, "get_products", "PriceList", ServiceCode=asked.service, Filters=filters):
            product = json.loads(text)
            if not usage.fullmatch(product["product"]["attributes"].get("usagetype", "")):
                continue
            for term in product["terms"].get("OnDemand", {}).values():
                steps = [step for step in term["priceDimensions"].values()
                         if float(step["pricePerUnit"].get("USD", 0))]
                if steps:
                    first = min(steps, key=lambda step: float(step.get("beginRange", 0)))
                    yield round(float(first["pricePerUnit"]["USD"]) * asked.per, 12)
    except (ClientError, BotoCoreError) as error:
        raise OperationError(f"AWS's price list did not answer: {error}. It needs credentials with "
                             "pricing:GetProducts") from error


def render(book: Book, header: str) -> str:
    """The book as its file: `header` are the comments above `sources:`. Sources by first use of the old order."""
    lines = [header.rstrip("\n"), "sources:"]
    for source in book.sources.values():
        of = f", of: {source.of}" if source.of else ""
        lines.append(f"  {source.name}: {{url: {source.url}, read: {source.read}{of}"
                     f"{', quoted: true' if source.quoted else ''}}}")
    lines.append("prices:")
    lines += [f'  - {{price: {price.name}, unit: "{price.unit}", region: {price.region}, usd: {_decimal(price.usd)}, '
              f"source: {price.source.name}}}" for price in book.prices.values()]
    return "\n".join(lines) + "\n"


def _decimal(usd: float) -> str:
    """Without an exponent, which YAML 1.1 reads as text."""
    text = f"{usd:.12f}".rstrip("0")
    return text.rstrip(".")


def header(text: str) -> str:
    """The comments of the file."""
    return text.partition("\nsources:\n")[0]
