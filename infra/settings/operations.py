"""Settings of what runs beside the platform: notifications, rotations, cost findings, off-hours (F6, F7, F8, M2)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infra.settings.base import Model

Severity = Literal["P0", "P1", "P2", "P3"]
CHANNEL = r"^#[a-z0-9_-]{1,79}$"  # Slack's own rule for a channel's name


class Notifications(Model):
    """Where alarms and incidents are told (M2). The webhooks themselves are secrets that operators fill."""

    alerts_channel: str = Field(default="#ops-alerts", pattern=CHANNEL)  # automated
    incidents_channel: str = Field(default="#incident-response", pattern=CHANNEL)  # manual
    paged: tuple[Severity, ...] = ("P0", "P1")  # what also goes to PagerDuty
    runbooks_url: str = Field(
        default="https://github.com/candlefish-ai/candlefish-infrastructure/blob/main/docs/runbooks", pattern=r"^https://")


class Operations(Model):
    notifications: Notifications = Notifications()
