"""Settings of what runs in the cluster beside the services, of the image registry, and of who may come in."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from infra.settings.base import Model


class Feature(StrEnum):
    """What a cluster can do without; each brings its add-ons (infra/plans/charts.py, infra/plans/managed_addons.py)."""

    AUTOSCALER = "autoscaler"
    CERTIFICATES = "certificates"  # cert-manager, an issuer, `candlefish-tls`
    LOGS = "logs"  # containers' logs to CloudWatch
    MONITORING = "monitoring"  # Prometheus, Alertmanager, Grafana, node exporter
    SHARED_VOLUMES = "shared-volumes"  # EFS, for volumes that several pods write to
    TRACING = "tracing"  # Jaeger


class Monitoring(Model):
    retention_days: int = Field(default=15, ge=1, le=3650)
    storage_gib: int = Field(default=30, ge=1, le=16_384)  # of Prometheus; it deletes the oldest when 90 % are used


class Addons(Model):
    features: tuple[Feature, ...] = (
        Feature.AUTOSCALER, Feature.CERTIFICATES, Feature.LOGS, Feature.MONITORING, Feature.TRACING)
    replicas: int = Field(default=2, ge=1, le=10)  # of each controller; they elect a leader
    monitoring: Monitoring = Monitoring()


class Registry(Model):
    kept_images: int = Field(default=100, ge=1, le=100_000)  # the newest of each repository
    # Replication to the recovery region and the scans are singletons of an account and region: one stack sets them.
    account_settings: bool = False
    enhanced_scanning: bool = False  # by Amazon Inspector, also of what is in the images' packages, at a price an image
