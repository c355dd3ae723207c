"""The distribution of `assets.`, `docs.` and `status.`: one bucket, a folder for each name (E6)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.edge import distribution
from infra.plans import edge
from infra.plans.hosts import Hosts

_BEHAVIOUR = edge.Behaviour("*", edge.Origin.ASSETS_FIRST, edge.Caching.DOCUMENTS, edge.READ_METHODS)


@dataclass(frozen=True)
class StaticArgs:
    """also: names of the stack that this one can stand in for."""

    hosts: Hosts
    shared: distribution.Shared
    also: Hosts | None = None


class Static(Component):
    """A distribution knows paths, not names: a function at its door turns the name into the folder."""

    module = "edge"

    distribution_id: pulumi.Output[str]
    distribution_arn: pulumi.Output[str]
    distribution_domain: pulumi.Output[str]
    distribution_zone_id: pulumi.Output[str]

    def __init__(self, name: str, args: StaticArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        function = aws.cloudfront.Function(
            f"{name}-hosts", runtime="cloudfront-js-2.0", comment=f"Folders of {args.hosts.apex}", publish=True,
            opts=self.child(),
            code=edge.static_hosts_function(*(names for names in (args.hosts, args.also) if names)))
        found = args.shared.arguments(args.hosts.static, "cloudfront-static/") | {
            "origins": [args.shared.bucket(origin) for origin in edge.ORIGIN_GROUPS[_BEHAVIOUR.origin]],
            "origin_groups": [distribution.group(_BEHAVIOUR.origin)],
            "default_cache_behavior": {
                **args.shared.behaviour(_BEHAVIOUR),
                "function_associations": [{"event_type": "viewer-request", "function_arn": function.arn}]},
            "custom_error_responses": [{
                "error_code": 404, "response_code": 404, "response_page_path": edge.NOT_FOUND_PAGE,
                "error_caching_min_ttl": edge.ERROR_CACHING_SECONDS}]}
        made = aws.cloudfront.Distribution(f"{name}-distribution", **found, opts=self.child())
        self.distribution_id = made.id
        self.distribution_arn = made.arn
        self.distribution_domain = made.domain_name
        self.distribution_zone_id = made.hosted_zone_id
        self.register_outputs({"distributionId": made.id, "distributionDomain": made.domain_name})
