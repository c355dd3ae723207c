"""What is kept: database, cache, buckets, images, secrets, and their copies here and in the recovery region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.components.backup import Backup, BackupArgs
from infra.components.cache import Cache, CacheArgs
from infra.components.cluster import Cluster
from infra.components.database import Database, DatabaseArgs
from infra.components.database_safeguards import BackupReplica, DatabaseSafeguards, DatabaseSafeguardsArgs
from infra.components.governance.account import AccountAudit, AccountAuditArgs
from infra.components.governance.records import AccountRecordsArgs
from infra.components.recovery_region import RecoveryRegion, RecoveryRegionArgs
from infra.components.registry import Registry, RegistryArgs
from infra.components.secrets import Secrets, SecretsArgs
from infra.components.storage import Storage, StorageArgs
from infra.layers.foundation import Foundation
from infra.layers.scope import Scope
from infra.plans.external_secrets import REGISTRY_SECRET, pulled_with_a_secret
from infra.plans.monitoring import GRAFANA_SECRET
from infra.settings.model import Settings
from infra.settings.platform import Feature

BUILT_IN_SECRETS = ("database", "cache", "jwt")  # of these the stack knows the value; others are filled by operators


@dataclass(frozen=True)
class Data:
    """recovery_region: None for a stack that keeps nothing there. secret_arns: what services call a secret → ARN."""

    database: Database
    safeguards: DatabaseSafeguards
    cache: Cache
    storage: Storage
    recovery_region: RecoveryRegion | None
    backup: Backup
    registry: Registry
    secret_arns: Mapping[str, pulumi.Output[str]]


def build(at: Scope, base: Foundation, cluster: Cluster) -> Data:
    settings = at.settings
    recovery_region = _recovery_region(at, base) if settings.backup.cross_region else None
    database, safeguards = _database(at, base, cluster, recovery_region)
    cache = Cache("cache", CacheArgs(
        name=at.names.resource("cache"), settings=settings.cache, lifecycle=settings.lifecycle,
        vpc_id=base.network.vpc_id, subnet_ids=base.network.data_subnet_ids,
        clients={"cluster": cluster.cluster_security_group_id}, data_key_arn=base.keys.data_key_arn,
        logs_key_arn=base.keys.logs_key_arn, log_retention_days=at.log_retention_days), at.here)
    storage = Storage("storage", StorageArgs(
        settings=settings.storage, lifecycle=settings.lifecycle, account_id=at.account,
        data_key_arn=base.keys.data_key_arn, replicas=recovery_region.replicas if recovery_region else {}), at.here)
    if settings.governance.owns_account_audit:
        _audit(at, base, storage)
    backup = Backup("backup", BackupArgs(
        environment=settings.environment, project=settings.ownership.project, stack=pulumi.get_stack(),
        settings=settings.backup, lifecycle=settings.lifecycle, data_key_arn=base.keys.data_key_arn,
        database_subnet_group=database.subnet_group, alerts_topic_arn=base.notifications.alerts_topic_arn,
        copy_vault_arn=recovery_region.vault_arn if recovery_region else None), at.here)
    registry = Registry("registry", RegistryArgs(
        repositories={service.name: at.names.repository(service.name) for service in settings.services},
        data_key_arn=base.keys.data_key_arn, account_id=at.account,
        force_delete=settings.lifecycle.force_destroy_buckets, deploy_role=at.names.roles["deploy"],
        replicate_to=settings.recovery_region, settings=settings.registry), at.here)
    secrets = Secrets("secrets", SecretsArgs(
        jwt_name=at.names.jwt_secret, prefix=at.names.secret_prefix, others=operators_secrets(settings),
        accounts=[GRAFANA_SECRET] if Feature.MONITORING in settings.addons.features else [],
        data_key_arn=base.keys.data_key_arn, protect=settings.lifecycle.protect), at.here)
    return Data(database, safeguards, cache, storage, recovery_region, backup, registry,
                {**secrets.arns, "database": database.secret_arn, "cache": cache.secret_arn})


def operators_secrets(settings: Settings) -> list[str]:
    """Names of the secrets that services refer to and that the stack can't know the value of."""
    named = {reference.secret for service in settings.services for reference in service.secrets}
    if pulled_with_a_secret(settings.services):
        named.add(REGISTRY_SECRET)
    return sorted(named - set(BUILT_IN_SECRETS))


def _recovery_region(at: Scope, base: Foundation) -> RecoveryRegion:
    settings = at.settings
    return RecoveryRegion("recovery-region", RecoveryRegionArgs(
        region=settings.recovery_region, source_region=settings.region, storage=settings.storage,
        backup=settings.backup, lifecycle=settings.lifecycle, account_id=at.account,
        alerts_topic_arn=base.notifications.alerts_topic_arn), at.recovery)


def _database(at: Scope, base: Foundation, cluster: Cluster,
              recovery_region: RecoveryRegion | None) -> tuple[Database, DatabaseSafeguards]:
    settings = at.settings
    database = Database("database", DatabaseArgs(
        name=at.names.resource("db"), settings=settings.database, lifecycle=settings.lifecycle,
        vpc_id=base.network.vpc_id, subnet_ids=base.network.data_subnet_ids,
        clients={"cluster": cluster.cluster_security_group_id}, data_key_arn=base.keys.data_key_arn,
        logs_key_arn=base.keys.logs_key_arn, log_retention_days=at.log_retention_days), at.here)
    safeguards = DatabaseSafeguards("database-safeguards", DatabaseSafeguardsArgs(
        instance_id=database.instance_id, instance_arn=database.arn, secret_arn=database.secret_arn,
        rotation_days=settings.database.password_rotation_days,
        alerts_topic_arn=base.notifications.alerts_topic_arn,
        replica=None if recovery_region is None else BackupReplica(
            at.recovery_provider, recovery_region.key_arn, settings.database.backup_retention_days)), at.here)
    return database, safeguards


def _audit(at: Scope, base: Foundation, storage: Storage) -> None:
    settings, name = at.settings, at.names.resource("audit")
    AccountAudit("audit", AccountAuditArgs(
        name=name, region=settings.region, topic_arn=base.notifications.alerts_topic_arn,
        records=AccountRecordsArgs(
            trail_name=name, account_id=at.account, region=settings.region, logs_key_arn=base.keys.logs_key_arn,
            logs_bucket=storage.logs.name, retention_days=at.log_retention_days,
            lifecycle=settings.lifecycle)), at.here)
