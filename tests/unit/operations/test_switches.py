"""What the load balancer and the API server say of a switch, and what is refused before anything is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.plans.ingress import MAINTENANCE_HEADER
from infra.settings.load import load_file
from kube.client import Forbidden, NotFound, Object
from operations.cluster import expect_namespace
from operations.errors import NotAcceptable, OperationError
from operations.switches.maintenance import BalancerDoor
from operations.switches.scale import node_pools
from operations.switches.switch import PROGRAM, Switch, chosen, has
from tests.cluster.rollout_world import ROOT

SETTINGS = load_file(ROOT / "Pulumi.development.yaml")
PREVIEW = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": MAINTENANCE_HEADER, "Values": ["preview"]}}
HOST = {"Field": "host-header", "HostHeaderConfig": {"Values": ["dev.candlefish.ai"]}}


class Elb:
    """ELBv2 with two target groups, of which one is the page's, and rules with these conditions that lead to it."""

    def __init__(self, *conditions: list[dict[str, Any]], health: str = "healthy") -> None:
        self._page = [{"Conditions": each, "Actions": [{"Type": "forward", "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": "page"}]}}]} for each in conditions]
        self._health = health

    def get_paginator(self, name: str) -> Any:
        other = {"Conditions": [HOST], "Actions": [{"Type": "fixed-response"}]}
        pages: dict[str, dict[str, Any]] = {
            "describe_target_groups": {"TargetGroups": [{"TargetGroupArn": "site"}, {"TargetGroupArn": "page"}]},
                 "describe_rules": {"Rules": [other, *self._page]}}

        class Paged:
            def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
                yield pages[name]

        return Paged()

    def describe_tags(self, ResourceArns: list[str]) -> dict[str, Any]:
        resources = {"page": "candlefish-dev/maintenance-maintenance:8080", "site": "candlefish-dev/website-website:80"}
        return {"TagDescriptions": [{"ResourceArn": arn, "Tags": [
            {"Key": "elbv2.k8s.aws/cluster", "Value": "candlefish-development"},
            {"Key": "ingress.k8s.aws/resource", "Value": resources[arn]}]} for arn in ResourceArns]}

    def describe_target_groups(self, TargetGroupArns: list[str]) -> dict[str, Any]:
        return {"TargetGroups": [{"LoadBalancerArns": ["balancer"]}]}

    def describe_listeners(self, LoadBalancerArn: str) -> dict[str, Any]:
        return {"Listeners": [{"ListenerArn": "listener"}]}

    def describe_target_health(self, TargetGroupArn: str) -> dict[str, Any]:
        return {"TargetHealthDescriptions": [
            {"Target": {"Id": "10.0.0.1"}, "TargetHealth": {"State": self._health, "Description": "Health checks"}}]}


def door(elb: Elb, cluster: str = "candlefish-development") -> BalancerDoor:
    return BalancerDoor(elb, cluster, "candlefish-dev")


def test_the_page_is_up_when_none_of_its_rules_asks_for_the_header_and_down_when_all_do() -> None:
    assert door(Elb([HOST], [HOST])).following(True) == ""
    assert door(Elb([HOST, PREVIEW], [HOST])).following(True) == "1 of 2 rules do not follow yet"
    assert door(Elb([HOST, PREVIEW], [HOST])).following(False) == "1 of 2 rules do not follow yet"
    assert door(Elb([HOST, PREVIEW])).following(False) == ""
    assert door(Elb()).following(True) == "the load balancer has no rule for it"
    assert "no target group" in door(Elb([HOST]), "another").following(True)


def test_pods_of_the_page_are_in_service_when_their_targets_are_healthy() -> None:
    assert door(Elb()).waiting(["10.0.0.1"]) == ""
    assert door(Elb()).waiting(["10.0.0.2"]) == "10.0.0.2 is not registered"
    assert door(Elb(health="initial")).waiting(["10.0.0.1"]) == "10.0.0.1 is initial (Health checks)"


def test_a_switch_is_known_by_its_name_or_its_variable() -> None:
    assert chosen(SETTINGS, "read-only").service.name == "backend-api"
    assert chosen(SETTINGS, "READ_ONLY", "backend-api").name == "read-only"
    with pytest.raises(NotAcceptable, match=r"no switch 'read'; there are animation-fallback \(website\), read-only"):
        chosen(SETTINGS, "read")
    with pytest.raises(NotAcceptable, match="no switch 'read-only' of website"):
        chosen(SETTINGS, "read-only", "website")
    twice = SETTINGS.model_copy(update={"services": tuple(
        service.model_copy(update={"switches": {"CLOSED": "false"}}) for service in SETTINGS.services[:2])})
    with pytest.raises(NotAcceptable, match="each have a switch closed; add --service"):
        chosen(twice, "closed")


def config(*writers: tuple[str, str]) -> Object:
    """The ConfigMap with who wrote its variable, and when."""
    return {"data": {"READ_ONLY": "true"}, "metadata": {"resourceVersion": "5", "managedFields": [
        {"manager": manager, "time": time, "fieldsV1": {"f:data": {"f:READ_ONLY": {}}}} for manager, time in writers]}}


def pod(made: str, mark: str = "") -> Object:
    return {"metadata": {"creationTimestamp": made, "annotations": {"candlefish.ai/read-only": mark} if mark else {}}}


def test_a_pod_has_a_switch_when_it_was_made_after_it_or_replaced_for_it() -> None:
    switch: Switch = chosen(SETTINGS, "read-only")
    written = config((f"{PROGRAM}-1", "2026-01-01T00:00:09Z"), ("kubectl", "2026-01-01T00:00:05Z"))
    assert has(pod("2026-01-01T00:00:06Z"), written, switch)
    assert not has(pod("2026-01-01T00:00:05Z"), written, switch)  # in the same second: it may have come first
    assert has(pod("2026-01-01T00:00:05Z", "true.5"), written, switch)
    assert not has(pod("2026-01-01T00:00:05Z", "true.4"), written, switch)
    assert has(pod("2025-01-01T00:00:00Z"), config((f"{PROGRAM}-1", "2026-01-01T00:00:09Z")), switch)


class Cluster:
    """An API server that says this of a namespace."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get(self, *_: str) -> Object:
        raise self._error


def test_a_cluster_of_another_stack_is_told_to_who_may_look_at_namespaces() -> None:
    with pytest.raises(OperationError, match="has no namespace candlefish-dev; point KUBECONFIG"):
        expect_namespace(Cluster(NotFound("none")), "development", "candlefish-dev")  # type: ignore[arg-type]
    expect_namespace(Cluster(Forbidden("RBAC")), "development", "candlefish-dev")  # type: ignore[arg-type]


class Eks:
    def __init__(self, *types: str) -> None:
        self._types = types

    def get_paginator(self, _: str) -> Any:
        class Paged:
            def paginate(self, clusterName: str) -> Iterator[dict[str, Any]]:
                yield {"nodegroups": ["general"]}

        return Paged()

    def describe_nodegroup(self, clusterName: str, nodegroupName: str) -> dict[str, Any]:
        return {"nodegroup": {"instanceTypes": list(self._types), "scalingConfig": {"maxSize": 4}}}


def test_a_node_group_counts_with_its_smallest_type_and_as_many_as_it_may_have_now() -> None:
    pool = node_pools(Eks("t3.xlarge", "t3.large"), "candlefish-development")["general"]
    assert (pool.instance.cpus, pool.instance.memory_mib, pool.maximum) == (2, 8192, 4)
    with pytest.raises(OperationError, match=r"node group general has x9\.huge, of unknown size"):
        node_pools(Eks("x9.huge"), "candlefish-development")
