"""Whether the pods of a stack fit on its nodes (K6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from infra.plans.instances import INSTANCE_TYPES, InstanceType

# What every node loses to its agents: VPC CNI 50m (25m and its policy agent's 25m), kube-proxy 100m, EBS CSI 30m,
# pod identity 10m (requests of the add-ons' manifests), and room for a log shipper and the node exporter.
NODE_AGENTS_CPU_MILLIS = 250
NODE_AGENTS_MEMORY_MIB = 400
NODE_AGENTS_PODS = 6
# What the cluster's own add-ons take once: CoreDNS 2 × 100m/70Mi, metrics-server 100m/200Mi, load balancer controller
# 2 × 100m/128Mi, External Secrets 3 × 50m/64Mi, EBS CSI controller 2 × 60m/240Mi.
CLUSTER_ADDONS = ((100, 70, 2), (100, 200, 1), (100, 128, 2), (50, 64, 3), (60, 240, 2))
# And what a feature brings, by the requests in infra/plans/charts.py and monitoring.py: the autoscaler's two;
# Prometheus, two Alertmanagers, Grafana, operator and kube-state-metrics; Jaeger. cert-manager's pods request nothing.
FEATURE_ADDONS = {
    "autoscaler": ((100, 300, 2),),
    "certificates": ((0, 0, 3),),
    "monitoring": ((250, 1024, 1), (25, 64, 2), (100, 256, 1), (50, 128, 1), (25, 96, 1)),
    "tracing": ((100, 512, 1),),
}
# What the namespace has beside its services: dump, upkeep, two pods of the maintenance page, one migration
# (infra/plans/jobs.py, maintenance.py).
BESIDE_SERVICES = ((250, 256, 1), (50, 64, 1), (25, 32, 2), (250, 512, 1))


@dataclass(frozen=True)
class Demand:
    """Pods of one service at their largest: CPU in thousandths, memory in MiB, as requested a pod."""

    service: str
    cpu_millis: int
    memory_mib: int
    pods: int


@dataclass(frozen=True)
class NodePool:
    instance: InstanceType
    maximum: int

    @classmethod
    def of(cls, types: Iterable[str], maximum: int) -> NodePool:
        """Of a group with several types, of which it may get the smallest only. Raises KeyError for an unknown one."""
        sizes = [INSTANCE_TYPES[name] for name in types]
        return cls(min(sizes, key=lambda size: (size.cpus, size.memory_mib)), maximum)


@dataclass
class _Node:
    cpu: int
    memory: int
    pods: int

    def take(self, cpu: int, memory: int) -> bool:
        if self.cpu < cpu or self.memory < memory or self.pods < 1:
            return False
        self.cpu -= cpu
        self.memory -= memory
        self.pods -= 1
        return True


@dataclass(frozen=True)
class Shortfall:
    """Pods of `service` that find no node, and what they ask for together."""

    service: str
    pods: int
    cpu_millis: int
    memory_mib: int


@dataclass(frozen=True)
class Fit:
    shortfalls: tuple[Shortfall, ...]
    cpu_free_millis: int
    memory_free_mib: int
    nodes: int = field(default=0)

    @property
    def fits(self) -> bool:
        return not self.shortfalls


def both_colours(service: str, cpu_millis: int, memory_mib: int, maximum_replicas: int) -> Demand:
    """A service in the middle of a rollout: live and idle colour at the autoscaler's maximum."""
    return Demand(service, cpu_millis, memory_mib, 2 * maximum_replicas)


def fit(demands: Sequence[Demand], pools: Sequence[NodePool], features: Collection[str] = ()) -> Fit:
    """`features`: of the cluster's add-ons; those that bring no pods of their own are not in `FEATURE_ADDONS`.

    Places the largest pods first on the first node with room, on all node groups at their maximum.

    First-fit decreasing needs at most 11/9 of the best packing's nodes, so a refusal can be wrong only within that
    margin; an acceptance is a real placement.
    """
    nodes = [
        _Node(pool.instance.allocatable_cpu_millis - NODE_AGENTS_CPU_MILLIS,
              pool.instance.allocatable_memory_mib - NODE_AGENTS_MEMORY_MIB,
              pool.instance.maximum_pods - NODE_AGENTS_PODS)
        for pool in pools for _ in range(pool.maximum)
    ]
    wanted = [*CLUSTER_ADDONS, *BESIDE_SERVICES,
              *(each for feature in features for each in FEATURE_ADDONS.get(feature, ()))]
    addons = [Demand("add-ons and jobs", cpu, memory, pods) for cpu, memory, pods in wanted]
    shortfalls = []
    for demand in [*addons, *sorted(demands, key=lambda d: (-max(d.cpu_millis, d.memory_mib / 4), d.service))]:
        homeless = sum(
            not any(node.take(demand.cpu_millis, demand.memory_mib) for node in nodes) for _ in range(demand.pods))
        if homeless:
            shortfalls.append(Shortfall(demand.service, homeless, homeless * demand.cpu_millis,
                                        homeless * demand.memory_mib))
    return Fit(tuple(shortfalls), sum(n.cpu for n in nodes), sum(n.memory for n in nodes), len(nodes))
