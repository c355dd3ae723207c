"""What a million events cost on AWS at list prices, from what was measured. No free tier, no savings plan.

Looked up on 2026-11-21 for us-east-1, the first tier of each price; AWS's own price list could not be asked. The pages
that the figures are from:

API Gateway   AWS whitepaper "Best Practices for Designing Amazon API Gateway Private APIs", table 4
Lambda        cloudchipr.com/blog/aws-lambda-pricing, which repeats aws.amazon.com/lambda/pricing for Arm
DynamoDB      airbyte.com/data-engineering-resources/dynamodb-pricing: on demand, after AWS's change of November 2024
streams       DynamoDB developer guide, "Evaluate your Streams usage": what Lambda reads for a function is free
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MILLION = 1_000_000
REST_REQUEST = 3.50 / MILLION
LAMBDA_REQUEST = 0.20 / MILLION
LAMBDA_GB_SECOND = 0.0000133334  # arm64
WRITE_UNIT = 0.625 / MILLION  # on demand; a transaction takes two for each KB of an item
READ_UNIT = 0.125 / MILLION  # 4 KB, strongly consistent; an eventually consistent read takes half of it
STREAM_READ = 0.0
NOT_INCLUDED = ("CloudFront", "web ACL", "CloudWatch's logs and metrics", "X-Ray", "WebSocket messages and connections",
                "the table's storage and backups", "KMS", "data transfer")


@dataclass(frozen=True)
class Invocations:
    """Of one function. milliseconds: billed, of all together."""

    count: int
    milliseconds: int
    memory_mib: int

    @property
    def usd(self) -> float:
        return self.count * LAMBDA_REQUEST + self.milliseconds / 1000 * self.memory_mib / 1024 * LAMBDA_GB_SECOND


@dataclass(frozen=True)
class Usage:
    """What so many accepted events took. Units are DynamoDB's."""

    events: int
    requests: int
    processor: Invocations
    publisher: Invocations
    write_units: float
    read_units: float


def per_million_events(usage: Usage) -> dict[str, float]:
    """USD by part, and their sum as `total`. Raises ValueError without an event."""
    if usage.events <= 0:
        raise ValueError("no event was accepted: nothing to relate a cost to")
    share = MILLION / usage.events
    parts = {"API Gateway": usage.requests * REST_REQUEST, "analytics-processor": usage.processor.usd,
             "stream-publisher": usage.publisher.usd, "DynamoDB writes": usage.write_units * WRITE_UNIT,
             "DynamoDB reads": usage.read_units * READ_UNIT, "stream reads": STREAM_READ}
    found = {name: usd * share for name, usd in parts.items()}
    return {**found, "total": sum(found.values())}


def write_units(item: Mapping[str, Any], indexed_by: str) -> int:
    """Of an item that a transaction puts, with its copy in an index that has all of it, if it has the index's key."""
    units = math.ceil(size(item) / 1024)
    return 2 * units + (units if indexed_by in item else 0)


def size(item: Mapping[str, Any]) -> int:
    """Bytes of an item as DynamoDB counts them (developer guide, "DynamoDB Item sizes and formats")."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":  # a byte for two digits, and one more
            digits = content.lstrip("-").replace(".", "").strip("0")
            return math.ceil(len(digits) / 2) + 1
        case "BOOL" | "NULL":
            return 1
    raise ValueError(f"an event's item has no attribute of type {kind}")
