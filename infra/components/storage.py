"""The buckets of a stack (D3): assets, backups, logs and the static site's two colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.bucket import Bucket, BucketArgs
from infra.components.documents import rendered
from infra.components.replication import Replica
from infra.plans import policies
from infra.settings import model

COLOURS = ("blue", "green")


@dataclass(frozen=True)
class StorageArgs:
    """`replicas`: "assets" and "backups" may be replicated to a bucket in the recovery region."""

    settings: model.Storage
    lifecycle: model.Lifecycle
    account_id: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    replicas: Mapping[str, Replica] = field(default_factory=dict)


class Storage(Component):
    """All buckets. The assets and site buckets get their policy from `ServedBuckets`, which knows the distribution."""

    module = "storage"

    assets: Bucket
    backups: Bucket
    logs: Bucket
    site: Mapping[str, Bucket]  # by colour: "blue", "green"

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        self.logs = Bucket(f"{name}-logs", BucketArgs(
            key_arn=None, log_bucket=None, noncurrent_days=args.settings.noncurrent_days,
            force_destroy=args.lifecycle.force_destroy_buckets, protect=args.lifecycle.protect,
            expire_days=args.settings.log_retention_days,
            accepts_acls=True,  # CloudFront's standard logs come with one
            deliveries_account_id=args.account_id), opts=self.child())
        self.assets = self._bucket("assets", intelligent_tiering=True, attach_policy=False)
        self.backups = self._bucket("backups", lock_days=args.settings.backup_lock_days,
                                    glacier_days=args.settings.backup_glacier_days)
        self.site = {colour: self._bucket(f"site-{colour}", attach_policy=False) for colour in COLOURS}
        self.register_outputs({
            "assets": self.assets.name, "backups": self.backups.name, "logs": self.logs.name,
            "site": {colour: bucket.name for colour, bucket in self.site.items()}})

    def _bucket(self, purpose: str, *, intelligent_tiering: bool = False, attach_policy: bool = True,
                lock_days: int | None = None, glacier_days: int | None = None) -> Bucket:
        args = self._args
        return Bucket(f"{self._name}-{purpose}", BucketArgs(
            key_arn=args.data_key_arn, log_bucket=self.logs.log_target,
            noncurrent_days=args.settings.noncurrent_days, force_destroy=args.lifecycle.force_destroy_buckets,
            protect=args.lifecycle.protect, intelligent_tiering=intelligent_tiering, attach_policy=attach_policy,
            lock_days=lock_days, glacier_days=glacier_days, replica=args.replicas.get(purpose)), opts=self.child())


@dataclass(frozen=True)
class ServedBucketsArgs:
    """`buckets`: a stable name → a bucket made with `attach_policy=False`."""

    buckets: Mapping[str, Bucket]
    distribution_arns: Sequence[pulumi.Input[str]]


class ServedBuckets(Component):
    """The policies of the buckets that CloudFront distributions, and nobody else, read by origin access control.

    Apart from `Storage`, because the distribution needs the buckets and their policies need the distribution.
    """

    module = "storage"

    def __init__(self, name: str, args: ServedBucketsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)

        def policy(bucket_arn: str, distribution_arns: Sequence[str]) -> policies.Document:
            return policies.bucket_policy(bucket_arn, [policies.distributions_read(bucket_arn, distribution_arns)])

        for key, bucket in args.buckets.items():
            aws.s3.BucketPolicy(
                f"{name}-{key}", bucket=bucket.name, opts=self.child(depends_on=[bucket]),
                policy=rendered(policy, bucket_arn=bucket.arn, distribution_arns=list(args.distribution_arns)))
        self.register_outputs({})
