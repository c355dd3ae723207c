"""All load balancers of the cluster as they route at this moment, node by node of their own."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Mapping

from rehearsal.kubernetes.loadbalancer.counters import Counters
from rehearsal.kubernetes.loadbalancer.model import Forward, LoadBalancer
from rehearsal.kubernetes.loadbalancer.targets import Loopback, TargetSet

HISTORY_SECONDS = 600.0


class DataPlane:
    """`lag_seconds` is how far the slowest load balancer node is behind changes of rules, weights and targets; there
    are as many nodes as `nodes`, their lags spread evenly from zero. With no lag there is one."""

    def __init__(self, loopback: Loopback, lag_seconds: float = 0.0, nodes: int = 3, seed: int = 0) -> None:
        self.counters = Counters()
        self.target_sets: dict[str, TargetSet] = {}  # by target group id
        self.hostnames: dict[str, str] = {}  # DNS name → group
        self.changed = asyncio.Event()
        self.reconfigured = asyncio.Event()  # a load balancer was set or removed
        self.random = random.Random(seed)
        count = nodes if lag_seconds else 1
        self._lags = [lag_seconds * at / max(1, count - 1) for at in range(count)]
        self._turn = itertools.cycle(self._lags)
        self._loopback = loopback
        self._versions: list[tuple[float, Mapping[str, LoadBalancer]]] = [(float("-inf"), {})]

    @property
    def balancers(self) -> Mapping[str, LoadBalancer]:
        """By group, as last set."""
        return self._versions[-1][1]

    def set_balancer(self, group: str, balancer: LoadBalancer | None, hostname: str = "") -> None:
        """None: the load balancer is gone."""
        now = asyncio.get_running_loop().time()
        current = dict(self.balancers)
        self.hostnames = {name: of for name, of in self.hostnames.items() if of != group}
        if balancer is None:
            current.pop(group, None)
        else:
            current[group] = balancer
            if hostname:
                self.hostnames[hostname] = group
        self._versions = [each for at, each in enumerate(self._versions)
                          if at == len(self._versions) - 1 or self._versions[at + 1][0] > now - HISTORY_SECONDS]
        self._versions.append((now, current))
        self.reconfigured.set()
        groups = {id: target_group for each in current.values() for id, target_group in each.target_groups.items()}
        for id, target_group in groups.items():
            if id in self.target_sets:
                self.target_sets[id].group = target_group
            else:
                self.target_sets[id] = TargetSet(target_group, self._loopback, self.changed.set)
        for id in [id for id in self.target_sets if id not in groups]:
            self.target_sets.pop(id).close()

    def next_node(self) -> float:
        """The lag of the load balancer node that a new request lands on."""
        return next(self._turn)

    def seen(self, lag: float) -> Mapping[str, LoadBalancer]:
        """The configuration of a node that is `lag` seconds behind."""
        now = asyncio.get_running_loop().time()
        return next(each for since, each in reversed(self._versions) if since + lag <= now)

    def choose_group(self, forward: Forward, sticky: str | None) -> str | None:
        """By weight; a sticky group keeps its requests while its weight is not 0. None: all weights are 0."""
        weights = dict(forward.weights)
        if sticky is not None and forward.sticky_seconds and weights.get(sticky):
            return sticky
        total = sum(weights.values())
        if not total:
            return None
        return self.random.choices(list(weights), list(weights.values()))[0]

    def close(self) -> None:
        for targets in self.target_sets.values():
            targets.close()
