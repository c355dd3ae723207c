"""Settings of what runs beside the platform: notifications, rotations, cost findings, off-hours (F6, F7, F8, M2)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infra.settings.base import Model

Severity = Literal["P0", "P1", "P2", "P3"]
CHANNEL = r"^#[a-z0-9_-]{1,79}$"  # Slack's own rule for a channel's name
TAG_KEY = r"^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$"
CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


class Escalation(Model):
    """Who hears of an incident that nobody answers or that is not under control. to: a role or a rota, as people call
    it."""

    minutes: int = Field(ge=1)  # after it began
    to: str = Field(min_length=1)


class Notifications(Model):
    """Where alarms and incidents are told (M2). The webhooks themselves are secrets that operators fill."""

    alerts_channel: str = Field(default="#ops-alerts", pattern=CHANNEL)  # automated
    incidents_channel: str = Field(default="#incident-response", pattern=CHANNEL)  # manual
    paged: tuple[Severity, ...] = ("P0", "P1")  # what also goes to PagerDuty
    escalation: tuple[Escalation, ...] = ()  # beyond PagerDuty's own; docs/runbooks/response.md has it
    runbooks_url: str = Field(
        default="https://github.com/candlefish-ai/candlefish-infrastructure/blob/main/docs/runbooks",
        pattern=r"^https://[\w.-]+(/[\w./-]*)?$", max_length=500)


class Rotation(Model):
    """Signing keys and the cache's token (F6). The database's password is RDS's own to rotate."""

    days: int = Field(default=30, ge=1, le=90)  # 90: CKV_AWS_304
    token_hours: int = Field(default=24, ge=1, le=2_160)  # how long a token of the API is valid at most
    cache_overlap_hours: int = Field(default=24, ge=2, le=2_160)  # until every pod has read a new token of the cache


class CostFindings(Model):
    """What the cost optimiser calls idle or old (F7)."""

    schedule: str = Field(default="cron(0 7 ? * MON *)", pattern=r"^(cron|rate)\([\w *?,/#-]{1,200}\)$")  # UTC
    idle_days: int = Field(default=14, ge=1, le=90)
    snapshot_days: int = Field(default=90, ge=1, le=36_500)  # also for images that nobody pulls
    exempt_tag: str = Field(default="CostExempt", pattern=TAG_KEY)  # any value, or a date until which it exempts


class OffHours(Model):
    """Scheduled scaling (F8): from `down` on a weekday to `up` on the next one, so weekends are off too."""

    enabled: bool = False
    down: str = Field(default="18:00", pattern=CLOCK)
    up: str = Field(default="08:00", pattern=CLOCK)
    time_zone: str = "America/New_York"  # IANA
    stop_database: bool = False
    keep_tag: str = Field(default="KeepRunning", pattern=TAG_KEY)  # on the cluster: tonight it stays up


class Operations(Model):
    notifications: Notifications = Notifications()
    rotation: Rotation = Rotation()
    cost_findings: CostFindings = CostFindings()
    off_hours: OffHours = OffHours()
