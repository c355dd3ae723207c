"""What the counts say, and how sure that is.

Intervals at 95 %: Wilson's for a rate, Newcombe's hybrid score interval for a difference (Newcombe 1998, method 10).
Comparison of each variant with the first: two-sided z-test with the pooled rate, p-values corrected after Holm for the
variants of an experiment. A rate's interval cannot leave 0 to 1, and is right for few visitors too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / 2)


@dataclass(frozen=True)
class Counts:
    visitors: int
    conversions: int

    @property
    def rate(self) -> float:
        return self.conversions / self.visitors if self.visitors else 0.0


def wilson(counts: Counts, z: float = _Z) -> tuple[float, float]:
    """The interval of the rate; everything is possible while there are no visitors."""
    n, p = counts.visitors, counts.rate
    if n == 0:
        return 0.0, 1.0
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(variant: Counts, control: Counts) -> tuple[float, float, float]:
    """Of the rates: the estimate with the ends of its interval."""
    found = variant.rate - control.rate
    (low, high), (control_low, control_high) = wilson(variant), wilson(control)
    return (found, found - math.hypot(variant.rate - low, control_high - control.rate),
            found + math.hypot(high - variant.rate, control.rate - control_low))


def p_value(variant: Counts, control: Counts) -> float:
    """How often as large a difference comes by chance when there is none."""
    n = variant.visitors + control.visitors
    if not variant.visitors or not control.visitors:
        return 1.0
    pooled = (variant.conversions + control.conversions) / n
    spread = math.sqrt(pooled * (1 - pooled) * (1 / variant.visitors + 1 / control.visitors))
    if spread == 0:
        return 1.0
    return 2 * NormalDist().cdf(-abs(variant.rate - control.rate) / spread)


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """Corrected so that the chance of any false alarm among them stays what a single one's would be."""
    corrected: dict[str, float] = {}
    highest = 0.0
    for position, name in enumerate(sorted(values, key=lambda each: values[each])):
        highest = max(highest, min(1.0, (len(values) - position) * values[name]))
        corrected[name] = highest
    return corrected


def report(counts: Mapping[str, Counts]) -> dict[str, Any]:
    """One goal of one experiment; `counts` by variant, the control first."""
    control, *others = counts
    corrected = holm({name: p_value(counts[name], counts[control]) for name in others})
    rows: dict[str, Any] = {}
    for name, found in counts.items():
        low, high = wilson(found)
        rows[name] = {"visitors": found.visitors, "conversions": found.conversions, "rate": round(found.rate, 6),
                      "interval": [round(low, 6), round(high, 6)]}
        if name != control:
            estimate, lowest, highest = difference(found, counts[control])
            rows[name]["comparedWithControl"] = {
                "difference": round(estimate, 6), "interval": [round(lowest, 6), round(highest, 6)],
                "pValue": round(corrected[name], 6), "significant": corrected[name] < 1 - CONFIDENCE}
    return {"control": control, "confidence": CONFIDENCE, "variants": rows}
