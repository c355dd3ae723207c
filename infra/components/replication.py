"""Replication of a bucket to the recovery region (D3, D6: assets within 15 minutes)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.documents import rendered
from infra.plans import policies

_MINUTES = 15  # the only value that S3 Replication Time Control takes


@dataclass(frozen=True)
class Replica:
    """Where the objects go: a versioned bucket and the key in its region. `source_region`: where they come from.

    `time_control`: S3 promises 15 minutes for 99.9 % of the objects, and tells of those that miss them.
    """

    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    region: str
    source_region: str
    time_control: bool = True
    alerts_topic_arn: pulumi.Input[str] | None = None  # hears of objects that are late or fail


def replicate(name: str, bucket: aws.s3.Bucket, key_arn: pulumi.Input[str], replica: Replica,
              child: Callable[..., pulumi.ResourceOptions], depends_on: Sequence[pulumi.Resource]) -> None:
    """Replicates all objects, delete markers included, with metrics, and says which ones didn't arrive."""
    role = aws.iam.Role(
        f"{name}-replication", description="Replicates objects to the recovery region",
        assume_role_policy=json.dumps(policies.service_trust("s3.amazonaws.com")), opts=child())
    permission = aws.iam.RolePolicy(
        f"{name}-replication", role=role.id, opts=child(),
        policy=rendered(policies.replication, source_arn=bucket.arn, source_key_arn=key_arn,
                        source_region=replica.source_region, target_arn=replica.bucket_arn,
                        target_key_arn=replica.key_arn, target_region=replica.region))
    if replica.alerts_topic_arn is not None:
        events = ["s3:Replication:OperationFailedReplication"]
        if replica.time_control:
            events.append("s3:Replication:OperationMissedThreshold")
        aws.s3.BucketNotification(
            name, bucket=bucket.bucket, opts=child(),
            topics=[aws.s3.BucketNotificationTopicArgs(topic_arn=replica.alerts_topic_arn, events=events)])
    aws.s3.BucketReplicationConfig(
        name, bucket=bucket.bucket, role=role.arn, opts=child(depends_on=[*depends_on, permission]),
        rules=[aws.s3.BucketReplicationConfigRuleArgs(
            id="recovery", status="Enabled", priority=0,
            filter=aws.s3.BucketReplicationConfigRuleFilterArgs(prefix=""),
            delete_marker_replication=aws.s3.BucketReplicationConfigRuleDeleteMarkerReplicationArgs(status="Enabled"),
            source_selection_criteria=aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaArgs(
                sse_kms_encrypted_objects=(
                    aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaSseKmsEncryptedObjectsArgs(
                        status="Enabled"))),
            destination=aws.s3.BucketReplicationConfigRuleDestinationArgs(
                bucket=replica.bucket_arn, storage_class="STANDARD_IA",
                encryption_configuration=aws.s3.BucketReplicationConfigRuleDestinationEncryptionConfigurationArgs(
                    replica_kms_key_id=replica.key_arn),
                **_timed(replica.time_control)))])


def _timed(time_control: bool) -> dict[str, Any]:
    """Time control needs the threshold of the metrics beside it; metrics alone suffice for failures to be told."""
    metrics = aws.s3.BucketReplicationConfigRuleDestinationMetricsArgs
    if not time_control:
        return {"metrics": metrics(status="Enabled")}
    return {
        "replication_time": aws.s3.BucketReplicationConfigRuleDestinationReplicationTimeArgs(
            status="Enabled",
            time=aws.s3.BucketReplicationConfigRuleDestinationReplicationTimeTimeArgs(minutes=_MINUTES)),
        "metrics": metrics(
            status="Enabled",
            event_threshold=aws.s3.BucketReplicationConfigRuleDestinationMetricsEventThresholdArgs(
                minutes=_MINUTES))}
