"""CloudFront's cache, origin request and response headers policies, and origin access controls: by MiniStack."""

from __future__ import annotations

from typing import Any, ClassVar

from rehearsal.aws.handler import Call, Handler, Naming, Reference, data_source, resource
from rehearsal.aws.services._convert import Names, found, refused, unless
from rehearsal.engine.values import Properties

_NAMES = Names({"strictTransportSecurity.includeSubdomains": "IncludeSubdomains"})

# The managed policies; from the CloudFront Developer Guide, "Use managed … policies".
CACHE = {
    "Managed-CachingOptimized": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "Managed-CachingOptimizedForUncompressedObjects": "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
    "Managed-CachingDisabled": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
    "Managed-Amplify": "2e54312d-136d-493c-8eb9-b001f22f67d2",
    "Managed-Elemental-MediaPackage": "08627262-05a9-4f76-9ded-b50ca2e3a84f",
    "UseOriginCacheControlHeaders": "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
    "UseOriginCacheControlHeaders-QueryStrings": "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
}
ORIGIN_REQUEST = {
    "Managed-AllViewer": "216adef6-5c7f-47e4-b989-5492eafa07d3",
    "Managed-AllViewerExceptHostHeader": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
    "Managed-AllViewerAndCloudFrontHeaders-2022-06": "33f36d7e-f396-46d9-90e0-52428a34d9dc",
    "Managed-CORS-CustomOrigin": "59781a5b-3903-41f3-afcb-af62929ccde1",
    "Managed-CORS-S3Origin": "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
    "Managed-Elemental-MediaTailor-PersonalizedManifests": "775133bc-15f2-49f9-abea-afb2e0bf67d2",
    "Managed-UserAgentRefererHeaders": "acba4595-bd28-49b8-b9fe-13317c0390fa",
}
RESPONSE_HEADERS = {
    "Managed-CORS-and-SecurityHeadersPolicy": "e61eb60c-9c35-4d20-a928-2b84e02af89c",
    "Managed-CORS-With-Preflight": "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
    "Managed-CORS-with-preflight-and-SecurityHeadersPolicy": "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
    "Managed-SecurityHeadersPolicy": "67f7725c-6f97-4210-82d7-5512b31e9d03",
    "Managed-SimpleCORS": "60669652-455b-4ae9-85a4-c4c02393f86c",
}
# Property of a behavior → operation, error code, managed ones.
POLICIES = {
    "cachePolicyId": ("get_cache_policy", "NoSuchCachePolicy", CACHE),
    "originRequestPolicyId": ("get_origin_request_policy", "NoSuchOriginRequestPolicy", ORIGIN_REQUEST),
    "responseHeadersPolicyId": ("get_response_headers_policy", "NoSuchResponseHeadersPolicy", RESPONSE_HEADERS),
}


def policy(path: str, property: str, value: str) -> Reference:
    operation, code, managed = POLICIES[property]
    return Reference(
        path,
        value,
        lambda call: (
            value in managed.values()
            or found(lambda: getattr(call.client("cloudfront"), operation)(Id=value), code) is not None
        ),
    )


def edge_function(property: str, value: str) -> Reference:
    name = value.rsplit("/", 1)[-1]
    return Reference(
        property,
        value,
        lambda call: (
            found(lambda: call.client("cloudfront").describe_function(Name=name, Stage="LIVE"), "NoSuchFunctionExists")
            is not None
        ),
    )


class _Policy(Handler):
    """word    in create_…, get_…; member: of the answers; shape: of the configuration"""

    tags_property = None
    global_region = "us-east-1"
    naming = Naming("name", maximum=128)
    word: ClassVar[str]
    member: ClassVar[str]
    subject: ClassVar[tuple[str, ...]]

    def _shape(self, call: Call) -> Any:
        return call.client("cloudfront").meta.service_model.shape_for(f"{self.member}Config")

    def _sent(self, call: Call, inputs: Properties) -> dict[str, Any]:
        given = {**self.defaults, **inputs}
        sent = {key: given[key] for key in ("name", "comment", *self.subject) if given.get(key) is not None}
        return {f"{self.member}Config": _NAMES.request(self._shape(call), sent)}

    def create(self, call: Call, inputs: Properties) -> str:
        answer = getattr(call.client("cloudfront"), f"create_{self.word}")(**self._sent(call, inputs))
        return str(answer[self.member]["Id"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        answer = found(lambda: getattr(call.client("cloudfront"), f"get_{self.word}")(Id=id), f"NoSuch{self.member}")
        if answer is None:
            return None
        shown: Properties = _NAMES.response(self._shape(call), answer[self.member][f"{self.member}Config"])
        got = {key: _shown(shown[key]) for key in self.subject if shown.get(key) not in (None, {})}
        kind = self.word.replace("_", "-")
        return {
            "name": shown["name"],
            "comment": shown.get("comment") or None,
            **got,
            "etag": answer["ETag"],
            "arn": f"arn:aws:cloudfront::{call.account}:{kind}/{id}",
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("cloudfront")
        etag = getattr(client, f"get_{self.word}")(Id=id)["ETag"]
        getattr(client, f"update_{self.word}")(Id=id, IfMatch=etag, **self._sent(call, new))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        client = call.client("cloudfront")
        current = found(lambda: getattr(client, f"get_{self.word}")(Id=id), f"NoSuch{self.member}")
        if current is not None:
            with unless(f"NoSuch{self.member}"):
                getattr(client, f"delete_{self.word}")(Id=id, IfMatch=current["ETag"])


def _shown(value: Any) -> Any:
    """Empty structures and texts, which the answers are full of, are what a program leaves out."""
    if not isinstance(value, dict):
        return value
    return {key: _shown(each) for key, each in value.items() if each not in (None, "", {}, {"items": []})}


@resource
class CachePolicy(_Policy):
    type = "aws:cloudfront/cachePolicy:CachePolicy"
    word, member = "cache_policy", "CachePolicy"
    subject = ("defaultTtl", "maxTtl", "minTtl", "parametersInCacheKeyAndForwardedToOrigin")
    defaults = {"defaultTtl": 86400, "maxTtl": 31536000, "minTtl": 0}

    def create(self, call: Call, inputs: Properties) -> str:
        if not (inputs.get("minTtl") or 0) <= inputs.get("defaultTtl", 86400) <= inputs.get("maxTtl", 31536000):
            raise refused("InvalidArgument", "minTtl ≤ defaultTtl ≤ maxTtl must hold", "CreateCachePolicy")
        return super().create(call, inputs)


@resource
class OriginRequestPolicy(_Policy):
    type = "aws:cloudfront/originRequestPolicy:OriginRequestPolicy"
    word, member = "origin_request_policy", "OriginRequestPolicy"
    subject = ("cookiesConfig", "headersConfig", "queryStringsConfig")


@resource
class ResponseHeadersPolicy(_Policy):
    type = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"
    word, member = "response_headers_policy", "ResponseHeadersPolicy"
    subject = (
        "corsConfig",
        "customHeadersConfig",
        "removeHeadersConfig",
        "securityHeadersConfig",
        "serverTimingHeadersConfig",
    )


@resource
class OriginAccessControl(_Policy):
    type = "aws:cloudfront/originAccessControl:OriginAccessControl"
    naming = Naming("name", maximum=64)
    defaults = {"description": "Managed by Pulumi"}
    word, member = "origin_access_control", "OriginAccessControl"
    subject = ("description", "originAccessControlOriginType", "signingBehavior", "signingProtocol")


def _managed(
    call: Call, arguments: Properties, operation: str, managed: dict[str, str], handler: Handler
) -> Properties:
    name, id = arguments.get("name"), arguments.get("id")
    names = {value: key for key, value in managed.items()}
    if name in managed or id in names:
        known = managed.get(name or "") or id or ""
        return {
            **arguments,
            "id": known,
            "name": names[known],
            "etag": "E23ZP02F085DFQ",
            "comment": "managed by AWS",
            "arn": f"arn:aws:cloudfront::aws:{operation}/{known}",
        }
    if id is None:
        word = handler.type.rpartition(":")[2]
        listed = getattr(call.client("cloudfront"), f"list_{operation.replace('-', '_')[:-1]}ies")(Type="custom")
        entries = listed[f"{word}List"].get("Items", ())
        id = next((each[word]["Id"] for each in entries if each[word][f"{word}Config"]["Name"] == name), None)
    got = handler.read(call, id, {}) if id else None
    if got is None:
        raise refused(
            "NoSuchPolicy", f"no {operation} {name or id!r}; a managed one is called Managed-…", "List" + operation, 404
        )
    return {**got, "id": id}


@data_source("aws:cloudfront/getCachePolicy:getCachePolicy")
def get_cache_policy(call: Call, arguments: Properties) -> Properties:
    return _managed(call, arguments, "cache-policy", CACHE, CachePolicy())


@data_source("aws:cloudfront/getOriginRequestPolicy:getOriginRequestPolicy")
def get_origin_request_policy(call: Call, arguments: Properties) -> Properties:
    return _managed(call, arguments, "origin-request-policy", ORIGIN_REQUEST, OriginRequestPolicy())


@data_source("aws:cloudfront/getResponseHeadersPolicy:getResponseHeadersPolicy")
def get_response_headers_policy(call: Call, arguments: Properties) -> Properties:
    return _managed(call, arguments, "response-headers-policy", RESPONSE_HEADERS, ResponseHeadersPolicy())
