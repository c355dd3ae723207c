"""All load balancers of the cluster as they route at this moment, node by node of their own."""

from __future__ import annotations

import asyncio
import itertools
import random

from rehearsal.kubernetes.loadbalancer.counters import Counters
from rehearsal.kubernetes.loadbalancer.model import Forward, LoadBalancer
from rehearsal.kubernetes.loadbalancer.targets import Loopback, TargetSet

HISTORY_SECONDS = 600.0


class DataPlane:
    """`lag_seconds` is how far the slowest load balancer node is behind changes of rules, weights and targets; there
    are as many nodes as `nodes`, their lags spread evenly from zero. `lags` has that of single load balancers."""

    def __init__(self, loopback: Loopback, lag_seconds: float = 0.0, nodes: int = 3, seed: int = 0) -> None:
        self.counters = Counters()
        self.target_sets: dict[str, TargetSet] = {}  # by target group id
        self.hostnames: dict[str, str] = {}  # DNS name → group
        self.lags: dict[str, float] = {}  # group → seconds of its slowest node
        self.changed = asyncio.Event()
        self.reconfigured = asyncio.Event()  # a load balancer was set or removed
        self.random = random.Random(seed)
        self.balancers: dict[str, LoadBalancer] = {}  # by group, as last set
        self._lag_seconds = lag_seconds
        self._turn = itertools.cycle([at / max(1, nodes - 1) for at in range(nodes)])
        self._loopback = loopback
        self._versions: dict[str, list[tuple[float, LoadBalancer | None]]] = {}

    def set_balancer(self, group: str, balancer: LoadBalancer | None, hostname: str = "") -> None:
        """None: the load balancer is gone."""
        now = asyncio.get_running_loop().time()
        self.hostnames = {name: of for name, of in self.hostnames.items() if of != group}
        if balancer is None:
            self.balancers.pop(group, None)
        else:
            self.balancers[group] = balancer
            if hostname:
                self.hostnames[hostname] = group
        known = self._versions.get(group, [])
        self._versions[group] = [each for at, each in enumerate(known)
                                 if at == len(known) - 1 or known[at + 1][0] > now - HISTORY_SECONDS]
        self._versions[group].append((now, balancer))
        self.reconfigured.set()
        groups = {id: (group, each) for group, balancer in self.balancers.items()
                  for id, each in balancer.target_groups.items()}
        for id, (of, target_group) in groups.items():
            if id in self.target_sets:
                self.target_sets[id].group = target_group
            else:
                self.target_sets[id] = TargetSet(target_group, self._loopback, self.changed.set,
                                                 lambda of=of: self.lag(of, 1.0))  # type: ignore[misc]
        for id in [id for id in self.target_sets if id not in groups]:
            self.target_sets.pop(id).close()

    def set_lag(self, group: str, seconds: float) -> None:
        """From now on. What is there by now counts as known to all nodes."""
        self.lags[group] = seconds
        balancer = self.balancers.get(group)
        self._versions[group] = [(float("-inf"), balancer)]
        for id in balancer.target_groups if balancer is not None else ():
            for target in self.target_sets[id].targets.values():
                target.registered = float("-inf")

    def next_node(self) -> float:
        """The load balancer node that a new request lands on: 0 follows at once, 1 with the whole lag."""
        return next(self._turn)

    def lag(self, group: str, node: float) -> float:
        """How many seconds that node of the load balancer is behind."""
        return node * self.lags.get(group, self._lag_seconds)

    def seen(self, node: float) -> dict[str, LoadBalancer]:
        """The configuration that a node has."""
        now = asyncio.get_running_loop().time()
        found: dict[str, LoadBalancer] = {}
        for group, versions in self._versions.items():
            until = now - self.lag(group, node)
            balancer = next((each for since, each in reversed(versions) if since <= until), None)
            if balancer is not None:
                found[group] = balancer
        return found

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
