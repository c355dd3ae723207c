"""What other ways of paying would save: spot, reserved capacity, nights and weekends off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infra.plans.estimate import Estimate, Row
from infra.plans.prices import Book
from infra.plans.stack_costs import estimate
from infra.settings.model import Settings
from infra.settings.operations import OffHours
from infra.settings.rules_operations import NEVER_OFF
from operations.errors import NotAcceptable


@dataclass(frozen=True)
class WhatIf:
    """usd: the platform's month then. note: what stands against it."""

    name: str
    words: str
    usd: float
    saved: float
    note: str = ""


def scenarios(settings: Settings, book: Book, spot_percent: float, reserved_percent: float,
              hours: OffHours) -> list[WhatIf]:
    """spot_percent, reserved_percent: what is saved of the price on demand. hours: the nights that are tried.

    Raises NotAcceptable for percentages outside 0 to 100.
    """
    for name, percent in (("--spot-percent", spot_percent), ("--reserved-percent", reserved_percent)):
        if not 0 <= percent <= 100:
            raise NotAcceptable(f"{name} is {percent:g}; 0 to 100")
    found = estimate(settings, book)
    return [*_spot(found, spot_percent), *_reserved(found, reserved_percent), _off_hours(settings, book, found, hours)]


def _spot(found: Estimate, percent: float) -> Iterator[WhatIf]:
    saved = _share(found, percent, lambda row: row.line.price.startswith("ec2."))
    yield WhatIf("spot", f"every node on demand as spot, {percent:g} % cheaper", found.platform - saved, saved,
                 "production keeps a base on demand" if saved else "no node is on demand")


def _reserved(found: Estimate, percent: float) -> Iterator[WhatIf]:
    """Storage is never reserved."""
    prefixes = ("ec2.", "rds.multi.", "rds.single.", "cache.")
    saved = _share(found, percent, lambda row: row.line.price.startswith(prefixes))
    yield WhatIf("reserved", f"nodes on demand, database and cache reserved, {percent:g} % cheaper",
                 found.platform - saved, saved, "paid for a year or three whether it runs or not")


def _off_hours(settings: Settings, book: Book, found: Estimate, hours: OffHours) -> WhatIf:
    now = settings.operations.off_hours
    if now.enabled:
        always = estimate(_with(settings, now.model_copy(update={"enabled": False, "stop_database": False})), book)
        return WhatIf("off-hours", f"nights and weekends off, {now.down} to {now.up}, as it is", found.platform,
                      always.platform - found.platform)
    then = estimate(_with(settings, hours), book)
    note = f"the settings refuse it in {settings.environment}" if settings.environment in NEVER_OFF else ""
    return WhatIf("off-hours", f"nights and weekends off, {hours.down} to {hours.up}, the database too", then.platform,
                  found.platform - then.platform, note)


def _with(settings: Settings, hours: OffHours) -> Settings:
    return settings.model_copy(update={"operations": settings.operations.model_copy(update={"off_hours": hours})})


def _share(found: Estimate, percent: float, applies: Callable[[Row], bool]) -> float:
    return sum(row.usd or 0 for row in found.rows if applies(row)) * percent / 100
