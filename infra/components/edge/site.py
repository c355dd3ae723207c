"""The CloudFront distribution: the static site's colours, the assets, and the load balancer behind (N3, N6, N7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans import edge


@dataclass(frozen=True)
class SiteArgs:
    """As in `EdgeArgs`; origin_secret is what the regional web ACL expects in `x-origin-verify`."""

    hosts: edge.Hosts
    site_buckets: Mapping[str, pulumi.Input[str]]
    assets_bucket: pulumi.Input[str]
    logs_bucket: pulumi.Input[str]
    price_class: str
    certificate_arn: pulumi.Input[str]
    web_acl_arn: pulumi.Input[str]
    headers_policy_id: pulumi.Input[str]
    origin_secret: pulumi.Input[str]


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
        self._caching = {caching: self._cache_policy(name, caching) for caching in edge.Caching}
        self._headers_policy_id = args.headers_policy_id
        forwarding = aws.cloudfront.OriginRequestPolicy(
            f"{name}-viewer", comment="Everything that the viewer sent",
            headers_config={"header_behavior": "allViewer"}, cookies_config={"cookie_behavior": "all"},
            query_strings_config={"query_string_behavior": "all"}, opts=self.child())
        self._forwarding_policy_id = forwarding.id
        distribution: dict[str, Any] = {
            "enabled": True,
            "comment": args.hosts.apex,
            "aliases": list(args.hosts.site),
            "http_version": "http2and3",
            "is_ipv6_enabled": True,
            "price_class": args.price_class,
            "default_root_object": edge.ROOT_OBJECT,
            "origins": self._origins(name, args),
            "origin_groups": [_group(group, members) for group, members in edge.ORIGIN_GROUPS.items()],
            "default_cache_behavior": self._behaviour(edge.DEFAULT_BEHAVIOUR),
            "ordered_cache_behaviors": [
                {"path_pattern": behaviour.path, **self._behaviour(behaviour)} for behaviour in edge.BEHAVIOURS],
            "custom_error_responses": [
                {"error_code": code, "response_code": code, "response_page_path": edge.OFFLINE_PAGE,
                 "error_caching_min_ttl": edge.ERROR_CACHING_SECONDS} for code in edge.OFFLINE_STATUS_CODES],
            "viewer_certificate": {"acm_certificate_arn": args.certificate_arn, "ssl_support_method": "sni-only",
                                   "minimum_protocol_version": "TLSv1.2_2021"},
            "restrictions": {"geo_restriction": {"restriction_type": "none"}},
            "logging_config": {"bucket": args.logs_bucket, "prefix": "cloudfront/", "include_cookies": False},
            "web_acl_id": args.web_acl_arn,
            "wait_for_deployment": True,
        }
        made = aws.cloudfront.Distribution(
            f"{name}-distribution", **distribution, opts=self.child(ignore_changes=edge.live_colour_paths()))
        self.distribution_id = made.id
        self.distribution_domain = made.domain_name
        self.distribution_arn = made.arn
        self.distribution_zone_id = made.hosted_zone_id
        self.register_outputs({
            "distributionId": made.id, "distributionDomain": made.domain_name, "distributionArn": made.arn,
            "distributionZoneId": made.hosted_zone_id})

    def _cache_policy(self, name: str, caching: edge.Caching) -> aws.cloudfront.CachePolicy:
        """Answers that are not cached at all must not vary by anything: CloudFront refuses it."""
        live = edge.TIMES_TO_LIVE[caching]
        pages = caching is edge.Caching.PAGES
        compressed = caching is not edge.Caching.NONE
        headers: dict[str, Any] = {"header_behavior": "none"}
        if pages:
            headers = {"header_behavior": "whitelist", "headers": {"items": ["Authorization", "Host"]}}
        key: Any = {
            "cookies_config": {"cookie_behavior": "all" if pages else "none"},
            "headers_config": headers,
            "query_strings_config": {"query_string_behavior": "all" if pages else "none"},
            "enable_accept_encoding_brotli": compressed,
            "enable_accept_encoding_gzip": compressed,
        }
        return aws.cloudfront.CachePolicy(
            f"{name}-{caching.value}", comment=f"Candlefish {caching.value}", min_ttl=live.minimum,
            default_ttl=live.default, max_ttl=live.maximum, parameters_in_cache_key_and_forwarded_to_origin=key,
            opts=self.child())

    def _behaviour(self, behaviour: edge.Behaviour) -> dict[str, Any]:
        found: dict[str, Any] = {
            "target_origin_id": behaviour.origin.value,
            "viewer_protocol_policy": "redirect-to-https",
            "allowed_methods": list(behaviour.methods),
            "cached_methods": list(edge.CACHED_METHODS),
            "cache_policy_id": self._caching[behaviour.caching].id,
            "response_headers_policy_id": self._headers_policy_id,
            "compress": True,
        }
        if behaviour.origin is edge.Origin.LOAD_BALANCER:
            found["origin_request_policy_id"] = self._forwarding_policy_id
        return found

    def _origins(self, name: str, args: SiteArgs) -> list[dict[str, Any]]:
        access = aws.cloudfront.OriginAccessControl(
            f"{name}-buckets", description=args.hosts.apex, origin_access_control_origin_type="s3",
            signing_behavior="always", signing_protocol="sigv4", opts=self.child())
        buckets = {edge.Origin.SITE_BLUE: args.site_buckets["blue"], edge.Origin.SITE_GREEN: args.site_buckets["green"],
                   edge.Origin.ASSETS: args.assets_bucket}
        return [
            *({"origin_id": origin.value, "domain_name": bucket, "origin_access_control_id": access.id}
              for origin, bucket in buckets.items()),
            {"origin_id": edge.Origin.LOAD_BALANCER.value, "domain_name": args.hosts.origin,
             "custom_headers": [{"name": edge.ORIGIN_HEADER, "value": args.origin_secret}],
             "custom_origin_config": {"http_port": 80, "https_port": 443, "origin_protocol_policy": "https-only",
                                      "origin_ssl_protocols": ["TLSv1.2"], "origin_keepalive_timeout": 60,
                                      "origin_read_timeout": 60}},
        ]


def _group(group: edge.Origin, members: tuple[edge.Origin, edge.Origin]) -> dict[str, Any]:
    return {"origin_id": group.value, "failover_criteria": {"status_codes": list(edge.FAILOVER_STATUS_CODES)},
            "members": [{"origin_id": member.value} for member in members]}
