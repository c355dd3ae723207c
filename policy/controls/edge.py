"""CloudFront and the web ACLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy.model import Resource, control, every, given, has, listed, nested

DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
WEB_ACL = "aws:wafv2/webAcl:WebAcl"
KNOWN_BAD_INPUTS = "AWSManagedRulesKnownBadInputsRuleSet"  # Log4j's CVE-2021-44228 among them


def _behaviours(distribution: Resource) -> list[Mapping[str, Any]]:
    return [*listed(distribution.at("defaultCacheBehavior")), *listed(distribution.at("orderedCacheBehaviors"))]


def _https(distribution: Resource) -> object:
    return every(_behaviours(distribution),
                 lambda each: each.get("viewerProtocolPolicy") in ("redirect-to-https", "https-only"))


def _tls(distribution: Resource) -> object:
    return str(distribution.at("viewerCertificate.minimumProtocolVersion")).startswith(("TLSv1.2", "TLSv1.3"))


def _buckets_by_access_control(distribution: Resource) -> object:
    return all(origin.get("originAccessControlId") for origin in listed(distribution.at("origins"))
               if not origin.get("customOriginConfig"))


def _https_to_origins(distribution: Resource) -> object:
    custom = [origin["customOriginConfig"] for origin in listed(distribution.at("origins"))
              if origin.get("customOriginConfig")]
    return all(each.get("originProtocolPolicy") == "https-only" and {*each.get("originSslProtocols", ())} == {"TLSv1.2"}
               for each in custom)


def _response_headers(distribution: Resource) -> object:
    return every(_behaviours(distribution), lambda each: each.get("responseHeadersPolicyId"))


def _knows_bad_inputs(acl: Resource) -> bool:
    return any(each.get("managedRuleGroupStatement", {}).get("name") == KNOWN_BAD_INPUTS
               for each in nested(acl.at("rules")))


def _measured(acl: Resource) -> object:
    found = [acl.at("visibilityConfig"), *(rule.get("visibilityConfig") for rule in listed(acl.at("rules")))]
    return all(each and each.get("cloudwatchMetricsEnabled") for each in found)


CONTROLS = (
    control("CKV_AWS_34 CloudFront.3", "HTTPS only", DISTRIBUTION, _https,
            "set viewer_protocol_policy='redirect-to-https' in each behaviour"),
    control("CKV_AWS_68 CloudFront.6", "behind a web ACL", DISTRIBUTION, given("webAclId"), "give web_acl_id"),
    control("CKV_AWS_174 CloudFront.15", "TLS 1.2 or later", DISTRIBUTION, _tls,
            "set minimum_protocol_version='TLSv1.2_2021'"),
    control("CKV_AWS_86 CloudFront.5", "access logs", DISTRIBUTION, given("loggingConfig.bucket"),
            "give logging_config with the bucket of logs"),
    control("CKV2_AWS_46 CloudFront.13", "buckets only by origin access control", DISTRIBUTION,
            _buckets_by_access_control, "give each bucket's origin an origin_access_control_id"),
    control("CKV2_AWS_72 CloudFront.9", "HTTPS to origins", DISTRIBUTION, _https_to_origins,
            "set origin_protocol_policy='https-only' and origin_ssl_protocols=['TLSv1.2']"),
    control("CKV2_AWS_32", "security headers", DISTRIBUTION, _response_headers,
            "give each behaviour a response_headers_policy_id"),
    control("CKV_AWS_305 CloudFront.1", "root object", DISTRIBUTION, given("defaultRootObject"),
            "give default_root_object"),
    control("CKV_AWS_310 CloudFront.4", "failover of origins", DISTRIBUTION, given("originGroups"),
            "add an origin group with two origins"),
    control("CKV2_AWS_47", "Log4j's exploits refused", DISTRIBUTION,
            lambda distribution, world: any(map(_knows_bad_inputs, world.named(distribution, "webAclId", WEB_ACL))),
            f"add {KNOWN_BAD_INPUTS} to its web ACL"),
    control("CKV_AWS_175 WAF.10", "web ACLs have rules", WEB_ACL, given("rules"), "add rules"),
    control("CKV2_AWS_31 WAF.11", "web ACLs log", WEB_ACL,
            has("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", "resourceArn"),
            "add an aws.wafv2.WebAclLoggingConfiguration"),
    control("CKV_AWS_192", "known bad inputs refused", WEB_ACL, lambda acl: _knows_bad_inputs(acl),
            f"add {KNOWN_BAD_INPUTS}"),
    control("WAF.12", "web ACLs and their rules measured", WEB_ACL, _measured,
            "set cloudwatch_metrics_enabled=True in each visibility_config"),
)
