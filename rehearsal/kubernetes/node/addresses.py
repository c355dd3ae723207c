"""Addresses of nodes and pods, and where on loopback a pod's port really is."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

AWS_RESERVED = 4  # the first four addresses of a subnet, and the last


class Addresses:
    """Pods report addresses of their node's subnet; nothing listens there. `loopback` says where to connect."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._next: dict[str, int] = {}
        self._ports: dict[str, dict[int, int]] = {}

    def reserve(self, address: str) -> None:
        """Marks an address that is already in use (a pod's or node's from before a restart)."""
        self._used.add(address)

    def allocate(self, cidr: str) -> str:
        """A free address of the range, lately freed ones last. Raises ValueError when the range is full."""
        network = ipaddress.ip_network(cidr)
        size = network.num_addresses - AWS_RESERVED - 1
        start = self._next.get(cidr, 0)
        for step in range(size):
            place = (start + step) % size
            address = str(network[AWS_RESERVED + place])
            if address not in self._used:
                self._used.add(address)
                self._next[cidr] = place + 1
                return address
        raise ValueError(f"subnet {cidr} has no free address left: {size} are in use")

    def release(self, address: str) -> None:
        self._used.discard(address)
        self._ports.pop(address, None)

    def publish(self, address: str, ports: dict[int, int]) -> None:
        """Container port → loopback port, added to what the pod's other containers have."""
        self._ports.setdefault(address, {}).update(ports)

    def withdraw(self, address: str, ports: Iterable[int]) -> None:
        for port in ports:
            self._ports.get(address, {}).pop(port, None)

    def loopback(self, address: str, port: int) -> int | None:
        """The port on 127.0.0.1, or None: nothing listens there, as if the connection were refused."""
        return self._ports.get(address, {}).get(port)

    def ports_of(self, address: str) -> dict[int, int]:
        return dict(self._ports.get(address, {}))
