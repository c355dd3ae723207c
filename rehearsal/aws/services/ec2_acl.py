"""Network ACLs with their rules and subnets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services.ec2_common import look_up, refers, replace_tags, search, tag_specifications
from rehearsal.aws.services.shapes import absent_is_fine, chosen, tags_of
from rehearsal.engine.values import Properties


@resource
class NetworkAcl(Handler):
    type = "aws:ec2/networkAcl:NetworkAcl"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("vpc", "vpcId", inputs.get("vpcId"))
        yield from refers("subnet", "subnetIds", inputs.get("subnetIds"))

    def create(self, call: Call, inputs: Properties) -> str:
        id = call.client("ec2").create_network_acl(
            VpcId=inputs["vpcId"], **tag_specifications(call, "network-acl"))["NetworkAcl"]["NetworkAclId"]
        self.update(call, id, {}, inputs, frozenset({"ingress", "egress", "subnetIds"}))
        return str(id)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        acl = look_up(call, "network-acl", id)
        if acl is None:
            return None
        rules = [entry for entry in acl["Entries"] if entry["RuleNumber"] < 32767]
        return {
            "arn": call.arn("ec2", f"network-acl/{id}"), "vpcId": acl["VpcId"], "ownerId": acl["OwnerId"],
            "subnetIds": sorted(a["SubnetId"] for a in acl["Associations"]), "tags": tags_of(acl.get("Tags")),
            "ingress": [_acl_rule(entry) for entry in rules if not entry["Egress"]],
            "egress": [_acl_rule(entry) for entry in rules if entry["Egress"]],
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("ec2")
        for property in ("ingress", "egress"):
            if property in changed:
                egress = property == "egress"
                for rule in old.get(property) or ():
                    client.delete_network_acl_entry(NetworkAclId=id, RuleNumber=rule["ruleNo"], Egress=egress)
                for rule in new.get(property) or ():
                    client.create_network_acl_entry(NetworkAclId=id, Egress=egress, **_acl_entry(rule))
        if "subnetIds" in changed:
            self._associate(call, id, set(old.get("subnetIds") or ()), set(new.get("subnetIds") or ()))
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        acl = look_up(call, "network-acl", id)
        if acl is None:
            return
        self._associate(call, id, {a["SubnetId"] for a in acl["Associations"]}, set())
        with absent_is_fine():
            call.client("ec2").delete_network_acl(NetworkAclId=id)

    def _associate(self, call: Call, id: str, now: set[str], wanted: set[str]) -> None:
        """A subnet always has one ACL: leaving ours means going back to the VPC's default."""
        for subnet in sorted(now ^ wanted):
            acls = search(call, "network-acl", **{"association.subnet_id": subnet})
            if not acls:
                continue  # the subnet is gone, and its association with it
            target = id
            if subnet not in wanted:
                target = search(call, "network-acl", vpc_id=acls[0]["VpcId"], default="true")[0]["NetworkAclId"]
            association = next(a["NetworkAclAssociationId"] for a in acls[0]["Associations"]
                               if a["SubnetId"] == subnet)
            call.client("ec2").replace_network_acl_association(AssociationId=association, NetworkAclId=target)


_PROTOCOLS = {"icmp": "1", "tcp": "6", "udp": "17", "all": "-1"}
_NAMES = {number: name for name, number in _PROTOCOLS.items() if name != "all"}


def _acl_entry(rule: Properties) -> dict[str, Any]:
    protocol = _PROTOCOLS.get(str(rule["protocol"]), str(rule["protocol"]))
    return {"RuleNumber": rule["ruleNo"], "Protocol": protocol, "RuleAction": rule["action"],
            **chosen(rule, {"cidrBlock": "CidrBlock", "ipv6CidrBlock": "Ipv6CidrBlock"}),
            **({"PortRange": {"From": rule["fromPort"], "To": rule["toPort"]}} if protocol != "-1" else {})}


def _acl_rule(entry: dict[str, Any]) -> Properties:
    ports = entry.get("PortRange", {})
    protocol = _NAMES.get(entry["Protocol"], entry["Protocol"])
    return {"ruleNo": entry["RuleNumber"], "protocol": protocol, "action": entry["RuleAction"],
            "fromPort": ports.get("From", 0), "toPort": ports.get("To", 0),
            **({"cidrBlock": entry["CidrBlock"]} if entry.get("CidrBlock") else {}),
            **({"ipv6CidrBlock": entry["Ipv6CidrBlock"]} if entry.get("Ipv6CidrBlock") else {})}
