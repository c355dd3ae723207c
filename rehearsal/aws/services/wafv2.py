"""WAFv2 web ACLs and IP sets, by moto. Ids are `{id}` as in the provider; an import takes `ID/Name/SCOPE`.

moto does not compute capacity; `capacity` is what AWS documents for the statements (`wafv2_rules`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services._convert import found, input_shape, pairs, present, refused, retag, tag_map, unless
from rehearsal.aws.services.wafv2_rules import NAMES, capacity, problems
from rehearsal.engine.values import Properties

GONE = ("WAFNonexistentItemException",)
_CONFIGURATION = (
    "rules",
    "visibilityConfig",
    "defaultAction",
    "customResponseBodies",
    "captchaConfig",
    "challengeConfig",
    "tokenDomains",
    "associationConfig",
    "dataProtectionConfig",
)
_INSPECTED = {
    "apiGateways": "API_GATEWAY",
    "appRunnerServices": "APP_RUNNER_SERVICE",
    "cloudfronts": "CLOUDFRONT",
    "cognitoUserPools": "COGNITO_USER_POOL",
    "verifiedAccessInstances": "VERIFIED_ACCESS_INSTANCE",
}


def _scoped(call: Call, inputs: Properties, operation: str) -> str:
    scope = str(inputs["scope"])
    if scope == "CLOUDFRONT" and call.region != "us-east-1":
        raise refused(
            "WAFInvalidParameterException",
            "The scope is not valid., field: SCOPE_VALUE, parameter: "
            f"CLOUDFRONT: its objects live in us-east-1, and the provider's region is {call.region}",
            operation,
        )
    return scope


def _identity(call: Call, id: str, known: Properties, list_operation: str, member: str) -> dict[str, str] | None:
    """Name, scope and id: an id alone needs a look through both scopes."""
    parts = id.split("/")
    if len(parts) == 3:
        return {"Id": parts[0], "Name": parts[1], "Scope": parts[2]}
    client = call.client("wafv2")
    scopes = [known["scope"]] if known.get("scope") else ["REGIONAL", "CLOUDFRONT"]
    for scope in scopes:
        marker: dict[str, str] = {}
        while True:
            page = getattr(client, list_operation)(Scope=scope, Limit=100, **marker)
            for each in page[member]:
                if each["Id"] == id:
                    return {"Id": id, "Name": each["Name"], "Scope": scope}
            if not page.get("NextMarker"):
                break
            marker = {"NextMarker": page["NextMarker"]}
    return None


def tags_of(call: Call, arn: str) -> dict[str, str]:
    answer = call.client("wafv2").list_tags_for_resource(ResourceARN=arn)
    return tag_map(answer["TagInfoForResource"].get("TagList"))


def _retag(call: Call, arn: str) -> None:
    client = call.client("wafv2")
    retag(
        call,
        tags_of(call, arn),
        lambda tags: client.tag_resource(ResourceARN=arn, Tags=pairs(tags)),
        lambda keys: client.untag_resource(ResourceARN=arn, TagKeys=keys),
    )


@resource
class WebAcl(Handler):
    type = "aws:wafv2/webAcl:WebAcl"
    naming = Naming("name", maximum=128)
    kept = (
        "namePrefix",
        "ruleJson",
        "captchaConfig",
        "challengeConfig",
        "tokenDomains",
        "associationConfig",
        "customResponseBodies",
        "dataProtectionConfig",
        "monetizationConfig",
    )

    def references(self, inputs: Properties) -> Iterable[Reference]:
        for index, rule in enumerate(inputs.get("rules") or ()):
            statement = (rule.get("statement") or {}).get("ipSetReferenceStatement")
            if statement:
                yield Reference(
                    f"rules[{index}].statement.ipSetReferenceStatement.arn",
                    statement["arn"],
                    partial(ip_set_exists, arn=statement["arn"]),
                )

    def create(self, call: Call, inputs: Properties) -> str:
        scope = _scoped(call, inputs, "CreateWebACL")
        client = call.client("wafv2")
        answer = client.create_web_acl(
            Name=inputs["name"],
            Scope=scope,
            **_configuration(client, "CreateWebACL", inputs),
            **present(Description=inputs.get("description") or None, Tags=call.tag_list or None),
        )
        return str(answer["Summary"]["Id"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        identity = _identity(call, id, known, "list_web_acls", "WebACLs")
        answer = identity and found(lambda: call.client("wafv2").get_web_acl(**identity), *GONE)
        if not identity or not answer:
            return None
        acl = answer["WebACL"]
        shape = call.client("wafv2").meta.service_model.shape_for("WebACL")
        shown: Properties = NAMES.response(
            shape, {key: acl[key] for key in ("DefaultAction", "Rules", "VisibilityConfig") if key in acl}
        )
        return {
            "arn": acl["ARN"],
            "name": acl["Name"],
            "scope": identity["Scope"],
            "lockToken": answer["LockToken"],
            "description": acl.get("Description") or None,
            "capacity": capacity(shown.get("rules") or []),
            "applicationIntegrationUrl": "",
            "tags": tags_of(call, acl["ARN"]),
            **shown,
            "rules": shown.get("rules") or None,
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("wafv2")
        identity = _identity(call, id, new, "list_web_acls", "WebACLs")
        if identity is None:
            raise refused(GONE[0], f"the web ACL {id} does not exist", "UpdateWebACL")
        current = client.get_web_acl(**identity)
        if changed - {"tags", "tagsAll"}:
            client.update_web_acl(
                **identity,
                LockToken=current["LockToken"],
                **_configuration(client, "UpdateWebACL", new),
                **present(Description=new.get("description") or None),
            )
        if "tags" in changed:
            _retag(call, current["WebACL"]["ARN"])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        client = call.client("wafv2")
        identity = _identity(call, id, known, "list_web_acls", "WebACLs")
        current = identity and found(lambda: client.get_web_acl(**identity), *GONE)
        if identity and current:
            with unless(*GONE):
                client.delete_web_acl(**identity, LockToken=current["LockToken"])


def _configuration(client: Any, operation: str, inputs: Properties) -> dict[str, Any]:
    rules = inputs.get("rules") or []
    for problem in problems(rules):
        raise refused("WAFInvalidParameterException", problem, operation)
    total = capacity(rules)
    if total > 5000:
        raise refused(
            "WAFLimitsExceededException", f"the rules need {total} capacity units; a web ACL has 5000", operation
        )
    shape = input_shape(client, operation)
    special = ("customResponseBodies", "associationConfig")
    sent = {key: inputs[key] for key in _CONFIGURATION if inputs.get(key) is not None and key not in special}
    configuration: dict[str, Any] = NAMES.request(shape, {"rules": [], **sent})
    if inputs.get("customResponseBodies"):
        configuration["CustomResponseBodies"] = {
            each["key"]: {"Content": each["content"], "ContentType": each["contentType"]}
            for each in inputs["customResponseBodies"]
        }
    for body in (inputs.get("associationConfig") or {}).get("requestBodies") or ():
        configuration["AssociationConfig"] = {
            "RequestBody": {
                _INSPECTED[kind]: {"DefaultSizeInspectionLimit": each["defaultSizeInspectionLimit"]}
                for kind, values in body.items()
                for each in values or ()
            }
        }
    return configuration


def ip_set_exists(call: Call, arn: str) -> bool:
    match = re.search(r":(regional|global)/ipset/([^/]+)/([0-9a-f-]{36})$", arn)
    if match is None:
        return False
    scope = "CLOUDFRONT" if match[1] == "global" else "REGIONAL"
    return found(lambda: call.client("wafv2").get_ip_set(Name=match[2], Id=match[3], Scope=scope), *GONE) is not None


@resource
class IpSet(Handler):
    type = "aws:wafv2/ipSet:IpSet"
    naming = Naming("name", maximum=128)
    kept = ("namePrefix",)

    def create(self, call: Call, inputs: Properties) -> str:
        scope = _scoped(call, inputs, "CreateIPSet")
        _check_addresses(inputs, "CreateIPSet")
        answer = call.client("wafv2").create_ip_set(
            Name=inputs["name"],
            Scope=scope,
            IPAddressVersion=inputs["ipAddressVersion"],
            Addresses=inputs.get("addresses") or [],
            **present(Description=inputs.get("description") or None, Tags=call.tag_list or None),
        )
        return str(answer["Summary"]["Id"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        identity = _identity(call, id, known, "list_ip_sets", "IPSets")
        answer = identity and found(lambda: call.client("wafv2").get_ip_set(**identity), *GONE)
        if not identity or not answer:
            return None
        got = answer["IPSet"]
        return {
            "arn": got["ARN"],
            "name": got["Name"],
            "scope": identity["Scope"],
            "lockToken": answer["LockToken"],
            "description": got.get("Description") or None,
            "ipAddressVersion": got["IPAddressVersion"],
            "addresses": sorted(got.get("Addresses") or ()) or None,
            "tags": tags_of(call, got["ARN"]),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("wafv2")
        identity = _identity(call, id, new, "list_ip_sets", "IPSets")
        if identity is None:
            raise refused(GONE[0], f"the IP set {id} does not exist", "UpdateIPSet")
        current = client.get_ip_set(**identity)
        if changed & {"addresses", "description"}:
            _check_addresses(new, "UpdateIPSet")
            client.update_ip_set(
                **identity,
                LockToken=current["LockToken"],
                Addresses=new.get("addresses") or [],
                **present(Description=new.get("description") or None),
            )
        if "tags" in changed:
            _retag(call, current["IPSet"]["ARN"])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        client = call.client("wafv2")
        identity = _identity(call, id, known, "list_ip_sets", "IPSets")
        current = identity and found(lambda: client.get_ip_set(**identity), *GONE)
        if identity and current:
            with unless(*GONE):
                client.delete_ip_set(**identity, LockToken=current["LockToken"])


def _check_addresses(inputs: Properties, operation: str) -> None:
    for each in inputs.get("addresses") or ():
        if not re.fullmatch(r"[0-9a-fA-F.:]+/\d{1,3}", each):
            raise refused(
                "WAFInvalidParameterException",
                f"The parameter contains formatting that is not valid., "
                "field: "
                f"IP_ADDRESS, parameter: {each}: give a CIDR block",
                operation,
            )
