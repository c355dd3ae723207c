"""The table of checks (O5)."""

from __future__ import annotations

from operations.verify import account, endpoints, firewall, names, platform, signals
from operations.verify.endpoints import API, SITE, answers
from operations.verify.model import Check

CHECKS = (
    Check("site", "endpoints", "The site answers", answers(SITE, "/"), awake=True),
    Check("site-health", "endpoints", "The website's health", answers(SITE, "/api/health"), awake=True),
    Check("health", "endpoints", "The short name of the same", answers(SITE, "/health"), awake=True),
    Check("api-health", "endpoints", "The API's health", answers(API, "/health"), awake=True),
    Check("front-door", "endpoints", "The load balancer, past CloudFront", endpoints.front_door, awake=True),
    Check("analytics-api", "endpoints", "The REST API behind CloudFront", endpoints.analytics_api),
    Check("websocket", "endpoints", "A WebSocket's ping", endpoints.websocket),
    Check("forbidden", "endpoints", "Metrics, administration and operators' pages are closed", endpoints.forbidden,
          awake=True),
    Check("security-headers", "endpoints", "Security headers", endpoints.headers, awake=True),
    Check("dns-records", "names", "Records in the zone", names.records),
    Check("dns", "names", "Names resolve", names.resolved),
    Check("tls", "names", "What visitors connect to: trust, days, version", names.handshakes),
    Check("tls-floor", "names", "Nothing older than TLS 1.2", names.floors),
    Check("certificates", "names", "Certificates' state and days left", names.certificates),
    Check("waf", "firewall", "Web ACLs are where they should be and log", firewall.attached),
    Check("waf-samples", "firewall", "RateLimitRule's sampled requests", firewall.sampled),
    Check("detectors", "account", "GuardDuty's findings", account.detectors),
    Check("config", "account", "AWS Config's rules", account.compliance),
    Check("animation", "signals", "The animation is on", signals.animation, awake=True),
    Check("frame-rate", "signals", "The animation's frames at visitors", signals.frame_rate),
    Check("cdn-hits", "signals", "CloudFront's hit rate", signals.hit_rate),
    Check("alarms", "signals", "Alarms are quiet", signals.alarms),
    Check("canaries", "signals", "Checks from outside", signals.outside, awake=True),
    Check("pods", "platform", "Pods are ready", platform.pods, awake=True),
    Check("targets", "platform", "The load balancer finds them healthy", platform.targets, awake=True),
    Check("database", "platform", "The database", platform.database),
    Check("backups", "platform", "Recovery points are fresh", platform.backups),
)
