"""An estimate beside its band (E3) and the tables of the Candlefish documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.plans.estimate import (
    DOCUMENTED,
    DOCUMENTED_MILLION,
    DOCUMENTED_TOTAL,
    MILLION,
    SERVERLESS,
    Estimate,
    Part,
)
from infra.settings.costs import Band


@dataclass(frozen=True)
class Compared:
    """documented: lowest and highest USD a month; None: the documents have no line for it."""

    what: str
    usd: float
    documented: tuple[float, float] | None

    @property
    def verdict(self) -> str:
        """At whole dollars."""
        if self.documented is None:
            return ""
        lowest, highest = self.documented
        return "below" if round(self.usd) < lowest else "above" if round(self.usd) > highest else "inside"


def parts(found: Estimate) -> Iterator[Compared]:
    """The documents' rows, their total, and the serverless ones for the sessions that are expected."""
    for part in Part:
        if part not in SERVERLESS:
            yield Compared(part.value, found.of(part), DOCUMENTED.get(part))
    yield Compared("platform", found.platform, DOCUMENTED_TOTAL)
    for part, million in DOCUMENTED_MILLION.items():
        yield Compared(f"serverless: {part.value}", found.of(part), _around(million * found.sessions / MILLION))
    yield Compared("serverless", found.serverless, _around(sum(DOCUMENTED_MILLION.values()) * found.sessions / MILLION))


def _around(usd: float) -> tuple[float, float]:
    """The documents say "about": half as much again, or half."""
    return (usd / 2, usd * 1.5)


def sentences(found: Estimate, band: Band) -> Iterator[str]:
    """What a reader must know before the tables."""
    at_least = "at least " if found.lower_bound else ""
    yield f"The platform costs {at_least}{found.platform:,.0f} USD a month, {_place(found, band)}."
    if found.lower_bound and found.likely is not None:
        yield f"With another region's prices for its rows that have none it would be {found.likely:,.0f} USD."
    if band.target is not None and (found.likely or found.platform) > band.target:
        yield f"It is above the target of {band.target:,} USD a month."
    yield f"The serverless part costs {found.serverless:,.0f} USD for {found.sessions:,.0f} sessions a month."
    if found.unpriced:
        rows = ", ".join(f"{row.line.component}: {row.line.what}" for row in found.unpriced)
        yield f"Not priced, and in no sum: {rows}."


def inside(found: Estimate, band: Band) -> bool | None:
    """None: rows that have no price anywhere decide it."""
    if found.platform > band.highest:
        return False
    return True if found.platform >= band.lowest else None if found.likely is None else found.likely >= band.lowest


def _place(found: Estimate, band: Band) -> str:
    answer = inside(found, band)
    if answer is None:
        return f"as far as it has prices; the band is {band}"
    if answer:
        return f"inside the band of {band}"
    return f"{'above' if found.platform > band.highest else 'below'} the band of {band}"


def document(stack: str, size: str, found: Estimate, band: Band) -> dict[str, Any]:
    """For machines; USD a month."""
    return {
        "stack": stack, "usage": size, "currency": "USD", "platform": found.platform, "serverless": found.serverless,
        "sessions": found.sessions, "lowerBound": found.lower_bound, "withOtherRegionsPrices": found.likely,
        "band": {"lowest": band.lowest, "highest": band.highest, "target": band.target,
                 "inside": inside(found, band)},
        "parts": [{"part": each.what, "usd": each.usd, "documented": each.documented, "verdict": each.verdict}
                  for each in parts(found)],
        "components": found.components(),
        "unpriced": [row.document() for row in found.unpriced],
        "rows": [row.document() for row in found.rows]}
