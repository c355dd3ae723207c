"""The customer-managed KMS keys of a stack."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.plans import policies, topics


@dataclass(frozen=True)
class KeyArgs:
    """`policy`: the key policy as JSON; see `infra.plans.policies`."""

    description: str
    policy: pulumi.Input[str]
    deletion_window_days: int = 30  # 7 to 30
    protect: bool = False


class Key(Component):
    """A KMS key with yearly rotation and an auto-named alias (an alias outlives a failed teardown)."""

    module = "keys"

    key_arn: pulumi.Output[str]
    key_id: pulumi.Output[str]

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        key = aws.kms.Key(
            name, description=args.description, policy=args.policy, enable_key_rotation=True,
            deletion_window_in_days=args.deletion_window_days, tags={"Name": name},
            opts=self.child(protect=args.protect))
        aws.kms.Alias(name, target_key_id=key.key_id, opts=self.child())
        self.key_arn, self.key_id = key.arn, key.key_id
        self.register_outputs({"keyArn": self.key_arn, "keyId": self.key_id})


@dataclass(frozen=True)
class KeysArgs:
    account_id: pulumi.Input[str]
    region: str
    deletion_window_days: int = 30  # 7 to 30
    protect: bool = False


class Keys(Component):
    """One key for data at rest, one for logs and notifications, one for the cluster's secrets.

    `data`: RDS, S3, DynamoDB, ElastiCache, Secrets Manager, ECR. `logs`: CloudWatch Logs, SNS, SQS.
    """

    module = "keys"

    data_key_arn: pulumi.Output[str]
    data_key_id: pulumi.Output[str]
    logs_key_arn: pulumi.Output[str]
    logs_key_id: pulumi.Output[str]
    cluster_key_arn: pulumi.Output[str]
    cluster_key_id: pulumi.Output[str]

    def __init__(self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)

        def key(purpose: str, description: str, policy: pulumi.Output[str]) -> Key:
            return Key(f"{name}-{purpose}", KeyArgs(
                description=description, policy=policy, deletion_window_days=args.deletion_window_days,
                protect=args.protect), opts=self.child())

        account = args.account_id
        data = key("data", "Data at rest", rendered(policies.data_key, account_id=account))
        logs = key("logs", "Log groups, topics and queues",
                   rendered(logs_key, account_id=account, region=args.region))
        cluster = key("cluster", "Secrets of the Kubernetes cluster",
                      rendered(policies.cluster_key, account_id=account))
        self.data_key_arn, self.data_key_id = data.key_arn, data.key_id
        self.logs_key_arn, self.logs_key_id = logs.key_arn, logs.key_id
        self.cluster_key_arn, self.cluster_key_id = cluster.key_arn, cluster.key_id
        self.register_outputs({
            "dataKeyArn": self.data_key_arn, "dataKeyId": self.data_key_id, "logsKeyArn": self.logs_key_arn,
            "logsKeyId": self.logs_key_id, "clusterKeyArn": self.cluster_key_arn,
            "clusterKeyId": self.cluster_key_id})


def logs_key(account_id: str, region: str) -> policies.Document:
    return policies.logs_key(account_id, region, topics.key_statements(account_id, region))
