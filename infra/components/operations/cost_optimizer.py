"""Finds what costs money for nothing, and tells it (F7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.components.base import Component
from infra.components.function import Function, FunctionArgs, Grant
from infra.settings.operations import CostFindings

# What the checks read. Nothing here changes anything; a test holds every action to that. First what AWS lets nobody
# limit to a resource, then the rest, by service and kind of resource: all of the kind, in this account and region.
EVERYWHERE = (
    "cloudwatch:GetMetricData", "ec2:DescribeAddresses", "ec2:DescribeImages", "ec2:DescribeInstances",
    "ec2:DescribeNatGateways", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSnapshots", "ec2:DescribeVolumes",
    "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeTags", "logs:DescribeLogGroups",
)
OF_A_KIND = {
    "ecr:repository/*": ("ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:ListTagsForResource"),
    "elasticache:cluster:*": ("elasticache:DescribeCacheClusters", "elasticache:ListTagsForResource"),
    "logs:log-group:*": ("logs:ListTagsForResource",),
    "rds:db:*": ("rds:DescribeDBInstances",),
}
_MEMORY_MIB = 256
_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class CostOptimizerArgs:
    """`topic_arn`: where findings go; `logs_key_arn`: key of that topic, of the log group and of the dead letters."""

    function_name: str
    environment: str
    region: str
    account_id: pulumi.Input[str]
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
            grants={"Read": Grant(EVERYWHERE, ["*"]), **_of_a_kind(args),
                    "Tell": Grant(["sns:Publish"], [args.topic_arn])}), self.child())
        self.register_outputs({"functionName": self.function.function_name})


def _of_a_kind(args: CostOptimizerArgs) -> Mapping[str, Grant]:
    found: dict[str, Grant] = {}
    for kind, actions in OF_A_KIND.items():
        service, _, pattern = kind.partition(":")
        arn = pulumi.Output.concat(f"arn:aws:{service}:{args.region}:", args.account_id, f":{pattern}")
        found[f"Read{service.capitalize()}"] = Grant(actions, [arn])
    return found
