"""Pods as Pod Security `restricted` and the controls CKV_K8S_* ask for: those of services, jobs, maintenance page.

Plain dictionaries as the API server takes them; values that only a deployment knows may be `pulumi.Input`s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.plans.quantities import cpu, memory, storage
from infra.settings.model import Resources, Service, Volume

Manifest = dict[str, Any]

COLOUR_LABEL = "color"  # part of the live Service's selector, as operators know it (K4)
PART_OF = "candlefish"
OWNER = {"app.kubernetes.io/part-of": PART_OF}
PORT_NAME = "http"
PULL_SECRET = "registry-pull"  # the default of the setting `workloads.pullSecrets`
USER_ID = 10001  # above 10000: no user of the node has it (CKV_K8S_40)
TEMPORARY_MIB = 256
STARTUP_PERIOD_SECONDS = 3
GRACE_AFTER_DRAIN_SECONDS = 30


def metadata(name: str, namespace: str, labels: Mapping[str, str] | None = None,
             annotations: Mapping[str, Any] | None = None) -> Manifest:
    result: Manifest = {"name": name, "namespace": namespace, "labels": dict(labels or {})}
    if annotations:
        result["annotations"] = dict(annotations)
    return result


def labels(name: str, colour: str | None = None) -> dict[str, str]:
    """Labels of everything that belongs to a service or a job; with a colour, those of its pods."""
    colours = {COLOUR_LABEL: colour} if colour else {}
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": PART_OF, **colours}


def restricted(containers: Sequence[Manifest], *, account: str, volumes: Sequence[Manifest] = (),
               pull_secrets: Sequence[str] = (), **more: Any) -> Manifest:
    """A pod's spec: no token, no root, no privileges."""
    spec: Manifest = {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": USER_ID, "runAsGroup": USER_ID, "fsGroup": USER_ID,
                            "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": list(containers),
        "volumes": list(volumes),
        **more,
    }
    if pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in pull_secrets]
    return spec


def container(name: str, image: str, size: Resources, **more: Any) -> Manifest:
    return {
        "name": name,
        "image": image,
        # Always: a registry must confirm that the pod may have the image, also when the node has it (CKV_K8S_15).
        "imagePullPolicy": "Always",
        "resources": {"requests": {"cpu": cpu(size.cpu_millis), "memory": memory(size.memory_mib)},
                      "limits": {"cpu": cpu(size.cpu_limit_millis), "memory": memory(size.memory_limit_mib)}},
        "securityContext": {"allowPrivilegeEscalation": False, "privileged": False, "readOnlyRootFilesystem": True,
                            "runAsNonRoot": True, "runAsUser": USER_ID, "capabilities": {"drop": ["ALL"]}},
        **more,
    }


def writable(paths: Sequence[str]) -> tuple[list[Manifest], list[Manifest]]:
    """(mounts, volumes) of the places that a read-only root file system leaves to be written."""
    mounts = [{"name": f"writable-{index}", "mountPath": path} for index, path in enumerate(paths)]
    volumes: list[Manifest] = [{"name": f"writable-{index}", "emptyDir": {"sizeLimit": memory(TEMPORARY_MIB)}}
                               for index, _ in enumerate(paths)]
    return mounts, volumes


def claim(name: str, volume: Volume, storage_class: str, labels: Mapping[str, str]) -> tuple[Manifest, Manifest]:
    """(mount, volume) of a claim that is made with the pod and goes with it."""
    template = {"metadata": {"labels": dict(labels)}, "spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": volume.storage_class or storage_class,
        "resources": {"requests": {"storage": storage(volume.size_gib)}}}}
    return ({"name": name, "mountPath": volume.mount_path},
            {"name": name, "ephemeral": {"volumeClaimTemplate": template}})


def template(service: Service, *, priority_class: str, storage_class: str, pull_secrets: Sequence[str] = (),
             extra_environment: Mapping[str, Any] | None = None) -> Manifest:
    """A service's pods without their colour. A Deployment of a colour adds the label, and nothing else differs."""
    mounts, volumes = writable(service.writable_paths)
    if service.volume:
        mount, volume = claim("data", service.volume, storage_class, labels(service.name))
        mounts, volumes = [*mounts, mount], [*volumes, volume]
    return {
        "metadata": {"labels": labels(service.name)},
        "spec": restricted(
            [_serving(service, mounts, extra_environment)], account=service.name, volumes=volumes,
            pull_secrets=pull_secrets, priorityClassName=priority_class,
            terminationGracePeriodSeconds=service.drain_seconds + GRACE_AFTER_DRAIN_SECONDS,
            topologySpreadConstraints=[_spread(service, key) for key in
                                       ("topology.kubernetes.io/zone", "kubernetes.io/hostname")]),
    }


def _spread(service: Service, key: str) -> Manifest:
    # ScheduleAnyway: with a zone lost, or its nodes full in a rollout, pods must still find a place elsewhere.
    # The template's hash differs between the colours, so each is spread by itself.
    return {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app.kubernetes.io/name": service.name}},
            "matchLabelKeys": ["pod-template-hash"]}


def _serving(service: Service, mounts: list[Manifest], extra_environment: Mapping[str, Any] | None) -> Manifest:
    probe = service.probe
    get = {"httpGet": {"path": probe.path, "port": PORT_NAME}, "timeoutSeconds": probe.timeout_seconds}
    running = {**get, "periodSeconds": probe.period_seconds, "failureThreshold": probe.failure_threshold}
    # Out of service first, restarted only when that doesn't help.
    stuck = {**running, "failureThreshold": 2 * probe.failure_threshold}
    switches = [{"configMapRef": {"name": switch_name(service, switch)}} for switch in sorted(service.switches)]
    return container(
        service.name, service.image, service.resources,
        ports=[{"name": PORT_NAME, "containerPort": service.port, "protocol": "TCP"}],
        env=variables(service, extra_environment), **({"envFrom": switches} if switches else {}),
        startupProbe={**get, "periodSeconds": STARTUP_PERIOD_SECONDS,
                      "failureThreshold": probe.startup_failure_threshold},
        readinessProbe=running, livenessProbe=stuck,
        # The load balancer still sends requests for a while after the pod is told to go: it serves them in this time.
        lifecycle={"preStop": {"sleep": {"seconds": service.drain_seconds}}},
        volumeMounts=mounts)


def variables(service: Service, extra: Mapping[str, Any] | None = None) -> list[Manifest]:
    """The container's own environment, by name; secrets by reference. Switches come from their ConfigMaps.

    A variable given twice (settings, `extra`, a secret, a switch) is an error.
    """
    plain: dict[str, Any] = dict(service.environment)
    secret = {reference.variable for reference in service.secrets}
    for name, value in (extra or {}).items():
        if name in plain:
            raise ValueError(f"service {service.name}: variable {name} is set in the settings (environment) and by the "
                             "program; remove it from the stack file")
        plain[name] = value
    for kind, names in (("secret", secret), ("switch", set(service.switches))):
        if twice := sorted(names & set(plain)):
            raise ValueError(f"service {service.name}: {', '.join(twice)} is both a plain variable and a {kind}; "
                             f"keep it in `{'secrets' if kind == 'secret' else 'switches'}` only")
    colour = {"name": "COLOR", "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{COLOUR_LABEL}']"}}}
    secrets = [{"name": reference.variable, "valueFrom": {"secretKeyRef": {
        "name": secret_name(service, reference.secret if reference.optional else None), "key": reference.variable,
        **({"optional": True} if reference.optional else {})}}} for reference in service.secrets]
    return [colour, *({"name": name, "value": plain[name]} for name in sorted(plain)), *secrets]


def secret_name(service: Service, optional: str | None = None) -> str:
    """Of the Secret with what the service needs, or of the one with an optional secret's keys."""
    return f"{service.name}-{optional or 'secrets'}"


def switch_name(service: Service, switch: str) -> str:
    """`backend-api`, `READ_ONLY` → `backend-api-read-only`."""
    return f"{service.name}-{switch.lower().replace('_', '-')}"
