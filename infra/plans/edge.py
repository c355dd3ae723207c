"""What CloudFront does, as tables: origins, cache behaviours, security headers (N3, N4, N6, N7)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from infra.plans.hosts import Hosts

# --- Cache behaviours -------------------------------------------------------------------------------------------------


class Origin(StrEnum):
    """Ids of CloudFront's origins and origin groups."""

    SITE_BLUE = "site-blue"
    SITE_GREEN = "site-green"
    SITE_BLUE_FIRST = "site-blue-first"  # groups: the live colour, then the other
    SITE_GREEN_FIRST = "site-green-first"
    ASSETS = "assets"
    ASSETS_REPLICA = "assets-replica"  # in the recovery region; without one a colour of the site takes its place
    ASSETS_FIRST = "assets-first"
    LOAD_BALANCER = "load-balancer"
    API = "api"  # the REST API of the animation analytics


class Caching(StrEnum):
    STATIC = "static"  # names carry a hash of the content: a year
    DOCUMENTS = "documents"  # as long as the object's own Cache-Control says, else a day
    PAGES = "pages"  # as long as the page's own Cache-Control says, else not at all
    NONE = "none"


READ_METHODS = ("GET", "HEAD", "OPTIONS")
ALL_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")
CACHED_METHODS = ("GET", "HEAD")


@dataclass(frozen=True)
class Behaviour:
    """One path pattern of the distribution, in order of precedence. optimized: the function at the edge runs first."""

    path: str
    origin: Origin
    caching: Caching
    methods: tuple[str, ...]
    optimized: bool = False


OFFLINE_PREFIX = "/offline/"
OFFLINE_PAGE = f"{OFFLINE_PREFIX}index.html"
NOT_FOUND_PAGE = "/errors/not-found.html"  # of the static pages' distribution
# While two releases of the website are live, pages of both ask for their own build's files: the group of the site's
# two colours has both, the live one first.
BEHAVIOURS = (
    Behaviour("/_next/static/*", Origin.SITE_BLUE_FIRST, Caching.STATIC, READ_METHODS),
    Behaviour(f"{OFFLINE_PREFIX}*", Origin.SITE_BLUE_FIRST, Caching.STATIC, READ_METHODS),
    Behaviour("/assets/*", Origin.ASSETS_FIRST, Caching.DOCUMENTS, READ_METHODS),
    Behaviour("/api/analytics*", Origin.API, Caching.NONE, ALL_METHODS),
    Behaviour("/memory*", Origin.API, Caching.NONE, ALL_METHODS),
    Behaviour("/experiments*", Origin.API, Caching.NONE, ALL_METHODS),
    Behaviour("/api/*", Origin.LOAD_BALANCER, Caching.NONE, ALL_METHODS),
    Behaviour("/health", Origin.LOAD_BALANCER, Caching.NONE, READ_METHODS),
    Behaviour("/ws*", Origin.LOAD_BALANCER, Caching.NONE, ALL_METHODS),
    Behaviour("/operational-dashboard*", Origin.LOAD_BALANCER, Caching.NONE, ALL_METHODS),
    Behaviour("/oauth2/*", Origin.LOAD_BALANCER, Caching.NONE, READ_METHODS),  # where a sign-in comes back
)
DEFAULT_BEHAVIOUR = Behaviour("*", Origin.LOAD_BALANCER, Caching.PAGES, ALL_METHODS, optimized=True)
ORIGIN_GROUPS = {
    Origin.SITE_BLUE_FIRST: (Origin.SITE_BLUE, Origin.SITE_GREEN),
    Origin.SITE_GREEN_FIRST: (Origin.SITE_GREEN, Origin.SITE_BLUE),
    Origin.ASSETS_FIRST: (Origin.ASSETS, Origin.ASSETS_REPLICA),
}
LIVE_COLOUR = (Origin.SITE_BLUE_FIRST, Origin.SITE_GREEN_FIRST)
# 403 too: that is what S3 says of a missing key to a reader who may not list the bucket.
FAILOVER_STATUS_CODES = (403, 404, 500, 502, 503, 504)
# The offline page stands in when the load balancer cannot be reached. Not for 503: the maintenance page comes with its
# Retry-After from the load balancer (O6), and an error page of CloudFront's would drop that header.
OFFLINE_STATUS_CODES = (502, 504)
ERROR_CACHING_SECONDS = 5
# CloudFront keeps a 503 for 10 s unless told otherwise, and its key does not have the header by which the maintenance
# page is looked at before it is up: one look would be everybody's answer.
UNKEPT_STATUS_CODES = (503,)
# CloudFront asks for it in place of `/`; the load balancer turns it back (`infra.plans.ingress.root_rewrite`).
ROOT_OBJECT = "index.html"
YEAR_SECONDS = 31_536_000
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class TimeToLive:
    minimum: int
    default: int
    maximum: int


TIMES_TO_LIVE = {
    Caching.STATIC: TimeToLive(DAY_SECONDS, YEAR_SECONDS, YEAR_SECONDS),
    Caching.DOCUMENTS: TimeToLive(0, DAY_SECONDS, YEAR_SECONDS),
    Caching.PAGES: TimeToLive(0, 0, YEAR_SECONDS),
    Caching.NONE: TimeToLive(0, 0, 0),
}


def live_colour_paths(behaviours: Sequence[Behaviour] = BEHAVIOURS) -> list[str]:
    """Where the distribution says which colour of the static site is live: operations' own (N6)."""
    return [f"orderedCacheBehaviors[{index}].targetOriginId"
            for index, behaviour in enumerate(behaviours) if behaviour.origin in LIVE_COLOUR]


# --- Function at the edge (N4) ---------------------------------------------------------------------------------------

# What `functions/edge` writes into a viewer's request. Pages may vary by these and by nothing else of the viewer's.
DEVICE_HEADER = "x-device-class"
IMAGE_HEADER = "x-image-format"
PAGE_KEY_HEADERS = ("Authorization", "Host", DEVICE_HEADER, IMAGE_HEADER)


def static_hosts_function(*served: Hosts) -> str:
    """Code of the CloudFront function that leads `docs.` and its like to their folders of one bucket.

    `https://docs.candlefish.ai/guide/` is the object `docs/guide/index.html`. The objects of `assets.` are those below
    `/assets/` of the site too, so both spellings of such an address find the same.
    """
    folders = json.dumps({host: folder for hosts in served for host, folder in (
        (hosts.assets, "/assets"), (hosts.docs, "/docs"), (hosts.status, "/status"))}, indent=4)
    return f"""var folders = {folders};

function handler(event) {{
    var request = event.request;
    var host = request.headers.host ? request.headers.host.value.toLowerCase() : "";
    var folder = folders[host];
    if (!folder) {{
        return {{ statusCode: 404, statusDescription: "Not Found" }};
    }}
    var uri = request.uri;
    if (folder !== "/assets") {{
        if (uri.endsWith("/")) {{
            uri += "index.html";
        }} else if (uri.slice(uri.lastIndexOf("/")).indexOf(".") < 0) {{
            uri += "/index.html";
        }}
    }}
    request.uri = uri.startsWith(folder + "/") ? uri : folder + uri;
    return request;
}}
"""


# --- Security headers -------------------------------------------------------------------------------------------------

FRAME_OPTION = "DENY"
REFERRER_POLICY = "strict-origin-when-cross-origin"
STRICT_TRANSPORT_SECONDS = 2 * YEAR_SECONDS  # the preload list asks for a year or more
PERMISSIONS_POLICY = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"


def content_security_policy(hosts: Hosts, report_uri: str) -> str:
    """The policy for answers that bring none of their own.

    The animation needs WebAssembly and workers from blobs; the site talks to its API and WebSocket hosts.
    """
    directives = {
        "default-src": "'self'",
        "script-src": "'self' 'wasm-unsafe-eval'",
        "style-src": "'self' 'unsafe-inline'",  # the animation library sets style attributes
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": f"'self' https://{hosts.api} wss://{hosts.apex} wss://{hosts.ws}",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "upgrade-insecure-requests": "",
        "report-uri": report_uri,
    }
    return "; ".join(f"{name} {value}".strip() for name, value in directives.items())
