"""Security groups, the VPC's default one, and rules as resources of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Handler, Naming, Reference, data_source, resource
from rehearsal.aws.services._stores import in_security_group
from rehearsal.aws.services.ec2_common import in_use, look_up, refers, replace_tags, search, tag_specifications
from rehearsal.aws.services.ec2_network import filters_of, the_one
from rehearsal.aws.services.ec2_permissions import Atom, as_blocks, observed, of_block
from rehearsal.aws.services.shapes import absent_is_fine, code, name_of, tags_of
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

DIRECTIONS = {"ingress": "IpPermissions", "egress": "IpPermissionsEgress"}


def _permit(call: Call, group: str, direction: str, atoms: Sequence[Atom]) -> None:
    if atoms:
        getattr(call.client("ec2"), f"authorize_security_group_{direction}")(
            GroupId=group, IpPermissions=[atom.permission() for atom in atoms])


def revoke(call: Call, group: str, direction: str, atoms: Sequence[Atom]) -> None:
    """Takes the rules away; those that are gone already count as done."""
    for atom in atoms:
        try:
            getattr(call.client("ec2"), f"revoke_security_group_{direction}")(
                GroupId=group, IpPermissions=[atom.permission()])
        except ClientError as error:
            if code(error) not in ("InvalidPermission.NotFound", "InvalidGroup.NotFound"):
                raise


def _set_rules(call: Call, group: str, direction: str, blocks: Sequence[Properties]) -> None:
    """Makes the group's rules of one direction exactly the blocks'."""
    described = look_up(call, "security-group", group) or {}
    now = observed(described.get(DIRECTIONS[direction], ()))
    wanted = list(dict.fromkeys(atom for block in blocks for atom in of_block(block, group)))
    revoke(call, group, direction, [atom for atom in now if atom not in wanted])
    _permit(call, group, direction, [atom for atom in wanted if atom not in now])


def _peers(inputs: Properties) -> Iterable[Reference]:
    for direction in DIRECTIONS:
        for index, block in enumerate(inputs.get(direction) or ()):
            yield from refers("security-group", f"{direction}[{index}].securityGroups", block.get("securityGroups"))


def _state(call: Call, group: dict[str, Any], known: Properties) -> Properties:
    id = group["GroupId"]
    return {
        "arn": call.arn("ec2", f"security-group/{id}"), "name": group["GroupName"],
        "description": group["Description"], "vpcId": group["VpcId"], "ownerId": group["OwnerId"],
        "tags": tags_of(group.get("Tags")),
        **{direction: as_blocks(observed(group[member]), known.get(direction) or [], id)
           for direction, member in DIRECTIONS.items()},
    }


@resource
class SecurityGroup(Handler):
    type = "aws:ec2/securityGroup:SecurityGroup"
    naming = Naming(maximum=255)
    kept = ("namePrefix", "revokeRulesOnDelete")
    defaults = {"description": "Managed by Pulumi", "revokeRulesOnDelete": False}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("vpc", "vpcId", inputs.get("vpcId"))
        yield from _peers(inputs)

    def create(self, call: Call, inputs: Properties) -> str:
        vpc = {"VpcId": inputs["vpcId"]} if inputs.get("vpcId") else {}
        id = call.client("ec2").create_security_group(
            GroupName=name_of(call, inputs), Description=inputs.get("description") or "Managed by Pulumi",
            **vpc, **tag_specifications(call, "security-group"))["GroupId"]
        # Like the provider: AWS's rule that lets everything out goes, unless the program asks for it.
        _set_rules(call, id, "egress", inputs.get("egress") or ())
        _set_rules(call, id, "ingress", inputs.get("ingress") or ())
        return str(id)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        group = look_up(call, "security-group", id)
        return None if group is None else _state(call, group, known)

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        for direction in DIRECTIONS:
            if direction in changed:
                _set_rules(call, id, direction, new.get(direction) or ())
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        group = look_up(call, "security-group", id)
        if group is None:
            return
        if known.get("revokeRulesOnDelete"):
            for direction, member in DIRECTIONS.items():
                revoke(call, id, direction, observed(group[member]))
        delete_group(call, group)


def delete_group(call: Call, group: dict[str, Any]) -> None:
    """Deletes the group unless a rule, a network interface, a load balancer or a data store still names it."""
    id = group["GroupId"]
    users = [other["GroupId"] for other in search(call, "security-group", vpc_id=group["VpcId"])
             if other["GroupId"] != id and any(
                 atom.kind == "group" and atom.peer == id
                 for member in DIRECTIONS.values() for atom in observed(other[member]))]
    users += [interface["NetworkInterfaceId"] for interface in search(call, "network-interface", group_id=id)]
    users += [balancer["LoadBalancerName"]
              for balancer in call.client("elbv2").describe_load_balancers()["LoadBalancers"]
              if id in balancer.get("SecurityGroups", ())]
    users += in_security_group(call, id)
    in_use("DeleteSecurityGroup", "resource", id, users)
    with absent_is_fine():
        call.client("ec2").delete_security_group(GroupId=id)


@resource
class DefaultSecurityGroup(Handler):
    """Adopts the VPC's own group and makes its rules what the program says, which may be none. It can't be deleted:
    `delete` only lets go of it, as the provider does."""

    type = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    kept = ("revokeRulesOnDelete",)
    defaults = {"revokeRulesOnDelete": False}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("vpc", "vpcId", inputs.get("vpcId"))
        yield from _peers(inputs)

    def create(self, call: Call, inputs: Properties) -> str:
        filters = [{"Name": "group-name", "Values": ["default"]},
                   *([{"Name": "vpc-id", "Values": [inputs["vpcId"]]}] if inputs.get("vpcId") else ())]
        groups = call.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
        if not groups:
            raise ProviderError(f"{inputs.get('vpcId') or 'the default VPC'} has no default security group")
        id = str(groups[0]["GroupId"])
        for direction in DIRECTIONS:
            _set_rules(call, id, direction, inputs.get(direction) or ())
        replace_tags(call, id)
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        group = look_up(call, "security-group", id)
        return None if group is None else {**_state(call, group, known), "namePrefix": ""}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        SecurityGroup().update(call, id, old, new, changed)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        return None


@resource
class SecurityGroupRule(Handler):
    """Its id is what an import takes: `sg-…_ingress_tcp_443_443_10.0.0.0/8`, peers joined by `_`."""

    type = "aws:ec2/securityGroupRule:SecurityGroupRule"
    tags_property = None
    defaults = {"self": False}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("security-group", "securityGroupId", inputs.get("securityGroupId"))
        yield from refers("security-group", "sourceSecurityGroupId", inputs.get("sourceSecurityGroupId"))

    def create(self, call: Call, inputs: Properties) -> str:
        group, direction = inputs["securityGroupId"], inputs["type"]
        if direction not in DIRECTIONS:
            raise ProviderError(f"type is {direction!r}; a rule is of type ingress or egress")
        atoms = of_block(inputs, group)
        if not atoms:
            raise ProviderError("a rule needs one of cidrBlocks, ipv6CidrBlocks, prefixListIds, self, "
                                "sourceSecurityGroupId")
        _permit(call, group, direction, atoms)
        peers = ["self" if atom.peer == group else atom.peer for atom in atoms]
        first = atoms[0]
        return "_".join((group, direction, first.protocol, str(first.from_port), str(first.to_port), *peers))

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        group, direction, wanted = _parsed(id)
        described = look_up(call, "security-group", group)
        if described is None or not wanted:
            return None
        places = {atom.place for atom in wanted}
        here = [atom for atom in observed(described[DIRECTIONS[direction]]) if atom.place in places]
        if {atom.place for atom in here} != places:
            return None
        by_place = {atom.place: atom for atom in here}
        (block,) = as_blocks([by_place[atom.place] for atom in wanted], [], group)[:1]
        others = block.pop("securityGroups", [])
        return {"self": False, **block, "type": direction, "securityGroupId": group,
                "sourceSecurityGroupId": others[0] if others else "",
                "securityGroupRuleId": _rule_id(call, group, direction, here)}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        """Only the description can change. The emulator ignores that for peers that are groups: those are made
        again."""
        group, direction, _ = _parsed(id)
        atoms = of_block(new, group)
        groups = [atom for atom in atoms if atom.kind == "group"]
        revoke(call, group, direction, _as_they_are(call, group, direction, groups))
        _permit(call, group, direction, groups)
        if len(groups) < len(atoms):
            getattr(call.client("ec2"), f"update_security_group_rule_descriptions_{direction}")(
                GroupId=group, IpPermissions=[atom.permission() for atom in atoms if atom.kind != "group"])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        group, direction, atoms = _parsed(id)
        revoke(call, group, direction, _as_they_are(call, group, direction, atoms))


def _as_they_are(call: Call, group: str, direction: str, atoms: Sequence[Atom]) -> list[Atom]:
    """With the descriptions that they have: the emulator finds a rule only by all of its members."""
    places = {atom.place for atom in atoms}
    described = look_up(call, "security-group", group) or {}
    return [atom for atom in observed(described.get(DIRECTIONS[direction], ())) if atom.place in places]


def _parsed(id: str) -> tuple[str, str, list[Atom]]:
    parts = id.split("_")
    if len(parts) < 6 or parts[1] not in DIRECTIONS:
        raise ProviderError(f"{id!r} is no id of a security group rule; expected such as "
                            "sg-0123_ingress_tcp_443_443_10.0.0.0/8")
    group, direction, protocol, first, last, *peers = parts
    return group, direction, [Atom(protocol, int(first), int(last), *_peer(peer, group)) for peer in peers]


def _peer(peer: str, group: str) -> tuple[str, str]:
    if peer == "self":
        return "group", group
    kind = ("group" if peer.startswith("sg-") else "prefix" if peer.startswith("pl-") else
            "ipv6" if ":" in peer else "ipv4")
    return kind, peer


def _rule_id(call: Call, group: str, direction: str, atoms: Sequence[Atom]) -> str:
    """The `sgr-…` of a rule with one peer; the provider leaves it empty for several."""
    if len(atoms) != 1:
        return ""
    for rule in search(call, "security-group-rule", group_id=group):
        peer = rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule.get("PrefixListId") or (
            rule.get("ReferencedGroupInfo", {}).get("GroupId"))
        ports = (0, 0) if rule["IpProtocol"] == "-1" else (rule["FromPort"], rule["ToPort"])
        if rule["IsEgress"] == (direction == "egress") and (rule["IpProtocol"], *ports, peer) == (
                atoms[0].protocol, atoms[0].from_port, atoms[0].to_port, atoms[0].peer):
            return str(rule["SecurityGroupRuleId"])
    return ""


@data_source("aws:ec2/getSecurityGroup:getSecurityGroup")
def get_security_group(call: Call, arguments: Properties) -> Properties:
    filters = filters_of(arguments, group_id=arguments.get("id"), group_name=arguments.get("name"),
                         vpc_id=arguments.get("vpcId"))
    found = call.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    group = the_one(found, "EC2 security group", arguments)
    state = _state(call, group, {})
    return {**{name: state[name] for name in ("arn", "name", "description", "vpcId", "tags")},
            "id": group["GroupId"], "filters": arguments.get("filters"), "region": call.region}
