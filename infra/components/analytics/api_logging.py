"""The right of API Gateway to write logs: one role for an account in a region, whatever stack makes it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans import policies

# Every log group, as the groups of executions have names of API Gateway's own ("Set up CloudWatch logging").
_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"


@dataclass(frozen=True)
class ApiLoggingArgs:
    account_id: pulumi.Input[str]


class ApiLogging(Component):
    """The setting outlives the stack: AWS has no call that takes it back."""

    module = "analytics"

    account: aws.apigateway.Account

    def __init__(self, name: str, args: ApiLoggingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        role = aws.iam.Role(
            name, description="API Gateway writes logs", opts=self.child(),
            assume_role_policy=pulumi.Output.from_input(args.account_id).apply(
                lambda account: json.dumps(policies.service_trust("apigateway.amazonaws.com", account))))
        attached = aws.iam.RolePolicyAttachment(name, role=role.name, policy_arn=_POLICY, opts=self.child())
        self.account = aws.apigateway.Account(name, cloudwatch_role_arn=role.arn,
                                              opts=self.child(depends_on=[attached]))
        self.register_outputs({"roleArn": role.arn})
