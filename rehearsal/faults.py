"""Faults on calls: which call fails, and how. The clients of `rehearsal.aws` and `rehearsal.kubernetes` ask.

A call's site is (URN, ordinal of the call within the resource's step), so that the same seed hits the same call
whatever order the threads take.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    ERROR = "error"  # refused before it took effect, with the service's own error shape
    THROTTLE = "throttle"  # refused with the service's throttling error; clients retry as they would
    TIMEOUT = "timeout"  # took effect, but the answer never came
    KILL_BEFORE = "kill-before"  # the process dies before the call is sent
    KILL_AFTER = "kill-after"  # the process dies after the call took effect, before the state is written


@dataclass(frozen=True)
class Site:
    urn: str
    ordinal: int  # 1 for the first call of the step
    service: str  # "ec2", "kubernetes"
    operation: str  # "CreateVpc", "PATCH deployments"
    mutating: bool


@dataclass
class Plan:
    """Decides for every call. `repeat`: how often a site is hit before it is let through; kills hit once.

    fault, urn, ordinal  one exact position, or
    rate                 each site with this probability, by seed; faults drawn from `kinds`
    """

    seed: int = 0
    rate: float = 0.0
    kinds: Sequence[Fault] = (Fault.ERROR, Fault.THROTTLE, Fault.TIMEOUT)
    at: tuple[str, int, Fault] | None = None
    repeat: int = 1
    _hits: dict[tuple[str, int], int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    sites: list[Site] = field(default_factory=list)  # every call that was asked about: for sweeps over positions

    def choose(self, site: Site) -> Fault | None:
        """The fault for this attempt of the call, or None. Counts the attempt."""
        with self._lock:
            self.sites.append(site)
            fault = self._drawn(site)
            if fault is None:
                return None
            key = (site.urn, site.ordinal)
            if self._hits.get(key, 0) >= self.repeat:
                return None
            self._hits[key] = self._hits.get(key, 0) + 1
            return fault

    def _drawn(self, site: Site) -> Fault | None:
        if self.at is not None:
            urn, ordinal, fault = self.at
            return fault if (site.urn, site.ordinal) == (urn, ordinal) else None
        if not self.rate:
            return None
        draw = random.Random(f"{self.seed}:{site.urn}:{site.ordinal}")
        return draw.choice(list(self.kinds)) if draw.random() < self.rate else None


_active: Plan | None = None


def activate(plan: Plan | None) -> None:
    """Sets the plan of this process; None: no faults."""
    global _active
    _active = plan


def choose(site: Site) -> Fault | None:
    return _active.choose(site) if _active is not None else None


def die() -> None:
    """What a power cut does: no clean-up, no flush."""
    os.kill(os.getpid(), signal.SIGKILL)
