"""The role that the pipelines take on to deploy to a stack (O8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.plans import policies

_GITHUB = "https://token.actions.githubusercontent.com"
_SESSION_SECONDS = 3600


@dataclass(frozen=True)
class DeployRoleArgs:
    """`github_repository`: `owner/name`. `oidc_provider_arn` None: GitHub's OIDC provider, a singleton of the
    account, is created here; only one stack of an account may do that. `kubernetes_group`: the group whose role
    binding in the namespace says what a pipeline may do there.
    """

    name: str
    github_repository: str
    github_environment: str
    region: str
    cluster_name: pulumi.Input[str]
    cluster_arn: pulumi.Input[str]
    repository_arns: Sequence[pulumi.Input[str]]
    bucket_arns: Sequence[pulumi.Input[str]]
    distribution_arn: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    oidc_provider_arn: pulumi.Input[str] | None = None
    kubernetes_group: str = "candlefish-operators"


class DeployRole(Component):
    """`candlefish-deploy-{environment}`: push images, roll out in the namespace, publish the site. Nothing else."""

    module = "roles"

    deploy_role_arn: pulumi.Output[str]
    oidc_provider_arn: pulumi.Output[str]

    def __init__(self, name: str, args: DeployRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        if args.oidc_provider_arn is None:
            provider = aws.iam.OpenIdConnectProvider(f"{name}-github", url=_GITHUB,
                                                     client_id_lists=["sts.amazonaws.com"], opts=self.child())
            self.oidc_provider_arn = provider.arn
        else:
            self.oidc_provider_arn = pulumi.Output.from_input(args.oidc_provider_arn)
        role = aws.iam.Role(
            name, name=args.name, description="Pipelines that deploy to this environment",
            max_session_duration=_SESSION_SECONDS, opts=self.child(),
            assume_role_policy=rendered(policies.github_trust, provider_arn=self.oidc_provider_arn,
                                        repository=args.github_repository, environment=args.github_environment))
        aws.iam.RolePolicy(
            name, role=role.id, opts=self.child(),
            policy=rendered(policies.deploy, region=args.region, cluster_arn=args.cluster_arn,
                            repository_arns=list(args.repository_arns), bucket_arns=list(args.bucket_arns),
                            distribution_arn=args.distribution_arn, key_arn=args.data_key_arn))
        aws.eks.AccessEntry(name, cluster_name=args.cluster_name, principal_arn=role.arn, type="STANDARD",
                            kubernetes_groups=[args.kubernetes_group], opts=self.child())
        self.deploy_role_arn = role.arn
        self.register_outputs({"deployRoleArn": self.deploy_role_arn,
                               "oidcProviderArn": self.oidc_provider_arn})
