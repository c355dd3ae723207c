"""X-Ray: which requests of the functions are traced, and a view of this environment's traces alone (M6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component

PRIORITY = 1000  # 1 is first; X-Ray's own default rule is the last, 10000
RESERVOIR = 1  # a second, before the percentage


@dataclass(frozen=True)
class TracingArgs:
    """functions: names. percent: of the requests beyond one a second."""

    environment: str
    functions: Sequence[pulumi.Input[str]]
    percent: float


class Tracing(Component):
    """The sampling is API Gateway's, whose decision the functions follow: Lambda's own (one a second and 5 %) can't be
    changed (Lambda Developer Guide, "Visualize function invocations using X-Ray")."""

    module = "observability"

    group_name: pulumi.Output[str]

    def __init__(self, name: str, args: TracingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        prefix = f"{args.environment}-candlefish"
        aws.xray.SamplingRule(
            f"{name}-api", rule_name=f"{prefix}-api", priority=PRIORITY, fixed_rate=args.percent / 100,
            reservoir_size=RESERVOIR, service_name=f"{prefix}-*", service_type="AWS::ApiGateway::Stage", host="*",
            http_method="*", url_path="*", resource_arn="*", version=1, opts=self.child())
        group = aws.xray.Group(
            f"{name}-functions", group_name=prefix, filter_expression=pulumi.Output.all(*args.functions).apply(
                lambda names: " OR ".join(f'service("{each}")' for each in names)),
            insights_configuration={"insights_enabled": True, "notifications_enabled": False}, opts=self.child())
        self.group_name = group.group_name
        self.register_outputs({"groupName": self.group_name})
