"""The PostgreSQL database of a stack (D1)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from infra.components.base import Component
from infra.plans import policies
from infra.settings import model

PORT = 5432
DATABASE_NAME = "candlefish"
_MASTER_USER = "candlefish_admin"
_LOG_EXPORTS = ("postgresql", "upgrade")
_CERTIFICATE_AUTHORITY = "rds-ca-rsa2048-g1"
_INSIGHTS_RETENTION_DAYS = 7
_CREATION_ONLY = ("snapshotIdentifier", "restoreToPointInTime", "dbName", "username", "kmsKeyId", "storageEncrypted")
"""Given once: where the data came from, and what comes with it (a restored database keeps the key of its snapshot).
A changed or removed snapshot identifier would otherwise replace the restored database."""

# A restored instance with backups on makes its first one before RDS calls it available: two to three hours have been
# seen (terraform-provider-aws issue 44104), and the provider would give up after 40 minutes.
_RESTORE_TIMEOUT = pulumi.CustomTimeouts(create="4h")


@dataclass(frozen=True)
class DatabaseArgs:
    """`name` is the instance's identifier; `clients` maps a name to the security group that may connect."""

    name: str
    settings: model.Database
    lifecycle: model.Lifecycle
    vpc_id: pulumi.Input[str]
    subnet_ids: pulumi.Input[Sequence[str]]
    clients: Mapping[str, pulumi.Input[str]]
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    log_retention_days: int


class Database(Component):
    """An RDS PostgreSQL instance, new or restored from a snapshot or a point in time.

    The master password is made and rotated by RDS in Secrets Manager; it is never in the state.
    `endpoint` is `host:port`.
    """

    module = "database"

    instance_id: pulumi.Output[str]
    arn: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    address: pulumi.Output[str]
    port: pulumi.Output[int]
    secret_arn: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    subnet_group: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name = name
        group = self._security_group(args)
        subnets = aws.rds.SubnetGroup(name, description="Isolated data subnets", subnet_ids=args.subnet_ids,
                                      opts=self.child())
        instance = aws.rds.Instance(
            name, identifier=args.name, engine="postgres", engine_version=args.settings.engine_version,
            allow_major_version_upgrade=args.settings.major_upgrade or None,
            instance_class=args.settings.instance_class, multi_az=args.settings.multi_az,
            db_subnet_group_name=subnets.name, vpc_security_group_ids=[group.id], publicly_accessible=False,
            port=PORT, ca_cert_identifier=_CERTIFICATE_AUTHORITY, parameter_group_name=self._parameters(args).name,
            allocated_storage=args.settings.storage_gib, max_allocated_storage=args.settings.maximum_storage_gib,
            storage_type="gp3", storage_encrypted=True,
            manage_master_user_password=True, master_user_secret_kms_key_id=args.data_key_arn,
            iam_database_authentication_enabled=True,
            backup_retention_period=args.settings.backup_retention_days, backup_window=args.settings.backup_window,
            maintenance_window=args.settings.maintenance_window, auto_minor_version_upgrade=True,
            copy_tags_to_snapshot=True, delete_automated_backups=not args.lifecycle.final_snapshot,
            performance_insights_enabled=True, performance_insights_kms_key_id=args.data_key_arn,
            performance_insights_retention_period=_INSIGHTS_RETENTION_DAYS,
            enabled_cloudwatch_logs_exports=list(_LOG_EXPORTS),
            deletion_protection=args.lifecycle.deletion_protection,
            apply_immediately=args.settings.apply_immediately,
            **self._monitoring(args), **self._final_snapshot(args), **_origin(args),
            opts=self.child(
                protect=args.lifecycle.protect, ignore_changes=[*_CREATION_ONLY], depends_on=self._log_groups(args),
                custom_timeouts=None if args.settings.restore is None else _RESTORE_TIMEOUT))
        self.instance_id, self.arn = instance.identifier, instance.arn
        self.endpoint, self.address, self.port = instance.endpoint, instance.address, instance.port
        self.secret_arn = instance.master_user_secrets.apply(lambda secrets: str(secrets[0].secret_arn))
        self.security_group_id, self.subnet_group = group.id, subnets.name
        self.register_outputs({
            "instanceId": self.instance_id, "arn": self.arn, "endpoint": self.endpoint, "address": self.address,
            "port": self.port, "secretArn": self.secret_arn, "securityGroupId": self.security_group_id})

    def _security_group(self, args: DatabaseArgs) -> aws.ec2.SecurityGroup:
        group = aws.ec2.SecurityGroup(self._name, vpc_id=args.vpc_id, description="PostgreSQL database",
                                      tags={"Name": self._name}, opts=self.child())
        for client, source in args.clients.items():
            aws.vpc.SecurityGroupIngressRule(
                f"{self._name}-{client}", security_group_id=group.id, description=f"PostgreSQL from {client}",
                ip_protocol="tcp", from_port=PORT, to_port=PORT, referenced_security_group_id=source,
                opts=self.child())
        return group

    def _parameters(self, args: DatabaseArgs) -> aws.rds.ParameterGroup:
        """The family is in the name: a major upgrade needs a new group beside the old one."""
        family = f"postgres{args.settings.engine_version.partition('.')[0]}"

        def parameter(key: str, value: str, apply_method: str) -> aws.rds.ParameterGroupParameterArgs:
            return aws.rds.ParameterGroupParameterArgs(name=key, value=value, apply_method=apply_method)

        return aws.rds.ParameterGroup(
            f"{self._name}-{family}", family=family, description="TLS only, slow queries logged",
            parameters=[
                parameter("rds.force_ssl", "1", "immediate"),
                parameter("log_min_duration_statement", str(args.settings.slow_query_ms), "immediate"),
                parameter("log_connections", "1", "immediate"),
                parameter("log_disconnections", "1", "immediate"),
                parameter("log_lock_waits", "1", "immediate"),
                parameter("shared_preload_libraries", "pg_stat_statements", "pending-reboot"),
            ],
            opts=self.child())

    def _log_groups(self, args: DatabaseArgs) -> list[pulumi.Resource]:
        """Made before RDS would make them without encryption and retention."""
        return [
            aws.cloudwatch.LogGroup(
                f"{self._name}-{kind}", name=f"/aws/rds/instance/{args.name}/{kind}",
                retention_in_days=args.log_retention_days, kms_key_id=args.logs_key_arn, opts=self.child())
            for kind in _LOG_EXPORTS]

    def _monitoring(self, args: DatabaseArgs) -> dict[str, Any]:
        if args.settings.monitoring_interval_seconds == 0:
            return {"monitoring_interval": 0}
        role = aws.iam.Role(
            f"{self._name}-monitoring", description="Enhanced monitoring of the database",
            assume_role_policy=json.dumps(policies.service_trust("monitoring.rds.amazonaws.com")), opts=self.child())
        attachment = aws.iam.RolePolicyAttachment(
            f"{self._name}-monitoring", role=role.name,
            policy_arn="arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole", opts=self.child())
        return {"monitoring_interval": args.settings.monitoring_interval_seconds,
                "monitoring_role_arn": pulumi.Output.all(role.arn, attachment.id).apply(lambda known: known[0])}

    def _final_snapshot(self, args: DatabaseArgs) -> dict[str, Any]:
        """The suffix is new with each database, because the snapshot of the one before keeps its name."""
        if not args.lifecycle.final_snapshot:
            return {"skip_final_snapshot": True}
        suffix = random.RandomId(f"{self._name}-final-snapshot", byte_length=4, opts=self.child())
        return {"skip_final_snapshot": False,
                "final_snapshot_identifier": pulumi.Output.concat(args.name, "-final-", suffix.hex)}


def _origin(args: DatabaseArgs) -> dict[str, Any]:
    """New, or from what is left of another. User, database and key come with the data then, and can't be given."""
    restore = args.settings.restore
    if restore is None:
        return {"db_name": DATABASE_NAME, "username": _MASTER_USER, "kms_key_id": args.data_key_arn}
    if restore.snapshot_id is not None:
        return {"snapshot_identifier": restore.snapshot_id}
    source = restore.source_instance_id
    if source is None:
        raise ValueError("database.restore: neither snapshotId nor sourceInstanceId is given; give exactly one")
    # Of another region: the ARN of its replicated automated backups.
    replicated = source.startswith("arn:")
    return {"restore_to_point_in_time": aws.rds.InstanceRestoreToPointInTimeArgs(
        source_db_instance_automated_backups_arn=source if replicated else None,
        source_db_instance_identifier=None if replicated else source,
        use_latest_restorable_time=True if restore.at is None else None, restore_time=restore.at)}
