"""The figures that a release is judged by, out of the stack's settings; saved with the judge's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from infra.settings.model import Settings


@dataclass(frozen=True)
class Thresholds:
    """Shares are 0 to 1. `Judging` of infra/settings/judging.py says what each is."""

    error_healthy: float = 0.001
    error_bad: float = 0.01
    error_abort: float = 0.10
    false_alarm: float = 0.001
    missed: float = 0.001
    latency_seconds: float = 2.0
    slow_healthy: float = 0.025
    slow_bad: float = 0.09
    times_worse: float = 3.0
    reading_weight: float = 0.6
    fps_drop: float = 0.5
    memory_growth_per_minute: float = 0.02
    memory_warm_up_seconds: float = 120.0
    critical_log_errors: int = 3
    critical_animation_failures: int = 3
    failed_requests: int = 10
    stage_seconds: float = 300.0

    @classmethod
    def of(cls, settings: Settings) -> Thresholds:
        of, at = settings.rollout.judging, settings.observability.thresholds
        return cls(
            error_healthy=of.error_percent_healthy / 100, error_bad=of.error_percent_bad / 100,
            error_abort=at.error_percent_abort / 100, false_alarm=of.false_alarm, missed=of.missed,
            latency_seconds=at.latency_p95_seconds, slow_healthy=of.slow_percent_healthy / 100,
            slow_bad=of.slow_percent_bad / 100, times_worse=of.times_worse,
            reading_weight=of.reading_weight, fps_drop=of.fps_drop_percent / 100,
            memory_growth_per_minute=of.memory_growth_percent_per_minute / 100,
            memory_warm_up_seconds=of.memory_warm_up_seconds, critical_log_errors=of.critical_log_errors,
            critical_animation_failures=of.critical_animation_failures, failed_requests=of.failed_requests,
            stage_seconds=60.0 * settings.rollout.stage_minutes)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Thresholds:
        return cls(**saved)
