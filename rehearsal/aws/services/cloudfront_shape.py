"""A distribution's configuration: its names on both sides."""

from __future__ import annotations

from typing import Any

from rehearsal.aws.services._convert import Names
from rehearsal.engine.values import Properties

NAMES = Names(
    {
        "Origin.originId": "Id",
        "OriginGroup.originId": "Id",
        "OriginCustomHeader.name": "HeaderName",
        "OriginCustomHeader.value": "HeaderValue",
        "lambdaArn": "LambdaFunctionARN",
        "GeoRestriction.locations": "Items",
        "orderedCacheBehaviors": "CacheBehaviors",
        "loggingConfig": "Logging",
        "cloudfrontDefaultCertificate": "CloudFrontDefaultCertificate",
    },
    lists=(
        "Origins",
        "CustomHeaders",
        "OriginSslProtocols",
        "OriginGroups",
        "OriginGroupMembers",
        "StatusCodes",
        "CacheBehaviors",
        "FunctionAssociations",
        "LambdaFunctionAssociations",
        "CustomErrorResponses",
        "Aliases",
        "AllowedMethods",
        "CachedMethods",
        "CookieNames",
        "Headers",
        "QueryStringCacheKeys",
        "TrustedKeyGroups",
        "TrustedSigners",
    ),
    hidden=("ViewerCertificate.Certificate", "ViewerCertificate.CertificateSource"),
)

CONFIGURATION = (
    "defaultCacheBehavior",
    "enabled",
    "origins",
    "restrictions",
    "viewerCertificate",
    "aliases",
    "comment",
    "continuousDeploymentPolicyId",
    "customErrorResponses",
    "defaultRootObject",
    "httpVersion",
    "isIpv6Enabled",
    "orderedCacheBehaviors",
    "originGroups",
    "priceClass",
    "staging",
    "webAclId",
    "anycastIpListId",
    "loggingConfig",
)


def request(shape: Any, inputs: Properties, caller_reference: str) -> dict[str, Any]:
    """A DistributionConfig. Everything that the API wants in an update is there, also when the program is silent."""
    sent = {key: inputs[key] for key in CONFIGURATION if inputs.get(key) is not None}
    behaviors = [sent.pop("defaultCacheBehavior"), *sent.pop("orderedCacheBehaviors", [])]
    logging = sent.pop("loggingConfig", None) or {}
    for each in sent.get("customErrorResponses") or ():
        if each.get("responseCode") is not None:
            sent["customErrorResponses"] = [
                {**error, "responseCode": str(error["responseCode"])} if error.get("responseCode") else error
                for error in sent["customErrorResponses"]
            ]
            break
    config: dict[str, Any] = NAMES.request(shape, {"comment": "", "aliases": [], "origins": [], **sent})
    first, *ordered = [_behavior(shape, each, index == 0) for index, each in enumerate(behaviors)]
    config |= {
        "CallerReference": caller_reference,
        "DefaultCacheBehavior": first,
        "CacheBehaviors": {"Quantity": len(ordered), **({"Items": ordered} if ordered else {})},
        "Logging": {
            "Enabled": bool(logging.get("bucket")),
            "Bucket": logging.get("bucket") or "",
            "IncludeCookies": bool(logging.get("includeCookies")),
            "Prefix": logging.get("prefix") or "",
        },
    }
    for origin in config["Origins"].get("Items", ()):
        if "CustomOriginConfig" not in origin and "VpcOriginConfig" not in origin:
            origin.setdefault("S3OriginConfig", {"OriginAccessIdentity": ""})
        origin.setdefault("OriginPath", "")
    return config


def _behavior(shape: Any, behavior: Properties, default: bool) -> dict[str, Any]:
    item = shape.members["DefaultCacheBehavior"] if default else shape.members["CacheBehaviors"].members["Items"].member
    plain = {
        key: value
        for key, value in behavior.items()
        if key not in ("cachedMethods", "trustedKeyGroups", "trustedSigners")
    }
    sent: dict[str, Any] = NAMES.request(item, plain)
    cached = behavior["cachedMethods"]
    sent["AllowedMethods"]["CachedMethods"] = {"Quantity": len(cached), "Items": cached}
    for property, member in (("trustedKeyGroups", "TrustedKeyGroups"), ("trustedSigners", "TrustedSigners")):
        values = behavior.get(property) or []
        sent[member] = {"Enabled": bool(values), "Quantity": len(values), **({"Items": values} if values else {})}
    return sent


def response(shape: Any, config: dict[str, Any]) -> Properties:
    shown: Properties = NAMES.response(shape, config)
    got = {key: shown.get(key) for key in CONFIGURATION}
    raw = [config["DefaultCacheBehavior"], *(config.get("CacheBehaviors") or {}).get("Items", ())]
    for behavior, from_api in zip(
        [got["defaultCacheBehavior"], *(got["orderedCacheBehaviors"] or ())], raw, strict=True
    ):
        behavior["cachedMethods"] = (from_api.get("AllowedMethods") or {}).get("CachedMethods", {}).get("Items") or []
        _drop_empty(behavior)
    for each in got["customErrorResponses"] or ():
        if each.get("responseCode"):
            each["responseCode"] = int(each["responseCode"])
    for origin in got["origins"] or ():
        if (origin.get("s3OriginConfig") or {}).get("originAccessIdentity") == "":
            del origin["s3OriginConfig"]
        _drop_empty(origin)
    logging = config.get("Logging") or {}
    got["loggingConfig"] = (
        {
            "bucket": logging["Bucket"],
            "includeCookies": logging.get("IncludeCookies", False),
            "prefix": logging.get("Prefix", ""),
        }
        if logging.get("Enabled")
        else None
    )
    for key in ("aliases", "orderedCacheBehaviors", "originGroups", "customErrorResponses"):
        got[key] = got[key] or None
    geo = (got["restrictions"] or {}).get("geoRestriction")
    if geo is not None:
        geo.setdefault("locations", [])
    return got


def _drop_empty(entry: Properties) -> None:
    for key in [key for key, value in entry.items() if value in ("", [])]:
        del entry[key]
