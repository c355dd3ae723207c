"""What CloudFront keeps of an answer, for whom, and what it tells the origin (N3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans import edge


@dataclass(frozen=True)
class CachingArgs:
    """site: the site's name, for people."""

    site: str


class Caching(Component):
    """Policies that the distributions share, and the right by which they read buckets."""

    module = "edge"

    cache_policy_ids: Mapping[edge.Caching, pulumi.Output[str]]
    request_policy_ids: Mapping[edge.Origin, pulumi.Output[str]]  # of origins that get more than the cache key
    access_control_id: pulumi.Output[str]

    def __init__(self, name: str, args: CachingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.cache_policy_ids = {caching: self._cache_policy(name, caching) for caching in edge.Caching}
        self.request_policy_ids = {
            edge.Origin.LOAD_BALANCER: self._request_policy(
                f"{name}-viewer", "Everything that the viewer sent", {"header_behavior": "allViewer"}),
            # API Gateway finds an API by the Host.
            edge.Origin.API: self._request_policy(
                f"{name}-api", "Everything that the viewer sent but its Host",
                {"header_behavior": "allExcept", "headers": {"items": ["Host"]}})}
        access = aws.cloudfront.OriginAccessControl(
            f"{name}-buckets", description=args.site, origin_access_control_origin_type="s3",
            signing_behavior="always", signing_protocol="sigv4", opts=self.child())
        self.access_control_id = access.id
        self.register_outputs({"accessControlId": access.id})

    def _cache_policy(self, name: str, caching: edge.Caching) -> pulumi.Output[str]:
        """Answers that are not cached at all must not vary by anything: CloudFront refuses it."""
        live = edge.TIMES_TO_LIVE[caching]
        pages = caching is edge.Caching.PAGES
        compressed = caching is not edge.Caching.NONE
        headers: dict[str, Any] = {"header_behavior": "none"}
        if pages:
            headers = {"header_behavior": "whitelist", "headers": {"items": list(edge.PAGE_KEY_HEADERS)}}
        key: Any = {
            "cookies_config": {"cookie_behavior": "all" if pages else "none"},
            "headers_config": headers,
            "query_strings_config": {"query_string_behavior": "all" if pages else "none"},
            "enable_accept_encoding_brotli": compressed,
            "enable_accept_encoding_gzip": compressed,
        }
        made = aws.cloudfront.CachePolicy(
            f"{name}-{caching.value}", comment=f"Candlefish {caching.value}", min_ttl=live.minimum,
            default_ttl=live.default, max_ttl=live.maximum, parameters_in_cache_key_and_forwarded_to_origin=key,
            opts=self.child())
        return made.id

    def _request_policy(self, name: str, comment: str, headers: Any) -> pulumi.Output[str]:
        made = aws.cloudfront.OriginRequestPolicy(
            name, comment=comment, headers_config=headers, cookies_config={"cookie_behavior": "all"},
            query_strings_config={"query_string_behavior": "all"}, opts=self.child())
        return made.id
