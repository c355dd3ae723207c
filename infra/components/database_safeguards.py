"""What watches over the database: rotation of its master password, its events, its backups in another region."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component

# Categories of source type db-instance ("Amazon RDS event categories and event messages", RDS user guide).
EVENTS = ("availability", "backup", "failover", "failure", "low storage", "maintenance", "recovery")


@dataclass(frozen=True)
class BackupReplica:
    """Where replicated automated backups go: a provider of the recovery region and that region's key."""

    provider: aws.Provider
    key_arn: pulumi.Input[str]
    retention_days: int


@dataclass(frozen=True)
class DatabaseSafeguardsArgs:
    """`secret_arn`: of the master password that RDS manages. `replica` None: backups stay in the region."""

    instance_id: pulumi.Input[str]
    instance_arn: pulumi.Input[str]
    secret_arn: pulumi.Input[str]
    rotation_days: int
    alerts_topic_arn: pulumi.Input[str]
    replica: BackupReplica | None


class DatabaseSafeguards(Component):
    """Apart from `Database`, as the alerts and the recovery region come between."""

    module = "database"

    event_subscription: pulumi.Output[str]
    replicated_backups_arn: pulumi.Output[str] | None  # what a restore in the recovery region starts from

    def __init__(self, name: str, args: DatabaseSafeguardsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        # RDS rotates it; without this every 7 days. Not at once: the password is new anyway.
        aws.secretsmanager.SecretRotation(
            name, secret_id=args.secret_arn, rotate_immediately=False, opts=self.child(),
            rotation_rules=aws.secretsmanager.SecretRotationRotationRulesArgs(
                automatically_after_days=args.rotation_days))
        self.event_subscription = aws.rds.EventSubscription(
            name, sns_topic=args.alerts_topic_arn, source_type="db-instance", source_ids=[args.instance_id],
            event_categories=list(EVENTS), opts=self.child()).name
        self.replicated_backups_arn = None
        if args.replica is not None:
            self.replicated_backups_arn = aws.rds.InstanceAutomatedBackupsReplication(
                name, source_db_instance_arn=args.instance_arn, kms_key_id=args.replica.key_arn,
                retention_period=args.replica.retention_days, opts=self.child(provider=args.replica.provider)).id
        self.register_outputs({"eventSubscription": self.event_subscription,
                               "replicatedBackupsArn": self.replicated_backups_arn})
