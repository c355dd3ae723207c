"""Datadog's way to CloudWatch's metrics (M6)."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans import policies
from infra.settings.observability import Datadog as Settings

# Reads of metrics and of the tags on what they measure; none knows a resource (Service Authorization Reference).
ACTIONS = ("cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "tag:GetResources")


class Datadog(Component):
    """A role that Datadog's account may take with the external id, and that reads metrics only."""

    module = "observability"

    role_arn: pulumi.Output[str]

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        role = aws.iam.Role(
            name, description="Datadog reads the metrics of this account", assume_role_policy=json.dumps(
                trust(settings.account_id, settings.external_id)), opts=self.child())
        aws.iam.RolePolicy(name, role=role.name, opts=self.child(), policy=json.dumps(
            policies.document([policies.allow("Metrics", ACTIONS, ["*"])])))
        self.role_arn = role.arn
        self.register_outputs({"roleArn": self.role_arn})


def trust(account_id: str, external_id: str) -> policies.Document:
    return policies.document([{
        "Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}}}])
