"""What one colour did in one interval of time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """Counts are of the interval alone, never totals since a start.

    errors: answers 5xx of targets, refused and reset connections; at most `requests`. slow: requests that took longer
    than the latency threshold. fps: mean frames a second that visitors saw. memory_bytes: mean working set of the
    colour's pods. None: nobody measures it here, or nothing was measured in this interval.

    Raises ValueError for what can't be a count of requests.
    """

    seconds: float
    requests: int = 0
    errors: int = 0
    slow: int = 0
    fps: float | None = None
    memory_bytes: float | None = None
    critical_log_errors: int = 0
    critical_animation_failures: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.seconds) and self.seconds > 0):
            raise ValueError(f"a sample covers {self.seconds} seconds; allowed: more than 0")
        for name in ("requests", "errors", "slow", "critical_log_errors", "critical_animation_failures"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; counts are differences, 0 or more")
        for name in ("errors", "slow"):
            if getattr(self, name) > self.requests:
                raise ValueError(f"{name} is {getattr(self, name)} of {self.requests} requests")
        for name in ("fps", "memory_bytes"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} is {value}; allowed: 0 or more, or None")


def merged(samples: Sequence[Sample]) -> Sample:
    """One interval seen by several (pods, zones) as one sample; their order does not matter.

    fps weighs by requests, as each stands for a view; memory by observer. Raises ValueError where they cover different
    lengths of time, and for none at all.
    """
    lengths = {sample.seconds for sample in samples}
    if len(lengths) != 1:
        raise ValueError(f"samples of one interval cover one length of time, not {sorted(lengths)} seconds")
    return Sample(
        seconds=lengths.pop(), requests=sum(s.requests for s in samples), errors=sum(s.errors for s in samples),
        slow=sum(s.slow for s in samples),
        fps=_mean((s.fps, max(s.requests, 1)) for s in samples if s.fps is not None),
        memory_bytes=_mean((s.memory_bytes, 1) for s in samples if s.memory_bytes is not None),
        critical_log_errors=sum(s.critical_log_errors for s in samples),
        critical_animation_failures=sum(s.critical_animation_failures for s in samples))


def _mean(weighted: Iterable[tuple[float, int]]) -> float | None:
    """fsum: its result does not depend on the order, as that of + would."""
    pairs = list(weighted)
    return math.fsum(value * weight for value, weight in pairs) / sum(w for _, w in pairs) if pairs else None
