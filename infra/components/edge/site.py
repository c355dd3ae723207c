"""The site's distribution: the static site's colours, the assets, the REST API, and the load balancer (N3, N6, N7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.edge import distribution
from infra.plans import edge
from infra.plans.firewall import ORIGIN_HEADER
from infra.plans.hosts import Hosts


@dataclass(frozen=True)
class ApiOrigin:
    """The REST API as CloudFront asks for it. path: of the stage, such as `/live`; none for a custom domain."""

    domain: pulumi.Input[str]
    path: pulumi.Input[str] | None = None


@dataclass(frozen=True)
class SiteArgs:
    """origin_secret: what the regional web ACL expects in `x-origin-verify`.
    optimizer_arn: of a published version of the function at the edge, in us-east-1."""

    hosts: Hosts
    shared: distribution.Shared
    origin_secret: pulumi.Input[str]
    optimizer_arn: pulumi.Input[str]
    api: ApiOrigin | None = None


class Site(Component):
    """CloudFront before everything that `apex` and `www` answer.

    Which colour of the static site is live is the target of its behaviours. Operations move it; `up` leaves exactly
    that alone. Where the load balancer is, DNS says (`origin.{apex}`): a failover moves a record, not the distribution.
    """

    module = "edge"

    distribution_id: pulumi.Output[str]
    distribution_domain: pulumi.Output[str]
    distribution_arn: pulumi.Output[str]
    distribution_zone_id: pulumi.Output[str]

    def __init__(self, name: str, args: SiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        behaviours = [one for one in edge.BEHAVIOURS if one.origin is not edge.Origin.API or args.api is not None]
        found = args.shared.arguments(args.hosts.site, "cloudfront/") | {
            "origins": [*(args.shared.bucket(origin) for origin in args.shared.buckets), *_servers(args)],
            "origin_groups": [distribution.group(origin) for origin in edge.ORIGIN_GROUPS],
            "default_cache_behavior": args.shared.behaviour(edge.DEFAULT_BEHAVIOUR, args.optimizer_arn),
            "ordered_cache_behaviors": [
                {"path_pattern": one.path, **args.shared.behaviour(one, args.optimizer_arn)} for one in behaviours],
            "custom_error_responses": [
                *({"error_code": code, "response_code": code, "response_page_path": edge.OFFLINE_PAGE,
                   "error_caching_min_ttl": edge.ERROR_CACHING_SECONDS} for code in edge.OFFLINE_STATUS_CODES),
                *({"error_code": code, "error_caching_min_ttl": 0} for code in edge.UNKEPT_STATUS_CODES)]}
        made = aws.cloudfront.Distribution(
            f"{name}-distribution", **found, opts=self.child(ignore_changes=edge.live_colour_paths(behaviours)))
        # CacheHitRate and the latency of the origin are metrics only with it (M2).
        aws.cloudfront.MonitoringSubscription(
            f"{name}-metrics", distribution_id=made.id,
            monitoring_subscription={"realtime_metrics_subscription_config": {
                "realtime_metrics_subscription_status": "Enabled"}}, opts=self.child())
        self.distribution_id = made.id
        self.distribution_domain = made.domain_name
        self.distribution_arn = made.arn
        self.distribution_zone_id = made.hosted_zone_id
        self.register_outputs({
            "distributionId": made.id, "distributionDomain": made.domain_name, "distributionArn": made.arn,
            "distributionZoneId": made.hosted_zone_id})


def _servers(args: SiteArgs) -> list[dict[str, Any]]:
    """The origins that are no buckets."""
    found = [_server(edge.Origin.LOAD_BALANCER, args.hosts.origin, None, args.origin_secret)]
    if args.api is not None:
        found.append(_server(edge.Origin.API, args.api.domain, args.api.path, args.origin_secret))
    return found


def _server(origin: edge.Origin, domain: pulumi.Input[str], path: pulumi.Input[str] | None,
            secret: pulumi.Input[str]) -> dict[str, Any]:
    return {"origin_id": origin.value, "domain_name": domain, **({} if path is None else {"origin_path": path}),
            "custom_headers": [{"name": ORIGIN_HEADER, "value": secret}],
            "custom_origin_config": {"http_port": 80, "https_port": 443, "origin_protocol_policy": "https-only",
                                     "origin_ssl_protocols": ["TLSv1.2"], "origin_keepalive_timeout": 60,
                                     "origin_read_timeout": 60}}
