"""Rules between the settings of observability and those of what it watches."""

from __future__ import annotations

from collections.abc import Iterator

from infra.plans.observability.databases import MEMORY_GIB
from infra.settings.errors import Problem
from infra.settings.model import Settings


def watchable(settings: Settings) -> Iterator[Problem]:
    """Alarms on connections and memory need to know what the database has."""
    chosen = settings.database.instance_class
    if settings.observability.alarms != "none" and chosen not in MEMORY_GIB:
        yield Problem("database.instanceClass", chosen, f"one of {', '.join(sorted(MEMORY_GIB))} "
                      "(infra/plans/observability/databases.py), or observability.alarms: none")


def rising_thresholds(settings: Settings) -> Iterator[Problem]:
    """A warning comes before what is critical, and that before what aborts."""
    at = settings.observability.thresholds
    for name, value, least, bound in (
            ("memoryCriticalMb", at.memory_critical_mb, "memoryWarningMb", at.memory_warning_mb),
            ("errorPercentAbort", at.error_percent_abort, "errorPercentCritical", at.error_percent_critical)):
        if value <= bound:
            yield Problem(f"observability.thresholds.{name}", value, f"more than {least}, {bound:g}")


RULES = (watchable, rising_thresholds)
