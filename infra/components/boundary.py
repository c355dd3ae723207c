"""What bounds every role that a stack makes (O8)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.plans import deploy_policies


@dataclass(frozen=True)
class BoundaryArgs:
    """`name`: of the policy; an administrator may refer to it. `stands_in_for`: environment whose copies the roles may
    use."""

    name: str
    account_id: pulumi.Input[str]
    environment: str
    stands_in_for: str | None = None


class Boundary(Component):
    """A permissions boundary. The deploy role may make no role without it, so that no pipeline can make itself, or
    anything that it deploys, an administrator."""

    module = "roles"

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: BoundaryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        policy = aws.iam.Policy(
            name, name=args.name, description="The most that a role of this environment can be allowed",
            policy=rendered(deploy_policies.boundary, account_id=args.account_id, environment=args.environment,
                            stands_in_for=args.stands_in_for),
            opts=self.child())
        self.arn = policy.arn
        self._path = deploy_policies.role_path(args.environment)
        self.register_outputs({"arn": self.arn})

    def bound_all(self) -> None:
        """From here on every role, also below packaged components, is bounded and below the environment's path, which
        is what the deploy role's permissions go by. A role that says its own path is left as it is."""
        def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
            if args.type_ != "aws:iam/role:Role" or "path" in args.props:
                return None
            bounded = {**args.props, "path": self._path, "permissionsBoundary": self.arn}
            return pulumi.ResourceTransformResult(props=bounded, opts=args.opts)

        pulumi.runtime.register_resource_transform(transform)
