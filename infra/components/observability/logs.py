"""Log groups that the cluster's log shipper writes to, and the metrics that come from them (M1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans.observability import emitted, log_filters


@dataclass(frozen=True)
class LogsArgs:
    """groups: purpose (`application`, `animation`, `performance`) → name. key_arn: its policy must let
    `logs.{region}.amazonaws.com` use it."""

    environment: str
    groups: Mapping[str, str]
    key_arn: pulumi.Input[str]
    retention_days: int


class Logs(Component):
    """Encrypted groups with retention, and metric filters in the namespace `Candlefish/Logs/{environment}`."""

    module = "observability"

    group_names: dict[str, pulumi.Output[str]]
    group_arns: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: LogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        groups = {
            purpose: aws.cloudwatch.LogGroup(
                f"{name}-{purpose}", name=group, kms_key_id=args.key_arn, retention_in_days=args.retention_days,
                opts=self.child())
            for purpose, group in args.groups.items()}
        for each in log_filters.FILTERS:
            aws.cloudwatch.LogMetricFilter(
                f"{name}-{each.metric.replace('_', '-')}", log_group_name=groups[each.group].name,
                pattern=each.pattern, metric_transformation={
                    "name": each.metric, "namespace": f"{emitted.LOGS}/{args.environment}", "value": "1",
                    "default_value": "0", "unit": "Count"},
                opts=self.child())
        self.group_names = {purpose: group.name for purpose, group in groups.items()}
        self.group_arns = {purpose: group.arn for purpose, group in groups.items()}
        self.register_outputs({"groupNames": self.group_names, "groupArns": self.group_arns})
