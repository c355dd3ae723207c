"""What a stack costs a month, from its settings alone: lines with quantities, priced from the book."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from infra.plans.prices import Book, Price

HOURS = 730  # in a month, as AWS's calculator counts them
MILLION = 1_000_000


class Part(StrEnum):
    """The documents' tables; the serverless ones are counted by a million sessions there."""

    EKS = "EKS"
    EC2 = "EC2"
    RDS = "RDS"
    CACHE = "ElastiCache"
    BALANCER = "ALB"
    TRANSFER = "transfer"
    STORAGE = "storage"
    REST = "the rest"
    FUNCTIONS = "functions"
    TABLES = "tables"
    CLOUDFRONT = "CloudFront"
    MONITORING = "monitoring"


SERVERLESS = (Part.FUNCTIONS, Part.TABLES, Part.CLOUDFRONT, Part.MONITORING)
# USD a month as the documents say (issue "Cost"; E3): lowest and highest. What they have no line for is the rest.
DOCUMENTED: Mapping[Part, tuple[float, float]] = {
    Part.EKS: (75, 75), Part.EC2: (400, 800), Part.RDS: (200, 400), Part.CACHE: (100, 200), Part.BALANCER: (25, 25),
    Part.TRANSFER: (50, 150), Part.STORAGE: (50, 200)}
DOCUMENTED_TOTAL = (900, 1850)
# USD for a million sessions a month (E3).
DOCUMENTED_MILLION: Mapping[Part, float] = {
    Part.FUNCTIONS: 50, Part.TABLES: 100, Part.CLOUDFRONT: 200, Part.MONITORING: 75}


@dataclass(frozen=True)
class Line:
    """quantity: in the unit of `price`, a name in the book, such as `nat.hour`."""

    part: Part
    component: str
    what: str
    quantity: float
    price: str
    region: str


@dataclass(frozen=True)
class Row:
    """A line with its price in `line.region`; None: not priced. elsewhere: what another region asks then, which is in
    no sum and only says where a sum with it would be."""

    line: Line
    price: Price | None
    elsewhere: Price | None = None

    @property
    def usd(self) -> float | None:
        """A month."""
        return None if self.price is None else self.line.quantity * self.price.usd

    def document(self) -> dict[str, Any]:
        line, price = self.line, self.price
        return {"part": line.part.value, "component": line.component, "what": line.what, "quantity": line.quantity,
                "price": line.price, "region": line.region, "unit": price.unit if price else None,
                "unitUsd": price.usd if price else None, "usd": self.usd,
                "source": price.source.url if price else "not priced",
                "priceRead": price.source.read.isoformat() if price else None,
                "elsewhereUsd": self.elsewhere.usd * line.quantity if self.elsewhere else None}


@dataclass(frozen=True)
class Estimate:
    """sessions: of visitors a month, which the serverless part is about."""

    rows: tuple[Row, ...]
    sessions: float

    @property
    def platform(self) -> float:
        """USD a month without the serverless part; at least that much where rows of it are not priced."""
        return sum(row.usd or 0 for row in self.rows if row.line.part not in SERVERLESS)

    @property
    def serverless(self) -> float:
        return sum(row.usd or 0 for row in self.rows if row.line.part in SERVERLESS)

    @property
    def unpriced(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.price is None)

    @property
    def lower_bound(self) -> bool:
        """Rows of the platform are not priced, so that it costs more than `platform`."""
        return any(row.line.part not in SERVERLESS for row in self.unpriced)

    @property
    def likely(self) -> float | None:
        """`platform`, with another region's prices where this one's are not known; None: a row has neither."""
        missing = [row for row in self.unpriced if row.line.part not in SERVERLESS]
        if any(row.elsewhere is None for row in missing):
            return None
        return self.platform + sum(row.line.quantity * row.elsewhere.usd for row in missing if row.elsewhere)

    def of(self, part: Part) -> float:
        return sum(row.usd or 0 for row in self.rows if row.line.part is part)

    def components(self) -> dict[str, float]:
        """USD a month by component, the dearest first."""
        totals: dict[str, float] = {}
        for row in self.rows:
            totals[row.line.component] = totals.get(row.line.component, 0) + (row.usd or 0)
        return dict(sorted(totals.items(), key=lambda entry: -entry[1]))

    def dearest(self, count: int) -> tuple[Row, ...]:
        """Of the platform's rows."""
        rows = [row for row in self.rows if row.line.part not in SERVERLESS and row.price]
        return tuple(sorted(rows, key=lambda row: -(row.usd or 0))[:count])


def priced(lines: Iterable[Line], book: Book, sessions: float) -> Estimate:
    """Without the lines that there is nothing of."""
    return Estimate(tuple(_row(line, book) for line in lines if line.quantity), sessions)


def _row(line: Line, book: Book) -> Row:
    price = book.find(line.price, line.region)
    return Row(line, price, None if price else book.find_elsewhere(line.price))
