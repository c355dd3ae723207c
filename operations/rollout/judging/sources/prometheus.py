"""Samples out of the services' own metrics, by Prometheus' HTTP API
(https://prometheus.io/docs/prometheus/latest/querying/api).

Counters are read as they were at both ends of the interval and subtracted series by series, as `increase()` would
extrapolate: two failed requests must not become 2.4. `last_over_time` finds a pod's last value also after a failed
scrape or its end. A series that was not there at the start begins at 0: a new pod, or the first request of its status.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from operations.rollout.judging.sample import Sample
from operations.rollout.judging.sources import SourceError

SCRAPE_SECONDS = 30.0  # infra/plans/monitoring.py
LOOKBACK_SECONDS = 900
_SERVICE = '{{job="candlefish-{service}",color="{colour}"{more}}}'
# Bounds of a histogram are `2` or `2.0`: clients differ, and Prometheus 3 writes the latter.
COUNTERS: Mapping[str, tuple[str, str]] = {  # metric, and the matchers beside job and colour
    "requests": ("http_requests_total", ""),
    "errors": ("http_requests_total", ',status=~"5.."'),
    "timed": ("http_request_duration_seconds_count", ""),
    "fast": ("http_request_duration_seconds_bucket", ',le=~"{bound}(\\\\.0)?"'),
}
FPS = "avg(avg_over_time({series}[{seconds}s]))"
MEMORY = ('avg(sum by (pod) (avg_over_time(container_memory_working_set_bytes{{namespace="{namespace}",'
          'pod=~"{service}-{colour}-.+",container!="",container!="POD"}}[{seconds}s])))')


def selector(metric: str, service: str, colour: str, more: str = "", latency_seconds: float = 0) -> str:
    bound = f"{latency_seconds:g}".replace(".", "\\\\.")
    return metric + _SERVICE.format(service=service, colour=colour, more=more.format(bound=bound))


def counter(name: str, service: str, colour: str, latency_seconds: float) -> str:
    """The last values of each series, by the name in COUNTERS."""
    metric, more = COUNTERS[name]
    return f"last_over_time({selector(metric, service, colour, more, latency_seconds)}[{LOOKBACK_SECONDS}s])"


class Prometheus:
    """http: a client whose base is Prometheus' address, with its time limits. Reads one service of one namespace.

    critical errors are not among the metrics: they are 0 here, and another source's (`Joined`).
    """

    interval_seconds = SCRAPE_SECONDS

    def __init__(self, http: httpx.Client, service: str, namespace: str, latency_seconds: float,
                 scrape_seconds: float = SCRAPE_SECONDS) -> None:
        self._http, self._service, self._namespace = http, service, namespace
        self._latency_seconds = latency_seconds
        self.interval_seconds = scrape_seconds
        self.delay_seconds = scrape_seconds / 2

    def readable(self, now: datetime) -> datetime:
        """Whatever has been scraped: what comes later is in the next interval."""
        return now.astimezone(UTC)

    def read(self, colour: str, since: datetime, until: datetime) -> Sample:
        seconds = (until - since).total_seconds()
        if not 0 < seconds < LOOKBACK_SECONDS:
            raise SourceError(f"{since.isoformat()} to {until.isoformat()} are {seconds:g} s; allowed: more than 0 and "
                              f"less than {LOOKBACK_SECONDS}")
        counted = {name: self._counted(name, colour, since, until) for name in COUNTERS}
        if counted["requests"] and not counted["timed"]:
            raise SourceError(f"{self._service} {colour} had requests but counts none in "
                              f"{COUNTERS['timed'][0]}: slow ones cannot be told")
        if counted["timed"] and not self._ask(self._counter("fast", colour), until):
            raise SourceError(f"{COUNTERS['fast'][0]} of {self._service} has no bound of "
                              f"{self._latency_seconds:g} s, which the objectives need (docs/observability.md)")
        requests = counted["requests"]
        window = {"seconds": max(int(seconds), int(2 * self.interval_seconds))}
        return Sample(
            seconds=seconds, requests=requests, errors=min(requests, counted["errors"]),
            slow=min(requests, max(0, counted["timed"] - counted["fast"])),
            fps=self._gauge(FPS.format(series=selector("candlefish_animation_fps", self._service, colour),
                                       **window), until),
            memory_bytes=self._gauge(MEMORY.format(namespace=self._namespace, service=self._service, colour=colour,
                                                   **window), until))

    def _counter(self, name: str, colour: str) -> str:
        return counter(name, self._service, colour, self._latency_seconds)

    def _counted(self, name: str, colour: str, since: datetime, until: datetime) -> int:
        asked = self._counter(name, colour)
        before, after = ({_key(found["metric"]): float(found["value"][1]) for found in self._ask(asked, at)}
                         for at in (since, until))
        return round(sum(value if value < before.get(key, 0.0) else value - before.get(key, 0.0)  # less: a restart
                         for key, value in after.items()))

    def _gauge(self, expression: str, at: datetime) -> float | None:
        found = self._ask(expression, at)
        value = float(found[0]["value"][1]) if found else None
        return None if value is None or value != value else value  # NaN: no number

    def _ask(self, expression: str, at: datetime) -> list[dict[str, Any]]:
        """An instant vector. Raises SourceError with what Prometheus says."""
        try:
            answer = self._http.get("/api/v1/query", params={"query": expression, "time": f"{at.timestamp():.3f}"})
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise SourceError(f"Prometheus at {self._http.base_url} does not answer: {error}") from error
        if body.get("status") != "success" or body["data"]["resultType"] != "vector":
            raise SourceError(f"Prometheus refuses {expression}: {body.get('errorType')} {body.get('error')}")
        return list(body["data"]["result"])


def _key(metric: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(metric.items()))
