"""Shield Advanced for what the internet reaches (N7). Shield Standard is there without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component


@dataclass(frozen=True)
class ShieldArgs:
    """resources: a stable name → ARN of a distribution, load balancer or hosted zone. The account must be subscribed
    to Shield Advanced, which is a purchase for a year and none of this program's."""

    name: str
    resources: Mapping[str, pulumi.Input[str]]


class Shield(Component):
    """One protection a resource."""

    module = "edge"

    def __init__(self, name: str, args: ShieldArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        made = {key: aws.shield.Protection(f"{name}-{key}", name=f"{args.name}-{key}", resource_arn=arn,
                                           opts=self.child()) for key, arn in args.resources.items()}
        self.register_outputs({"protectionIds": {key: each.id for key, each in made.items()}})
