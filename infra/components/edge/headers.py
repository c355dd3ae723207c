"""Security headers of everything that CloudFront answers (N4)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans import edge
from infra.plans.hosts import Hosts


@dataclass(frozen=True)
class SecurityHeadersArgs:
    hosts: Hosts
    csp_report_uri: str


class SecurityHeaders(Component):
    """One response-headers policy for all behaviours.

    Only the content security policy may be replaced by the origin: the website sends one with a nonce a page.
    """

    module = "edge"

    policy_id: pulumi.Output[str]

    def __init__(self, name: str, args: SecurityHeadersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        policy = aws.cloudfront.ResponseHeadersPolicy(
            f"{name}-policy",
            comment=f"Security headers of {args.hosts.apex}",
            security_headers_config={
                "content_security_policy": {
                    "content_security_policy": edge.content_security_policy(args.hosts, args.csp_report_uri),
                    "override": False},
                "content_type_options": {"override": True},
                "frame_options": {"frame_option": edge.FRAME_OPTION, "override": True},
                "referrer_policy": {"referrer_policy": edge.REFERRER_POLICY, "override": True},
                "strict_transport_security": {
                    "access_control_max_age_sec": edge.STRICT_TRANSPORT_SECONDS, "include_subdomains": True,
                    "preload": True, "override": True},
            },
            custom_headers_config={"items": [
                {"header": "Permissions-Policy", "value": edge.PERMISSIONS_POLICY, "override": True}]},
            opts=self.child())
        self.policy_id = policy.id
        self.register_outputs({"policyId": self.policy_id})
