"""Objects in the cluster: pod security, probes, limits, images, network policies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from policy.model import DEVELOPMENT, Control, Holds, Resource, World, at, control, every, listed

NAMESPACE = "kubernetes:core/v1:Namespace"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
SERVING = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet", "kubernetes:apps/v1:DaemonSet")
PODS = (*SERVING, "kubernetes:batch/v1:Job", "kubernetes:batch/v1:CronJob", "kubernetes:core/v1:Pod")
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
TAGGED = re.compile(r"[^/]+:(?!latest$)[\w][\w.-]*$")
LOWEST_ID = 10000  # CKV_K8S_40

Pod = Mapping[str, Any]
Container = Mapping[str, Any]


def template(resource: Resource) -> Mapping[str, Any]:
    """Metadata and spec of the pods that an object makes."""
    for path in ("spec.jobTemplate.spec.template", "spec.template"):
        if found := resource.at(path):
            return dict(found)
    return resource.inputs


def pod(resource: Resource) -> Pod:
    return dict(template(resource).get("spec", {}))


def _containers(resource: Resource) -> list[Container]:
    return [*listed(pod(resource).get("containers")), *listed(pod(resource).get("initContainers"))]


def _each(path: str, holds: Callable[[Any], object]) -> Holds:
    """Of each container."""
    return lambda resource: every(_containers(resource), lambda container: holds(at(container, path)))


def _each_served(path: str) -> Holds:
    """Init containers end before anything is probed."""
    return lambda resource: every(listed(pod(resource).get("containers")), lambda each: each.get(path))


def _not(path: str) -> Holds:
    return lambda resource: not at(pod(resource), path)


def _pod_or_each(path: str, holds: Callable[[Any], object]) -> Holds:
    """A container's own word goes before its pod's."""
    def check(resource: Resource) -> object:
        shared = at(pod(resource), path)
        return every(_containers(resource),
                     lambda each: holds(found if (found := at(each, path)) is not None else shared))
    return check


def _has_tag(container: Container) -> bool:
    image = str(container.get("image"))
    return bool(TAGGED.search(image.split("@")[0]))


def _token_not_mounted(resource: Resource, world: World) -> object:
    said = pod(resource).get("automountServiceAccountToken")
    if said is None:
        name, namespace = pod(resource).get("serviceAccountName"), resource.at("metadata.namespace")
        return any(account.at("automountServiceAccountToken") is False
                   for account in world.of("kubernetes:core/v1:ServiceAccount")
                   if (account.at("metadata.name"), account.at("metadata.namespace")) == (name, namespace))
    return said is False


def _covered_by_a_policy(resource: Resource, world: World) -> object:
    labels = at(template(resource), "metadata.labels") or {}
    return any({*(policy.at("spec.podSelector.matchLabels") or {}).items()} <= {*labels.items()}
               and not policy.at("spec.podSelector.matchExpressions")
               for policy in world.of(POLICY) if policy.at("metadata.namespace") == resource.at("metadata.namespace"))


def _pods(ids: str, title: str, holds: Holds, mend: str, types: tuple[str, ...] = PODS, **more: Any) -> Control:
    return control(ids, title, types, holds, mend, **more)


NEVER: frozenset[str] = frozenset()
CONTROLS = (
    control("PodSecurity.restricted", "Pod Security `restricted` is enforced", NAMESPACE,
            lambda namespace: (namespace.at("metadata.labels") or {}).get(
                "pod-security.kubernetes.io/enforce") == "restricted",
            "label it pod-security.kubernetes.io/enforce=restricted"),
    _pods("CKV_K8S_8", "liveness probe", _each_served("livenessProbe"), "give livenessProbe", SERVING),
    _pods("CKV_K8S_9", "readiness probe", _each_served("readinessProbe"), "give readinessProbe", SERVING),
    *(_pods(id, f"{what} {word}", _each(f"resources.{key}.{what}", bool), f"give resources.{key}.{what}")
      for id, what, key, word in (
          ("CKV_K8S_10", "cpu", "requests", "requested"), ("CKV_K8S_11", "cpu", "limits", "limited"),
          ("CKV_K8S_12", "memory", "requests", "requested"), ("CKV_K8S_13", "memory", "limits", "limited"))),
    _pods("CKV_K8S_14", "images have a fixed tag",
          lambda resource: every(_containers(resource), _has_tag), "name a tag other than latest"),
    _pods("CKV_K8S_16", "no privileged container", _each("securityContext.privileged", lambda said: not said),
          "drop privileged", waivable=NEVER),
    *(_pods(id, f"no {key}", _not(key), f"drop {key}")
      for id, key in (("CKV_K8S_17", "hostPID"), ("CKV_K8S_18", "hostIPC"), ("CKV_K8S_19", "hostNetwork"))),
    _pods("CKV_K8S_20", "no privilege escalation",
          _each("securityContext.allowPrivilegeEscalation", lambda said: said is False),
          "set allowPrivilegeEscalation: false"),
    _pods("CKV_K8S_21", "not in the default namespace",
          lambda resource: resource.at("metadata.namespace") not in (None, "default"), "name a namespace"),
    _pods("CKV_K8S_22", "read-only root file system", _each("securityContext.readOnlyRootFilesystem", bool),
          "set readOnlyRootFilesystem: true"),
    _pods("CKV_K8S_23", "not root", _pod_or_each("securityContext.runAsNonRoot", bool), "set runAsNonRoot: true"),
    _pods("CKV_K8S_28", "NET_RAW dropped",
          _each("securityContext.capabilities.drop", lambda drop: {"ALL", "NET_RAW"} & {*listed(drop)}),
          "drop the capabilities ALL"),
    _pods("CKV_K8S_29", "pods have a security context",
          lambda resource: pod(resource).get("securityContext"), "give securityContext"),
    _pods("CKV_K8S_30", "containers have a security context", _each("securityContext", bool), "give securityContext"),
    _pods("CKV_K8S_31", "seccomp profile of the runtime",
          _pod_or_each("securityContext.seccompProfile.type", lambda said: said in ("RuntimeDefault", "Localhost")),
          "set seccompProfile.type: RuntimeDefault"),
    _pods("CKV_K8S_37", "no capability",
          lambda resource: every(_containers(resource), lambda each: "ALL" in listed(
              at(each, "securityContext.capabilities.drop")) and not at(each, "securityContext.capabilities.add")),
          "drop ALL and add none"),
    _pods("CKV_K8S_38", "token of the service account not mounted", _token_not_mounted,
          "set automountServiceAccountToken: false"),
    _pods("CKV_K8S_40", "a high user id",
          _pod_or_each("securityContext.runAsUser", lambda said: int(said or 0) >= LOWEST_ID),
          f"set runAsUser to {LOWEST_ID} or more"),
    _pods("CKV_K8S_43", "images by digest",
          lambda resource: every(_containers(resource), lambda each: DIGEST.search(str(each.get("image")))),
          "name the image's digest", waivable=DEVELOPMENT),
    _pods("CKV2_K8S_6", "a network policy for every pod", _covered_by_a_policy, "add a NetworkPolicy that selects it"),
)
