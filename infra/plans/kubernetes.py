"""Manifests of a service in two colours, and which of their fields operations own (K3–K6, K8, K10).

Plain dictionaries as the API server takes them. Values that only a deployment knows may be `pulumi.Input`s; nothing
here looks into them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.plans.ingress import health_check_annotations
from infra.plans.quantities import cpu, memory, storage
from infra.settings.model import Service

Manifest = dict[str, Any]

COLOURS = ("blue", "green")
FIRST_COLOUR = "blue"  # O4: the live one of a new stack
COLOUR_LABEL = "color"  # part of the live Service's selector, as operators know it (K4)
PART_OF = "candlefish"
PORT_NAME = "http"
# Variables that operators switch in a running service (K10). They come first in the container's list, so that the path
# of each is known: `ignore_changes` has no other address for them than an index.
SWITCHES = ("READ_ONLY", "ANIMATION_FALLBACK")
USER_ID = 10001  # above 10000: no user of the node has it (CKV_K8S_40)
TEMPORARY_MIB = 256
STARTUP_PERIOD_SECONDS = 3
GRACE_AFTER_DRAIN_SECONDS = 30
SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}


def name_of(service: Service, colour: str) -> str:
    return f"{service.name}-{colour}"


def selector(service: Service, colour: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": service.name, COLOUR_LABEL: colour}


def labels(service: Service, colour: str | None = None) -> dict[str, str]:
    """Labels of everything that belongs to a service; with a colour, those of its pods."""
    colours = {COLOUR_LABEL: colour} if colour else {}
    return {"app.kubernetes.io/name": service.name, "app.kubernetes.io/part-of": PART_OF, **colours}


def metadata(name: str, namespace: str, labels: Mapping[str, str] | None = None,
             annotations: Mapping[str, Any] | None = None) -> Manifest:
    result: Manifest = {"name": name, "namespace": namespace, "labels": dict(labels or {})}
    if annotations:
        result["annotations"] = dict(annotations)
    return result


def variables(service: Service, extra: Mapping[str, Any] | None = None) -> list[Manifest]:
    """The container's environment: switches first, then by name; secrets come from the service's Secret.

    A variable given twice (settings, `extra`, a secret) is an error.
    """
    plain: dict[str, Any] = dict(service.environment)
    secret = {reference.variable for reference in service.secrets}
    for name, value in (extra or {}).items():
        if name in plain:
            raise ValueError(f"service {service.name}: variable {name} is set in the settings (environment) and by the "
                             "program; remove it from the stack file")
        plain[name] = value
    if twice := sorted(secret & set(plain)):
        raise ValueError(f"service {service.name}: {', '.join(twice)} is both a plain variable and a secret; "
                         "keep it in `secrets` only")
    switches = [{"name": name, "value": plain[name]} for name in SWITCHES if name in plain]
    rest = [{"name": name, "value": plain[name]} for name in sorted(plain) if name not in SWITCHES]
    colour = {"name": "COLOR", "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{COLOUR_LABEL}']"}}}
    secrets = [{"name": reference.variable,
                "valueFrom": {"secretKeyRef": {"name": secret_name(service), "key": reference.variable}}}
               for reference in service.secrets]
    return [*switches, colour, *rest, *secrets]


def secret_name(service: Service) -> str:
    return f"{service.name}-secrets"


def service_account(service: Service, namespace: str) -> Manifest:
    return {"metadata": metadata(service.name, namespace, labels(service)), "automountServiceAccountToken": False}


def deployment(service: Service, colour: str, namespace: str, *, priority_class: str, storage_class: str,
               extra_environment: Mapping[str, Any] | None = None) -> Manifest:
    """One colour. The live one starts with the service's minimum, the idle one rests at 0 (K5)."""
    replicas = service.replicas.minimum if colour == FIRST_COLOUR else 0
    return {
        "metadata": metadata(name_of(service, colour), namespace, labels(service, colour)),
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 600,  # O4: the time limit of a rollout
            "selector": {"matchLabels": selector(service, colour)},
            # No pod goes before its successor serves; a third at once (O3).
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "33%"}},
            "template": {
                "metadata": {"labels": labels(service, colour)},
                "spec": _pod(service, colour, priority_class, storage_class, extra_environment),
            },
        },
    }


def _pod(service: Service, colour: str, priority_class: str, storage_class: str,
         extra_environment: Mapping[str, Any] | None) -> Manifest:
    mounts = [{"name": f"writable-{index}", "mountPath": path} for index, path in enumerate(service.writable_paths)]
    volumes: list[Manifest] = [{"name": f"writable-{index}", "emptyDir": {"sizeLimit": memory(TEMPORARY_MIB)}}
                               for index, _ in enumerate(service.writable_paths)]
    if service.volume:
        mounts.append({"name": "data", "mountPath": service.volume.mount_path})
        volumes.append({"name": "data", "ephemeral": {"volumeClaimTemplate": {
            "metadata": {"labels": labels(service, colour)},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class,
                     "resources": {"requests": {"storage": storage(service.volume.size_gib)}}}}}})
    return {
        "serviceAccountName": service.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": priority_class,
        "terminationGracePeriodSeconds": service.drain_seconds + GRACE_AFTER_DRAIN_SECONDS,
        "securityContext": {"runAsNonRoot": True, "runAsUser": USER_ID, "runAsGroup": USER_ID, "fsGroup": USER_ID,
                            "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": {"type": "RuntimeDefault"}},
        "topologySpreadConstraints": [_spread(service, colour, key) for key in
                                      ("topology.kubernetes.io/zone", "kubernetes.io/hostname")],
        "containers": [_container(service, mounts, extra_environment)],
        "volumes": volumes,
    }


def _spread(service: Service, colour: str, key: str) -> Manifest:
    # ScheduleAnyway: with a zone lost, or its nodes full in a rollout, pods must still find a place elsewhere.
    return {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector(service, colour)}, "matchLabelKeys": ["pod-template-hash"]}


def _container(service: Service, mounts: list[Manifest], extra_environment: Mapping[str, Any] | None) -> Manifest:
    probe = service.probe
    get = {"httpGet": {"path": probe.path, "port": PORT_NAME}, "timeoutSeconds": probe.timeout_seconds}
    running = {**get, "periodSeconds": probe.period_seconds, "failureThreshold": probe.failure_threshold}
    # Out of service first, restarted only when that doesn't help.
    stuck = {**running, "failureThreshold": 2 * probe.failure_threshold}
    size = service.resources
    return {
        "name": service.name,
        "image": service.image,
        # Always: a registry must confirm that the pod may have the image, also when the node has it (CKV_K8S_15).
        "imagePullPolicy": "Always",
        "ports": [{"name": PORT_NAME, "containerPort": service.port, "protocol": "TCP"}],
        "env": variables(service, extra_environment),
        "resources": {"requests": {"cpu": cpu(size.cpu_millis), "memory": memory(size.memory_mib)},
                      "limits": {"cpu": cpu(size.cpu_limit_millis), "memory": memory(size.memory_limit_mib)}},
        "startupProbe": {**get, "periodSeconds": STARTUP_PERIOD_SECONDS,
                         "failureThreshold": probe.startup_failure_threshold},
        "readinessProbe": running,
        "livenessProbe": stuck,
        # The load balancer still sends requests for a while after the pod is told to go: it serves them in this time.
        "lifecycle": {"preStop": {"sleep": {"seconds": service.drain_seconds}}},
        "securityContext": {"allowPrivilegeEscalation": False, "privileged": False, "readOnlyRootFilesystem": True,
                            "runAsNonRoot": True, "runAsUser": USER_ID, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": mounts,
    }


def deployment_owned_by_operations(service: Service) -> list[str]:
    """Paths of a Deployment that `up` leaves alone: replicas, image, switches."""
    switches = [name for name in SWITCHES if name in service.environment]
    return ["spec.replicas", "spec.template.spec.containers[0].image",
            *(f"spec.template.spec.containers[0].env[{index}].value" for index, _ in enumerate(switches))]


AUTOSCALER_OWNED_BY_OPERATIONS = ["spec.minReplicas"]
LIVE_SERVICE_OWNED_BY_OPERATIONS = [f"spec.selector.{COLOUR_LABEL}"]


def service(service: Service, namespace: str, colour: str | None = None) -> Manifest:
    """A colour's Service, which the front door uses, or (no colour) the live one for callers in the cluster.

    Pulumi must not wait for endpoints: the idle colour has none, and that is right.
    """
    name = name_of(service, colour) if colour else service.name
    checks = health_check_annotations(service) if colour and service.paths else {}
    return {
        "metadata": metadata(name, namespace, labels(service, colour), {**SKIP_AWAIT, **checks}),
        "spec": {"type": "ClusterIP", "selector": selector(service, colour or FIRST_COLOUR),
                 "ports": [{"name": PORT_NAME, "port": service_port(service), "targetPort": PORT_NAME,
                            "protocol": "TCP"}]},
    }


def service_port(service: Service) -> int:
    return service.service_port or service.port


def alias(service: Service, name: str, namespace: str) -> Manifest:
    """A further name of the live Service. By DNS, so that a switch has one selector to move and not two."""
    return {"metadata": metadata(name, namespace, labels(service)),
            "spec": {"type": "ExternalName", "externalName": f"{service.name}.{namespace}.svc.cluster.local"}}


def autoscaler(service: Service, colour: str, namespace: str) -> Manifest:
    """An HPA rests while its Deployment has 0 replicas, so the idle colour's does nothing until a rollout."""
    bounds = service.replicas
    return {
        "metadata": metadata(name_of(service, colour), namespace, labels(service, colour)),
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
    return {"metadata": metadata(name_of(service, colour), namespace, labels(service, colour)),
            "spec": {"maxUnavailable": "25%", "unhealthyPodEvictionPolicy": "AlwaysAllow",
                     "selector": {"matchLabels": selector(service, colour)}}}
