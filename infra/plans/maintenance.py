"""The maintenance page: a workload at zero replicas that answers 503 with Retry-After (O6, K10)."""

from __future__ import annotations

from collections.abc import Sequence

from infra.plans.guards import front_door_policy
from infra.plans.ingress import MAINTENANCE, MAINTENANCE_PORT, health_checks
from infra.plans.kubernetes import SKIP_AWAIT
from infra.plans.pods import PORT_NAME, Manifest, container, labels, metadata, restricted, writable
from infra.settings.model import Resources
from infra.settings.workloads import Workloads

REPLICAS = 2  # while it is on: one may be lost
SIZE = Resources(cpu_millis=25, memory_mib=32, cpu_limit_millis=200, memory_limit_mib=64)
PROBE = {"httpGet": {"path": "/health", "port": PORT_NAME}, "periodSeconds": 5, "timeoutSeconds": 2}
DRAIN_SECONDS = 10
OWNED_BY_OPERATIONS = ["spec.replicas"]


def account(namespace: str) -> Manifest:
    return {"metadata": metadata(MAINTENANCE, namespace, labels(MAINTENANCE)), "automountServiceAccountToken": False}


def deployment(settings: Workloads, namespace: str, priority_class: str) -> Manifest:
    # nginx writes its settings, with the number of seconds in them, when it starts.
    mounts, volumes = writable(("/tmp", "/etc/nginx/conf.d"))
    page = container(
        MAINTENANCE, settings.maintenance_image, SIZE,
        ports=[{"name": PORT_NAME, "containerPort": MAINTENANCE_PORT, "protocol": "TCP"}],
        env=[{"name": "RETRY_AFTER_SECONDS", "value": str(settings.retry_after_seconds)}],
        readinessProbe=PROBE, livenessProbe={**PROBE, "failureThreshold": 6},
        lifecycle={"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}}, volumeMounts=mounts)
    return {
        "metadata": metadata(MAINTENANCE, namespace, labels(MAINTENANCE)),
        "spec": {
            "replicas": 0, "revisionHistoryLimit": 2, "selector": {"matchLabels": _selector()},
            "template": {"metadata": {"labels": labels(MAINTENANCE)}, "spec": restricted(
                [page], account=MAINTENANCE, volumes=volumes, pull_secrets=settings.pull_secrets,
                priorityClassName=priority_class, terminationGracePeriodSeconds=DRAIN_SECONDS + 10)},
        },
    }


def service(namespace: str) -> Manifest:
    return {
        "metadata": metadata(MAINTENANCE, namespace, labels(MAINTENANCE),
                             {**SKIP_AWAIT, **health_checks("/health", 2, DRAIN_SECONDS)}),
        "spec": {"type": "ClusterIP", "selector": _selector(), "ports": [
            {"name": PORT_NAME, "port": MAINTENANCE_PORT, "targetPort": PORT_NAME, "protocol": "TCP"}]},
    }


def network_policy(namespace: str, front_door_cidrs: Sequence[str]) -> Manifest:
    return front_door_policy(MAINTENANCE, MAINTENANCE_PORT, namespace, front_door_cidrs)


def _selector() -> dict[str, str]:
    return {"app.kubernetes.io/name": MAINTENANCE}
