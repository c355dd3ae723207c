"""Actions and conditions of the model in ELBv2's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rehearsal.kubernetes.loadbalancer.model import Action, Condition, FixedResponse, Redirect

_CONFIGS = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig",
            "http-request-method": "HttpRequestMethodConfig", "source-ip": "SourceIpConfig"}


def action_of(action: Action, arns: Mapping[str, str]) -> dict[str, Any]:
    """`arns`: target group id → ARN."""
    if isinstance(action, FixedResponse):
        return {"Type": "fixed-response", "FixedResponseConfig": {
            "StatusCode": str(action.status), "ContentType": action.content_type,
            **({"MessageBody": action.body} if action.body else {})}}
    if isinstance(action, Redirect):
        return {"Type": "redirect", "RedirectConfig": {
            "StatusCode": f"HTTP_{action.status}", "Protocol": action.protocol, "Host": action.host,
            "Port": action.port, "Path": action.path, "Query": action.query}}
    config: dict[str, Any] = {"TargetGroups": [{"TargetGroupArn": arns[id], "Weight": weight}
                                               for id, weight in action.weights]}
    if action.sticky_seconds:
        config["TargetGroupStickinessConfig"] = {"Enabled": True, "DurationSeconds": action.sticky_seconds}
    return {"Type": "forward", "ForwardConfig": config}


def conditions_of(conditions: Iterable[Condition]) -> list[dict[str, Any]]:
    return [_condition(each) for each in conditions]


def _condition(condition: Condition) -> dict[str, Any]:
    values = list(condition.values)
    if condition.field == "http-header":
        return {"Field": condition.field, "HttpHeaderConfig": {
            "HttpHeaderName": condition.header, "Values": values}}
    if condition.field == "query-string":
        pairs = [value.partition("=") for value in values]
        return {"Field": condition.field, "QueryStringConfig": {"Values": [
            {**({"Key": key} if key else {}), "Value": value} for key, _, value in pairs]}}
    return {"Field": condition.field, _CONFIGS[condition.field]: {"Values": values}}
