"""The role that the pipelines take on to deploy to a stack (O8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.components.base import Component


@dataclass(frozen=True)
class DeployRoleArgs:
    """`github_repository`: `owner/name`. `oidc_provider_arn` None: GitHub's OIDC provider, a singleton of the
    account, is created here; only one stack of an account may do that.
    """

    name: str
    github_repository: str
    github_environment: str
    account_id: pulumi.Input[str]
    region: str
    cluster_name: pulumi.Input[str]
    cluster_arn: pulumi.Input[str]
    namespace: str
    repository_arns: Sequence[pulumi.Input[str]]
    bucket_arns: Sequence[pulumi.Input[str]]
    distribution_arn: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    oidc_provider_arn: pulumi.Input[str] | None = None


class DeployRole(Component):
    """`candlefish-deploy-{environment}`: push images, roll out in the namespace, publish the site. Nothing else."""

    module = "roles"

    deploy_role_arn: pulumi.Output[str]
    oidc_provider_arn: pulumi.Output[str]
