"""Load balancing: attributes as properties, actions and conditions in both spellings, tags, look-ups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Reference
from rehearsal.aws.services.shapes import camel, is_absent, pairs, pascal, tag_changes, tags_of
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

# Kind → operation, parameter of the ARNs, member of the answer.
_DESCRIBE = {
    "load-balancer": ("describe_load_balancers", "LoadBalancerArns", "LoadBalancers"),
    "target-group": ("describe_target_groups", "TargetGroupArns", "TargetGroups"),
    "listener": ("describe_listeners", "ListenerArns", "Listeners"),
    "rule": ("describe_rules", "RuleArns", "Rules"),
}


def look_up(call: Call, kind: str, arn: str) -> dict[str, Any] | None:
    operation, parameter, member = _DESCRIBE[kind]
    try:
        found: list[dict[str, Any]] = getattr(call.client("elbv2"), operation)(**{parameter: [arn]})[member]
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    return found[0] if found else None


def refers(kind: str, property: str, arn: Any) -> Iterable[Reference]:
    if arn:
        yield Reference(property, arn, lambda call: look_up(call, kind, arn) is not None)


def tags_now(call: Call, arn: str) -> dict[str, str]:
    descriptions = call.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"]
    return tags_of(descriptions[0]["Tags"] if descriptions else ())


def replace_tags(call: Call, arn: str) -> None:
    add, remove = tag_changes(tags_now(call, arn), call.tags)
    if add:
        call.client("elbv2").add_tags(ResourceArns=[arn], Tags=pairs(add))
    if remove:
        call.client("elbv2").remove_tags(ResourceArns=[arn], TagKeys=remove)


def suffix(arn: str) -> str:
    """The part of the ARN that CloudWatch takes as dimension: `app/name/id`, `targetgroup/name/id`."""
    resource = arn.split(":", 5)[5]
    return resource.removeprefix("loadbalancer/") if resource.startswith("loadbalancer/") else resource


def written(inputs: Mapping[str, Any], attributes: Mapping[str, str]) -> list[dict[str, str]]:
    """Inputs as the API's attributes. `attributes`: property → key; a missing input is left out."""
    return [{"Key": key, "Value": str(inputs[name]).lower() if isinstance(inputs[name], bool) else str(inputs[name])}
            for name, key in attributes.items() if inputs.get(name) is not None]


def read_back(found: Iterable[Mapping[str, str]], attributes: Mapping[str, str]) -> Properties:
    """The API's attributes as properties: booleans and whole numbers as such."""
    values = {each["Key"]: each.get("Value", "") for each in found}
    return {name: _typed(values[key]) for name, key in attributes.items() if key in values}


def _typed(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdigit() else text


def actions_to_api(actions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Actions of a listener or rule; `order` is the position when the program gives none."""
    result = []
    for action in actions:
        parts: dict[str, Any] = {"Type": action["type"]}
        if action.get("order"):
            parts["Order"] = action["order"]
        if action.get("targetGroupArn"):
            parts["TargetGroupArn"] = action["targetGroupArn"]
        if action.get("forward"):
            forward = action["forward"]
            parts["ForwardConfig"] = {"TargetGroups": [
                {"TargetGroupArn": group["arn"], "Weight": group.get("weight", 1)}
                for group in forward["targetGroups"]]}
            if forward.get("stickiness"):
                parts["ForwardConfig"]["TargetGroupStickinessConfig"] = {
                    "Enabled": bool(forward["stickiness"].get("enabled")),
                    "DurationSeconds": forward["stickiness"]["duration"]}
        for name, api in (("redirect", "RedirectConfig"), ("fixedResponse", "FixedResponseConfig")):
            if action.get(name):
                parts[api] = pascal(action[name])
        for name in ("authenticateCognito", "authenticateOidc", "jwtValidation"):
            if action.get(name):
                raise ProviderError(f"an action with {name} is not served by the rehearsal")
        result.append(parts)
    return result


def actions_from_api(actions: Iterable[Mapping[str, Any]]) -> list[Properties]:
    result = []
    for action in actions:
        parts: Properties = {"type": action["Type"]}
        if "Order" in action:
            parts["order"] = action["Order"]
        if action.get("TargetGroupArn"):
            parts["targetGroupArn"] = action["TargetGroupArn"]
        forward = action.get("ForwardConfig") or {}
        if forward and not action.get("TargetGroupArn"):
            sticky = forward.get("TargetGroupStickinessConfig") or {}
            parts["forward"] = {"targetGroups": [{"arn": group["TargetGroupArn"], "weight": group.get("Weight", 1)}
                                                 for group in forward["TargetGroups"]]}
            if "DurationSeconds" in sticky:
                parts["forward"]["stickiness"] = {"enabled": sticky.get("Enabled", False),
                                                  "duration": sticky["DurationSeconds"]}
        for name, api in (("redirect", "RedirectConfig"), ("fixedResponse", "FixedResponseConfig")):
            if action.get(api):
                parts[name] = camel(action[api])
        result.append(parts)
    return result


def target_groups_of(actions: Iterable[Mapping[str, Any]], property: str) -> Iterable[Reference]:
    for index, action in enumerate(actions):
        yield from refers("target-group", f"{property}[{index}].targetGroupArn", action.get("targetGroupArn"))
        for group in (action.get("forward") or {}).get("targetGroups") or ():
            yield from refers("target-group", f"{property}[{index}].forward.targetGroups", group.get("arn"))


_CONDITIONS = {"hostHeader": ("host-header", "HostHeaderConfig"), "pathPattern": ("path-pattern", "PathPatternConfig"),
               "httpHeader": ("http-header", "HttpHeaderConfig"), "sourceIp": ("source-ip", "SourceIpConfig"),
               "httpRequestMethod": ("http-request-method", "HttpRequestMethodConfig")}


def conditions_to_api(conditions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    result = []
    for condition in conditions:
        for name, (field, api) in _CONDITIONS.items():
            if condition.get(name):
                result.append({"Field": field, api: pascal(condition[name])})
        if condition.get("queryStrings"):
            result.append({"Field": "query-string",
                           "QueryStringConfig": {"Values": pascal(condition["queryStrings"])}})
    return result


def conditions_from_api(conditions: Iterable[Mapping[str, Any]]) -> list[Properties]:
    result: list[Properties] = []
    for condition in conditions:
        for name, (field, api) in _CONDITIONS.items():
            if condition["Field"] == field:
                values = condition.get(api) or {"Values": condition.get("Values", [])}
                result.append({name: camel(values)})
        if condition["Field"] == "query-string":
            result.append({"queryStrings": camel(condition["QueryStringConfig"]["Values"])})
    return result
