"""Settings of what runs in the namespace beside the services: the maintenance page and the database's jobs."""

from __future__ import annotations

from pydantic import Field

from infra.settings.base import Model
from infra.settings.kinds import Cron, Label


class Schedules(Model):
    """When the database's jobs start, as cron writes it, in UTC."""

    dump: Cron = "30 2 * * *"  # before RDS's own backup window
    upkeep: Cron = "30 7 * * 0"  # weekly vacuum and analyze, after RDS's maintenance window


class Workloads(Model):
    maintenance_image: str  # answers 503 with Retry-After; tag@digest outside development, as the next
    database_tools_image: str  # psql, pg_dump, gpg and the AWS CLI
    # Secrets of the namespace that pods pull images with; the program makes this one while an image is not in ECR.
    pull_secrets: tuple[Label, ...] = ("registry-pull",)
    retry_after_seconds: int = Field(default=600, ge=1, le=86_400)  # what the maintenance page tells clients
    schedules: Schedules = Schedules()
