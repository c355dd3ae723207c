"""A distribution as its data plane needs it. Read from CloudFront by `configuration`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Event(StrEnum):
    """When a function runs."""

    VIEWER_REQUEST = "viewer-request"
    ORIGIN_REQUEST = "origin-request"
    ORIGIN_RESPONSE = "origin-response"
    VIEWER_RESPONSE = "viewer-response"


@dataclass(frozen=True)
class Choice:
    """Which headers, cookies or query strings: CloudFront's word (`none`, `whitelist`, `allExcept`, `all`, `allViewer`,
    `allViewerAndWhitelistCloudFront`) and the names it is about, headers in lower case."""

    behaviour: str = "none"
    names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Selection:
    headers: Choice = Choice()
    cookies: Choice = Choice()
    queries: Choice = Choice()


@dataclass(frozen=True)
class CachePolicy:
    """What is in the cache key and goes to the origin, and for how long an answer is kept, in seconds."""

    selection: Selection = Selection()
    minimum: int = 0
    default: int = 86_400
    maximum: int = 31_536_000
    gzip: bool = False
    brotli: bool = False


@dataclass(frozen=True)
class Function:
    """arn: of a published version (Lambda@Edge), or of a CloudFront function, whose live code is here too."""

    arn: str
    include_body: bool = False
    code: str = ""

    @property
    def at_edge(self) -> bool:
        return ":lambda:" in self.arn


@dataclass(frozen=True)
class Behaviour:
    """pattern: CloudFront's path pattern; `*` of the default. headers_policy: a ResponseHeadersPolicyConfig."""

    pattern: str
    target: str
    viewer_protocol_policy: str
    allowed: frozenset[str]
    cached: frozenset[str]
    compress: bool
    cache: CachePolicy
    request: Selection | None = None
    headers_policy: Mapping[str, Any] | None = None
    functions: Mapping[Event, Function] | None = None

    def function(self, event: Event) -> Function | None:
        return (self.functions or {}).get(event)


@dataclass(frozen=True)
class Origin:
    """attempts: of connections."""

    id: str
    domain: str
    path: str
    headers: tuple[tuple[str, str], ...]
    bucket: bool
    access_control: bool = False
    protocol: str = "https-only"
    read_seconds: float = 30.0
    connect_seconds: float = 10.0
    attempts: int = 3


@dataclass(frozen=True)
class Group:
    """Origins in order of preference, and the statuses after which the next is asked."""

    id: str
    members: tuple[str, ...]
    statuses: frozenset[int]


@dataclass(frozen=True)
class ErrorPage:
    """page: path of what is answered instead, or none: then only the time (seconds) counts."""

    page: str = ""
    status: int | None = None
    minimum: int = 10


@dataclass(frozen=True)
class Distribution:
    account: str
    id: str
    arn: str
    domain: str
    enabled: bool
    aliases: tuple[str, ...]
    root: str
    behaviours: tuple[Behaviour, ...]  # the default is the last
    origins: Mapping[str, Origin]
    groups: Mapping[str, Group]
    errors: Mapping[int, ErrorPage]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.aliases, self.domain)
