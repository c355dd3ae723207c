"""The roles that pipelines and people take on (O8): deploy, preview, on call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.plans import deploy_policies, policies

_GITHUB = "https://token.actions.githubusercontent.com"
_DEPLOY_SECONDS = 7200  # the longest `up` is that of a new environment, whose cluster and database take most of an hour
_SECONDS = 3600


@dataclass(frozen=True)
class RolesArgs:
    """`names`: of the roles by key, `deploy`, `preview`, `on-call`. `regions`: that the stack has resources in.
    `github_repository`: `owner/name`. `boundary_name`: of the policy that bounds the roles that deployments make.

    `oidc_provider_arn` None: GitHub's OIDC provider, a singleton of the account, is created here; only one stack of an
    account may do that. `stands_in_for`: environment whose copies a deployment may restore from.
    """

    names: Mapping[str, str]
    account_id: pulumi.Input[str]
    regions: Sequence[str]
    environment: str
    github_repository: str
    cluster_arn: pulumi.Input[str]
    boundary_name: str
    oidc_provider_arn: pulumi.Input[str] | None = None
    stands_in_for: str | None = None


class Roles(Component):
    """`candlefish-deploy-{environment}`: jobs of the repository in the GitHub environment of that name, for a whole
    `pulumi up`. `candlefish-preview-{environment}`: jobs in the GitHub environment `{environment}-read`, for previews
    and drift: they can look at anything but contents and secrets; code of pull requests gets no role.
    `candlefish-on-call-{environment}`: people of the account, with a second factor, for the cluster.

    They are what bounds deployments, and so have neither the boundary nor the environment's path. Their permissions
    are changed by an administrator's `up`; the deploy role's own is refused.
    """

    module = "roles"

    arns: Mapping[str, pulumi.Output[str]]
    oidc_provider_arn: pulumi.Output[str]

    def __init__(self, name: str, args: RolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        if args.oidc_provider_arn is None:
            provider = aws.iam.OpenIdConnectProvider(f"{name}-github", url=_GITHUB,
                                                     client_id_lists=["sts.amazonaws.com"], opts=self.child())
            self.oidc_provider_arn = provider.arn
        else:
            self.oidc_provider_arn = pulumi.Output.from_input(args.oidc_provider_arn)
        roles = {
            "deploy": self._role("deploy", "Pipelines that deploy to this environment", _DEPLOY_SECONDS, self._github(
                f"environment:{args.environment}")),
            "preview": self._role("preview", "Pipelines that compare this environment with the program", _SECONDS,
                                  self._github(f"environment:{args.environment}-read")),
            "on-call": self._role("on-call", "People on call", _SECONDS, rendered(
                policies.account_trust, account_id=args.account_id)),
        }
        self._attach("deploy", roles["deploy"], self._deploy)
        self._attach("preview", roles["preview"], deploy_policies.preview)
        aws.iam.RolePolicy(f"{name}-on-call", role=roles["on-call"].id, opts=self.child(),
                           policy=rendered(policies.on_call, cluster_arn=args.cluster_arn))
        self.arns = {key: role.arn for key, role in roles.items()}
        self.register_outputs({"arns": self.arns, "oidcProviderArn": self.oidc_provider_arn})

    def _role(self, key: str, description: str, seconds: int, trust: pulumi.Output[str]) -> aws.iam.Role:
        return aws.iam.Role(f"{self._name}-{key}", name=self._args.names[key], path="/", description=description,
                            max_session_duration=seconds, assume_role_policy=trust, opts=self.child())

    def _github(self, subject: str) -> pulumi.Output[str]:
        return rendered(policies.github_trust, provider_arn=self.oidc_provider_arn,
                        repository=self._args.github_repository, subject=subject)

    def _deploy(self, account: str) -> list[policies.Document]:
        iam = f"arn:aws:iam::{account}"
        boundary = f"{iam}:policy/{self._args.boundary_name}"
        names = self._args.names.values()
        own = [*(f"{iam}:role/{name}" for name in names), *(f"{iam}:policy/{name}-*" for name in names)]
        return deploy_policies.deploy(account, self._args.regions, self._args.environment, boundary, [*own, boundary],
                                      self._args.stands_in_for)

    def _attach(self, key: str, role: aws.iam.Role, documents: Callable[[str], list[policies.Document]]) -> None:
        """As many managed policies as it takes: the account's number, which only the deployment knows, has always 12
        digits."""
        account = pulumi.Output.from_input(self._args.account_id)
        count = len(documents("0" * 12))
        for index in range(count):
            policy = aws.iam.Policy(
                f"{self._name}-{key}-{index + 1}", name=f"{self._args.names[key]}-{index + 1}",
                description=f"Part {index + 1} of {count} of what {self._args.names[key]} may do",
                policy=account.apply(lambda known, part=index: policies.text(documents(known)[part])),  # type: ignore[misc]
                opts=self.child())
            aws.iam.RolePolicyAttachment(f"{self._name}-{key}-{index + 1}", role=role.name, policy_arn=policy.arn,
                                         opts=self.child())
