"""Sizes of the serverless side: functions, APIs, retention."""

from __future__ import annotations

from pydantic import Field

from infra.settings.base import Model
from infra.settings.kinds import Days


class Concurrency(Model):
    """Executions that are reserved for each function, and its limit: no function starves another.

    An account has 1,000 in a region by default, of which 100 stay unreserved (Lambda quotas).
    """

    analytics_processor: int = Field(default=50, ge=1, le=500)
    visitor_memory: int = Field(default=20, ge=1, le=500)
    experiments: int = Field(default=20, ge=1, le=500)
    stream: int = Field(default=20, ge=1, le=500)
    stream_publisher: int = Field(default=10, ge=1, le=100)

    def total(self) -> int:
        return sum(self.model_dump().values())


class Analytics(Model):
    """The rates are those that the API and each of its methods let through; more is answered with 429. The default is
    what 1,000 concurrent users need (M4) when a browser sends a batch every ten seconds, twice over."""

    event_retention_days: Days = 90
    memory_retention_days: Days = 365
    function_memory_mib: int = Field(default=512, ge=128, le=10_240)
    function_timeout_seconds: int = Field(default=15, ge=1, le=29)  # API Gateway waits 29 s for an integration
    concurrency: Concurrency = Concurrency()
    requests_per_second: int = Field(default=200, ge=1, le=10_000)
    request_burst: int = Field(default=400, ge=1, le=5_000)
    messages_per_second: int = Field(default=200, ge=1, le=10_000)  # WebSocket messages and new connections
    message_burst: int = Field(default=400, ge=1, le=5_000)
    operator_requests_per_day: int = Field(default=10_000, ge=1, le=1_000_000_000)  # usage plan of the operators' key
