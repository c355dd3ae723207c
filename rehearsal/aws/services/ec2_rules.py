"""aws:vpc's rules of a security group: one peer each, an id and tags of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services.ec2_common import look_up, refers, replace_tags, tag_specifications
from rehearsal.aws.services.shapes import code, tags_of
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

# Property → (list in IpPermissions, member there, member of a SecurityGroupRuleRequest).
_PEERS = {
    "cidrIpv4": ("IpRanges", "CidrIp", "CidrIpv4"),
    "cidrIpv6": ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
    "prefixListId": ("PrefixListIds", "PrefixListId", "PrefixListId"),
    "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId", "ReferencedGroupId"),
}


class _Rule(Handler):
    direction: ClassVar[str]

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("security-group", "securityGroupId", inputs.get("securityGroupId"))
        yield from refers("security-group", "referencedSecurityGroupId", inputs.get("referencedSecurityGroupId"))

    def create(self, call: Call, inputs: Properties) -> str:
        property = _peer_of(inputs)
        container, member, _ = _PEERS[property]
        peer = {member: inputs[property]} | (
            {"Description": inputs["description"]} if inputs.get("description") else {})
        answer = getattr(call.client("ec2"), f"authorize_security_group_{self.direction}")(
            GroupId=inputs["securityGroupId"], IpPermissions=[{**_ports(inputs), container: [peer]}],
            **tag_specifications(call, "security-group-rule"))
        id = str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])
        if property == "referencedSecurityGroupId" and inputs.get("description"):
            self._modify(call, id, inputs)  # the emulator drops the description of a peer that is a group
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        rule = look_up(call, "security-group-rule", id)
        if rule is None or rule["IsEgress"] != (self.direction == "egress"):
            return None
        every = rule["IpProtocol"] == "-1"
        return {
            "arn": call.arn("ec2", f"security-group-rule/{id}"), "securityGroupRuleId": id,
            "securityGroupId": rule["GroupId"], "ipProtocol": rule["IpProtocol"],
            **({} if every else {"fromPort": rule["FromPort"], "toPort": rule["ToPort"]}),
            "description": rule.get("Description", ""), "cidrIpv4": rule.get("CidrIpv4", ""),
            "cidrIpv6": rule.get("CidrIpv6", ""), "prefixListId": rule.get("PrefixListId", ""),
            "referencedSecurityGroupId": rule.get("ReferencedGroupInfo", {}).get("GroupId", ""),
            "tags": tags_of(rule.get("Tags")),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if changed - {"tags"}:
            self._modify(call, id, new)
        if "tags" in changed:
            replace_tags(call, id)

    def _modify(self, call: Call, id: str, inputs: Properties) -> None:
        property = _peer_of(inputs)
        # The emulator wants ports here for "all protocols" too; -1 is what AWS shows for them.
        request = {"FromPort": -1, "ToPort": -1, **_ports(inputs), _PEERS[property][2]: inputs[property],
                   "Description": inputs.get("description") or ""}
        call.client("ec2").modify_security_group_rules(
            GroupId=inputs["securityGroupId"],
            SecurityGroupRules=[{"SecurityGroupRuleId": id, "SecurityGroupRule": request}])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        rule = look_up(call, "security-group-rule", id)
        if rule is None:
            return
        try:
            getattr(call.client("ec2"), f"revoke_security_group_{self.direction}")(
                GroupId=rule["GroupId"], SecurityGroupRuleIds=[id])
        except ClientError as error:
            if "NotFound" not in code(error):
                raise


def _peer_of(inputs: Properties) -> str:
    peers = [property for property in _PEERS if inputs.get(property)]
    if len(peers) != 1:
        raise ProviderError(f"a rule has exactly one of {', '.join(_PEERS)}; got {', '.join(peers) or 'none'}")
    return peers[0]


def _ports(inputs: Properties) -> dict[str, Any]:
    protocol = str(inputs["ipProtocol"]).lower()
    if protocol == "-1":
        return {"IpProtocol": "-1"}
    return {"IpProtocol": protocol, "FromPort": inputs.get("fromPort", -1), "ToPort": inputs.get("toPort", -1)}


@resource
class SecurityGroupIngressRule(_Rule):
    type = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    direction = "ingress"


@resource
class SecurityGroupEgressRule(_Rule):
    type = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    direction = "egress"
