"""Web application firewalls of CloudFront and of the load balancer (N5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans import edge
from infra.settings import model


@dataclass(frozen=True)
class WebAclArgs:
    """origin_secret: what CloudFront sends in `x-origin-verify`; REGIONAL only.
    provider: of the region where the ACL lives; None: the component's own. CLOUDFRONT lives in us-east-1."""

    name: str
    scope: edge.Scope
    settings: model.Edge
    hosts: edge.Hosts
    log_key_arn: pulumi.Input[str]
    log_retention_days: int
    origin_secret: pulumi.Input[str] | None = None
    provider: aws.Provider | None = None


class WebAcl(Component):
    """AWS's managed rules, a rate limit by address, paths that nobody may ask for, and logs without credentials.

    The regional one also refuses requests for the site's own names that did not come through CloudFront; `api.` is the
    load balancer's own name (E6) and open.
    """

    module = "edge"

    arn: pulumi.Output[str]
    log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: WebAclArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        if (args.scope is edge.Scope.REGIONAL) != (args.origin_secret is not None):
            raise ValueError(f"web ACL {args.name}: origin_secret belongs to the scope REGIONAL and only to it")
        here = self.child(provider=args.provider) if args.provider else self.child()
        acl: dict[str, Any] = {
            "default_action": {"allow": {}},
            "visibility_config": _visibility(args.name),
            "rules": [_blocked_paths(1), _rate_limit(2, args), *_origin(3, args),
                      *(_managed(rule) for rule in edge.managed_rules(args.settings, args.scope))],
        }
        web_acl = aws.wafv2.WebAcl(f"{name}-acl", name=args.name, scope=args.scope.value,
                                   description=f"Candlefish {args.scope.value.lower()} firewall", opts=here, **acl)
        # WAF delivers only to a log group whose name starts like this.
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs", name=f"aws-waf-logs-{args.name}", kms_key_id=args.log_key_arn,
            retention_in_days=args.log_retention_days, opts=here)
        redacted: Any = [{"single_header": {"name": header}} for header in edge.REDACTED_HEADERS]
        aws.wafv2.WebAclLoggingConfiguration(
            f"{name}-logging", resource_arn=web_acl.arn, log_destination_configs=[logs.arn],
            redacted_fields=redacted, opts=here)
        self.arn = web_acl.arn
        self.log_group_name = logs.name
        self.register_outputs({"arn": self.arn, "logGroupName": self.log_group_name})


def _visibility(metric: str) -> dict[str, Any]:
    return {"cloudwatch_metrics_enabled": True, "sampled_requests_enabled": True, "metric_name": metric}


def _managed(rule: edge.ManagedRule) -> dict[str, Any]:
    group: dict[str, Any] = {"vendor_name": "AWS", "name": rule.name}
    if rule.counted:
        group["rule_action_overrides"] = [{"name": name, "action_to_use": {"count": {}}} for name in rule.counted]
    if rule.inspection_level:
        group["managed_rule_group_configs"] = [
            {"aws_managed_rules_bot_control_rule_set": {"inspection_level": rule.inspection_level}}]
    return {"name": rule.name, "priority": rule.priority, "override_action": {"none": {}},
            "statement": {"managed_rule_group_statement": group}, "visibility_config": _visibility(rule.name)}


def _rate_limit(priority: int, args: WebAclArgs) -> dict[str, Any]:
    statement: dict[str, Any] = {"limit": args.settings.rate_limit_per_5_minutes, "aggregate_key_type": "IP",
                                 "evaluation_window_sec": edge.RATE_WINDOW_SECONDS}
    if args.scope is edge.Scope.REGIONAL:
        # What comes through CloudFront has CloudFront's addresses here, and was counted there.
        statement["scope_down_statement"] = _host_is(args.hosts.api)
    return {"name": edge.RATE_LIMIT_RULE, "priority": priority, "action": {"block": {}},
            "statement": {"rate_based_statement": statement},
            "visibility_config": _visibility(edge.RATE_LIMIT_RULE)}


def _blocked_paths(priority: int) -> dict[str, Any]:
    paths = [{"byte_match_statement": {
        "field_to_match": {"uri_path": {}}, "positional_constraint": "STARTS_WITH", "search_string": path,
        "text_transformations": [{"priority": index, "type": kind} for index, kind in
                                 enumerate(("URL_DECODE", "NORMALIZE_PATH", "LOWERCASE"))]}}
             for path in edge.BLOCKED_PATHS]
    return {"name": edge.BLOCKED_PATHS_RULE, "priority": priority,
            "action": {"block": {"custom_response": {"response_code": 404}}},
            "statement": {"or_statement": {"statements": paths}},
            "visibility_config": _visibility(edge.BLOCKED_PATHS_RULE)}


def _origin(priority: int, args: WebAclArgs) -> list[dict[str, Any]]:
    if args.origin_secret is None:
        return []
    hosts = [_host_is(host) for host in (*args.hosts.site, args.hosts.origin)]
    verified = _header_is(edge.ORIGIN_HEADER, args.origin_secret, "NONE")
    return [{"name": edge.ORIGIN_RULE, "priority": priority, "action": {"block": {}},
             "statement": {"and_statement": {"statements": [
                 {"or_statement": {"statements": hosts}},
                 {"not_statement": {"statement": verified}}]}},
             "visibility_config": _visibility(edge.ORIGIN_RULE)}]


def _host_is(host: str) -> dict[str, Any]:
    return _header_is("host", host, "LOWERCASE")


def _header_is(header: str, value: pulumi.Input[str], transformation: str) -> dict[str, Any]:
    return {"byte_match_statement": {
        "field_to_match": {"single_header": {"name": header}}, "positional_constraint": "EXACTLY",
        "search_string": value, "text_transformations": [{"priority": 0, "type": transformation}]}}
