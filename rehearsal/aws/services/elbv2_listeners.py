"""Listeners and their rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services.elbv2_common import (
    actions_from_api,
    actions_to_api,
    conditions_from_api,
    conditions_to_api,
    look_up,
    refers,
    replace_tags,
    tags_now,
    target_groups_of,
)
from rehearsal.aws.services.shapes import absent_is_fine, chosen
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

_SIMPLE = {"port": "Port", "protocol": "Protocol", "sslPolicy": "SslPolicy"}
HIGHEST_PRIORITY = 50_000


@resource
class Listener(Handler):
    """Its id is its ARN."""

    type = "aws:lb/listener:Listener"
    kept = ("mutualAuthentication", "tcpIdleTimeoutSeconds", "alpnPolicy", *(
        f"routingHttp{name}" for name in (
            "RequestXAmznMtlsClientcertHeaderName", "RequestXAmznMtlsClientcertIssuerHeaderName",
            "RequestXAmznMtlsClientcertLeafHeaderName", "RequestXAmznMtlsClientcertSerialNumberHeaderName",
            "RequestXAmznMtlsClientcertSubjectHeaderName", "RequestXAmznMtlsClientcertValidityHeaderName",
            "RequestXAmznTlsCipherSuiteHeaderName", "RequestXAmznTlsVersionHeaderName",
            "ResponseAccessControlAllowCredentialsHeaderValue", "ResponseAccessControlAllowHeadersHeaderValue",
            "ResponseAccessControlAllowMethodsHeaderValue", "ResponseAccessControlAllowOriginHeaderValue",
            "ResponseAccessControlExposeHeadersHeaderValue", "ResponseAccessControlMaxAgeHeaderValue",
            "ResponseContentSecurityPolicyHeaderValue", "ResponseServerEnabled",
            "ResponseStrictTransportSecurityHeaderValue", "ResponseXContentTypeOptionsHeaderValue",
            "ResponseXFrameOptionsHeaderValue")))

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("load-balancer", "loadBalancerArn", inputs.get("loadBalancerArn"))
        yield from target_groups_of(inputs.get("defaultActions") or (), "defaultActions")

    def create(self, call: Call, inputs: Properties) -> str:
        return str(call.client("elbv2").create_listener(
            LoadBalancerArn=inputs["loadBalancerArn"], DefaultActions=actions_to_api(inputs["defaultActions"]),
            Tags=call.tag_list, **_certificates(inputs), **chosen(inputs, _SIMPLE))["Listeners"][0]["ListenerArn"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        listener = look_up(call, "listener", id)
        return None if listener is None else listener_state(call, listener)

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if changed & {"port", "protocol", "sslPolicy", "certificateArn", "defaultActions"}:
            call.client("elbv2").modify_listener(
                ListenerArn=id, DefaultActions=actions_to_api(new["defaultActions"]), **_certificates(new),
                **chosen(new, _SIMPLE))
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with absent_is_fine():
            call.client("elbv2").delete_listener(ListenerArn=id)


def _certificates(inputs: Properties) -> dict[str, Any]:
    return {"Certificates": [{"CertificateArn": inputs["certificateArn"]}]} if inputs.get("certificateArn") else {}


def listener_state(call: Call, listener: Mapping[str, Any]) -> Properties:
    certificates = listener.get("Certificates") or []
    secure = listener["Protocol"] in ("HTTPS", "TLS")
    return {
        "arn": listener["ListenerArn"], "loadBalancerArn": listener["LoadBalancerArn"], "port": listener["Port"],
        "protocol": listener["Protocol"], "sslPolicy": listener.get("SslPolicy", "") if secure else "",
        "certificateArn": certificates[0]["CertificateArn"] if certificates else "",
        "defaultActions": actions_from_api(listener["DefaultActions"]),
        "tags": tags_now(call, listener["ListenerArn"]),
    }


@resource
class ListenerRule(Handler):
    """Its id is its ARN. Without a priority it gets the next after the highest."""

    type = "aws:lb/listenerRule:ListenerRule"
    kept = ("transforms",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("listener", "listenerArn", inputs.get("listenerArn"))
        yield from target_groups_of(inputs.get("actions") or (), "actions")

    def create(self, call: Call, inputs: Properties) -> str:
        conditions = conditions_to_api(inputs.get("conditions") or ())
        if not conditions:
            raise ProviderError("a listener rule needs at least one condition")
        priority = inputs.get("priority") or self._next(call, inputs["listenerArn"])
        return str(call.client("elbv2").create_rule(
            ListenerArn=inputs["listenerArn"], Priority=priority, Conditions=conditions,
            Actions=actions_to_api(inputs["actions"]), Tags=call.tag_list)["Rules"][0]["RuleArn"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        rule = look_up(call, "rule", id)
        return None if rule is None else rule_state(call, rule)

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("elbv2")
        if "priority" in changed:
            client.set_rule_priorities(RulePriorities=[{"RuleArn": id, "Priority": new["priority"]}])
        if changed & {"actions", "conditions"}:
            client.modify_rule(RuleArn=id, Actions=actions_to_api(new["actions"]),
                               Conditions=conditions_to_api(new["conditions"]))
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if look_up(call, "rule", id) is not None:
            with absent_is_fine():
                call.client("elbv2").delete_rule(RuleArn=id)

    def _next(self, call: Call, listener: str) -> int:
        rules = call.client("elbv2").describe_rules(ListenerArn=listener)["Rules"]
        highest = max((int(rule["Priority"]) for rule in rules if rule["Priority"] != "default"), default=0)
        if highest >= HIGHEST_PRIORITY:
            raise ProviderError(f"no priority is left on {listener}: the highest is {highest}")
        return highest + 1


def rule_state(call: Call, rule: Mapping[str, Any]) -> Properties:
    arn = rule["RuleArn"]
    listener = arn.replace(":listener-rule/", ":listener/").rpartition("/")[0]
    return {"arn": arn, "listenerArn": listener,
            "priority": int(rule["Priority"]) if rule["Priority"].isdigit() else HIGHEST_PRIORITY + 49_999,
            "actions": actions_from_api(rule["Actions"]), "conditions": conditions_from_api(rule["Conditions"]),
            "tags": tags_now(call, arn)}
