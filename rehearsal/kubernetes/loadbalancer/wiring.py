"""Builds controller, data plane, front door and, with AWS, what publishes to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.kubernetes.controllers.api import Api
from rehearsal.kubernetes.controllers.aws import Aws
from rehearsal.kubernetes.loadbalancer.controller import Controller, NoCloud
from rehearsal.kubernetes.loadbalancer.dataplane import DataPlane
from rehearsal.kubernetes.loadbalancer.doors import Doors
from rehearsal.kubernetes.loadbalancer.elbv2 import ElbV2
from rehearsal.kubernetes.loadbalancer.model import Forward
from rehearsal.kubernetes.loadbalancer.proxy import FrontDoor, own
from rehearsal.kubernetes.loadbalancer.publisher import Publisher
from rehearsal.kubernetes.loadbalancer.targets import Loopback


@dataclass(frozen=True)
class LoadBalancing:
    controller: Controller
    plane: DataPlane
    front_door: FrontDoor
    doors: Doors
    publisher: Publisher | None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """The informers are run by the caller."""
        tasks.create_task(self.controller.run())
        tasks.create_task(self.front_door.run())
        tasks.create_task(self.doors.run())
        if self.publisher is not None:
            tasks.create_task(self.publisher.run())

    def state(self) -> dict[str, Any]:
        """For the control endpoint: load balancers, their targets' health, what was counted so far."""
        totals = self.plane.counters.totals()
        hostnames = {group: name for name, group in self.plane.hostnames.items()}
        shown: dict[str, Any] = {}
        for group, balancer in self.plane.balancers.items():
            groups = {}
            for id in balancer.target_groups:
                counts, targets = totals.get((group, id)), self.plane.target_sets[id]
                groups[id] = {
                    "targets": {f"{address}:{port}": each.health.value
                                for (address, port), each in targets.targets.items()},
                    "draining": [f"{each.endpoint[0]}:{each.endpoint[1]}" for each in targets.leaving],
                    "requests": counts.requests if counts else 0,
                    "statuses": dict(counts.statuses) if counts else {},
                    "seconds": {str(each): count for each, count in counts.seconds.items()} if counts else {}}
            own = totals.get((group, ""))
            forwards = [dict(rule.action.weights) for listener in balancer.listeners for rule in listener.rules
                        if isinstance(rule.action, Forward)]
            shown[group] = {"name": balancer.name, "hostname": hostnames.get(group, ""), "targetGroups": groups,
                            "forwards": forwards,
                            "requests": own.requests if own else 0, "ownErrors": dict(own.statuses) if own else {}}
        return shown


def build(api: Api, cluster: str, loopback: Loopback, port: int, home: Path, *, region: str, aws: Aws | None,
          lag_seconds: float, metrics_period_seconds: float) -> LoadBalancing:
    plane = DataPlane(loopback, lag_seconds)
    elb = ElbV2(aws, cluster) if aws is not None else None
    front_door = FrontDoor(plane, loopback, port)
    return LoadBalancing(
        controller=Controller(api, cluster, plane, elb if elb is not None else NoCloud(region)), plane=plane,
        front_door=front_door, doors=Doors(plane, front_door.serve, own, home),
        publisher=Publisher(plane, elb, aws, metrics_period_seconds) if elb is not None and aws is not None else None)
