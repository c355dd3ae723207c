"""The rules of a security group, as atoms: one protocol, port range, peer and description each.

EC2, the provider's inline blocks and its rule resources group the same atoms in three ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.engine.values import Properties

# Kind of peer → (list in IpPermissions, member of it, property of the provider's blocks).
_PEERS = {
    "ipv4": ("IpRanges", "CidrIp", "cidrBlocks"),
    "ipv6": ("Ipv6Ranges", "CidrIpv6", "ipv6CidrBlocks"),
    "prefix": ("PrefixListIds", "PrefixListId", "prefixListIds"),
    "group": ("UserIdGroupPairs", "GroupId", "securityGroups"),
}
_PROTOCOLS = {"all": "-1", "1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}


@dataclass(frozen=True)
class Atom:
    """`from_port` and `to_port` are 0 when the protocol is "-1" (all)."""

    protocol: str
    from_port: int
    to_port: int
    kind: str
    peer: str
    description: str = ""

    def permission(self) -> dict[str, Any]:
        """As an element of IpPermissions."""
        container, member, _ = _PEERS[self.kind]
        peer = {member: self.peer} | ({"Description": self.description} if self.description else {})
        ports = {} if self.protocol == "-1" else {"FromPort": self.from_port, "ToPort": self.to_port}
        return {"IpProtocol": self.protocol, **ports, container: [peer]}

    @property
    def place(self) -> tuple[str, int, int, str, str]:
        """All but the description: EC2 takes two atoms at one place for duplicates."""
        return self.protocol, self.from_port, self.to_port, self.kind, self.peer


def observed(permissions: Iterable[Mapping[str, Any]]) -> list[Atom]:
    """The atoms of IpPermissions or IpPermissionsEgress."""
    return [
        Atom(permission["IpProtocol"], *_ports(permission["IpProtocol"], permission.get("FromPort"),
                                               permission.get("ToPort")),
             kind, peer[member], peer.get("Description", ""))
        for permission in permissions for kind, (container, member, _) in _PEERS.items()
        for peer in permission.get(container, ()) if member in peer]


def of_block(block: Mapping[str, Any], group: str) -> list[Atom]:
    """The atoms of an inline block, or of a rule resource's inputs; `group` is whose rules they are."""
    protocol = str(block["protocol"]).lower()
    protocol = _PROTOCOLS.get(protocol, protocol)
    ports = _ports(protocol, block.get("fromPort"), block.get("toPort"))
    peers = [(kind, str(peer)) for kind, (_, _, name) in _PEERS.items() for peer in block.get(name) or ()]
    peers += [("group", group)] if block.get("self") else []
    peers += [("group", str(block["sourceSecurityGroupId"]))] if block.get("sourceSecurityGroupId") else []
    return [Atom(protocol, *ports, kind, peer, block.get("description") or "") for kind, peer in peers]


def as_blocks(atoms: Sequence[Atom], known: Sequence[Properties], group: str) -> list[Properties]:
    """Inline blocks for the atoms, grouped as the program's blocks are where they are all there; the rest by
    protocol, ports and description, as the provider groups them on import."""
    left = list(atoms)
    blocks: list[Properties] = []
    for block in known:
        wanted = of_block(block, group)
        if wanted and all(atom in left for atom in wanted):
            left = [atom for atom in left if atom not in wanted]
            blocks.append(_block(wanted, group))
    grouped: dict[tuple[str, int, int, str], list[Atom]] = {}
    for atom in left:
        grouped.setdefault((atom.protocol, atom.from_port, atom.to_port, atom.description), []).append(atom)
    return blocks + [_block(together, group) for together in grouped.values()]


def _block(atoms: Sequence[Atom], group: str) -> Properties:
    first = atoms[0]
    block: Properties = {"protocol": first.protocol, "fromPort": first.from_port, "toPort": first.to_port}
    block |= {"description": first.description} if first.description else {}
    for atom in atoms:
        if atom.kind == "group" and atom.peer == group:
            block["self"] = True
        else:
            block.setdefault(_PEERS[atom.kind][2], []).append(atom.peer)
    return block


def _ports(protocol: str, first: Any, last: Any) -> tuple[int, int]:
    if protocol == "-1":
        return 0, 0
    return int(first if first is not None else -1), int(last if last is not None else -1)
