"""Service levels (M4) as a table, and how fast an error budget may burn before somebody is told.

Burn rates and windows: Site Reliability Workbook, chapter 5, table 5-8 (a 30-day budget; the short window is a twelfth
of the long one, so that an alert ends soon after its cause).
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.plans.observability.alarm_table import JOBS
from infra.plans.observability.severity import Severity

BUDGET_DAYS = 30


@dataclass(frozen=True)
class Share:
    """A share of requests may be bad. bad, total: rates over `$window`. budget: that share."""

    name: str
    figure: str  # as M4 says it
    summary: str
    budget: float
    bad: str
    total: str
    runbook: str

    def ratio(self, window: str) -> str:
        """Without any bad request there is no series of bad ones."""
        return f"({self.bad} or vector(0)) / ({self.total})".replace("$window", window)


@dataclass(frozen=True)
class Level:
    """A measured value stays on one side of the limit, over an hour. promql: instant vector."""

    name: str
    figure: str
    summary: str
    limit: float
    sign: str  # of what is bad
    promql: str
    runbook: str


@dataclass(frozen=True)
class Elsewhere:
    """Measured outside of Prometheus. by: what watches it."""

    name: str
    figure: str
    by: str


@dataclass(frozen=True)
class Burn:
    rate: float
    long: str
    short: str
    severity: Severity


BURNS = (
    Burn(14.4, "1h", "5m", Severity.P1),
    Burn(6, "6h", "30m", Severity.P1),
    Burn(3, "1d", "2h", Severity.P3),
    Burn(1, "3d", "6h", Severity.P3),
)

_REQUESTS = f"sum(rate(http_requests_total{{{JOBS}}}[$window]))"
# Clients write the bound 2 as "2" or "2.0".
_FAST = f'sum(rate(http_request_duration_seconds_bucket{{{JOBS},le=~"2(\\\\.0)?"}}[$window]))'
_TIMED = f"sum(rate(http_request_duration_seconds_count{{{JOBS}}}[$window]))"
_API_FAST = f'sum(rate(candlefish_api_response_time_bucket{{{JOBS},le="0.1"}}[$window]))'
_API_TIMED = f"sum(rate(candlefish_api_response_time_count{{{JOBS}}}[$window]))"

SHARES = (
    Share("availability", "99.9 % available, errors < 0.1 %", "Requests fail", 0.001,
          f'sum(rate(http_requests_total{{{JOBS},status=~"5.."}}[$window]))', _REQUESTS, "incidents.md#error-rate"),
    Share("latency", "p95 < 2 s", "Requests take longer than 2 s", 0.05, f"{_TIMED} - {_FAST}", _TIMED,
          "performance.md#latency"),
    Share("api-latency", "API p95 < 100 ms", "Calls of the API take longer than 100 ms", 0.05,
          f"{_API_TIMED} - {_API_FAST}", _API_TIMED, "performance.md#latency"),
)
STRETCH = 0.0001  # 99.99 % availability: reported, nobody is woken for it

LEVELS = (
    Level("fps", "fps ≥ 55", "The animation runs below its objective", 55, "<",
          f"avg(avg_over_time(candlefish_animation_fps{{{JOBS}}}[1h]))", "performance.md#frame-rate"),
    Level("lcp", "LCP 2.5 s", "Pages show their largest content late", 2500, ">",
          f"avg(avg_over_time(candlefish_largest_contentful_paint{{{JOBS}}}[1h]))", "performance.md#web-vitals"),
    Level("fid", "FID 100 ms", "Pages answer the first input late", 100, ">",
          f"avg(avg_over_time(candlefish_first_input_delay{{{JOBS}}}[1h]))", "performance.md#web-vitals"),
    Level("cls", "CLS 0.1", "Pages shift while they load", 0.1, ">",
          f"avg(avg_over_time(candlefish_cumulative_layout_shift{{{JOBS}}}[1h]))", "performance.md#web-vitals"),
)

ELSEWHERE = (
    Elsewhere("cdn", "CDN hits > 95 %", "alarm `cdn-hit-rate`"),
    Elsewhere("load", "10,000 concurrent users in production, 1,000 in staging", "load test `tests/load/journey.js`"),
)


def windows() -> tuple[str, ...]:
    """All windows of the table, short ones first."""
    order = {"m": 1, "h": 60, "d": 1440}
    return tuple(sorted({window for burn in BURNS for window in (burn.long, burn.short)},
                        key=lambda window: int(window[:-1]) * order[window[-1]]))
