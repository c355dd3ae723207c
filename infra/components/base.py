"""What all components share: type tokens, the `Component` tag on everything below them, what goes before it is
replaced."""

from __future__ import annotations

from typing import Any

import pulumi

from infra.plans.replacement import DELETED_FIRST
from infra.plans.tags import is_taggable


class Component(pulumi.ComponentResource):
    """A component resource `candlefish:{module}:{Class}` whose children carry the tag `Component={module}`.

    The other tags of E5 are default tags of the AWS provider. A transform adds this one, so that it also reaches the
    children of packaged components, which take no tags of ours; it also says what must go before its replacement comes.
    """

    module: str

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        tagged = pulumi.ResourceOptions(transforms=[shape(self.module)])
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


def shape(module: str) -> pulumi.ResourceTransform:
    """The transform of a component's children: their tag, and what Pulumi has to delete before it is replaced."""
    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if not args.custom:
            return None
        tagged, first = is_taggable(args.type_), args.type_ in DELETED_FIRST
        if not (tagged or first):
            return None
        props = {**args.props, "tags": _tags(args.props, module)} if tagged else args.props
        opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(delete_before_replace=True)) if first \
            else args.opts
        return pulumi.ResourceTransformResult(props=props, opts=opts)

    return transform


def _tags(props: Any, module: str) -> Any:
    tags: Any = props.get("tags") or {}
    if isinstance(tags, pulumi.Output):  # a packaged component's, which has computed them
        return tags.apply(lambda known: {"Component": module, **(known or {})})
    return {"Component": module, **tags}
