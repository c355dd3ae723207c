"""Finds what costs money for nothing, and tells it (F7)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra.components.base import Component
from infra.components.function import Function, FunctionArgs, Grant
from infra.settings.operations import CostFindings

# What the checks read, none of which can be limited to a resource where it lists them all. Nothing here changes
# anything; a test holds every action to that.
READS = (
    "cloudwatch:GetMetricData", "ec2:DescribeAddresses", "ec2:DescribeImages", "ec2:DescribeInstances",
    "ec2:DescribeNatGateways", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSnapshots", "ec2:DescribeVolumes",
    "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:ListTagsForResource", "elasticache:DescribeCacheClusters",
    "elasticache:ListTagsForResource", "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTags", "logs:DescribeLogGroups", "logs:ListTagsForResource",
    "rds:DescribeDBInstances",
)
_MEMORY_MIB = 256
_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class CostOptimizerArgs:
    """`topic_arn`: where findings go; `logs_key_arn`: key of that topic, of the log group and of the dead letters."""

    function_name: str
    environment: str
    settings: CostFindings
    topic_arn: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    log_retention_days: int


class CostOptimizer(Component):
    """The function, with the right to read and to publish to the topic. A schedule calls it."""

    module = "operations"

    function: Function

    def __init__(self, name: str, args: CostOptimizerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.function = Function(f"{name}-function", FunctionArgs(
            function_name=args.function_name, description="Tells what costs money for nothing; changes nothing",
            code="functions/cost_optimizer", data_key_arn=args.data_key_arn, logs_key_arn=args.logs_key_arn,
            memory_mib=_MEMORY_MIB, timeout_seconds=_TIMEOUT_SECONDS, log_retention_days=args.log_retention_days,
            reserved_concurrency=1,
            environment={"TOPIC_ARN": args.topic_arn, "ENVIRONMENT": args.environment,
                         "IDLE_DAYS": str(args.settings.idle_days), "SNAPSHOT_DAYS": str(args.settings.snapshot_days),
                         "EXEMPT_TAG": args.settings.exempt_tag},
            grants={"Read": Grant(READS, ["*"]), "Tell": Grant(["sns:Publish"], [args.topic_arn])}), self.child())
        self.register_outputs({"functionName": self.function.function_name})
