"""What happens in the account, on record: CloudTrail and AWS Config (M5)."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.bucket import Bucket, BucketArgs
from infra.components.documents import rendered
from infra.components.keys import Key, KeyArgs
from infra.plans import audit, policies
from infra.settings import model


@dataclass(frozen=True)
class AccountRecordsArgs:
    """`trail_name`: the policies of bucket and key name the trail before it exists. `logs_bucket`: takes the bucket's
    access logs."""

    trail_name: str
    account_id: pulumi.Input[str]
    region: str
    logs_key_arn: pulumi.Input[str]
    logs_bucket: pulumi.Input[str]
    retention_days: int
    lifecycle: model.Lifecycle


class AccountRecords(Component):
    """One trail over all regions, to a bucket of its own and to CloudWatch Logs, and a recorder with AWS's rules."""

    module = "governance"

    trail_arn: pulumi.Output[str]
    bucket_name: pulumi.Output[str]

    def __init__(self, name: str, args: AccountRecordsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        account = pulumi.Output.from_input(args.account_id)
        trail_arn = account.apply(lambda id: audit.trail_arn(id, args.region, args.trail_name))
        key = Key(name, KeyArgs(
            "Records of the account", rendered(audit.audit_key, account_id=account, trail=trail_arn),
            protect=args.lifecycle.protect), self.child())
        bucket = Bucket(name, BucketArgs(
            key_arn=key.key_arn, log_bucket=args.logs_bucket, noncurrent_days=args.retention_days,
            force_destroy=args.lifecycle.force_destroy_buckets, protect=args.lifecycle.protect,
            expire_days=args.retention_days, attach_policy=False), self.child())
        policy = aws.s3.BucketPolicy(
            name, bucket=bucket.name, opts=self.child(depends_on=[bucket]),
            policy=rendered(audit.audit_bucket, bucket_arn=bucket.arn, account_id=account, trail=trail_arn))
        # Both services try to write when they are told of the bucket.
        open_bucket = pulumi.Output.all(bucket.name, policy.id).apply(lambda known: str(known[0]))
        self.trail_arn = self._trail(open_bucket, key.key_arn)
        self._recorder(open_bucket, key.key_arn)
        self.bucket_name = bucket.name
        self.register_outputs({"trailArn": self.trail_arn, "bucketName": self.bucket_name})

    def _trail(self, bucket: pulumi.Output[str], key_arn: pulumi.Input[str]) -> pulumi.Output[str]:
        name, args = f"{self._name}-trail", self._args
        group = aws.cloudwatch.LogGroup(
            name, retention_in_days=args.retention_days, kms_key_id=args.logs_key_arn, opts=self.child())
        role = aws.iam.Role(
            name, description="CloudTrail writes to its log group", opts=self.child(),
            assume_role_policy=json.dumps(policies.service_trust("cloudtrail.amazonaws.com")))
        writes = aws.iam.RolePolicy(name, role=role.name, opts=self.child(), policy=rendered(
            audit.trail_to_logs, group_arn=group.arn, account_id=args.account_id, region=args.region))
        return aws.cloudtrail.Trail(
            name, name=args.trail_name, s3_bucket_name=bucket, kms_key_id=key_arn, is_multi_region_trail=True,
            include_global_service_events=True, enable_log_file_validation=True, enable_logging=True,
            cloud_watch_logs_group_arn=pulumi.Output.concat(group.arn, ":*"), cloud_watch_logs_role_arn=role.arn,
            opts=self.child(depends_on=[writes])).arn

    def _recorder(self, bucket: pulumi.Output[str], key_arn: pulumi.Input[str]) -> None:
        name = f"{self._name}-config"
        linked = aws.iam.ServiceLinkedRole(name, aws_service_name="config.amazonaws.com", opts=self.child())
        # An account has one of each in a region; "default" is what AWS and the provider call them.
        recorder = aws.cfg.Recorder(
            name, name="default", role_arn=linked.arn, opts=self.child(),
            recording_group=aws.cfg.RecorderRecordingGroupArgs(
                all_supported=True, include_global_resource_types=True))
        channel = aws.cfg.DeliveryChannel(
            name, name="default", s3_bucket_name=bucket, s3_kms_key_arn=key_arn,
            opts=self.child(depends_on=[recorder]))
        aws.cfg.RecorderStatus(name, name=recorder.name, is_enabled=True, opts=self.child(depends_on=[channel]))
        for part, identifier in audit.RULES.items():
            parameters = audit.PARAMETERS.get(identifier)
            aws.cfg.Rule(
                f"{self._name}-{part}", opts=self.child(depends_on=[recorder]),
                source=aws.cfg.RuleSourceArgs(owner="AWS", source_identifier=identifier),
                input_parameters=None if parameters is None else json.dumps(parameters))
