"""Whether the pods' memory grows: a slope that single readings, steps and a warm-up do not move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import median

BUCKET_SECONDS = 15  # readings closer together say the same; a bucket's mean stands for them
LEAST_BUCKETS = 10  # 2.5 minutes
MOST_BUCKETS = 40  # 10 minutes: a hold of hours judges its end
SIGNIFICANCE = 3.29  # normal quantile of 0.0005, one-sided


@dataclass
class Bucket:
    """Sums of the readings in one piece of a stage; index: number of the piece. live_count 0: nobody measured."""

    index: int
    new_sum: float
    new_count: int
    live_sum: float = 0.0
    live_count: int = 0


def put(buckets: Sequence[Bucket], second: float, new: float, live: float | None) -> list[Bucket]:
    """With one reading more, `second` seconds into the stage."""
    index, kept = int(second // BUCKET_SECONDS), list(buckets)
    if not kept or kept[-1].index != index:
        kept.append(Bucket(index, 0.0, 0))
    last = kept[-1]
    kept[-1] = Bucket(index, last.new_sum + new, last.new_count + 1,
                      last.live_sum + (live or 0.0), last.live_count + (live is not None))
    return kept[-MOST_BUCKETS:]


@dataclass(frozen=True)
class Growth:
    """per_minute: share of the colour's median, beyond the live colour's growth. minutes: that were looked at."""

    per_minute: float
    minutes: float


def growth(buckets: Sequence[Bucket]) -> Growth | None:
    """None: not enough readings, or no growth that noise would not show as well.

    Theil and Sen's slope, the median of the slopes of all pairs; Mann and Kendall's test says whether readings rise at
    all. The later half must rise as fast: a warm-up slows down, a leak does not.
    """
    new = [(b.index * BUCKET_SECONDS / 60, b.new_sum / b.new_count) for b in buckets]
    if len(new) < LEAST_BUCKETS or not _rises([value for _, value in new]):
        return None
    slope = min(_slope(new), _slope(new[len(new) // 2:]))
    live = [(b.index * BUCKET_SECONDS / 60, b.live_sum / b.live_count) for b in buckets if b.live_count]
    alike = max(0.0, _slope(live)) if len(live) >= LEAST_BUCKETS else 0.0
    return Growth(slope - alike, new[-1][0] - new[0][0])


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Share of the median a minute."""
    level = median(value for _, value in points)
    return median((b - a) / (t - s) for (s, a), (t, b) in combinations(points, 2)) / level if level else 0.0


def _rises(values: Sequence[float]) -> bool:
    n = len(values)
    rising = sum((b > a) - (b < a) for a, b in combinations(values, 2))
    return (rising - 1) / sqrt(n * (n - 1) * (2 * n + 5) / 18) >= SIGNIFICANCE
