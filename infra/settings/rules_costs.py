"""What a stack may cost (E3): the estimate lies inside its environment's band, and the budget is not above it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.plans.prices import book
from infra.plans.stack_costs import estimate
from infra.plans.thrift import remedies
from infra.settings.costs import BANDS
from infra.settings.errors import Problem

if TYPE_CHECKING:
    from infra.plans.estimate import Estimate
    from infra.settings.model import Settings

_NAMED = 3


def budget(settings: Settings) -> Iterator[Problem]:
    """Too dear by the prices that there are; too cheap only if it is with another region's prices as well, where the
    stack's own region has none in the book."""
    band = BANDS[settings.environment]
    if settings.monthly_budget_usd > band.highest:
        yield Problem("monthlyBudgetUsd", settings.monthly_budget_usd,
                      f"at most {band.highest}, the upper end of the band of {settings.environment}")
    found = estimate(settings, book())
    likely = found.likely
    too_low = likely is not None and likely < band.lowest
    if found.platform > band.highest or too_low:
        yield Problem("usage", f"estimate: {_usd(found)}",
                      f"{band} in {settings.environment}. The dearest: {_dearest(found)}. "
                      f"{remedies(settings, band.lowest, band.highest)}")


def _usd(found: Estimate) -> str:
    return f"{'at least ' if found.lower_bound else ''}{found.platform:,.0f} USD a month"


def _dearest(found: Estimate) -> str:
    return "; ".join(f"{row.line.component}, {row.line.what} {row.usd:,.0f}" for row in found.dearest(_NAMED))


RULES = (budget,)
