"""`performance-optimizer`: the function that CloudFront runs before it looks into its cache (N4)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.components.function import RUNTIME, package
from infra.plans import policies

CODE = "functions/edge"
# Lambda@Edge refuses to delete a function while its replicas live, for hours after the last association went
# (CloudFront developer guide, "Delete Lambda@Edge functions and replicas"). The provider asks again for as long.
DELETION = "4h"


@dataclass(frozen=True)
class OptimizerArgs:
    """provider: in us-east-1, where CloudFront looks for functions."""

    function_name: str
    account_id: pulumi.Input[str]
    provider: aws.Provider


class Optimizer(Component):
    """A published version, as CloudFront wants it: no environment, no queue, no VPC, no layers, x86, 128 MB and 5 s.

    It logs where it runs: in a log group `/aws/lambda/us-east-1.{name}` of the region nearest to the viewer, which
    the service makes on the first line there.
    """

    module = "edge"

    version_arn: pulumi.Output[str]
    function_name: pulumi.Output[str]

    def __init__(self, name: str, args: OptimizerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        role = aws.iam.Role(
            f"{name}-role", description="Runs at CloudFront's edges and writes its log",
            assume_role_policy=rendered(policies.edge_function_trust), opts=self.child())
        permissions = aws.iam.RolePolicy(
            f"{name}-permissions", role=role.name, opts=self.child(),
            policy=rendered(policies.edge_function_logs, account_id=args.account_id,
                            function_name=args.function_name))
        function = aws.lambda_.Function(
            f"{name}-function", name=args.function_name, description="Normalises requests for CloudFront's cache",
            role=role.arn, runtime=RUNTIME, architectures=["x86_64"], handler="edge.handler.handle",
            code=package(CODE), memory_size=128, timeout=5, publish=True,
            opts=self.child(provider=args.provider, depends_on=[permissions],
                            custom_timeouts=pulumi.CustomTimeouts(delete=DELETION)))
        self.version_arn = function.qualified_arn
        self.function_name = function.name
        self.register_outputs({"versionArn": self.version_arn, "functionName": self.function_name})
