"""Manifests that fence the namespace in: Pod Security, quota, limits, network policies, roles, priorities (K7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.plans.kubernetes import COLOURS
from infra.plans.pods import OWNER, PART_OF, Manifest, labels, metadata
from infra.plans.quantities import count, cpu, memory
from infra.settings.model import Service

__all__ = ["OWNER"]
FRONT_DOOR = "front-door"  # in `callers`: the load balancer
MONITORING_NAMESPACE = "monitoring"
PROMETHEUS_LABELS = {"app.kubernetes.io/name": "prometheus"}  # as its operator labels the pods that scrape
# Pods that operations run to check a colour's own Service before a switch (O1).
CHECKER_LABELS = {"app.kubernetes.io/component": "health-check", "app.kubernetes.io/part-of": PART_OF}
# Pods that `candlefish connect` makes, which relay from their loopback to the database or the cache (O9).
RELAY_LABELS = {"app.kubernetes.io/component": "connect", "app.kubernetes.io/part-of": PART_OF}
# Room for what runs beside the services: the maintenance page, the database's jobs, migrations, health-check pods.
JOBS_CPU_MILLIS = 2000
JOBS_MEMORY_MIB = 4096
JOBS_PODS = 10
JOBS_CLAIMS = 2
SURGE_PERCENT = 33  # of a rolling update, on top of both colours
OPERATORS_ROLE = "candlefish-operator"
OPERATORS_GROUP = "candlefish-operators"  # of the access entries of operators and pipelines
PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")


def namespace(name: str) -> Manifest:
    """The readiness gate keeps a pod unready until the load balancer has found it healthy, so that no rolling update
    outruns target registration."""
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return {"metadata": {"name": name, "labels": {
        **OWNER, **security, "elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}}}


def quota(services: Sequence[Service], namespace: str) -> Manifest:
    """What both colours of every service at their maximum take, with a rolling update's surge, and the jobs."""

    def total(of: Callable[[Service], int]) -> int:
        return sum(_pods(service) * of(service) for service in services)

    pods = sum(_pods(service) for service in services) + JOBS_PODS
    hard = {
        "requests.cpu": cpu(total(lambda s: s.resources.cpu_millis) + JOBS_CPU_MILLIS),
        "requests.memory": memory(total(lambda s: s.resources.memory_mib) + JOBS_MEMORY_MIB),
        "limits.cpu": cpu(total(lambda s: s.resources.cpu_limit_millis) + JOBS_CPU_MILLIS),
        "limits.memory": memory(total(lambda s: s.resources.memory_limit_mib) + JOBS_MEMORY_MIB),
        "pods": count(pods),
        "persistentvolumeclaims": count(JOBS_CLAIMS + sum(_pods(service) for service in services if service.volume)),
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    }
    return {"metadata": metadata("candlefish", namespace, OWNER), "spec": {"hard": hard}}


def _pods(service: Service) -> int:
    colours = len(COLOURS) * service.replicas.maximum
    return colours + -(-colours * SURGE_PERCENT // 100)


def limit_range(services: Sequence[Service], namespace: str) -> Manifest:
    """Defaults for pods that say nothing; no container may be larger than the largest service."""
    millis = max([1000, *(service.resources.cpu_limit_millis for service in services)])
    mib = max([1024, *(service.resources.memory_limit_mib for service in services)])
    return {"metadata": metadata("candlefish", namespace, OWNER), "spec": {"limits": [{
        "type": "Container",
        "default": {"cpu": cpu(500), "memory": memory(512)},
        "defaultRequest": {"cpu": cpu(100), "memory": memory(128)},
        "max": {"cpu": cpu(millis), "memory": memory(mib)},
    }]}}


@dataclass(frozen=True)
class Destination:
    """Where `calls` may lead: a port at given ranges, or at a namespace's pods."""

    ports: tuple[int, ...]
    cidrs: tuple[str, ...] = ()
    excepted: tuple[str, ...] = ()
    namespace: str | None = None


def destinations(data_cidrs: Sequence[str]) -> dict[str, Destination]:
    """What a service may name in `calls`."""
    data = tuple(data_cidrs)
    return {
        # The agent on the node that hands out credentials (EKS Pod Identity).
        "pod-identity": Destination((80,), cidrs=("169.254.170.23/32",)),
        "database": Destination((5432,), cidrs=data),
        "cache": Destination((6379,), cidrs=data),
        "internet": Destination((443,), cidrs=("0.0.0.0/0",), excepted=PRIVATE_RANGES),
        "tracing": Destination((4317, 4318), namespace=MONITORING_NAMESPACE),
    }


def default_policies(namespace: str, data_cidrs: Sequence[str]) -> dict[str, Manifest]:
    """Nothing in, nothing out, but names can be looked up; the health check of operations may call every service, and
    the relay of operations the data stores."""
    everything: Manifest = {}
    dns = {"to": [{"namespaceSelector": _namespace_selector("kube-system"),
                   "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}],
           "ports": [_port(53, "UDP"), _port(53)]}
    checks = {"to": [{"podSelector": {"matchLabels": OWNER}}]}
    return {
        "default-deny": _policy("default-deny", namespace, OWNER, everything, [], []),
        "allow-dns": _policy("allow-dns", namespace, OWNER, everything, None, [dns]),
        "health-check": _policy("health-check", namespace, OWNER, CHECKER_LABELS, None, [checks]),
        "relay": _policy("relay", namespace, OWNER, RELAY_LABELS, [], [
            _egress(destinations(data_cidrs)[store]) for store in ("database", "cache")]),
    }


def service_policy(service: Service, services: Sequence[Service], namespace: str, *,
                   front_door_cidrs: Sequence[str], data_cidrs: Sequence[str]) -> Manifest:
    """Who may call the pods of a service, in both colours, and where they may go (K3, K7).

    Every unknown word in `callers` or `calls` is an error: a policy that lets nothing through is hard to find later.
    """
    known = {other.name: other for other in services}
    allowed = destinations(data_cidrs)
    _refuse_unknown(service, "callers", service.callers, {FRONT_DOOR, *known})
    _refuse_unknown(service, "calls", service.calls, set(allowed))
    if service.paths and FRONT_DOOR not in service.callers:
        raise ValueError(f"service {service.name} has paths at the front door but callers lacks {FRONT_DOOR!r}; "
                         "add it to `callers` or remove `paths` in the stack file")
    sources: list[Manifest] = [{"podSelector": {"matchLabels": _pods_of(caller)}}
                               for caller in sorted(service.callers) if caller != FRONT_DOOR]
    if FRONT_DOOR in service.callers:
        sources += [{"ipBlock": {"cidr": cidr}} for cidr in front_door_cidrs]
    sources += [{"podSelector": {"matchLabels": CHECKER_LABELS}},
                {"namespaceSelector": _namespace_selector(MONITORING_NAMESPACE),
                 "podSelector": {"matchLabels": PROMETHEUS_LABELS}}]
    called = [other for other in services if service.name in other.callers]
    egress: list[Manifest] = [{"to": [{"podSelector": {"matchLabels": _pods_of(other.name)}}],
                               "ports": [_port(other.port)]} for other in called]
    egress += [_egress(allowed[word]) for word in sorted(service.calls)]
    return _policy(service.name, namespace, labels(service.name), _pods_of(service.name),
                   [{"from": sources, "ports": [_port(service.port)]}], egress)


def egress_policy(name: str, calls: Sequence[str], namespace: str, data_cidrs: Sequence[str]) -> Manifest:
    """Pods of `name`, which nobody calls, may reach what `calls` names."""
    allowed = destinations(data_cidrs)
    return _policy(name, namespace, labels(name), _pods_of(name), [], [_egress(allowed[word]) for word in calls])


def front_door_policy(name: str, port: int, namespace: str, front_door_cidrs: Sequence[str]) -> Manifest:
    """Pods of `name` answer the load balancer and call nobody."""
    blocks = [{"ipBlock": {"cidr": cidr}} for cidr in front_door_cidrs]
    return _policy(name, namespace, labels(name), _pods_of(name), [{"from": blocks, "ports": [_port(port)]}], [])


def _refuse_unknown(service: Service, key: str, words: Sequence[str], known: set[str]) -> None:
    if unknown := sorted(set(words) - known):
        raise ValueError(f"service {service.name}: {key} has {', '.join(unknown)}; known are "
                         f"{', '.join(sorted(known))}. Change `services` in the stack file")


def _pods_of(service: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": service}


def _egress(destination: Destination) -> Manifest:
    ports = [_port(port) for port in destination.ports]
    if destination.namespace:
        return {"to": [{"namespaceSelector": _namespace_selector(destination.namespace)}], "ports": ports}
    blocks = []
    for cidr in destination.cidrs:
        block: Manifest = {"cidr": cidr}
        if destination.excepted:
            block["except"] = list(destination.excepted)
        blocks.append({"ipBlock": block})
    return {"to": blocks, "ports": ports}


def _namespace_selector(name: str) -> Manifest:
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}


def _port(number: int, protocol: str = "TCP") -> Manifest:
    return {"protocol": protocol, "port": number}


def _policy(name: str, namespace: str, labels: Mapping[str, str], pods: Mapping[str, str],
            ingress: list[Manifest] | None, egress: list[Manifest] | None) -> Manifest:
    """`None`: the policy says nothing about that direction; an empty list: nothing is let through."""
    spec: Manifest = {"podSelector": {"matchLabels": dict(pods)} if pods else {}, "policyTypes": []}
    for direction, rules in (("Ingress", ingress), ("Egress", egress)):
        if rules is not None:
            spec["policyTypes"].append(direction)
            if rules:
                spec[direction.lower()] = rules
    return {"metadata": metadata(name, namespace, labels), "spec": spec}


@dataclass(frozen=True)
class Grant:
    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]

    def rule(self) -> dict[str, Any]:
        return {"apiGroups": [self.group], "resources": list(self.resources), "verbs": list(self.verbs)}


READ = ("get", "list", "watch")
# What the operations' commands do in the namespace, and no more: no secrets, no deletion of what Pulumi owns.
OPERATOR_GRANTS = (
    Grant("", ("pods", "services", "endpoints", "events", "resourcequotas", "limitranges", "podtemplates",
               "persistentvolumeclaims"), READ),
    Grant("", ("pods/log",), ("get",)),
    Grant("", ("pods",), ("create", "delete")),  # health-check pods
    Grant("", ("pods/portforward",), ("create", "get")),  # `candlefish connect`, which asks by WebSocket
    Grant("", ("services",), ("patch",)),  # the live selector
    Grant("", ("configmaps",), (*READ, "create", "update", "patch")),  # the rollout journal, switches
    Grant("apps", ("deployments", "replicasets"), READ),
    Grant("apps", ("deployments", "deployments/scale"), ("patch",)),  # the pods' template, replicas
    Grant("autoscaling", ("horizontalpodautoscalers",), (*READ, "patch")),
    Grant("batch", ("jobs",), (*READ, "create", "delete")),  # migrations, smoke tests, relays
    Grant("batch", ("cronjobs",), READ),  # the templates of such jobs
    Grant("coordination.k8s.io", ("leases",), (*READ, "create", "update", "patch")),
    Grant("discovery.k8s.io", ("endpointslices",), READ),
    Grant("networking.k8s.io", ("ingresses",), (*READ, "patch")),  # traffic weights, maintenance
    Grant("networking.k8s.io", ("networkpolicies",), READ),
    Grant("policy", ("poddisruptionbudgets",), READ),
)


def operators_role(namespace: str) -> Manifest:
    return {"metadata": metadata(OPERATORS_ROLE, namespace, OWNER),
            "rules": [grant.rule() for grant in OPERATOR_GRANTS]}


def operators_binding(namespace: str, group: str) -> Manifest:
    """`group`: the Kubernetes group of the access entries of operators and pipelines."""
    return {"metadata": metadata(OPERATORS_ROLE, namespace, OWNER),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": OPERATORS_ROLE},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}]}


PRIORITIES = {
    "candlefish-front-door": (100_000, "Services that visitors wait for."),
    "candlefish-internal": (50_000, "Services that only other services call."),
    "candlefish-jobs": (10_000, "What can wait: jobs."),
}


def priority_class(service: Service) -> str:
    return "candlefish-front-door" if service.paths else "candlefish-internal"


def priority(name: str) -> Manifest:
    value, description = PRIORITIES[name]
    return {"metadata": {"name": name, "labels": OWNER}, "value": value, "description": description}
