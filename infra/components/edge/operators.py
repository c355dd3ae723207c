"""The operators' sign-in, and the way to the tools in `monitoring` (E6)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws
import pulumi_random as random
from pulumi_kubernetes import networking

from infra.components.base import Component
from infra.plans import guards, ingress, kubernetes, operators
from infra.plans.hosts import Hosts


@dataclass(frozen=True)
class LoginArgs:
    """deletion_protection: Cognito's own, for the pool with its users."""

    name: str
    hosts: Hosts
    deletion_protection: bool
    protect: bool


class Login(Component):
    """A user pool without self-registration, with a second factor, and a client for the load balancer."""

    module = "edge"

    identity_provider: pulumi.Output[str]  # JSON for the load balancer controller
    user_pool_id: pulumi.Output[str]

    def __init__(self, name: str, args: LoginArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        pool = aws.cognito.UserPool(
            f"{name}-pool", name=args.name, username_attributes=["email"], auto_verified_attributes=["email"],
            admin_create_user_config={"allow_admin_create_user_only": True},
            mfa_configuration="ON", software_token_mfa_configuration={"enabled": True},
            account_recovery_setting={"recovery_mechanisms": [{"name": "verified_email", "priority": 1}]},
            password_policy={"minimum_length": 14, "require_lowercase": True, "require_uppercase": True,
                             "require_numbers": True, "require_symbols": True, "temporary_password_validity_days": 3},
            deletion_protection="ACTIVE" if args.deletion_protection else "INACTIVE",
            opts=self.child(protect=args.protect))
        client = aws.cognito.UserPoolClient(
            f"{name}-load-balancer", user_pool_id=pool.id, generate_secret=True,
            allowed_oauth_flows=["code"], allowed_oauth_flows_user_pool_client=True, allowed_oauth_scopes=["openid"],
            supported_identity_providers=["COGNITO"], callback_urls=operators.callback_urls(args.hosts),
            prevent_user_existence_errors="ENABLED", enable_token_revocation=True, opts=self.child())
        # Names of sign-in pages are shared by all accounts of a region.
        suffix = random.RandomId(f"{name}-domain", byte_length=4, opts=self.child())
        domain = aws.cognito.UserPoolDomain(
            f"{name}-domain", domain=pulumi.Output.concat(args.name, "-", suffix.hex), user_pool_id=pool.id,
            opts=self.child())
        self.user_pool_id = pool.id
        self.identity_provider = pulumi.Output.all(pool.arn, client.id, domain.domain).apply(
            lambda known: operators.identity_provider(*known))
        self.register_outputs({"userPoolId": self.user_pool_id, "identityProvider": self.identity_provider})


@dataclass(frozen=True)
class ToolsArgs:
    """namespace: where the tools are; ranges: where operators come from.
    identity_provider: `Login.identity_provider`. The Ingress's class is the front door's."""

    namespace: pulumi.Input[str]
    hosts: Hosts
    ranges: tuple[IPv4Network, ...]
    identity_provider: pulumi.Input[str]


class Tools(Component):
    """Grafana and Prometheus behind the same load balancer as everything else: an Ingress of its group."""

    module = "edge"

    def __init__(self, name: str, args: ToolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        annotations = operators.tools_annotations(args.hosts, args.ranges, args.identity_provider)
        manifest: kubernetes.Manifest = {
            "metadata": {
                **kubernetes.metadata(operators.TOOLS_NAME, guards.MONITORING_NAMESPACE, guards.OWNER, annotations),
                "namespace": args.namespace},
            "spec": {"ingressClassName": ingress.CLASS, "rules": operators.tools_rules(args.hosts)}}
        made = networking.v1.Ingress(f"{name}-ingress", metadata=manifest["metadata"], spec=manifest["spec"],
                                     opts=self.child())
        self.register_outputs({"ingress": made.id})
