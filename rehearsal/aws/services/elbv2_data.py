"""Data sources that find load balancers, target groups, listeners and rules, whoever has made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, data_source
from rehearsal.aws.services.elbv2 import balancer_state, group_state
from rehearsal.aws.services.elbv2_common import tags_now
from rehearsal.aws.services.elbv2_listeners import listener_state, rule_state
from rehearsal.aws.services.shapes import is_absent
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties


def _found(call: Call, what: str, kind: tuple[str, str, str], arguments: Properties) -> dict[str, Any]:
    """The only object of a kind with the arguments' `arn`, `name` and `tags`, all of which must hold.

    kind: paginated operation, member of the answer, prefix of the members that hold ARN and name.
    """
    operation, member, prefix = kind
    try:
        pages = call.client("elbv2").get_paginator(operation).paginate()
        every: list[dict[str, Any]] = [found for page in pages for found in page[member]]
    except ClientError as error:
        if not is_absent(error):
            raise
        every = []
    matching = [
        found for found in every
        if arguments.get("arn") in (None, "", found[f"{prefix}Arn"])
        and arguments.get("name") in (None, "", found[f"{prefix}Name"])
        and _has(partial(tags_now, call, found[f"{prefix}Arn"]), arguments.get("tags"))]
    if len(matching) != 1:
        asked = {name: arguments[name] for name in ("arn", "name", "tags") if arguments.get(name)}
        raise ProviderError(f"Search returned {len(matching)} {what}s for {asked or 'no criteria'}, please revise so "
                            "only one is returned")
    return matching[0]


def _has(ask: Callable[[], dict[str, str]], wanted: Mapping[str, str] | None) -> bool:
    if not wanted:
        return True
    tags = ask()
    return all(tags.get(key) == value for key, value in wanted.items())


@data_source("aws:lb/getLoadBalancer:getLoadBalancer")
def get_load_balancer(call: Call, arguments: Properties) -> Properties:
    balancer = _found(call, "load balancer", ("describe_load_balancers", "LoadBalancers", "LoadBalancer"), arguments)
    state = balancer_state(call, balancer, {})
    logs = {"bucket": "", "enabled": False, "prefix": ""}
    return {**state, "id": state["arn"], "region": call.region, "customerOwnedIpv4Pool": "",
            "dnsRecordClientRoutingPolicy": state.get("dnsRecordClientRoutingPolicy", ""),
            "accessLogs": {**logs, **state.get("accessLogs", {})},
            "connectionLogs": [{**logs, **state.get("connectionLogs", {})}], "healthCheckLogs": [logs], "ipamPools": [],
            "enablePrefixForIpv6SourceNat": "", "secondaryIpsAutoAssignedPerSubnet": 0,
            "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "",
            "subnetMappings": [{"allocationId": "", "ipv6Address": "", "outpostId": "", "privateIpv4Address": "",
                                **mapping} for mapping in state["subnetMappings"]]}


@data_source("aws:lb/getTargetGroup:getTargetGroup")
def get_target_group(call: Call, arguments: Properties) -> Properties:
    group = _found(call, "target group", ("describe_target_groups", "TargetGroups", "TargetGroup"), arguments)
    state = group_state(call, group)
    return {**state, "id": state["arn"], "region": call.region,
            "deregistrationDelay": str(state["deregistrationDelay"]),
            "connectionTermination": state.get("connectionTermination", False),
            "preserveClientIp": str(state.get("preserveClientIp", "")).lower(), "targetControlPort": 0,
            "loadBalancingAnomalyMitigation": state.get("loadBalancingAnomalyMitigation", "off"),
            "stickiness": {"cookieName": "", **state["stickiness"]},
            "healthCheck": {"matcher": "", "path": "", **state["healthCheck"]}}


@data_source("aws:lb/getListener:getListener")
def get_listener(call: Call, arguments: Properties) -> Properties:
    """By `arn`, or by `loadBalancerArn` and `port`."""
    arn, balancer, port = (arguments.get(name) for name in ("arn", "loadBalancerArn", "port"))
    if not arn and not (balancer and port):
        raise ProviderError("getListener needs `arn`, or `loadBalancerArn` with `port`")
    try:
        listeners = call.client("elbv2").describe_listeners(
            **({"ListenerArns": [arn]} if arn else {"LoadBalancerArn": balancer}))["Listeners"]
    except ClientError as error:
        if not is_absent(error):
            raise
        listeners = []
    matching = [listener for listener in listeners if arn or listener["Port"] == port]
    if len(matching) != 1:
        raise ProviderError(f"no listener found for {arn or f'port {port} of {balancer}'}")
    state = listener_state(call, matching[0])
    return {**state, "id": state["arn"], "region": call.region, "alpnPolicy": "", "mutualAuthentications": []}


@data_source("aws:lb/getListenerRule:getListenerRule")
def get_listener_rule(call: Call, arguments: Properties) -> Properties:
    """By `arn`, or by `listenerArn` and `priority`."""
    arn, listener, priority = (arguments.get(name) for name in ("arn", "listenerArn", "priority"))
    if not arn and not (listener and priority):
        raise ProviderError("getListenerRule needs `arn`, or `listenerArn` with `priority`")
    try:
        rules = call.client("elbv2").describe_rules(
            **({"RuleArns": [arn]} if arn else {"ListenerArn": listener}))["Rules"]
    except ClientError as error:
        if not is_absent(error):
            raise
        rules = []
    matching = [rule for rule in rules if arn or rule["Priority"] == str(priority)]
    if len(matching) != 1:
        raise ProviderError(f"no listener rule found for {arn or f'priority {priority} of {listener}'}")
    state = rule_state(call, matching[0])
    return {**state, "region": call.region, "transforms": [], "actions": [_listed(each) for each in state["actions"]],
            "conditions": [_listed(each) for each in state["conditions"]]}


_PLURALS = {"hostHeader": "hostHeaders", "pathPattern": "pathPatterns", "httpHeader": "httpHeaders",
            "sourceIp": "sourceIps", "httpRequestMethod": "httpRequestMethods", "redirect": "redirects",
            "fixedResponse": "fixedResponses", "forward": "forwards", "stickiness": "stickinesses"}


def _listed(part: Properties) -> Properties:
    """The resource has one block where the data source has a list of one. A target group's own ARN is a `forwards`."""
    found = {_PLURALS.get(key, key): [_listed(value)] if key in _PLURALS else value for key, value in part.items()}
    if "queryStrings" in part:
        found["queryStrings"] = [{"values": part["queryStrings"]}]
    if arn := found.pop("targetGroupArn", None):
        found["forwards"] = [{"targetGroups": [{"arn": arn, "weight": 1}]}]
    return found
