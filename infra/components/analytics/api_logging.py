"""The right of API Gateway to write logs: one role for an account in a region, whatever stack makes it."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans import policies

# Every log group, as the groups of executions have names of API Gateway's own ("Set up CloudWatch logging").
_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"


class ApiLogging(Component):
    """The setting outlives the stack: AWS has no call that takes it back."""

    module = "analytics"

    account: aws.apigateway.Account

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        # No condition on the account: API Gateway does not say for which one it takes on a role, and would be refused
        # (the guide's trust policy has none). The role can only write logs of its own account.
        role = aws.iam.Role(
            name, description="API Gateway writes logs", opts=self.child(),
            assume_role_policy=json.dumps(policies.service_trust("apigateway.amazonaws.com")))
        attached = aws.iam.RolePolicyAttachment(name, role=role.name, policy_arn=_POLICY, opts=self.child())
        self.account = aws.apigateway.Account(name, cloudwatch_role_arn=role.arn,
                                              opts=self.child(depends_on=[attached]))
        self.register_outputs({"roleArn": role.arn})
