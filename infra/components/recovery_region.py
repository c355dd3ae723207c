"""What a stack keeps in its recovery region: a key, a vault, and replicas of the buckets (D3, D5, D6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.components.base import Component
from infra.components.bucket import Bucket, BucketArgs
from infra.components.documents import rendered
from infra.components.keys import Key, KeyArgs
from infra.components.replication import Replica
from infra.components.vault import Vault, VaultArgs
from infra.plans import policies
from infra.settings import model
from infra.settings.backup import Backup

_TIMED = {"assets": True, "backups": False}  # purpose → Replication Time Control (D6: assets within 15 min)


@dataclass(frozen=True)
class RecoveryRegionArgs:
    """`region`: where it is, as the component's provider. `source_region`: the stack's, where the alerts' topic is."""

    region: str
    source_region: str
    storage: model.Storage
    backup: Backup
    lifecycle: model.Lifecycle
    account_id: pulumi.Input[str]
    alerts_topic_arn: pulumi.Input[str]


class RecoveryRegion(Component):
    """Made once a stack, with a provider of the recovery region. It has one key of its own: what comes here is
    encrypted anew, so that losing the stack's region, or its key, loses nothing.

    Keys are not multi-region: RDS, S3 and AWS Backup treat a replica of a key as another key and encrypt anew as well,
    and a single-region key can't be used from outside its region.
    """

    module = "recovery"

    key_arn: pulumi.Output[str]
    vault_name: pulumi.Output[str]
    vault_arn: pulumi.Output[str]
    buckets: Mapping[str, Bucket]  # by purpose: "assets", whose policy is `ServedBuckets`', and "backups"
    replicas: Mapping[str, Replica]

    def __init__(self, name: str, args: RecoveryRegionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        keep = args.lifecycle
        self.key_arn = Key(f"{name}-data", KeyArgs(
            description="Replicas and recovery points of another region", protect=keep.protect,
            policy=rendered(policies.data_key, account_id=args.account_id)), self.child()).key_arn
        vault = Vault(f"{name}-vault", VaultArgs(args.backup, keep, self.key_arn), self.child())
        self.vault_name, self.vault_arn = vault.name, vault.arn
        logs = Bucket(f"{name}-logs", BucketArgs(
            key_arn=None, log_bucket=None, noncurrent_days=args.storage.noncurrent_days,
            force_destroy=keep.force_destroy_buckets, protect=keep.protect,
            expire_days=args.storage.log_retention_days, deliveries_account_id=args.account_id), self.child())

        def bucket(purpose: str, lock_days: int | None, glacier_days: int | None, served: bool = False) -> Bucket:
            return Bucket(f"{name}-{purpose}", BucketArgs(
                key_arn=self.key_arn, log_bucket=logs.log_target, noncurrent_days=args.storage.noncurrent_days,
                force_destroy=keep.force_destroy_buckets, protect=keep.protect, lock_days=lock_days,
                glacier_days=glacier_days, attach_policy=not served), self.child())

        self.buckets = {
            "assets": bucket("assets", None, None, served=True),
            # Objects under a lock are replicated to a bucket with object lock only.
            "backups": bucket("backups", args.storage.backup_lock_days, args.storage.backup_glacier_days)}
        self.replicas = {
            purpose: Replica(bucket_arn=replica.versioned_arn, key_arn=self.key_arn, region=args.region,
                             source_region=args.source_region, time_control=_TIMED[purpose],
                             alerts_topic_arn=args.alerts_topic_arn)
            for purpose, replica in self.buckets.items()}
        self.register_outputs({
            "keyArn": self.key_arn, "vaultName": self.vault_name, "vaultArn": self.vault_arn,
            "buckets": {purpose: replica.name for purpose, replica in self.buckets.items()}})
