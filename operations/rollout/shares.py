"""How much of a service's traffic, and how many pods, the new colour has."""

from __future__ import annotations

from math import ceil

from infra.plans.kubernetes import COLOURS
from operations.rollout.cluster import Weights

FINEST = 10  # parts of a percent: a target group's weight is a whole number up to 999


def weights(colour: str, percent: float = 100.0) -> Weights:
    """So many percent on `colour`, the rest on the other one; to a tenth of a percent."""
    scale = 1 if float(percent).is_integer() else FINEST
    share = round(percent * scale)
    rest = 100 * scale - share
    return (share, rest) if colour == COLOURS[0] else (rest, share)


def pods(replicas: int, percent: float) -> int:
    """Of `replicas`, those that carry so many percent of the traffic: at least one."""
    return max(1, ceil(replicas * percent / 100))


def batches(percent: int) -> tuple[float, ...]:
    """Rising shares of the traffic, a batch each: (33, 66, 100) of 33. What would be left of less than a tenth of a
    batch goes with the last one."""
    found: list[float] = []
    while 100 - (percent * (len(found) + 1)) > percent / 10:
        found.append(float(percent * (len(found) + 1)))
    return (*found, 100.0)
