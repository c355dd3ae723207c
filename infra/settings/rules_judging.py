"""Rules between the figures that releases are judged by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from infra.settings.errors import Problem

if TYPE_CHECKING:
    from infra.settings.model import Settings

TURNS_AT = 5.0  # percent of slow requests: a p95 at the threshold


def rising_judging(settings: Settings) -> Iterator[Problem]:
    """Healthy is better than bad, and bad better than what is undone at once."""
    figures, abort = settings.rollout.judging, settings.observability.thresholds.error_percent_abort
    for name, value, least, bound in (
            ("errorPercentBad", figures.error_percent_bad, "errorPercentHealthy", figures.error_percent_healthy),
            ("slowPercentBad", figures.slow_percent_bad, "slowPercentHealthy", figures.slow_percent_healthy)):
        if value < 2 * bound:  # closer, and the tests need more requests than a stage has
            yield Problem(f"rollout.judging.{name}", value, f"at least twice {least}, {2 * bound:g}")
    if figures.error_percent_bad >= abort:
        yield Problem("rollout.judging.errorPercentBad", figures.error_percent_bad,
                      f"less than observability.thresholds.errorPercentAbort, {abort:g}")
    if not figures.slow_percent_healthy < TURNS_AT < figures.slow_percent_bad:
        yield Problem("rollout.judging.slowPercentHealthy", figures.slow_percent_healthy,
                      f"less than {TURNS_AT:g}, and slowPercentBad more: a p95 is judged")


RULES = (rising_judging,)
