"""Web application firewalls of CloudFront and of the load balancer and APIs (N5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans import firewall


@dataclass(frozen=True)
class WebAclArgs:
    """rules: of `infra.plans.firewall`. provider: of the region where the ACL lives; None: the component's own.
    CLOUDFRONT lives in us-east-1."""

    name: str
    scope: firewall.Scope
    rules: Sequence[firewall.Rule]
    log_key_arn: pulumi.Input[str]
    log_retention_days: int
    provider: aws.Provider | None = None


class WebAcl(Component):
    """A web ACL that lets through what no rule stops, with metrics, and logs without credentials."""

    module = "edge"

    arn: pulumi.Output[str]
    log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: WebAclArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        here = self.child(provider=args.provider) if args.provider else self.child()
        acl: dict[str, Any] = {"default_action": {"allow": {}}, "visibility_config": firewall.visibility(args.name),
                               "rules": list(args.rules)}
        web_acl = aws.wafv2.WebAcl(f"{name}-acl", name=args.name, scope=args.scope.value,
                                   description=f"Candlefish {args.scope.value.lower()} firewall", opts=here, **acl)
        # WAF delivers only to a log group whose name starts like this.
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs", name=f"aws-waf-logs-{args.name}", kms_key_id=args.log_key_arn,
            retention_in_days=args.log_retention_days, opts=here)
        redacted: Any = [{"single_header": {"name": header}} for header in firewall.REDACTED_HEADERS]
        aws.wafv2.WebAclLoggingConfiguration(
            f"{name}-logging", resource_arn=web_acl.arn, log_destination_configs=[logs.arn],
            redacted_fields=redacted, opts=here)
        self.arn = web_acl.arn
        self.log_group_name = logs.name
        self.register_outputs({"arn": self.arn, "logGroupName": self.log_group_name})
