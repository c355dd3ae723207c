"""A container's environment and volumes: what must exist before it can start."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from rehearsal.kubernetes.controllers.api import Object
from rehearsal.kubernetes.controllers.informer import Informer


class NotReady(Exception):
    """What is missing, in the kubelet's words. `reason` is the event's: FailedMount, Failed."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class References:
    """The objects that pods may refer to."""

    config_maps: Informer
    secrets: Informer
    claims: Informer


@dataclass(frozen=True)
class Place:
    node: str
    host_address: str
    pod_address: str


def environment_of(pod: Object, container: Object, references: References, place: Place) -> dict[str, str]:
    """The variables, `$(NAME)` expanded. Raises NotReady (CreateContainerConfigError) for a missing reference."""
    namespace = pod["metadata"]["namespace"]
    values: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        kind, entry = _source(source)
        data = _data(references, kind, namespace, entry)
        values.update({source.get("prefix", "") + name: value for name, value in data.items()})
    for variable in container.get("env") or ():
        name = variable["name"]
        if "valueFrom" not in variable:
            values[name] = _expand(variable.get("value", ""), values)
            continue
        value = _value(pod, container, variable["valueFrom"], references, place)
        if value is not None:
            values[name] = value
    return values


def _source(source: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return ("configmap", source["configMapRef"]) if "configMapRef" in source else ("secret", source["secretRef"])


def _value(pod: Object, container: Object, source: dict[str, Any], references: References,
           place: Place) -> str | None:
    namespace = pod["metadata"]["namespace"]
    for kind, field in (("configmap", "configMapKeyRef"), ("secret", "secretKeyRef")):
        if field not in source:
            continue
        entry = source[field]
        data = _data(references, kind, namespace, entry)
        if entry["key"] not in data and not entry.get("optional"):
            raise NotReady("Failed", f"couldn't find key {entry['key']} in {kind.replace('map', 'Map')} "
                                     f"{namespace}/{entry['name']}")
        return data.get(entry["key"])
    if "fieldRef" in source:
        return field_of(pod, source["fieldRef"]["fieldPath"], place)
    if "resourceFieldRef" in source:
        section, _, name = source["resourceFieldRef"]["resource"].partition(".")
        return str((container.get("resources") or {}).get(section, {}).get(name, "0"))
    raise NotReady("Failed", f"unknown source of a variable: {sorted(source)}")


def field_of(pod: Object, path: str, place: Place) -> str:
    """The downward API's fields."""
    known = {"status.podIP": place.pod_address, "status.podIPs": place.pod_address,
             "status.hostIP": place.host_address, "status.hostIPs": place.host_address, "spec.nodeName": place.node,
             "spec.serviceAccountName": pod["spec"].get("serviceAccountName", "default")}
    if path in known:
        return str(known[path])
    found = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if found:
        return str((pod["metadata"].get(found[1]) or {}).get(found[2], ""))
    return str(pod["metadata"].get(path.removeprefix("metadata."), ""))


def _data(references: References, kind: str, namespace: str, entry: dict[str, Any]) -> dict[str, str]:
    informer = references.config_maps if kind == "configmap" else references.secrets
    found = informer.get(namespace, entry["name"])
    if found is None:
        if entry.get("optional"):
            return {}
        raise NotReady("Failed", f'{kind} "{entry["name"]}" not found')
    data = found.get("data") or {}
    if kind == "configmap":
        return dict(data)
    return {name: base64.b64decode(value).decode(errors="replace") for name, value in data.items()}


def _expand(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\((\w+)\)", lambda found: values.get(found[1], found[0]), text)


def check_volumes(pod: Object, references: References) -> None:
    """Raises NotReady (FailedMount) for a configMap, secret or claim that is missing or not bound."""
    namespace = pod["metadata"]["namespace"]
    for volume in pod["spec"].get("volumes") or ():
        for kind, name, optional, keys in _needs(pod, volume):
            if kind == "claim":
                claim = references.claims.get(namespace, name)
                if claim is None or (claim.get("status") or {}).get("phase") != "Bound":
                    raise NotReady("FailedMount", f'persistentvolumeclaim "{name}" is not bound')
                continue
            informer = references.config_maps if kind == "configmap" else references.secrets
            found = informer.get(namespace, name)
            if found is None and not optional:
                raise NotReady("FailedMount", f'MountVolume.SetUp failed for volume "{volume["name"]}" : '
                                              f'{kind} "{name}" not found')
            held = {**((found or {}).get("data") or {}), **((found or {}).get("binaryData") or {})}
            missing = [key for key in keys if key not in held]
            if missing and not optional:
                raise NotReady("FailedMount", f'MountVolume.SetUp failed for volume "{volume["name"]}" : '
                                              f'references non-existent {kind} key: {missing[0]}')


def _needs(pod: Object, volume: Object) -> list[tuple[str, str, bool, list[str]]]:
    """Kind, name, optional, keys."""
    def keys(source: dict[str, Any]) -> list[str]:
        return [item["key"] for item in source.get("items") or ()]

    if "configMap" in volume:
        source = volume["configMap"]
        return [("configmap", source["name"], bool(source.get("optional")), keys(source))]
    if "secret" in volume:
        source = volume["secret"]
        return [("secret", source["secretName"], bool(source.get("optional")), keys(source))]
    if "persistentVolumeClaim" in volume:
        return [("claim", volume["persistentVolumeClaim"]["claimName"], False, [])]
    if "ephemeral" in volume:
        return [("claim", f"{pod['metadata']['name']}-{volume['name']}", False, [])]
    needs = []
    for source in (volume.get("projected") or {}).get("sources") or ():
        for kind, field in (("configmap", "configMap"), ("secret", "secret")):
            if field in source:
                needs.append((kind, source[field]["name"], bool(source[field].get("optional")), keys(source[field])))
    return needs
