"""Names and tags as the AWS Load Balancer Controller (v2) gives them."""

from __future__ import annotations

import hashlib
import re

CLUSTER_TAG = "elbv2.k8s.aws/cluster"
STACK_TAG = "ingress.k8s.aws/stack"
RESOURCE_TAG = "ingress.k8s.aws/resource"
FINALIZER = "ingress.k8s.aws/resources"
GROUP_FINALIZER = "group.ingress.k8s.aws/"


def _hash(*parts: str) -> str:
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:10]


def _alphanumeric(text: str, length: int) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", text)[:length]


def load_balancer_name(cluster: str, group: str, scheme: str) -> str:
    """`k8s-{namespace 8}-{ingress 8}-{hash}`, or `k8s-{group 17}-{hash}` for an explicit group."""
    digest = _hash(cluster, group, scheme)
    if "/" in group:
        namespace, name = group.split("/")
        return f"k8s-{_alphanumeric(namespace, 8)}-{_alphanumeric(name, 8)}-{digest}"
    return f"k8s-{_alphanumeric(group, 17)}-{digest}"


def target_group_name(cluster: str, group: str, namespace: str, ingress: str, service: str, uid: str, port: str,
                      target_port: int, protocol: str) -> str:
    digest = _hash(cluster, group, namespace, ingress, uid, port, str(target_port), "ip", protocol, "HTTP1")
    return f"k8s-{_alphanumeric(namespace, 8)}-{_alphanumeric(service, 8)}-{digest}"


def security_group_name(cluster: str, group: str) -> str:
    namespace, _, name = group.rpartition("/")
    return f"k8s-{_alphanumeric(namespace or 'group', 8)}-{_alphanumeric(name, 8)}-{_hash(cluster, group)}"


def tags(cluster: str, group: str, resource: str) -> dict[str, str]:
    """`resource`: LoadBalancer, ManagedLBSecurityGroup, a target group's id, a listener's port, `port:priority`."""
    return {CLUSTER_TAG: cluster, STACK_TAG: group, RESOURCE_TAG: resource}


def finalizer(group: str) -> str:
    return FINALIZER if "/" in group else f"{GROUP_FINALIZER}{group}"
