"""A stack's estimate: platform and serverless part together."""

from __future__ import annotations

from infra.plans import platform_costs, serverless_costs
from infra.plans.estimate import Estimate, priced
from infra.plans.prices import Book
from infra.plans.usage import month
from infra.settings.model import Settings
from infra.settings.usage import Quantity, Usage


def estimate(settings: Settings, book: Book, usage: Usage | None = None) -> Estimate:
    """`usage` None: what the stack's file says."""
    expected = month(usage or settings.usage)
    return priced([*platform_costs.lines(settings, expected, book), *serverless_costs.lines(settings, expected)], book,
                  expected[Quantity.SESSIONS])
