"""Settings of what runs in the namespace beside the services: the maintenance page and the database's jobs."""

from __future__ import annotations

from pydantic import Field

from infra.settings.base import Model


class Schedules(Model):
    """When the database's jobs start, as cron writes it, in UTC."""

    dump: str = "30 2 * * *"  # before RDS's own backup window
    upkeep: str = "30 7 * * 0"  # weekly vacuum and analyze, after RDS's maintenance window


class Workloads(Model):
    maintenance_image: str  # answers 503 with Retry-After; tag@digest outside development, as the next
    database_tools_image: str  # psql, pg_dump, gpg and the AWS CLI
    pull_secrets: tuple[str, ...] = ()  # Secrets of the namespace that pods pull images with; empty: none is needed
    retry_after_seconds: int = Field(default=600, ge=1)  # what the maintenance page tells clients
    schedules: Schedules = Schedules()
