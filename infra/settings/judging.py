"""When a release is good, and when it is rolled back (O2): docs/judging.md says what is done with the figures."""

from __future__ import annotations

from pydantic import Field

from infra.settings.base import Model


class Judging(Model):
    """Percentages are 0 to 100 of the requests; what aborts at once and what is slow are in
    `observability.thresholds` (errorPercentAbort, latencyP95Seconds)."""

    error_percent_healthy: float = Field(default=0.1, gt=0, lt=100)  # the objective of M4
    error_percent_bad: float = Field(default=1, gt=0, lt=100)
    false_alarm: float = Field(default=0.001, gt=0, le=0.1)  # chance to roll back what is healthy, a test and rollout
    missed: float = Field(default=0.001, gt=0, le=0.1)  # chance to pass what is bad, a test and stage
    slow_percent_healthy: float = Field(default=2.5, gt=0, lt=100)
    slow_percent_bad: float = Field(default=9, gt=0, lt=100)  # with the former the tests turn at 5 %: a p95
    times_worse: float = Field(default=3, gt=1)  # than the live colour, between healthy and bad
    reading_weight: float = Field(default=0.6, gt=0, le=1)  # part of what rolls back that one reading may add
    fps_drop_percent: float = Field(default=50, gt=0, lt=100)  # below the live colour's
    memory_growth_percent_per_minute: float = Field(default=2, gt=0)  # beyond the live colour's growth
    memory_warm_up_seconds: float = Field(default=120, ge=0, le=86_400)  # of each stage, in which growth is expected
    critical_log_errors: int = Field(default=3, ge=1, le=1_000_000)
    critical_animation_failures: int = Field(default=3, ge=1, le=1_000_000)
    # That a bad release may cost before it is found, at 99 %.
    failed_requests: int = Field(default=10, ge=10, le=1_000_000)
