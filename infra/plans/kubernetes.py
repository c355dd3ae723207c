"""Manifests of a service in two colours, and which of their fields operations own (K3–K6, K8, K10).

Operations own whole objects or plain paths, never a path through a list or through a key with dots: pulumi-kubernetes
resolves no other when it applies (docs/decisions/0006).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.plans.ingress import health_check_annotations
from infra.plans.pods import COLOUR_LABEL, PART_OF, PORT_NAME, Manifest, labels, metadata, switch_name, template
from infra.settings.model import Service

__all__ = ["COLOURS", "COLOUR_LABEL", "FIRST_COLOUR", "PART_OF", "PORT_NAME", "Manifest", "labels", "metadata"]

COLOURS = ("blue", "green")
FIRST_COLOUR = "blue"  # O4: the live one of a new stack
SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}

# What `up` creates and then leaves to operations (K10). The pods' template as a whole: `up` writes the one that it
# wants into the service's PodTemplate, and a rollout brings a colour to it, with an image of its own.
DEPLOYMENT_OWNED_BY_OPERATIONS = ["spec.replicas", "spec.template"]
AUTOSCALER_OWNED_BY_OPERATIONS = ["spec.minReplicas"]
LIVE_SERVICE_OWNED_BY_OPERATIONS = ["spec.selector"]
SWITCH_OWNED_BY_OPERATIONS = ["data"]


def name_of(service: Service, colour: str) -> str:
    return f"{service.name}-{colour}"


def selector(service: Service, colour: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": service.name, COLOUR_LABEL: colour}


def service_account(service: Service, namespace: str) -> Manifest:
    return {"metadata": metadata(service.name, namespace, labels(service.name)),
            "automountServiceAccountToken": False}


def pod_template(service: Service, namespace: str, *, priority_class: str, storage_class: str,
                 pull_secrets: Sequence[str] = (), extra_environment: Mapping[str, Any] | None = None) -> Manifest:
    """What the settings want a service's pods to be: the PodTemplate that the next rollout takes."""
    return {"metadata": metadata(service.name, namespace, labels(service.name)),
            "template": template(service, priority_class=priority_class, storage_class=storage_class,
                                 pull_secrets=pull_secrets, extra_environment=extra_environment)}


def coloured(pods: Manifest, colour: str) -> Manifest:
    """A service's pods in a colour: what a Deployment holds of a PodTemplate's `template`."""
    inner = pods["metadata"]
    return {**pods, "metadata": {**inner, "labels": {**inner["labels"], COLOUR_LABEL: colour}}}


def deployment(service: Service, colour: str, namespace: str, pods: Manifest) -> Manifest:
    """One colour of `pods` (see `pod_template`). The live one starts with the service's minimum, the idle one rests
    at 0 (K5)."""
    return {
        "metadata": metadata(name_of(service, colour), namespace, labels(service.name, colour)),
        "spec": {
            "replicas": service.replicas.minimum if colour == FIRST_COLOUR else 0,
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 600,  # O4: the time limit of a rollout
            "selector": {"matchLabels": selector(service, colour)},
            # No pod goes before its successor serves; a third at once (O3).
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "33%"}},
            "template": coloured(pods, colour),
        },
    }


def switch(service: Service, name: str, namespace: str) -> Manifest:
    """A ConfigMap with one variable that operators switch in a running service. One a switch, so that a new one can
    be added while the others stay as they are; pods take it when they start."""
    return {"metadata": metadata(switch_name(service, name), namespace, labels(service.name)),
            "data": {name: service.switches[name]}}


def service(service: Service, namespace: str, colour: str | None = None) -> Manifest:
    """A colour's Service, which the front door uses, or (no colour) the live one for callers in the cluster.

    Pulumi must not wait for endpoints: the idle colour has none, and that is right.
    """
    name = name_of(service, colour) if colour else service.name
    checks = health_check_annotations(service) if service.paths else {}
    return {
        "metadata": metadata(name, namespace, labels(service.name, colour), {**SKIP_AWAIT, **checks}),
        "spec": {"type": "ClusterIP", "selector": selector(service, colour or FIRST_COLOUR),
                 "ports": [{"name": PORT_NAME, "port": service_port(service), "targetPort": PORT_NAME,
                            "protocol": "TCP"}]},
    }


def service_port(service: Service) -> int:
    return service.service_port or service.port


def alias(service: Service, name: str, namespace: str) -> Manifest:
    """A further name of the live Service. By DNS, so that a switch has one selector to move and not two."""
    return {"metadata": metadata(name, namespace, labels(service.name)),
            "spec": {"type": "ExternalName", "externalName": f"{service.name}.{namespace}.svc.cluster.local"}}


def autoscaler(service: Service, colour: str, namespace: str) -> Manifest:
    """An HPA rests while its Deployment has 0 replicas, so the idle colour's does nothing until a rollout."""
    bounds = service.replicas
    return {
        "metadata": metadata(name_of(service, colour), namespace, labels(service.name, colour)),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name_of(service, colour)},
            "minReplicas": bounds.minimum,
            "maxReplicas": bounds.maximum,
            "metrics": [_utilization("cpu", bounds.cpu_percent), _utilization("memory", bounds.memory_percent)],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
        },
    }


def _utilization(resource: str, percent: int) -> Manifest:
    return {"type": "Resource", "resource": {"name": resource,
                                             "target": {"type": "Utilization", "averageUtilization": percent}}}


def disruption_budget(service: Service, colour: str, namespace: str) -> Manifest:
    """A quarter may be drained, at least one pod: percentages round up, so a single replica never blocks a drain."""
    return {"metadata": metadata(name_of(service, colour), namespace, labels(service.name, colour)),
            "spec": {"maxUnavailable": "25%", "unhealthyPodEvictionPolicy": "AlwaysAllow",
                     "selector": {"matchLabels": selector(service, colour)}}}
