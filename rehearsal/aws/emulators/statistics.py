"""CloudWatch's percentile ranks and trimmed counts by values, PR(a:b) and TC(a:b): MiniStack answers the mean for what
it does not know. The lower bound is excluded, the upper one included (CloudWatch User Guide, "CloudWatch statistics
definitions"); a bound that is missing is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from ministack.services import cloudwatch

_RANGE = re.compile(r"(PR|TC)\((\d*\.?\d*):(\d*\.?\d*)\)", re.IGNORECASE)


def install() -> None:
    """Puts our statistics in front of MiniStack's."""
    served: Callable[..., float | None] = cloudwatch._stat_value

    def value(stats: Any, name: str, points: Sequence[Any] | None = None) -> float | None:
        within = _RANGE.fullmatch(name or "")
        if within is None:
            return served(stats, name, points)
        samples = cloudwatch._percentile_samples(points or [])
        return ranked(within[1].upper(), within[2], within[3], samples) if samples else None

    cloudwatch._stat_value = value


def ranked(statistic: str, low: str, high: str, samples: Sequence[tuple[float, float]]) -> float:
    """samples: value and how often. PR is 0 to 100, TC a number of values."""
    least, most = float(low or "-inf"), float(high or "inf")
    inside = sum(count for value, count in samples if least < value <= most)
    return inside if statistic == "TC" else 100 * inside / sum(count for _, count in samples)
