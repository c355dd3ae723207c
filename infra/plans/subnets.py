"""How a VPC's range is divided into subnets."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

MAXIMUM_ZONES = 4
_PRIVATE_BITS, _PUBLIC_BITS, _DATA_BITS = 3, 5, 6  # more bits, smaller subnets
SMALLEST_VPC_PREFIX = 28 - _DATA_BITS  # AWS allows no subnet smaller than /28
LARGEST_VPC_PREFIX = 16  # AWS allows no VPC larger than /16


@dataclass(frozen=True)
class SubnetPlan:
    """One subnet of each kind a zone, in the zones' order."""

    public: tuple[IPv4Network, ...]
    private: tuple[IPv4Network, ...]
    data: tuple[IPv4Network, ...]


def plan(cidr: IPv4Network, zones: int) -> SubnetPlan:
    """Divides `cidr` for up to four zones; the ranges of a zone do not move when zones are added.

    Private subnets hold the pods (the VPC CNI gives each an address of the subnet) and take the first half of the
    range, an eighth a zone; public ones a thirty-second each, data ones a sixty-fourth each. The last 5/16 stay free.

    Raises ValueError when the range or the number of zones can't be planned.
    """
    if not 1 <= zones <= MAXIMUM_ZONES:
        raise ValueError(f"{zones} zones; a VPC is planned for 1 to {MAXIMUM_ZONES}")
    if not LARGEST_VPC_PREFIX <= cidr.prefixlen <= SMALLEST_VPC_PREFIX:
        raise ValueError(f"{cidr} is a /{cidr.prefixlen}; /{LARGEST_VPC_PREFIX} to /{SMALLEST_VPC_PREFIX} can be "
                         "divided into subnets that AWS allows (/28 or larger)")
    base = int(cidr.network_address)
    size = cidr.num_addresses

    def block(offset: int, bits: int, index: int) -> IPv4Network:
        prefix = cidr.prefixlen + bits
        return IPv4Network((base + offset + index * (size >> bits), prefix))

    public_offset = MAXIMUM_ZONES * (size >> _PRIVATE_BITS)
    data_offset = public_offset + MAXIMUM_ZONES * (size >> _PUBLIC_BITS)
    return SubnetPlan(
        public=tuple(block(public_offset, _PUBLIC_BITS, zone) for zone in range(zones)),
        private=tuple(block(0, _PRIVATE_BITS, zone) for zone in range(zones)),
        data=tuple(block(data_offset, _DATA_BITS, zone) for zone in range(zones)),
    )
