"""What changed between two sets of inputs, and which change forces a replacement.

Source of the table: pulumi-kubernetes provider/pkg/provider/diff.go@cafe8c4ac4 (`forceNew`), without the API versions
that Kubernetes 1.36 no longer serves.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from rehearsal.engine.provider import Change, PropertyDiff
from rehearsal.engine.values import UNKNOWN

_CONTAINER = ("args", "command", "env", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "ports",
              "readinessProbe", "resources", "securityContext", "stdin", "stdinOnce", "terminationMessagePath",
              "terminationMessagePolicy", "tty", "volumeDevices", "volumeMounts", "workingDir")
_POD = ("affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks", "hostAliases",
        "hostIPC", "hostNetwork", "hostPID", "hostname", "imagePullSecrets", "nodeName", "nodeSelector", "overhead",
        "preemptionPolicy", "priority", "priorityClassName", "readinessGates", "restartPolicy", "runtimeClassName",
        "schedulerName", "securityContext", "serviceAccount", "serviceAccountName", "shareProcessNamespace",
        "subdomain", "terminationGracePeriodSeconds", "volumes")
_VOLUME = ("awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc", "flexVolume", "flocker",
           "gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs", "photonPersistentDisk",
           "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume")

# Paths with list indices written `[*]`; a change at one of them, or below it, replaces the resource.
FORCE_NEW: Mapping[tuple[str, str], Sequence[str]] = {
    ("apps/v1", "Deployment"): ("spec.selector",),
    ("apps/v1", "DaemonSet"): ("spec.selector",),
    ("apps/v1", "StatefulSet"): ("spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.selector",
                                 "spec.serviceName", "spec.volumeClaimTemplates"),
    ("batch/v1", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io/v1", "StorageClass"): ("parameters", "provisioner"),
    ("v1", "PersistentVolume"): tuple(f"spec.{each}" for each in _VOLUME),
    ("v1", "PersistentVolumeClaim"): ("spec.accessModes", "spec.selector", "spec.storageClassName",
                                      "spec.volumeName"),
    ("v1", "Pod"): (*(f"spec.{each}" for each in _POD),
                    *(f"spec.{group}[*].{each}" for group in ("containers", "initContainers") for each in _CONTAINER)),
    ("v1", "ResourceQuota"): ("spec.scopes",),
    ("v1", "Secret"): ("type",),
    ("v1", "Service"): ("spec.clusterIP",)}
IDENTITY = ("metadata.name", "metadata.namespace")


def force_new(api_version: str, kind: str, inputs: Mapping[str, Any], mutable: bool) -> tuple[str, ...]:
    """`mutable`: the provider's enableConfigMapMutable or enableSecretMutable. Without it, and for an object marked
    immutable, a change of content replaces a ConfigMap or a Secret."""
    paths = (*IDENTITY, *FORCE_NEW.get((api_version, kind), ()))
    frozen = not mutable or inputs.get("immutable") is True
    if (api_version, kind) == ("v1", "ConfigMap") and frozen:
        return (*paths, "data", "binaryData")
    if (api_version, kind) == ("v1", "Secret") and frozen:
        return (*paths, "data", "stringData")
    return paths


def normalize(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Without nulls, and a Secret's stringData as data, in which the server keeps it."""
    plain: dict[str, Any] = _without_nulls(inputs)
    if (plain.get("kind") == "Secret" and isinstance(plain.get("stringData"), Mapping)
            and plain.get("data") is not UNKNOWN):
        texts = plain.pop("stringData")
        encoded = {key: UNKNOWN if text is UNKNOWN else base64.b64encode(str(text).encode()).decode()
                   for key, text in texts.items()}
        plain["data"] = {**(plain.get("data") or {}), **encoded}
    return plain


def differences(old: Any, new: Any, forced: Sequence[str]) -> tuple[PropertyDiff, ...]:
    patterns = [_pattern(each) for each in forced]
    return tuple(PropertyDiff(path, change, any(pattern.match(path) for pattern in patterns)
                              or any(_below(path, each) for each in forced))
                 for path, change in _changes("", old, new))


def respelled(inputs: Any, live: Any) -> tuple[str, ...]:
    """Paths of quantities that the server keeps in another spelling ("1000m" as "1", "1024Mi" as "1Gi"). The real
    provider compares the inputs with the live object, so it shows them as changed at every update
    (pulumi/pulumi-kubernetes#644)."""
    return tuple(_respelled("", inputs, live))


def _changes(path: str, old: Any, new: Any) -> Iterator[tuple[str, Change]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            at = join(path, key)
            if key not in new:
                yield at, Change.DELETE
            elif key not in old:
                yield at, Change.ADD
            else:
                yield from _changes(at, old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            at = f"{path}[{index}]"
            if index >= len(new):
                yield at, Change.DELETE
            elif index >= len(old):
                yield at, Change.ADD
            else:
                yield from _changes(at, old[index], new[index])
    elif new is UNKNOWN or old != new or isinstance(old, bool) != isinstance(new, bool):
        yield path, Change.UPDATE


def _respelled(path: str, given: Any, live: Any) -> Iterator[str]:
    if isinstance(given, Mapping) and isinstance(live, Mapping):
        for key in given.keys() & live.keys():
            yield from _respelled(join(path, key), given[key], live[key])
    elif isinstance(given, list) and isinstance(live, list):
        for index, (one, other) in enumerate(zip(given, live, strict=False)):
            yield from _respelled(f"{path}[{index}]", one, other)
    elif (isinstance(live, str) and given != live and not isinstance(given, bool)
          and isinstance(given, (str, int, float))):
        one, other = _quantity(str(given)), _quantity(live)
        if one is not None and one == other:
            yield path


_SUFFIX: Mapping[str, Decimal | int] = {
    "": 1, "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"),
    "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}


def _quantity(text: str) -> Decimal | None:
    match = re.fullmatch(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]?i?)", text)
    if match is None or match[2] not in _SUFFIX:
        return None
    try:
        return Decimal(match[1]) * _SUFFIX[match[2]]
    except InvalidOperation:
        return None


def join(path: str, key: str) -> str:
    """Pulumi's path syntax: `spec.replicas`, `labels["app.kubernetes.io/name"]`."""
    if not re.fullmatch(r"[A-Za-z_$][\w$-]*", key):
        escaped = key.replace('"', '\\"')
        return f'{path}["{escaped}"]'
    return f"{path}.{key}" if path else key


def _pattern(forced: str) -> re.Pattern[str]:
    escaped = re.escape(forced).replace(r"\[\*\]", r"\[\d+\]")
    return re.compile(rf"{escaped}(?=$|[.\[])")


def _below(path: str, forced: str) -> bool:
    """Whether `forced` lies below a changed `path`: `spec` was removed as a whole, and `spec.selector` with it."""
    return forced.startswith((f"{path}.", f"{path}[")) and path != "metadata"


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, (list, tuple)):
        return [_without_nulls(each) for each in value]
    return value


def pruned(live: Any, shape: Any) -> Any:
    """The live values of what `shape` (the inputs) mentions: the inputs as they would read today."""
    if isinstance(live, Mapping) and isinstance(shape, Mapping):
        return {key: pruned(live[key], shape[key]) for key in shape if key in live}
    if isinstance(live, list) and isinstance(shape, list):
        return [pruned(each, shape[index]) if index < len(shape) else each for index, each in enumerate(live)]
    return live
