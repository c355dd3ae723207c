"""What is watched in an environment and from when on it is a problem (M1–M6)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infra.settings.base import Model
from infra.settings.kinds import Amount, Percent


class Thresholds(Model):
    """M2's figures; percentages are 0 to 100."""

    fps_minimum: Amount = 30
    frame_drop_percent: Percent = 1
    memory_warning_mb: Amount = 40
    memory_critical_mb: Amount = 50
    trust_points_per_session: Amount = 20
    error_percent_critical: Percent = 5
    error_percent_abort: Percent = 10  # P0: a rollout is undone at once
    latency_seconds: Amount = 3
    latency_p95_seconds: Amount = 2
    utilisation_percent: Percent = 90  # CPU, memory
    connections_percent: Percent = 80  # of what the database takes
    storage_free_percent: Percent = 15
    cache_hit_percent: Percent = 80
    cdn_hit_percent: Percent = 95
    replication_lag_seconds: Amount = 30
    certificate_days: Amount = 30


class Synthetics(Model):
    """Canaries against the public endpoints. A run is USD 0.0012 (CloudWatch pricing, us-east-1): each endpoint every
    5 minutes is about USD 10 a month."""

    enabled: bool = True
    minutes: int = Field(default=5, ge=1, le=60)
    runtime: str = Field(default="syn-python-selenium-14.0", pattern=r"^syn-python-selenium-\d+\.\d+$")
    timeout_seconds: int = Field(default=60, ge=3, le=840)


class Datadog(Model):
    """Datadog's AWS integration (M6): a role with which it reads CloudWatch's metrics. Off unless it is given."""

    external_id: str = Field(default="", pattern=r"^[\w+=,.@:/-]*$")  # Datadog draws it for the integration
    account_id: str = Field(default="464622532012", pattern=r"^\d{12}$")  # Datadog's, of its sites US1, US3, US5, EU1


class Observability(Model):
    """alarms: all of them, those that wake somebody (P0, P1), or none.
    trace_percent: share of the functions' requests beyond one a second that X-Ray keeps.
    """

    alarms: Literal["all", "critical", "none"] = "all"
    thresholds: Thresholds = Thresholds()
    synthetics: Synthetics = Synthetics()
    datadog: Datadog = Datadog()
    trace_percent: float = Field(default=5, ge=0, le=100)
    concurrent_users: int = Field(default=1_000, ge=1, le=1_000_000_000)  # of the load test (M4)
