"""What the edge does, as tables: host names, cache behaviours, firewall rules, security headers (N2–N5, E6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from infra.settings.model import Domain, Edge

# Never answered from outside (E6). Prometheus reads /api/metrics of the pods inside the cluster.
BLOCKED_PATHS = ("/api/metrics", "/admin", "/operational-dashboard")


@dataclass(frozen=True)
class Hosts:
    """Public host names of a stack. `origin` is the load balancer's name for CloudFront only."""

    apex: str
    www: str
    api: str
    origin: str

    @property
    def site(self) -> tuple[str, ...]:
        """Names that CloudFront answers."""
        return (self.apex, self.www)

    @property
    def regional(self) -> tuple[str, ...]:
        """Names that the load balancer answers; CloudFront passes on the viewer's Host."""
        return (self.apex, self.www, self.api, self.origin)


def hosts(domain: Domain) -> Hosts:
    """`staging` + `candlefish.ai` → staging.candlefish.ai, www.staging.candlefish.ai, api.staging.candlefish.ai."""
    apex = f"{domain.prefix}.{domain.name}" if domain.prefix else domain.name
    return Hosts(apex=apex, www=f"www.{apex}", api=f"api.{apex}", origin=f"origin.{apex}")


# --- Cache behaviours -------------------------------------------------------------------------------------------------


class Origin(StrEnum):
    """Ids of CloudFront's origins and origin groups."""

    SITE_BLUE = "site-blue"
    SITE_GREEN = "site-green"
    SITE_BLUE_FIRST = "site-blue-first"  # groups: the live colour, then the other
    SITE_GREEN_FIRST = "site-green-first"
    ASSETS = "assets"
    LOAD_BALANCER = "load-balancer"


class Caching(StrEnum):
    STATIC = "static"  # names carry a hash of the content: a year
    PAGES = "pages"  # as long as the page's own Cache-Control says, else not at all
    NONE = "none"


READ_METHODS = ("GET", "HEAD", "OPTIONS")
ALL_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")
CACHED_METHODS = ("GET", "HEAD")


@dataclass(frozen=True)
class Behaviour:
    """One path pattern of the distribution, in order of precedence."""

    path: str
    origin: Origin
    caching: Caching
    methods: tuple[str, ...]


OFFLINE_PREFIX = "/offline/"
OFFLINE_PAGE = f"{OFFLINE_PREFIX}index.html"
# While two releases of the website are live, pages of both ask for their own build's files: the group of the site's
# two colours has both, the live one first.
BEHAVIOURS = (
    Behaviour("/_next/static/*", Origin.SITE_BLUE_FIRST, Caching.STATIC, READ_METHODS),
    Behaviour(f"{OFFLINE_PREFIX}*", Origin.SITE_BLUE_FIRST, Caching.STATIC, READ_METHODS),
    Behaviour("/assets/*", Origin.ASSETS, Caching.STATIC, READ_METHODS),
    Behaviour("/api/*", Origin.LOAD_BALANCER, Caching.NONE, ALL_METHODS),
    Behaviour("/ws*", Origin.LOAD_BALANCER, Caching.NONE, ALL_METHODS),
)
DEFAULT_BEHAVIOUR = Behaviour("*", Origin.LOAD_BALANCER, Caching.PAGES, ALL_METHODS)
ORIGIN_GROUPS = {
    Origin.SITE_BLUE_FIRST: (Origin.SITE_BLUE, Origin.SITE_GREEN),
    Origin.SITE_GREEN_FIRST: (Origin.SITE_GREEN, Origin.SITE_BLUE),
}
# 403 too: that is what S3 says of a missing key to a reader who may not list the bucket.
FAILOVER_STATUS_CODES = (403, 404, 500, 502, 503, 504)
# The offline page stands in when the load balancer cannot be reached. Not for 503: the maintenance page comes with its
# Retry-After from the load balancer (O6), and an error page of CloudFront's would drop that header.
OFFLINE_STATUS_CODES = (502, 504)
ERROR_CACHING_SECONDS = 5
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
    Caching.PAGES: TimeToLive(0, 0, YEAR_SECONDS),
    Caching.NONE: TimeToLive(0, 0, 0),
}


def live_colour_paths() -> list[str]:
    """Where the distribution says which colour of the static site is live: operations' own (N6)."""
    return [f"orderedCacheBehaviors[{index}].targetOriginId"
            for index, behaviour in enumerate(BEHAVIOURS) if behaviour.origin in ORIGIN_GROUPS]


# --- Firewall ---------------------------------------------------------------------------------------------------------


class Scope(StrEnum):
    CLOUDFRONT = "CLOUDFRONT"
    REGIONAL = "REGIONAL"


@dataclass(frozen=True)
class ManagedRule:
    """A rule group that AWS maintains. counted: rules of it that only count."""

    name: str
    priority: int
    counted: tuple[str, ...] = ()
    inspection_level: str | None = None  # bot control only


BLOCKED_PATHS_RULE = "BlockedPathsRule"
RATE_LIMIT_RULE = "RateLimitRule"  # the name that operations ask for (N5, O5)
ORIGIN_RULE = "OriginVerifyRule"
ORIGIN_HEADER = "x-origin-verify"
RATE_WINDOW_SECONDS = 300
REDACTED_HEADERS = ("authorization", "cookie")
MANAGED_RULES = (
    ManagedRule("AWSManagedRulesAmazonIpReputationList", 10),
    # Batches of animation events and uploads are larger than the 8 KiB that this one rule allows.
    ManagedRule("AWSManagedRulesCommonRuleSet", 20, counted=("SizeRestrictions_BODY",)),
    ManagedRule("AWSManagedRulesKnownBadInputsRuleSet", 30),  # Log4j among them (CKV2_AWS_47)
    ManagedRule("AWSManagedRulesSQLiRuleSet", 40),
)
BOT_CONTROL = ManagedRule("AWSManagedRulesBotControlRuleSet", 50, inspection_level="COMMON")


def managed_rules(edge: Edge, scope: Scope) -> tuple[ManagedRule, ...]:
    """Bot control at the outermost place only: it is paid by request, and behind CloudFront it sees a request twice."""
    return (*MANAGED_RULES, BOT_CONTROL) if edge.bot_control and scope is Scope.CLOUDFRONT else MANAGED_RULES


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
        "connect-src": f"'self' https://{hosts.api} wss://{hosts.apex} wss://ws.{hosts.apex}",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "upgrade-insecure-requests": "",
        "report-uri": report_uri,
    }
    return "; ".join(f"{name} {value}".strip() for name, value in directives.items())


# --- Zone -------------------------------------------------------------------------------------------------------------


def zone_signing_key_policy(account_id: str) -> dict[str, Any]:
    """Key policy for Route 53's DNSSEC signing (Route 53 developer guide, "Working with customer managed keys")."""
    service = {"Service": "dnssec-route53.amazonaws.com"}
    return {"Version": "2012-10-17", "Statement": [
        {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
         "Action": ["kms:*"], "Resource": ["*"]},
        {"Sid": "Sign", "Effect": "Allow", "Principal": service,
         "Action": ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"], "Resource": ["*"],
         "Condition": {"StringEquals": {"aws:SourceAccount": account_id}}},
        {"Sid": "Grant", "Effect": "Allow", "Principal": service, "Action": ["kms:CreateGrant"], "Resource": ["*"],
         "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"},
                       "StringEquals": {"aws:SourceAccount": account_id}}},
    ]}


def query_log_policy(log_group_arn: str, account_id: str) -> dict[str, Any]:
    """Lets Route 53 write its query log to one log group."""
    return {"Version": "2012-10-17", "Statement": [
        {"Sid": "QueryLog", "Effect": "Allow", "Principal": {"Service": "route53.amazonaws.com"},
         "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": [f"{log_group_arn}:*"],
         "Condition": {"StringEquals": {"aws:SourceAccount": account_id}}},
    ]}
