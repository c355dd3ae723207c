"""Manual scaling (K5, O6): the least number of pods of a service's live colour, which is its autoscaler's minimum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.plans.capacity import Demand, NodePool, both_colours, fit
from infra.plans.instances import INSTANCE_TYPES
from kube.client import Client
from operations.aws import pages
from operations.cluster import Field
from operations.errors import NotAcceptable, OperationError
from operations.rollout.cluster import Cluster
from operations.rollout.journal import Journal
from operations.rollout.lease import Lease
from operations.rollout.model import Target
from operations.rollout.waits import Waits

PODS_SECONDS = 600.0  # as in a rollout: nodes may have to come first
Pools = Callable[[], Mapping[str, NodePool]]  # node groups as they are now


@dataclass
class Scaling:
    """Of one service. pools: asked once, before anything is written. say: progress, a line each."""

    client: Client
    target: Target
    pools: Pools
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self._cluster = Cluster(self.client, self.target)

    def status(self) -> dict[str, Any]:
        live = str(self._cluster.read(self._cluster.selector))
        scaler, deployment = self._cluster.autoscaler(live), self._cluster.deployment(live)
        return {"service": self.target.name, "live": live, "minimum": scaler["spec"]["minReplicas"],
                "maximum": scaler["spec"]["maxReplicas"], "settings": self.target.service.replicas.minimum,
                "pods": deployment["spec"]["replicas"], "ready": deployment.get("status", {}).get("readyReplicas", 0)}

    def planned(self, least: int) -> list[str]:
        """What `to` would write, in words; refuses what `to` refuses."""
        self._possible(least)
        found = self.status()
        steps = [f"autoscaler of {found['live']}: at least {found['minimum']} → {least}"]
        return [*(steps if found["minimum"] != least else []),
                *([f"pods of {found['live']}: {found['pods']} → {least}"] if found["pods"] < least else [])]

    def to(self, least: int) -> dict[str, Any]:
        """Sets it and waits until as many pods are ready. More pods than that go when the autoscaler says so."""
        self._possible(least)
        with Lease(self.client, self.target):
            current = Journal(self.client, self.target).load().current
            if current is not None and not current.finished:
                raise OperationError(f"revision {current.revision} of {self.target.name} is not finished, and sets the "
                                     "pods of both colours itself; finish it: candlefish rollout resume, or abort")
            live = str(self._cluster.read(self._cluster.selector))
            if self._cluster.move(self._cluster.minimum(live), least):
                self.say(f"{self.target.name}-{live}: at least {least} pods")
            self._cluster.move(_at_least(self._cluster.replicas(live), least), True)
        Waits(lambda: None, self.say).until(
            f"{least} pods of {live} are ready",
            lambda: self._cluster.deployment(live).get("status", {}).get("availableReplicas", 0) >= least, PODS_SECONDS)
        return self.status()

    def _possible(self, least: int) -> None:
        name, most = self.target.name, self.target.service.replicas.maximum
        where = f"services.{name}.replicas.maximum in Pulumi.{self.target.stack}.yaml"
        if least < 1:
            raise NotAcceptable(f"--min {least}: a live service has 1 pod at least; for none of it at all take it "
                                "out of the stack file")
        if least > most:
            raise NotAcceptable(f"--min {least} is above the maximum of {name}, {most}; raise {where}, and `up`")
        there = int(self._cluster.autoscaler(str(self._cluster.read(self._cluster.selector)))["spec"]["maxReplicas"])
        if least > there:
            raise OperationError(f"--min {least} is above the autoscaler's maximum, {there}: {where} says {most} and "
                                 "is not deployed yet; `up` first")
        self._expect_room(least)

    def _expect_room(self, least: int) -> None:
        """As the settings' own check (K6), on the node groups as they are now: this service at `least`, the others at
        their maximum, each in both colours."""
        pools = self.pools()
        demands = [_demand(self.target, service.name, least) for service in self.target.settings.services]
        found = fit(demands, list(pools.values()), self.target.settings.addons.features)
        if not found.fits:
            short = "; ".join(f"{each.service} is short of {each.cpu_millis}m CPU and {each.memory_mib} MiB, "
                              f"{each.pods} pods find no node" for each in found.shortfalls)
            nodes = ", ".join(f"{name} at most {pool.maximum}" for name, pool in pools.items()) or "no node group"
            raise OperationError(
                f"--min {least} does not fit with a rollout of every service at its maximum: {short} (nodes now: "
                f"{nodes}). Raise the node groups' maximum, or take a smaller number")


def _demand(target: Target, name: str, least: int) -> Demand:
    service = next(each for each in target.settings.services if each.name == name)
    pods = least if name == target.name else service.replicas.maximum
    return both_colours(name, service.resources.cpu_millis, service.resources.memory_mib, pods)


def _at_least(replicas: Field, least: int) -> Field:
    """The autoscaler may have made more meanwhile: they stay."""
    return Field(replicas.api_version, replicas.kind, replicas.name, lambda item: item["spec"]["replicas"] >= least,
                 lambda _, __: {"spec": {"replicas": least}}, replicas.what)


def node_pools(eks: Any, cluster: str) -> dict[str, NodePool]:
    """Node group → its smallest instance type and the most of them, as EKS has it. eks: boto3's client.
    Raises OperationError for an instance type whose size is not known."""
    found = {}
    for name in pages(eks, "list_nodegroups", "nodegroups", clusterName=cluster):
        group = eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]
        unknown = sorted(set(group["instanceTypes"]) - set(INSTANCE_TYPES))
        if unknown:
            raise OperationError(f"node group {name} has {', '.join(unknown)}, of unknown size; add it to "
                                 "infra/plans/instances.py")
        found[name] = NodePool.of(group["instanceTypes"], group["scalingConfig"]["maxSize"])
    return found
