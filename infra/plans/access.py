"""Who may do what in the cluster: access policies of EKS and roles of Kubernetes (K1, K7, O8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.plans.guards import MONITORING_NAMESPACE, OPERATORS_GROUP, OWNER, READ, Grant
from infra.plans.kubernetes import Manifest, metadata

ON_CALL_GROUP = "candlefish-on-call"
VIEWERS_GROUP = "candlefish-viewers"  # of those who only look, on call or in a pipeline
_POLICY = "arn:aws:eks::aws:cluster-access-policy/"


@dataclass(frozen=True)
class Entry:
    """An access entry: its groups, and its policy for the whole cluster or, with `namespaces`, for those only."""

    key: str
    policy: str
    groups: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()

    @property
    def policy_arn(self) -> str:
        return _POLICY + self.policy


def entries(namespaces: Sequence[str]) -> tuple[Entry, ...]:
    """`namespaces`: of the services and of what watches them.

    A deployment installs charts, which make ClusterRoles; Kubernetes lets nobody grant what he does not have, so no
    lesser policy than the cluster administrator's does. The others see no Secrets.
    """
    return (
        Entry("deploy", "AmazonEKSClusterAdminPolicy", (OPERATORS_GROUP,)),
        Entry("preview", "AmazonEKSViewPolicy", (VIEWERS_GROUP,)),
        Entry("on-call", "AmazonEKSViewPolicy", (ON_CALL_GROUP, VIEWERS_GROUP), tuple(namespaces)),
    )


# Beside looking: into a pod, and to a port of it, through a relay to the data stores (`candlefish connect`). Restarting
# is a verb of operations, which keeps a journal.
_ON_CALL_GRANTS = (
    Grant("", ("pods/exec", "pods/portforward"), ("create", "get")),
    Grant("", ("events",), READ),
)
_RELAY = Grant("batch", ("jobs",), ("create", "delete"))  # where the data stores are reached from


def on_call_role(namespace: str) -> Manifest:
    """Nobody needs a relay in `monitoring`: what is there has pods of its own."""
    grants = _ON_CALL_GRANTS if namespace == MONITORING_NAMESPACE else (*_ON_CALL_GRANTS, _RELAY)
    return {"metadata": metadata(ON_CALL_GROUP, namespace, OWNER), "rules": [each.rule() for each in grants]}


def on_call_binding(namespace: str) -> Manifest:
    return {"metadata": metadata(ON_CALL_GROUP, namespace, OWNER),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ON_CALL_GROUP},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": ON_CALL_GROUP}]}


# What `verify`, `capacity`, `certificates check` and `report` look at beyond the namespaces, and AmazonEKSViewPolicy
# has for nobody: nodes and cert-manager's kind. Names of namespaces and pods go with them, for what nodes are full of.
_VIEWER_GRANTS = (
    Grant("", ("nodes", "namespaces", "pods"), READ),
    Grant("cert-manager.io", ("certificates",), READ),
)


def viewers_role() -> Manifest:
    return {"metadata": {"name": VIEWERS_GROUP, "labels": OWNER}, "rules": [each.rule() for each in _VIEWER_GRANTS]}


def viewers_binding() -> Manifest:
    return {"metadata": {"name": VIEWERS_GROUP, "labels": OWNER},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": VIEWERS_GROUP},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": VIEWERS_GROUP}]}
