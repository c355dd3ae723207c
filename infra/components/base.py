"""What all components share: type tokens, and the `Component` tag on everything below them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from infra.plans.tags import is_taggable


class Component(pulumi.ComponentResource):
    """A component resource `candlefish:{module}:{Class}` whose children carry the tag `Component={module}`.

    The other tags of E5 are default tags of the AWS provider. A transform adds this one, so that it also reaches the
    children of packaged components, which take no tags of ours.
    """

    module: str

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        tagged = pulumi.ResourceOptions(transforms=[_tag(self.module)])
        super().__init__(f"candlefish:{self.module}:{type(self).__name__}", name, None,
                         pulumi.ResourceOptions.merge(opts, tagged))

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        """Options of a child: `parent=self` and whatever else is given."""
        return pulumi.ResourceOptions(parent=self, **options)


def _tag(module: str) -> pulumi.ResourceTransform:
    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if not (args.custom and is_taggable(args.type_)):
            return None
        tags: Mapping[str, Any] = args.props.get("tags") or {}
        if "Component" in tags:
            return None
        return pulumi.ResourceTransformResult(
            props={**args.props, "tags": {**tags, "Component": module}}, opts=args.opts)

    return transform
