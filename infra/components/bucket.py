"""A bucket with everything that makes it safe."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.components.replication import Replica, replicate
from infra.plans import policies

_ABANDONED_UPLOAD_DAYS = 7


@dataclass(frozen=True)
class BucketArgs:
    """`key_arn` None: SSE-S3, only for targets of access logs. `lock_days` is fixed at creation.

    `log_bucket` None: no access logs, only for the log bucket itself.
    `attach_policy` False: whoever owns the bucket attaches `policies.bucket_policy`, because S3 has one policy a
    bucket. `deliveries_account_id`: the account whose services deliver access logs into this bucket.
    """

    key_arn: pulumi.Input[str] | None
    log_bucket: pulumi.Input[str] | None
    noncurrent_days: int
    force_destroy: bool
    protect: bool
    expire_days: int | None = None
    glacier_days: int | None = None
    lock_days: int | None = None
    intelligent_tiering: bool = False
    accepts_acls: bool = False
    replica: Replica | None = None
    attach_policy: bool = True
    deliveries_account_id: pulumi.Input[str] | None = None


class Bucket(Component):
    """A versioned, encrypted, private bucket that is reached over TLS only. The physical name is Pulumi's."""

    module = "storage"

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    versioned_arn: pulumi.Output[str]  # known once versions are kept: what a replication asks of its destination
    log_target: pulumi.Output[str]  # its name, known once access logs may be delivered: S3 tries it
    domain_name: pulumi.Output[str]  # known once ACLs are as they shall be: CloudFront looks before it logs here
    regional_domain_name: pulumi.Output[str]

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        bucket = aws.s3.Bucket(
            name, force_destroy=args.force_destroy, object_lock_enabled=args.lock_days is not None,
            opts=self.child(protect=args.protect))
        self.name, self.arn = bucket.bucket, bucket.arn
        self.regional_domain_name = bucket.bucket_regional_domain_name

        ownership = aws.s3.BucketOwnershipControls(
            name, bucket=bucket.bucket, opts=self.child(),
            rule=aws.s3.BucketOwnershipControlsRuleArgs(
                object_ownership="BucketOwnerPreferred" if args.accepts_acls else "BucketOwnerEnforced"))
        self.domain_name = pulumi.Output.all(bucket.bucket_domain_name, ownership.id).apply(lambda known: str(known[0]))
        versioning = aws.s3.BucketVersioning(
            name, bucket=bucket.bucket, opts=self.child(),
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"))
        self.versioned_arn = pulumi.Output.all(bucket.arn, versioning.id).apply(lambda known: str(known[0]))
        self._encryption(name, bucket, args)
        self._lifecycle(name, bucket, args, versioning)
        if args.log_bucket is not None:
            aws.s3.BucketLogging(name, bucket=bucket.bucket, target_bucket=args.log_bucket,
                                 target_prefix=pulumi.Output.concat("s3/", bucket.bucket, "/"), opts=self.child())
        if args.lock_days is not None:
            aws.s3.BucketObjectLockConfiguration(
                name, bucket=bucket.bucket, object_lock_enabled="Enabled", opts=self.child(depends_on=[versioning]),
                rule=aws.s3.BucketObjectLockConfigurationRuleArgs(
                    default_retention=aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
                        mode="GOVERNANCE", days=args.lock_days)))
        if args.replica is not None:
            if args.key_arn is None:
                raise ValueError(f"bucket {name}: a replicated bucket needs key_arn; SSE-S3 is for access logs only")
            replicate(name, bucket, args.key_arn, args.replica, self.child, depends_on=[versioning])
        policy = self._privacy(name, bucket, args)
        self.log_target = pulumi.Output.all(bucket.bucket, ownership.id, policy.id if policy else None).apply(
            lambda known: str(known[0]))
        self.register_outputs({"name": self.name, "arn": self.arn, "domainName": self.domain_name,
                               "regionalDomainName": self.regional_domain_name})

    def _encryption(self, name: str, bucket: aws.s3.Bucket, args: BucketArgs) -> None:
        default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="AES256" if args.key_arn is None else "aws:kms", kms_master_key_id=args.key_arn)
        aws.s3.BucketServerSideEncryptionConfiguration(
            name, bucket=bucket.bucket, opts=self.child(),
            rules=[aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=default, bucket_key_enabled=args.key_arn is not None)])

    def _lifecycle(self, name: str, bucket: aws.s3.Bucket, args: BucketArgs,
                   versioning: aws.s3.BucketVersioning) -> None:
        transitions = []
        if args.intelligent_tiering:
            # No archive tiers: an archived object is not readable for hours, and a browser waits for it.
            transitions.append(aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(
                storage_class="INTELLIGENT_TIERING", days=0))
        if args.glacier_days is not None:
            transitions.append(aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(
                storage_class="GLACIER", days=args.glacier_days))
        expiration = None if args.expire_days is None else aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
            days=args.expire_days)
        aws.s3.BucketLifecycleConfiguration(
            name, bucket=bucket.bucket, opts=self.child(depends_on=[versioning]),
            rules=[aws.s3.BucketLifecycleConfigurationRuleArgs(
                id="retention", status="Enabled", filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                transitions=transitions or None, expiration=expiration,
                noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                    noncurrent_days=args.noncurrent_days),
                abort_incomplete_multipart_upload=(
                    aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                        days_after_initiation=_ABANDONED_UPLOAD_DAYS)))])

    def _privacy(self, name: str, bucket: aws.s3.Bucket, args: BucketArgs) -> aws.s3.BucketPolicy | None:
        """The policy, where it is the bucket's own."""
        block = aws.s3.BucketPublicAccessBlock(
            name, bucket=bucket.bucket, block_public_acls=True, block_public_policy=True, ignore_public_acls=True,
            restrict_public_buckets=True, opts=self.child())
        if not args.attach_policy:
            return None

        def policy(bucket_arn: str, account_id: str | None) -> policies.Document:
            deliveries = policies.log_deliveries(bucket_arn, account_id) if account_id is not None else ()
            return policies.bucket_policy(bucket_arn, deliveries)

        # S3 refuses two changes of a bucket's access settings at once.
        return aws.s3.BucketPolicy(
            name, bucket=bucket.bucket, opts=self.child(depends_on=[block]),
            policy=rendered(policy, bucket_arn=bucket.arn, account_id=args.deliveries_account_id))
