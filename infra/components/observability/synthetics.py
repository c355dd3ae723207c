"""Checks of the public endpoints from outside, and their role (M6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.plans import policies
from infra.settings.observability import Synthetics as Settings

SCRIPT = "functions/canary/health.py"  # relative to the project
HANDLER = "health.handler"
FOLDER = "synthetics"  # in the logs bucket
MEMORY_MB = 960  # the least that CloudWatch Synthetics takes
RETENTION_DAYS = 31


@dataclass(frozen=True)
class SyntheticsArgs:
    """`canary_name`: lower case. checks: name → URL. logs_bucket, logs_bucket_arn: where script and artifacts are.
    status_bucket, status_bucket_arn, status_key: where the status page's data go; key_arn: key of that bucket and of
    the environment."""

    canary_name: str
    settings: Settings
    checks: Mapping[str, str]
    account_id: pulumi.Input[str]
    region: str
    logs_bucket: pulumi.Input[str]
    logs_bucket_arn: pulumi.Input[str]
    status_bucket: pulumi.Input[str]
    status_bucket_arn: pulumi.Input[str]
    status_key: str
    key_arn: pulumi.Input[str]


class Synthetics(Component):
    """One canary for all endpoints: runs are what costs."""

    module = "observability"

    canary_name: pulumi.Output[str]

    def __init__(self, name: str, args: SyntheticsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        role = aws.iam.Role(
            name, description="Checks of the public endpoints",
            assume_role_policy=json.dumps(policies.service_trust("lambda.amazonaws.com")), opts=self.child())
        permissions = aws.iam.RolePolicy(
            name, role=role.name, policy=rendered(
                lambda *, account, logs, status, key: canary_permissions(
                    args.canary_name, args.region, account, logs, f"{status}/{args.status_key}", key),
                account=args.account_id, logs=args.logs_bucket_arn, status=args.status_bucket_arn, key=args.key_arn),
            opts=self.child())
        script = aws.s3.BucketObjectv2(
            f"{name}-script", bucket=args.logs_bucket, key=f"{FOLDER}/{args.canary_name}.zip",
            source=pulumi.AssetArchive({f"python/{SCRIPT.rpartition('/')[2]}": pulumi.FileAsset(SCRIPT)}),
            opts=self.child())
        canary = aws.synthetics.Canary(
            name, name=args.canary_name, execution_role_arn=role.arn, handler=HANDLER,
            runtime_version=args.settings.runtime, s3_bucket=args.logs_bucket, s3_key=script.key,
            s3_version=script.version_id, start_canary=True, delete_lambda=True,
            artifact_s3_location=pulumi.Output.concat("s3://", args.logs_bucket, f"/{FOLDER}/{args.canary_name}"),
            artifact_config={"s3_encryption": {"encryption_mode": "SSE_S3"}},
            schedule={"expression": f"rate({args.settings.minutes} minute{'s' * (args.settings.minutes > 1)})"},
            run_config={"timeout_in_seconds": args.settings.timeout_seconds, "memory_in_mb": MEMORY_MB,
                        "environment_variables": {
                            "CHECKS": json.dumps(dict(args.checks)), "STATUS_BUCKET": args.status_bucket,
                            "STATUS_KEY": args.status_key}},
            kms_key_arn=args.key_arn, success_retention_period=RETENTION_DAYS,
            failure_retention_period=RETENTION_DAYS,
            opts=self.child(depends_on=[permissions]))  # the first run needs them
        self.canary_name = canary.name
        self.register_outputs({"canaryName": self.canary_name})


def canary_permissions(name: str, region: str, account_id: str, logs_bucket_arn: str, status_arn: str,
                       key_arn: str) -> policies.Document:
    """CloudWatch User Guide, "Required roles and permissions for canaries". Listing buckets and putting metrics know no
    resource."""
    # `cwsyn-{name}-{uuid}` has at most the 64 characters of a function's name: of a canary's, 21 are in it for sure.
    group = f"arn:aws:logs:{region}:{account_id}:log-group:/aws/lambda/cwsyn-{name[:21]}*"
    return policies.document([
        policies.allow("Artifacts", ["s3:PutObject", "s3:GetObject"], [f"{logs_bucket_arn}/{FOLDER}/{name}/*"]),
        policies.allow("Place", ["s3:GetBucketLocation"], [logs_bucket_arn]),
        policies.allow("Status", ["s3:GetObject", "s3:PutObject"], [status_arn]),
        policies.allow("Key", ["kms:Decrypt", "kms:GenerateDataKey"], [key_arn]),
        policies.allow("Logs", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], [group]),
        policies.allow("Buckets", ["s3:ListAllMyBuckets"], ["*"]),
        policies.allow("Metrics", ["cloudwatch:PutMetricData"], ["*"],
                       {"StringEquals": {"cloudwatch:namespace": "CloudWatchSynthetics"}})])
