"""What all components share: type tokens, and the `Component` tag on everything below them."""

from __future__ import annotations

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
        self._after = None if opts is None else opts.depends_on

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        """Options of a child: `parent=self`, what the component depends on, and whatever else is given.

        The engine knows no dependencies of a component's children but their own. Without them a teardown would
        delete, say, the load balancers' controller beside the Ingress whose load balancer it has to take down.
        """
        own = pulumi.ResourceOptions(parent=self, depends_on=self._after)
        return pulumi.ResourceOptions.merge(own, pulumi.ResourceOptions(**options))


def _tag(module: str) -> pulumi.ResourceTransform:
    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if not (args.custom and is_taggable(args.type_)):
            return None
        tags: Any = args.props.get("tags") or {}
        if isinstance(tags, pulumi.Output):  # a packaged component's, which has computed them
            merged: Any = tags.apply(lambda known: {"Component": module, **(known or {})})
        else:
            merged = {"Component": module, **tags}
        return pulumi.ResourceTransformResult(props={**args.props, "tags": merged}, opts=args.opts)

    return transform
