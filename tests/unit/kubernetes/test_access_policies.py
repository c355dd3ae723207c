"""EKS access policies as an authorizer judges them."""

from __future__ import annotations

import pytest

from rehearsal.kubernetes.access_policies import POLICIES_KEY, Association, review

pytestmark = pytest.mark.unit


def allowed(policy: str, verb: str, resource: str, namespace: str = "", group: str = "") -> bool:
    resource, _, subresource = resource.partition("/")
    answer = review({"spec": {"user": "somebody", "extra": {POLICIES_KEY: [policy]}, "resourceAttributes": {
        "verb": verb, "group": group, "resource": resource, "subresource": subresource, "namespace": namespace}}})
    return bool(answer["status"]["allowed"])


@pytest.mark.parametrize(("policy", "verb", "resource", "group", "expected"), [
    ("AmazonEKSViewPolicy", "list", "deployments", "apps", True),
    ("AmazonEKSViewPolicy", "delete", "deployments", "apps", False),
    ("AmazonEKSViewPolicy", "get", "secrets", "", False),
    ("AmazonEKSViewPolicy", "create", "pods/exec", "", False),
    ("AmazonEKSEditPolicy", "delete", "deployments", "apps", True),
    ("AmazonEKSEditPolicy", "create", "roles", "rbac.authorization.k8s.io", False),
    ("AmazonEKSAdminPolicy", "create", "roles", "rbac.authorization.k8s.io", True),
    ("AmazonEKSAdminPolicy", "create", "clusterroles", "rbac.authorization.k8s.io", False),
    ("AmazonEKSAdminViewPolicy", "get", "secrets", "", True),
    ("AmazonEKSAdminViewPolicy", "patch", "secrets", "", False),
    ("AmazonEKSClusterAdminPolicy", "delete", "nodes", "", True),
    ("AmazonEKSAutoNodePolicy", "get", "pods", "", False),
])
def test_each_policy_allows_what_the_user_guide_lists(policy: str, verb: str, resource: str, group: str,
                                                      expected: bool) -> None:
    assert allowed(policy, verb, resource, "candlefish-prod", group) is expected


def test_a_scope_of_namespaces_ends_at_them() -> None:
    scoped = str(Association("AmazonEKSViewPolicy", ("candlefish-*", "monitoring")))
    assert allowed(scoped, "list", "pods", "candlefish-prod")
    assert allowed(scoped, "list", "pods", "monitoring")
    assert not allowed(scoped, "list", "pods", "kube-system")
    assert not allowed(scoped, "list", "namespaces")


def test_an_association_reads_what_it_writes_and_what_eks_answers() -> None:
    arn = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    scoped = Association.of(arn, {"type": "namespace", "namespaces": ["a", "b"]})
    assert Association.parse(str(scoped)) == scoped == Association("AmazonEKSViewPolicy", ("a", "b"))
    assert Association.of(arn, {"type": "cluster"}) == Association("AmazonEKSViewPolicy")


def test_a_request_that_is_not_about_a_resource_has_no_opinion() -> None:
    answer = review({"spec": {"extra": {POLICIES_KEY: ["AmazonEKSViewPolicy"]}, "nonResourceAttributes": {}}})
    assert answer["status"] == {"allowed": False, "reason": ""}
