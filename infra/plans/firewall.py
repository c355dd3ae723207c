"""The web application firewalls' rules, and what capacity they take (N5, E6).

Rules are mappings as `pulumi_aws.wafv2.WebAcl` takes them. Does not belong here: which paths are cached (`plans.edge`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from infra.plans.hosts import Hosts
from infra.settings.model import Edge

Rule = dict[str, Any]
Statement = dict[str, Any]

# Never answered from outside (E6). Prometheus reads /api/metrics of the pods inside the cluster.
BLOCKED_PATHS = ("/api/metrics", "/admin")
# Only from the operators' ranges; the load balancer asks for a sign-in besides.
OPERATOR_PATHS = ("/operational-dashboard",)


class Scope(StrEnum):
    CLOUDFRONT = "CLOUDFRONT"
    REGIONAL = "REGIONAL"


@dataclass(frozen=True)
class ManagedRule:
    """A rule group that AWS maintains. capacity: in WCU, from "AWS Managed Rules rule groups list" of the WAF developer
    guide. counted: rules of it that only count."""

    name: str
    priority: int
    capacity: int
    counted: tuple[str, ...] = ()
    inspection_level: str | None = None  # bot control only


BLOCKED_PATHS_RULE = "BlockedPathsRule"
RATE_LIMIT_RULE = "RateLimitRule"  # the name that operations ask for (N5, O5)
ORIGIN_RULE = "OriginVerifyRule"
OPERATORS_RULE = "OperatorsRule"
ORIGIN_HEADER = "x-origin-verify"
RATE_WINDOW_SECONDS = 300
REDACTED_HEADERS = ("authorization", "cookie")
MANAGED_RULES = (
    ManagedRule("AWSManagedRulesAmazonIpReputationList", 10, 25),
    # Synthetic checks and partners' servers run in data centres: those are seen, not turned away.
    ManagedRule("AWSManagedRulesAnonymousIpList", 15, 50, counted=("HostingProviderIPList",)),
    # Batches of animation events and uploads are larger than the 8 KiB that this one rule allows.
    ManagedRule("AWSManagedRulesCommonRuleSet", 20, 700, counted=("SizeRestrictions_BODY",)),
    ManagedRule("AWSManagedRulesKnownBadInputsRuleSet", 30, 200),  # Log4j among them (CKV2_AWS_47)
    ManagedRule("AWSManagedRulesSQLiRuleSet", 40, 200),
)
# Our own synthetic checks, Route 53's and partners' programs are no browsers: what says so is seen, not turned away.
BOT_CONTROL = ManagedRule(
    "AWSManagedRulesBotControlRuleSet", 50, 50, inspection_level="COMMON",
    counted=("CategoryHttpLibrary", "CategoryMonitoring", "SignalKnownBotDataCenter", "SignalNonBrowserUserAgent"))
_CAPACITIES = {rule.name: rule.capacity for rule in (*MANAGED_RULES, BOT_CONTROL)}
INCLUDED_CAPACITY = 1500  # WCU of a web ACL without a surcharge (AWS WAF pricing, 2023-04 announcement)


def managed_rules(edge: Edge, scope: Scope) -> tuple[ManagedRule, ...]:
    """Bot control at the outermost place only: it is paid by request, and behind CloudFront it sees a request twice."""
    return (*MANAGED_RULES, BOT_CONTROL) if edge.bot_control and scope is Scope.CLOUDFRONT else MANAGED_RULES


def cloudfront_rules(edge: Edge, operators_ip_set: Any) -> list[Rule]:
    """operators_ip_set: ARN of the IP set with `edge.operator_cidrs`."""
    strangers = {"not_statement": {"statement": {"ip_set_reference_statement": {"arn": operators_ip_set}}}}
    dashboards = _any([_path_starts(path) for path in OPERATOR_PATHS])
    return [_blocked_paths(1), _rate_limit(2, edge),
            _rule(OPERATORS_RULE, 3, _not_found(), {"and_statement": {"statements": [dashboards, strangers]}}),
            *(_managed(rule) for rule in managed_rules(edge, Scope.CLOUDFRONT))]


def regional_rules(edge: Edge, hosts: Hosts, origin_secret: Any, also: Hosts | None = None) -> list[Rule]:
    """Whatever isn't asked for by one of the open names must carry CloudFront's secret: also the REST API's own name.

    What comes through CloudFront has CloudFront's addresses here, and was counted there, so the rate limit is for the
    open names. Operators' names are let through to the load balancer, which limits their ranges and asks for a sign-in:
    queries in PromQL and SQL are what the managed rules are there to refuse. also: of the stack that this one can stand
    in for.
    """
    open_names = _any([_host_is(host) for host in (
        hosts.api, hosts.direct, *hosts.operators, *([also.api] if also else []))])
    verified = _header_is(ORIGIN_HEADER, origin_secret, "NONE")
    unverified = {"and_statement": {"statements": [
        {"not_statement": {"statement": open_names}}, {"not_statement": {"statement": verified}}]}}
    return [_blocked_paths(1), _rate_limit(2, edge, scope_down=open_names),
            _rule(ORIGIN_RULE, 3, {"block": {}}, unverified),
            _rule(OPERATORS_RULE, 4, {"allow": {}}, _any([_host_is(host) for host in hosts.operators])),
            *(_managed(rule) for rule in managed_rules(edge, Scope.REGIONAL))]


def visibility(metric: str) -> dict[str, Any]:
    return {"cloudwatch_metrics_enabled": True, "sampled_requests_enabled": True, "metric_name": metric}


# --- Capacity ---------------------------------------------------------------------------------------------------------

# Base costs in WCU, from the pages of the rule statements in the WAF developer guide.
_STRING_MATCH = {"EXACTLY": 2, "STARTS_WITH": 2, "ENDS_WITH": 2, "CONTAINS": 10, "CONTAINS_WORD": 10}
_TRANSFORMATION = 10
_IP_SET = 1
_RATE_BASED = 2


def capacity(rules: Sequence[Mapping[str, Any]]) -> int:
    """WCU of the rules at most: WAF counts a transformation of the same component once, this counts each.

    Raises ValueError for a statement or rule group whose cost is not known here.
    """
    return sum(_cost(rule["statement"]) for rule in rules)


def _cost(statement: Mapping[str, Any]) -> int:
    ((kind, body),) = statement.items()
    match kind:
        case "and_statement" | "or_statement":
            return sum(_cost(part) for part in body["statements"])
        case "not_statement":
            return _cost(body["statement"])
        case "byte_match_statement":
            applied = [each for each in body["text_transformations"] if each["type"] != "NONE"]
            return _STRING_MATCH[body["positional_constraint"]] + _TRANSFORMATION * len(applied)
        case "ip_set_reference_statement":
            return _IP_SET
        case "rate_based_statement":
            narrowed = body.get("scope_down_statement")
            return _RATE_BASED + (_cost(narrowed) if narrowed else 0)
        case "managed_rule_group_statement" if body["name"] in _CAPACITIES:
            return _CAPACITIES[body["name"]]
    raise ValueError(f"the capacity of {kind} {body.get('name', '')} is not known: add its figure from the WAF "
                     "developer guide to infra/plans/firewall.py")


# --- Statements -------------------------------------------------------------------------------------------------------


def _rule(name: str, priority: int, action: dict[str, Any], statement: Statement) -> Rule:
    return {"name": name, "priority": priority, "action": action, "statement": statement,
            "visibility_config": visibility(name)}


def _not_found() -> dict[str, Any]:
    return {"block": {"custom_response": {"response_code": 404}}}


def _managed(rule: ManagedRule) -> Rule:
    group: dict[str, Any] = {"vendor_name": "AWS", "name": rule.name}
    if rule.counted:
        group["rule_action_overrides"] = [{"name": name, "action_to_use": {"count": {}}} for name in rule.counted]
    if rule.inspection_level:
        group["managed_rule_group_configs"] = [
            {"aws_managed_rules_bot_control_rule_set": {"inspection_level": rule.inspection_level}}]
    return {"name": rule.name, "priority": rule.priority, "override_action": {"none": {}},
            "statement": {"managed_rule_group_statement": group}, "visibility_config": visibility(rule.name)}


def _rate_limit(priority: int, edge: Edge, scope_down: Statement | None = None) -> Rule:
    statement: Statement = {"limit": edge.rate_limit_per_5_minutes, "aggregate_key_type": "IP",
                            "evaluation_window_sec": RATE_WINDOW_SECONDS}
    if scope_down is not None:
        statement["scope_down_statement"] = scope_down
    return _rule(RATE_LIMIT_RULE, priority, {"block": {}}, {"rate_based_statement": statement})


def _blocked_paths(priority: int) -> Rule:
    return _rule(BLOCKED_PATHS_RULE, priority, _not_found(), _any([_path_starts(path) for path in BLOCKED_PATHS]))


def _any(statements: list[Statement]) -> Statement:
    """WAF wants two statements or more in an `or`."""
    return statements[0] if len(statements) == 1 else {"or_statement": {"statements": statements}}


def _path_starts(path: str) -> Statement:
    transformations = [{"priority": index, "type": kind}
                       for index, kind in enumerate(("URL_DECODE", "NORMALIZE_PATH", "LOWERCASE"))]
    return {"byte_match_statement": {
        "field_to_match": {"uri_path": {}}, "positional_constraint": "STARTS_WITH", "search_string": path,
        "text_transformations": transformations}}


def _host_is(host: str) -> Statement:
    return _header_is("host", host, "LOWERCASE")


def _header_is(header: str, value: Any, transformation: str) -> Statement:
    return {"byte_match_statement": {
        "field_to_match": {"single_header": {"name": header}}, "positional_constraint": "EXACTLY",
        "search_string": value, "text_transformations": [{"priority": 0, "type": transformation}]}}
