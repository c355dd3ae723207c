"""What both distributions have in common: TLS, protocols, logs, behaviours and origins in CloudFront's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from infra.components.edge.caching import Caching
from infra.plans import edge


@dataclass(frozen=True)
class Shared:
    """What every distribution of the stack uses.

    buckets: origin → regional domain name. The replica is among them, or else a colour of the site in its place.
    logs_bucket: domain name of a bucket with ownership BucketOwnerPreferred: standard logs are delivered by ACL.
    certificate_arn, web_acl_arn: in us-east-1.
    """

    buckets: Mapping[edge.Origin, pulumi.Input[str]]
    caching: Caching
    headers_policy_id: pulumi.Input[str]
    certificate_arn: pulumi.Input[str]
    web_acl_arn: pulumi.Input[str]
    logs_bucket: pulumi.Input[str]
    price_class: str

    def arguments(self, aliases: Sequence[str], log_prefix: str) -> dict[str, Any]:
        """Arguments of a `Distribution` that are the same for each."""
        return {
            "enabled": True,
            "comment": aliases[0],
            "aliases": list(aliases),
            "http_version": "http2and3",
            "is_ipv6_enabled": True,
            "price_class": self.price_class,
            "default_root_object": edge.ROOT_OBJECT,
            "viewer_certificate": {"acm_certificate_arn": self.certificate_arn, "ssl_support_method": "sni-only",
                                   "minimum_protocol_version": "TLSv1.2_2021"},
            "restrictions": {"geo_restriction": {"restriction_type": "none"}},
            "logging_config": {"bucket": self.logs_bucket, "prefix": log_prefix, "include_cookies": False},
            "web_acl_id": self.web_acl_arn,
            "wait_for_deployment": True,
        }

    def behaviour(self, behaviour: edge.Behaviour, optimizer_arn: pulumi.Input[str] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = {
            "target_origin_id": behaviour.origin.value,
            "viewer_protocol_policy": "redirect-to-https",
            "allowed_methods": list(behaviour.methods),
            "cached_methods": list(edge.CACHED_METHODS),
            "cache_policy_id": self.caching.cache_policy_ids[behaviour.caching],
            "response_headers_policy_id": self.headers_policy_id,
            "compress": True,
        }
        if behaviour.origin in self.caching.request_policy_ids:
            found["origin_request_policy_id"] = self.caching.request_policy_ids[behaviour.origin]
        if behaviour.optimized and optimizer_arn is not None:
            found["lambda_function_associations"] = [
                {"event_type": "viewer-request", "lambda_arn": optimizer_arn, "include_body": False}]
        return found

    def bucket(self, origin: edge.Origin) -> dict[str, Any]:
        return {"origin_id": origin.value, "domain_name": self.buckets[origin],
                "origin_access_control_id": self.caching.access_control_id}


def group(origin: edge.Origin) -> dict[str, Any]:
    """The origin group: its first member, and after a failure its second."""
    return {"origin_id": origin.value, "failover_criteria": {"status_codes": list(edge.FAILOVER_STATUS_CODES)},
            "members": [{"origin_id": member.value} for member in edge.ORIGIN_GROUPS[origin]]}
