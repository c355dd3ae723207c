"""Rules between the settings of operations and the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from infra.settings.errors import Problem

if TYPE_CHECKING:
    from infra.settings.model import Settings

NEVER_OFF = ("production", "recovery")


def off_hours(settings: Settings) -> Iterator[Problem]:
    hours = settings.operations.off_hours
    zones = available_timezones()  # none on a machine without a time zone database, which can't tell
    if zones and hours.time_zone not in zones:
        yield Problem("operations.offHours.timeZone", hours.time_zone, "an IANA name such as America/New_York or UTC")
    if hours.enabled and settings.environment in NEVER_OFF:
        yield Problem("operations.offHours.enabled", True, f"false in {settings.environment}")
    if hours.stop_database and not hours.enabled:
        yield Problem("operations.offHours.stopDatabase", True, "only together with enabled")
    if hours.down == hours.up:
        yield Problem("operations.offHours.up", hours.up, f"another time than down, {hours.down}")


def rotation(settings: Settings) -> Iterator[Problem]:
    """A rotation must be over before the next one: else a key would have to be accepted for several of them."""
    rules = settings.operations.rotation
    for name, hours in (("tokenHours", rules.token_hours), ("cacheOverlapHours", rules.cache_overlap_hours)):
        if hours >= rules.days * 24:
            yield Problem(f"operations.rotation.{name}", hours, f"less than rotation.days, {rules.days * 24} hours")


RULES = (off_hours, rotation)
