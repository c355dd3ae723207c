"""What the number of requests that a bad release may cost demands of readings and weights: docs/judging.md.

A release with the bad share fails on while nobody sees it: `blind_seconds` × its requests a second × that share more
than the test itself needs. The figures below hold for shares at a ratio of 10 (0.1 % and 1 %) and α = 0.001.
"""

from __future__ import annotations

from math import inf, log

from operations.rollout.judging.sequential import Ratio
from operations.rollout.judging.thresholds import Thresholds

OWN_FAILURES = 9  # that the test costs at 99 %, were each request seen at once (measured: decision 44)
UNSEEN = 0.75
LEAST_PERCENT = 0.1  # weights of a load balancer's target groups are whole numbers up to 999


def blind_seconds(interval_seconds: float, delay_seconds: float) -> float:
    """The longest time from a failed request to the reading that shows it."""
    return interval_seconds + delay_seconds


def requests_per_second(at: Thresholds, blind: float) -> float:
    """What the new colour may get at most: so many that of each failed request that is allowed beyond the test's own,
    three quarters may fail unseen (measured: one more at 99 %).

    Raises ValueError for fewer failed requests than the test itself costs.
    """
    if at.failed_requests <= OWN_FAILURES:
        raise ValueError(f"rollout.judging.failedRequests is {at.failed_requests}; the test alone costs up to "
                         f"{OWN_FAILURES}; allowed: more")
    return UNSEEN * (at.failed_requests - OWN_FAILURES) / (at.error_bad * blind)


def weight_percent(at: Thresholds, stage_percent: float, service_requests_per_second: float, blind: float) -> float:
    """At most `stage_percent`: the weight at which a bad release costs no more than `failedRequests`."""
    if service_requests_per_second <= 0:
        return stage_percent
    allowed = 100 * requests_per_second(at, blind) / service_requests_per_second
    return max(LEAST_PERCENT, min(stage_percent, allowed))


def requests_to_pass(at: Thresholds, share: float) -> float:
    """Mean number of requests until the test of errors accepts a release with that share (Wald). inf: never."""
    ratio = Ratio(at.error_healthy, at.error_bad)
    drift = share * ratio.hit + (1 - share) * ratio.miss
    return log(at.missed / (1 - at.false_alarm)) / drift if drift < 0 else inf
