"""CloudFront through the provider, on the embedded AWS."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycles import Inputs, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
FUNCTION = "aws:cloudfront/function:Function"
CONTROL = "aws:cloudfront/originAccessControl:OriginAccessControl"
CACHE = "aws:cloudfront/cachePolicy:CachePolicy"
REQUEST = "aws:cloudfront/originRequestPolicy:OriginRequestPolicy"
HEADERS = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"
STORE = "aws:cloudfront/keyValueStore:KeyValueStore"
METRICS = "aws:cloudfront/monitoringSubscription:MonitoringSubscription"

ACCESS = {"name": "oac", "originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv4"}
CODE = {"name": "fn", "runtime": "cloudfront-js-2.0", "code": "function handler(event) { return event.request }"}
KEY = {"cookiesConfig": {"cookieBehavior": "none"}, "enableAcceptEncodingBrotli": True,
       "enableAcceptEncodingGzip": True,
       "headersConfig": {"headerBehavior": "whitelist", "headers": {"items": ["x-device"]}},
       "queryStringsConfig": {"queryStringBehavior": "whitelist", "queryStrings": {"items": ["v"]}}}
SECURITY: Inputs = {
    "name": "r", "comment": "c", "removeHeadersConfig": {"items": [{"header": "server"}]},
    "serverTimingHeadersConfig": {"enabled": True, "samplingRate": 50},
    "customHeadersConfig": {"items": [{"header": "permissions-policy", "value": "camera=()", "override": True}]},
    "corsConfig": {
        "accessControlAllowCredentials": False, "accessControlAllowHeaders": {"items": ["*"]},
        "accessControlAllowMethods": {"items": ["GET"]}, "accessControlAllowOrigins": {"items": ["https://a.b"]},
        "originOverride": True, "accessControlMaxAgeSec": 600},
    "securityHeadersConfig": {
        "contentSecurityPolicy": {"contentSecurityPolicy": "default-src 'self'", "override": True},
        "contentTypeOptions": {"override": True}, "frameOptions": {"frameOption": "DENY", "override": True},
        "referrerPolicy": {"referrerPolicy": "same-origin", "override": True},
        "strictTransportSecurity": {"accessControlMaxAgeSec": 63072000, "includeSubdomains": True, "preload": True,
                                    "override": True},
        "xssProtection": {"override": True, "protection": True, "modeBlock": True}}}
READ, ALL = ["GET", "HEAD"], ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]


def _site(aws: Any, **more: Any) -> Inputs:
    """A distribution with everything that a real site uses."""
    role = world(aws).role
    control, _ = made(aws, CONTROL, ACCESS)
    _, code = made(aws, FUNCTION, CODE)
    cache, _ = made(aws, CACHE, {"name": "static", "parametersInCacheKeyAndForwardedToOrigin": KEY})
    headers, _ = made(aws, HEADERS, SECURITY)
    certificate, _ = made(aws, "aws:acm/certificate:Certificate", {"domainName": "a.ai", "validationMethod": "DNS"})
    visible = {"cloudwatchMetricsEnabled": True, "metricName": "n", "sampledRequestsEnabled": True}
    acl = {"defaultAction": {"allow": {}}, "visibilityConfig": visible}
    _, edge = made(aws, "aws:wafv2/webAcl:WebAcl", {"name": "edge", "scope": "CLOUDFRONT", **acl})
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("m.py", "def h(event, context): return event")
    arn = aws.client("lambda").create_function(
        FunctionName="edge", Role=role, Runtime="python3.13", Handler="m.h", Code={"ZipFile": archive.getvalue()},
        Publish=True)["FunctionArn"]
    return {
        "enabled": True, "comment": "site", "aliases": ["a.ai", "www.a.ai"], "httpVersion": "http2and3",
        "isIpv6Enabled": True, "priceClass": "PriceClass_100", "defaultRootObject": "index.html",
        "webAclId": edge["arn"],
        "origins": [
            {"originId": "s3", "domainName": "b.s3.us-east-1.amazonaws.com", "originAccessControlId": control,
             "originShield": {"enabled": True, "originShieldRegion": "us-east-1"}},
            {"originId": "other", "domainName": "c.s3.us-east-1.amazonaws.com", "originAccessControlId": control,
             "originPath": "/x"},
            {"originId": "alb", "domainName": "alb.example.com", "customHeaders": [{"name": "x-origin", "value": "s"}],
             "connectionAttempts": 2, "connectionTimeout": 5, "customOriginConfig": {
                 "httpPort": 80, "httpsPort": 443, "originProtocolPolicy": "https-only",
                 "originSslProtocols": ["TLSv1.2"], "originReadTimeout": 30, "originKeepaliveTimeout": 5}}],
        "originGroups": [{"originId": "group", "failoverCriteria": {"statusCodes": [500, 502, 503]},
                          "members": [{"originId": "alb"}, {"originId": "other"}]}],
        "defaultCacheBehavior": {
            "targetOriginId": "group", "viewerProtocolPolicy": "redirect-to-https", "allowedMethods": READ,
            "cachedMethods": READ, "compress": True, "cachePolicyId": cache, "responseHeadersPolicyId": headers,
            "functionAssociations": [{"eventType": "viewer-request", "functionArn": code["arn"]}],
            "lambdaFunctionAssociations": [{"eventType": "origin-request", "lambdaArn": f"{arn}:1",
                                            "includeBody": True}]},
        "orderedCacheBehaviors": [
            {"pathPattern": "/api/*", "targetOriginId": "alb", "viewerProtocolPolicy": "https-only", "compress": True,
             "allowedMethods": ALL, "cachedMethods": READ, "cachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
             "originRequestPolicyId": "216adef6-5c7f-47e4-b989-5492eafa07d3"},
            {"pathPattern": "/old/*", "targetOriginId": "s3", "viewerProtocolPolicy": "https-only",
             "allowedMethods": READ, "cachedMethods": READ, "minTtl": 0, "defaultTtl": 60, "maxTtl": 100,
             "forwardedValues": {"queryString": True, "headers": ["Host"],
                                 "cookies": {"forward": "whitelist", "whitelistedNames": ["a"]}}}],
        "customErrorResponses": [{"errorCode": 404, "responseCode": 200, "responsePagePath": "/404.html",
                                  "errorCachingMinTtl": 10}, {"errorCode": 503, "errorCachingMinTtl": 0}],
        "loggingConfig": {"bucket": "logs.s3.amazonaws.com", "includeCookies": False, "prefix": "cf/"},
        "restrictions": {"geoRestriction": {"restrictionType": "blacklist", "locations": ["KP"]}},
        "viewerCertificate": {"acmCertificateArn": certificate, "minimumProtocolVersion": "TLSv1.2_2021",
                              "sslSupportMethod": "sni-only"}, **more}


def test_a_site_changes_in_every_way(aws: Any) -> None:
    site = _site(aws)
    plain = {**site["defaultCacheBehavior"], "targetOriginId": "s3", "lambdaFunctionAssociations": []}
    outputs = lives(
        aws, DISTRIBUTION, site, {"comment": "other"}, {"enabled": False}, {"enabled": True}, {"aliases": ["a.ai"]},
        {"customErrorResponses": None}, {"loggingConfig": None}, {"priceClass": "PriceClass_All"}, {"webAclId": None},
        {"orderedCacheBehaviors": site["orderedCacheBehaviors"][:1]},
        {"originGroups": None, "defaultCacheBehavior": {key: value for key, value in plain.items() if value != []}})
    assert outputs["hostedZoneId"] == "Z2FDTNDATAQYW2"
    assert outputs["domainName"].endswith(".cloudfront.net")


def test_what_cloudfront_refuses_is_refused(aws: Any) -> None:
    site = _site(aws)
    behavior = site["defaultCacheBehavior"]
    edge = behavior["lambdaFunctionAssociations"][0]
    latest = {**edge, "lambdaArn": edge["lambdaArn"].removesuffix("1") + "$LATEST"}
    for wrong, message in (
        ({"webAclId": site["webAclId"] + "x"}, "does not exist"),
        ({"viewerCertificate": {"cloudfrontDefaultCertificate": True}}, "aliases"),
        ({"defaultCacheBehavior": {**behavior, "targetOriginId": "no"}}, "no origin"),
        ({"defaultCacheBehavior": {**behavior, "cachePolicyId": "no"}}, "cachePolicyId.*does not exist"),
        ({"defaultCacheBehavior": {**behavior, "lambdaFunctionAssociations": [latest]}}, "published version"),
        ({"httpVersion": "http9"}, "http9"),
    ):
        refused(aws, DISTRIBUTION, {**site, **wrong}, message)


def test_extra_metrics_belong_to_a_distribution(aws: Any) -> None:
    id, _ = made(aws, DISTRIBUTION, _site(aws))
    metrics = {"realtimeMetricsSubscriptionConfig": {"realtimeMetricsSubscriptionStatus": "Enabled"}}
    lives(aws, METRICS, {"distributionId": id, "monitoringSubscription": metrics})
    refused(aws, METRICS, {"distributionId": "ENO", "monitoringSubscription": metrics}, "does not exist")


def test_policies_and_access_controls_change(aws: Any) -> None:
    cache = {"name": "static", "comment": "c", "defaultTtl": 100, "maxTtl": 1000, "minTtl": 1,
             "parametersInCacheKeyAndForwardedToOrigin": KEY}
    lives(aws, CACHE, cache, {"comment": "d"}, {"maxTtl": 2000})
    refused(aws, CACHE, {**cache, "minTtl": 5000}, "must hold")
    request = {"name": "o", "cookiesConfig": {"cookieBehavior": "whitelist", "cookies": {"items": ["a"]}},
               "headersConfig": {"headerBehavior": "allViewer"}, "queryStringsConfig": {"queryStringBehavior": "all"}}
    lives(aws, REQUEST, request, {"comment": "d"})
    refused(aws, REQUEST, {**request, "cookiesConfig": {"cookieBehavior": "what"}}, "what")
    lives(aws, HEADERS, SECURITY, {"comment": "d"}, {"removeHeadersConfig": None},
          {"securityHeadersConfig": {"contentTypeOptions": {"override": True}}})
    framed = {"frameOptions": {"frameOption": "NO", "override": True}}
    refused(aws, HEADERS, {**SECURITY, "securityHeadersConfig": framed}, "NO")
    lives(aws, CONTROL, ACCESS, {"description": "n"}, {"signingBehavior": "no-override"})
    refused(aws, CONTROL, {**ACCESS, "originAccessControlOriginType": "ftp"}, "ftp")


def test_functions_and_stores_run_at_the_edge(aws: Any) -> None:
    lives(aws, FUNCTION, CODE, {"code": "function handler(event) { return 1 }"}, {"comment": "c"})
    refused(aws, FUNCTION, {**CODE, "code": "x" * 20000}, "10240")
    refused(aws, FUNCTION, {**CODE, "runtime": "js"}, "cloudfront-js")
    lives(aws, STORE, {"name": "kv", "comment": "c"}, {"comment": "d"})
    made(aws, STORE, {"name": "kv"})
    refused(aws, STORE, {"name": "kv"}, "EntityAlreadyExists")


def test_managed_policies_are_found_by_name(aws: Any) -> None:
    provider, context = aws.provider, aws.context("")
    for kind, name, id in (("CachePolicy", "Managed-CachingDisabled", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"),
                           ("OriginRequestPolicy", "Managed-AllViewer", "216adef6-5c7f-47e4-b989-5492eafa07d3")):
        token = f"aws:cloudfront/get{kind}:get{kind}"
        assert provider.invoke(context, token, {"name": name})["id"] == id
        with pytest.raises(ProviderError, match="Managed-"):
            provider.invoke(context, token, {"name": "no"})
