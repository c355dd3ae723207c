"""What the judge is told from: made of what was chosen and of what the load balancer calls the colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from operations.errors import NotAcceptable
from operations.rollout.front import Balancer
from operations.rollout.judging.sources import Joined, Source
from operations.rollout.judging.sources.cloudwatch import CloudWatch
from operations.rollout.judging.sources.prometheus import Prometheus
from operations.rollout.model import Readings, Target

HTTP_SECONDS = 5.0
Sources = Callable[[Readings, str], Source]  # the choice, and Prometheus' address


def sources(target: Target, front: Balancer, cloudwatch: Any) -> Sources:
    """cloudwatch: boto3's client. Nothing is asked before the source is needed."""
    latency = target.settings.observability.thresholds.latency_p95_seconds

    def by_cloudwatch(url: str) -> Source:
        balancer, groups = front.dimensions()
        return CloudWatch(cloudwatch, balancer, groups, latency)

    def by_prometheus(url: str) -> Source:
        http = httpx.Client(base_url=url, timeout=HTTP_SECONDS)
        return Prometheus(http, target.name, target.namespace, latency)

    made: dict[Readings, Callable[[str], Source]] = {
        Readings.CLOUDWATCH: by_cloudwatch, Readings.PROMETHEUS: by_prometheus,
        Readings.BOTH: lambda url: Joined(by_cloudwatch(url), by_prometheus(url))}
    return lambda readings, url: made[readings](url)


def acceptable(readings: Readings, prometheus: str) -> None:
    """Raises NotAcceptable."""
    needed = readings in (Readings.PROMETHEUS, Readings.BOTH)
    if needed and not prometheus.startswith(("http://", "https://")):
        raise NotAcceptable(f"--readings {readings} needs --prometheus http://… (CANDLEFISH_PROMETHEUS), where "
                            f"Prometheus answers; it is {prometheus!r}")
