"""How the stack is delivered to viewers: both distributions and what they share (N3, N4, N6, N7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.edge.caching import Caching, CachingArgs
from infra.components.edge.distribution import Shared
from infra.components.edge.edge import Edge
from infra.components.edge.headers import SecurityHeaders, SecurityHeadersArgs
from infra.components.edge.optimizer import Optimizer, OptimizerArgs
from infra.components.edge.pages import STATUS_KEY, Pages, PagesArgs
from infra.components.edge.records import Target
from infra.components.edge.site import ApiOrigin, Site, SiteArgs
from infra.components.edge.static import Static, StaticArgs
from infra.plans.edge import Origin
from infra.settings import model


@dataclass(frozen=True)
class Content:
    """A bucket: its name, and its regional domain name (`bucket_regional_domain_name`)."""

    name: pulumi.Input[str]
    domain: pulumi.Input[str]


@dataclass(frozen=True)
class DeliveryArgs:
    """Values of the delivery.

    site_buckets: by colour (`blue`, `green`). assets_replica: domain name of the assets in the recovery region; None: a
        colour of the site stands in for them, as it holds the static export.
    logs_bucket: domain name (`{bucket}.s3.amazonaws.com`) of a bucket with ownership BucketOwnerPreferred.
    function_name: `performance-optimizer-{environment}`. api: the REST API of the animation analytics.
    aws_global: provider in us-east-1.
    """

    edge: Edge
    settings: model.Edge
    site_buckets: Mapping[str, Content]
    assets_bucket: Content
    logs_bucket: pulumi.Input[str]
    function_name: str
    account_id: pulumi.Input[str]
    aws_global: aws.Provider
    assets_replica: pulumi.Input[str] | None = None
    api: ApiOrigin | None = None


class Delivery(Component):
    """The distributions reach the load balancer as `origin.{apex}`: `Records` points that name at it later, so nothing
    here waits for the cluster."""

    module = "edge"

    distribution_id: pulumi.Output[str]  # the site's
    distribution_domain: pulumi.Output[str]
    distribution_arns: Mapping[str, pulumi.Output[str]]  # "site", "static"
    static_distribution_id: pulumi.Output[str]
    site: Target
    static: Target
    optimizer_name: pulumi.Output[str]
    status: pulumi.Output[dict[str, str]]  # where the synthetic checks write: bucket, key, and the page's url

    def __init__(self, name: str, args: DeliveryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        hosts = args.edge.hosts
        caching = Caching(f"{name}-caching", CachingArgs(site=hosts.apex), opts=self.child())
        headers = SecurityHeaders(f"{name}-headers", SecurityHeadersArgs(
            hosts=hosts, csp_report_uri=args.settings.csp_report_uri), opts=self.child())
        optimizer = Optimizer(f"{name}-optimizer", OptimizerArgs(
            function_name=args.function_name, account_id=args.account_id, provider=args.aws_global), opts=self.child())
        blue, green = args.site_buckets["blue"].domain, args.site_buckets["green"].domain
        shared = Shared(
            buckets={Origin.SITE_BLUE: blue, Origin.SITE_GREEN: green, Origin.ASSETS: args.assets_bucket.domain,
                     Origin.ASSETS_REPLICA: blue if args.assets_replica is None else args.assets_replica},
            caching=caching, headers_policy_id=headers.policy_id, certificate_arn=args.edge.certificate_arn,
            web_acl_arn=args.edge.web_acl_arn, logs_bucket=args.logs_bucket, price_class=args.settings.price_class)
        site = Site(f"{name}-site", SiteArgs(
            hosts=hosts, shared=shared, origin_secret=args.edge.origin_secret, optimizer_arn=optimizer.version_arn,
            api=args.api), opts=self.child())
        static = Static(f"{name}-static", StaticArgs(hosts=hosts, shared=shared, also=args.edge.also),
                        opts=self.child())
        Pages(f"{name}-pages", PagesArgs(
            assets_bucket=args.assets_bucket.name,
            site_buckets={colour: place.name for colour, place in args.site_buckets.items()}), opts=self.child())

        self.distribution_id = site.distribution_id
        self.distribution_domain = site.distribution_domain
        self.distribution_arns = {"site": site.distribution_arn, "static": static.distribution_arn}
        self.static_distribution_id = static.distribution_id
        self.site = Target(site.distribution_domain, site.distribution_zone_id)
        self.static = Target(static.distribution_domain, static.distribution_zone_id)
        self.optimizer_name = optimizer.function_name
        self.status = pulumi.Output.all(bucket=args.assets_bucket.name, key=STATUS_KEY, url=f"https://{hosts.status}")
        self.register_outputs({"distributionId": self.distribution_id, "distributionDomain": self.distribution_domain,
                               "staticDistributionId": self.static_distribution_id, "status": self.status})
