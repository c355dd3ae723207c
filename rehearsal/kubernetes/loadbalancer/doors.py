"""The front door's doors: one for each public name that a load balancer's rules have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from rehearsal import doors
from rehearsal.kubernetes.loadbalancer.dataplane import DataPlane
from rehearsal.kubernetes.loadbalancer.model import LoadBalancer
from rehearsal.serving import Refuse


class Doors:
    """Opens a door for every name without wildcard in the load balancers' rules. Doors stay open until the end."""

    def __init__(self, plane: DataPlane, serve: doors.Serve, refuse: Refuse, home: Path) -> None:
        self._plane, self._doors = plane, doors.Doors(home, serve, refuse)

    async def run(self) -> None:
        try:
            while True:
                self._plane.reconfigured.clear()
                await self._doors.open(names(self._plane.balancers))
                await self._plane.reconfigured.wait()
        finally:
            await self._doors.close()


def names(balancers: Mapping[str, LoadBalancer]) -> set[str]:
    """Host names that the rules of all listeners name in full."""
    found = {value.lower() for balancer in balancers.values() for value in _hosts(balancer)}
    return {name for name in found if not set("*?") & set(name)}


def _hosts(balancer: LoadBalancer) -> Iterable[str]:
    for listener in balancer.listeners:
        for rule in listener.rules:
            for condition in rule.conditions:
                if condition.field == "host-header":
                    yield from condition.values
