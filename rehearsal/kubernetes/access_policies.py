"""EKS access policies: what a principal may do by its access entry, beside RBAC.

kube-apiserver asks RBAC first, then this authorizer (SubjectAccessReview in, status out), as EKS's own does. What is
associated with the entry comes along in the user's `extra`, so that nothing has to be looked up.

The rules are those of the EKS user guide, "Review access policy permissions". EKS's policies for its own components
(Auto Mode) are not here: principals of programs don't get them, and one that does is allowed nothing by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

AUTHORIZER_PATH = "/_candlefish/eks/authorize"
POLICIES_KEY = "candlefish.ai/access-policies"  # lower case: extra keys arrive as header names do

_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "deletecollection", "patch", "update")
_WORKLOADS = "daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale"
_EXTENSIONS = ("daemonsets deployments deployments/scale ingresses networkpolicies replicasets replicasets/scale "
               "replicationcontrollers/scale")
_ACCESS = "pods/attach pods/exec pods/portforward pods/proxy"


@dataclass(frozen=True)
class Rule:
    """`resources` with their subresources; "*" stands for all."""

    group: str
    resources: frozenset[str]
    verbs: tuple[str, ...]

    def allows(self, group: str, resource: str, verb: str) -> bool:
        return (self.group in ("*", group) and ("*" in self.resources or resource in self.resources)
                and ("*" in self.verbs or verb in self.verbs))


def _rule(group: str, resources: str, verbs: tuple[str, ...]) -> Rule:
    return Rule(group, frozenset(resources.split()), verbs)


_VIEW = (
    _rule("apps", f"controllerrevisions {_WORKLOADS} daemonsets/status deployments/status replicasets/status "
                  "statefulsets/status", _READ),
    _rule("autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status", _READ),
    _rule("batch", "cronjobs cronjobs/status jobs jobs/status", _READ),
    _rule("discovery.k8s.io", "endpointslices", _READ),
    _rule("extensions", f"{_EXTENSIONS} daemonsets/status deployments/status ingresses/status replicasets/status",
          _READ),
    _rule("networking.k8s.io", "ingresses ingresses/status networkpolicies", _READ),
    _rule("policy", "poddisruptionbudgets poddisruptionbudgets/status", _READ),
    _rule("", "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers "
              "replicationcontrollers/scale serviceaccounts services services/status", _READ),
    _rule("", "bindings events limitranges namespaces namespaces/status pods/log pods/status "
              "replicationcontrollers/status resourcequotas resourcequotas/status", _READ),
)
_EDIT = (
    *_VIEW,
    _rule("apps", f"{_WORKLOADS} deployments/rollback", _WRITE),
    _rule("autoscaling", "horizontalpodautoscalers", _WRITE),
    _rule("batch", "cronjobs jobs", _WRITE),
    _rule("extensions", f"{_EXTENSIONS} deployments/rollback", _WRITE),
    _rule("networking.k8s.io", "ingresses networkpolicies", _WRITE),
    _rule("policy", "poddisruptionbudgets", _WRITE),
    _rule("", f"{_ACCESS} secrets services/proxy", _READ),
    _rule("", f"pods {_ACCESS}", _WRITE),
    _rule("", "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets "
              "serviceaccounts services services/proxy", _WRITE),
    _rule("", "serviceaccounts", ("impersonate",)),
)
POLICIES: Mapping[str, tuple[Rule, ...]] = {
    "AmazonEKSViewPolicy": _VIEW,
    "AmazonEKSEditPolicy": _EDIT,
    "AmazonEKSAdminPolicy": (
        *_EDIT, _rule("authorization.k8s.io", "localsubjectaccessreviews", ("create",)),
        _rule("rbac.authorization.k8s.io", "rolebindings roles", (*_READ, *_WRITE))),
    "AmazonEKSAdminViewPolicy": (_rule("*", "*", _READ),),
    "AmazonEKSSecretReaderPolicy": (_rule("", "secrets", _READ),),
    "AmazonEKSClusterAdminPolicy": (_rule("*", "*", ("*",)),),
}


@dataclass(frozen=True)
class Association:
    """A policy's name, and the namespaces that it is scoped to, patterns such as `dev-*` among them; none: the whole
    cluster."""

    name: str
    namespaces: tuple[str, ...] = ()

    @classmethod
    def of(cls, arn: str, scope: Mapping[str, Any]) -> Association:
        """From what ListAssociatedAccessPolicies answers."""
        return cls(arn.rpartition("/")[2], tuple(scope.get("namespaces") or ()))

    @classmethod
    def parse(cls, text: str) -> Association:
        name, _, namespaces = text.partition("@")
        return cls(name, tuple(namespaces.split(",")) if namespaces else ())

    def __str__(self) -> str:
        return f"{self.name}@{','.join(self.namespaces)}" if self.namespaces else self.name

    def allows(self, namespace: str, group: str, resource: str, verb: str) -> bool:
        inside = not self.namespaces or any(fnmatchcase(namespace, pattern) for pattern in self.namespaces)
        return inside and any(rule.allows(group, resource, verb) for rule in POLICIES.get(self.name, ()))


def review(subject_access_review: Mapping[str, Any]) -> dict[str, Any]:
    """The SubjectAccessReview with `status`: allowed by one of the user's policies, or no opinion."""
    spec = subject_access_review.get("spec") or {}
    asked = spec.get("resourceAttributes")
    given = [Association.parse(text) for text in (spec.get("extra") or {}).get(POLICIES_KEY) or ()]
    by = None
    if asked is not None:
        resource = "/".join(filter(None, (asked.get("resource", ""), asked.get("subresource", ""))))
        by = next((each for each in given if each.allows(
            asked.get("namespace", ""), asked.get("group", ""), resource, asked.get("verb", ""))), None)
    status = {"allowed": by is not None, "reason": f"access policy {by}" if by else ""}
    return {"apiVersion": subject_access_review.get("apiVersion", "authorization.k8s.io/v1"),
            "kind": "SubjectAccessReview", "status": status}
