"""Reads a distribution, with its policies and functions, from CloudFront."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.cdn import javascript
from rehearsal.aws.cdn.model import (
    Behaviour,
    CachePolicy,
    Choice,
    Distribution,
    ErrorPage,
    Event,
    Function,
    Group,
    Origin,
    Selection,
)

log = logging.getLogger(__name__)


class Reader:
    """One look at an account's distributions. client: boto3's of CloudFront. Each policy is asked for once."""

    def __init__(self, client: Any, account: str) -> None:
        self._client, self._account = client, account
        self._found: dict[tuple[str, str], Any] = {}

    def distributions(self) -> Iterator[Distribution]:
        for page in self._client.get_paginator("list_distributions").paginate():
            for each in page["DistributionList"].get("Items", ()):
                try:
                    yield self.read(each["Id"])
                except (ClientError, KeyError, ValueError) as error:
                    # Deleted meanwhile, or with something that is not known here: it has no door, the others have.
                    log.warning("the distribution %s cannot be read: %r", each["Id"], error)

    def invalidations(self, distribution: str, but: Collection[str]) -> list[tuple[str, list[str]]]:
        """Ids and paths of those that are not known yet; none of a distribution that was deleted meanwhile."""
        try:
            ids = [each["Id"] for page in self._client.get_paginator("list_invalidations").paginate(
                DistributionId=distribution) for each in page["InvalidationList"].get("Items", ())]
            return [(id, _items(self._client.get_invalidation(DistributionId=distribution, Id=id)["Invalidation"][
                "InvalidationBatch"].get("Paths"))) for id in ids if id not in but]
        except ClientError as error:
            log.warning("the invalidations of %s cannot be read: %s", distribution, error)
            return []

    def read(self, id: str) -> Distribution:
        got = self._client.get_distribution(Id=id)["Distribution"]
        config = got["DistributionConfig"]
        behaviours = [*_items(config.get("CacheBehaviors")), {"PathPattern": "*", **config["DefaultCacheBehavior"]}]
        return Distribution(
            account=self._account, id=id, arn=got["ARN"], domain=got["DomainName"], enabled=config["Enabled"],
            aliases=tuple(name.lower() for name in _items(config.get("Aliases"))),
            root=(config.get("DefaultRootObject") or "").lstrip("/"),
            behaviours=tuple(self._behaviour(each) for each in behaviours),
            origins={each["Id"]: _origin(each) for each in _items(config["Origins"])},
            groups={each["Id"]: Group(
                each["Id"], tuple(member["OriginId"] for member in _items(each["Members"])),
                frozenset(_items(each["FailoverCriteria"]["StatusCodes"])))
                for each in _items(config.get("OriginGroups"))},
            errors={each["ErrorCode"]: ErrorPage(
                each.get("ResponsePagePath") or "", int(each["ResponseCode"]) if each.get("ResponseCode") else None,
                each.get("ErrorCachingMinTTL", ErrorPage.minimum))
                for each in _items(config.get("CustomErrorResponses"))})

    def _behaviour(self, raw: Mapping[str, Any]) -> Behaviour:
        methods = raw.get("AllowedMethods") or {"Items": ["GET", "HEAD"], "CachedMethods": {"Items": ["GET", "HEAD"]}}
        request, headers = raw.get("OriginRequestPolicyId"), raw.get("ResponseHeadersPolicyId")
        policy = raw.get("CachePolicyId")
        functions = {Event(each["EventType"]): Function(each["LambdaFunctionARN"], each.get("IncludeBody", False))
                     for each in _items(raw.get("LambdaFunctionAssociations"))}
        functions |= {Event(each["EventType"]): Function(each["FunctionARN"], code=self._code(each["FunctionARN"]))
                      for each in _items(raw.get("FunctionAssociations"))}
        return Behaviour(
            pattern=raw["PathPattern"], target=raw["TargetOriginId"],
            viewer_protocol_policy=raw["ViewerProtocolPolicy"], allowed=frozenset(_items(methods)),
            cached=frozenset(_items(methods.get("CachedMethods"))), compress=raw.get("Compress", False),
            cache=_cache(self._policy("cache_policy", policy)) if policy else _forwarded(raw),
            request=_selection(self._policy("origin_request_policy", request)) if request else None,
            headers_policy=self._policy("response_headers_policy", headers) if headers else None,
            functions=functions)

    def _policy(self, kind: str, id: str) -> Any:
        if (kind, id) not in self._found:
            name = "".join(part.capitalize() for part in kind.split("_"))
            self._found[kind, id] = getattr(self._client, f"get_{kind}")(Id=id)[name][f"{name}Config"]
        return self._found[kind, id]

    def _code(self, arn: str) -> str:
        if ("function", arn) not in self._found:
            answer = self._client.get_function(Name=javascript.name_of(arn), Stage="LIVE")
            self._found["function", arn] = answer["FunctionCode"].read().decode()
        return str(self._found["function", arn])


def _cache(config: Mapping[str, Any]) -> CachePolicy:
    key = config["ParametersInCacheKeyAndForwardedToOrigin"]
    return CachePolicy(_selection(key), config["MinTTL"], config.get("DefaultTTL", CachePolicy.default),
                       config.get("MaxTTL", CachePolicy.maximum), key.get("EnableAcceptEncodingGzip", False),
                       key.get("EnableAcceptEncodingBrotli", False))


def _selection(config: Mapping[str, Any]) -> Selection:
    headers, cookies, queries = config["HeadersConfig"], config["CookiesConfig"], config["QueryStringsConfig"]
    return Selection(
        Choice(headers["HeaderBehavior"], frozenset(name.lower() for name in _items(headers.get("Headers")))),
        Choice(cookies["CookieBehavior"], frozenset(_items(cookies.get("Cookies")))),
        Choice(queries["QueryStringBehavior"], frozenset(_items(queries.get("QueryStrings")))))


def _forwarded(raw: Mapping[str, Any]) -> CachePolicy:
    """The legacy settings of a behaviour without a policy. gzip is in their key."""
    values = raw.get("ForwardedValues") or {"QueryString": False, "Cookies": {"Forward": "none"}}
    headers = frozenset(name.lower() for name in _items(values.get("Headers")))
    keys, cookies = _items(values.get("QueryStringCacheKeys")), values["Cookies"]
    queries = ("whitelist" if keys else "all") if values["QueryString"] else "none"
    return CachePolicy(
        Selection(Choice("all") if "*" in headers else Choice("whitelist", headers),
                  Choice(cookies["Forward"], frozenset(_items(cookies.get("WhitelistedNames")))),
                  Choice(queries, frozenset(keys))),
        raw.get("MinTTL", 0), raw.get("DefaultTTL", CachePolicy.default), raw.get("MaxTTL", CachePolicy.maximum), True)


def _origin(raw: Mapping[str, Any]) -> Origin:
    custom = raw.get("CustomOriginConfig") or {}
    return Origin(
        id=raw["Id"], domain=raw["DomainName"], path=raw.get("OriginPath") or "", bucket=not custom,
        headers=tuple((each["HeaderName"], each["HeaderValue"]) for each in _items(raw.get("CustomHeaders"))),
        access_control=bool(raw.get("OriginAccessControlId")),
        protocol=custom.get("OriginProtocolPolicy", Origin.protocol),
        read_seconds=float(custom.get("OriginReadTimeout", Origin.read_seconds)),
        connect_seconds=float(raw.get("ConnectionTimeout", Origin.connect_seconds)),
        attempts=int(raw.get("ConnectionAttempts", Origin.attempts)))


def _items(part: Any) -> list[Any]:
    return list((part or {}).get("Items") or ())
