"""What CloudWatch's AWS/ApplicationELB namespace counts, gathered between two publications and in total."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


def rounded(seconds: float) -> float:
    """Two significant digits: CloudWatch takes at most 150 distinct values a datum."""
    return float(f"{seconds:.2g}")


@dataclass
class Counts:
    """Of one target group, or with `group` empty of the load balancer itself."""

    requests: int = 0
    statuses: Counter[str] = field(default_factory=Counter)  # "2XX" of targets; "502" of the load balancer itself
    seconds: Counter[float] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        self.requests += other.requests
        self.statuses.update(other.statuses)
        self.seconds.update(other.seconds)


class Counters:
    def __init__(self) -> None:
        self._period: dict[tuple[str, str], Counts] = {}
        self.total: dict[tuple[str, str], Counts] = {}

    def target_answered(self, balancer: str, group: str, status: int, seconds: float) -> None:
        counts = self._of(balancer, group)
        counts.requests += 1
        counts.statuses[f"{status // 100}XX"] += 1
        counts.seconds[rounded(seconds)] += 1
        self._of(balancer, "").requests += 1

    def target_failed(self, balancer: str, group: str, status: int) -> None:
        """The load balancer answered for a target: 502, 503 or 504."""
        self._of(balancer, group).requests += 1
        own = self._of(balancer, "")
        own.requests += 1
        own.statuses[str(status)] += 1

    def _of(self, balancer: str, group: str) -> Counts:
        return self._period.setdefault((balancer, group), Counts())

    def take(self) -> dict[tuple[str, str], Counts]:
        """What came since the last call."""
        taken, self._period = self._period, {}
        for key, counts in taken.items():
            self.total.setdefault(key, Counts()).add(counts)
        return taken

    def totals(self) -> dict[tuple[str, str], Counts]:
        """All that was ever counted."""
        shown = {key: Counts(each.requests, Counter(each.statuses), Counter(each.seconds))
                 for key, each in self.total.items()}
        for key, counts in self._period.items():
            shown.setdefault(key, Counts()).add(counts)
        return shown
