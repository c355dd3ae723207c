"""Certificates, the CDN's cache and the cluster's capacity: what is found, what is refused, what is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from infra.plans.hosts import hosts
from infra.plans.quantities import cpu, in_mib, in_millis, memory
from infra.settings.load import load_file
from kube.client import Object, UnknownKind
from operations.errors import NotAcceptable, OperationError
from operations.site.distribution import Distribution
from operations.upkeep import capacity
from operations.upkeep.capacity import Amount, Capacity, requested
from operations.upkeep.certificates import KEY_TYPES, Certificate, faults, in_account, in_cluster
from operations.upkeep.invalidation import Invalidation, checked
from tests.unit.operations.site_world import SITE, CloudFront
from tests.unit.recovery.fake_aws import FakeAws

pytestmark = pytest.mark.unit
SETTINGS = load_file(Path(__file__).parents[3] / "Pulumi.production.yaml")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
ARN = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


# Certificates


def certificate(**changed: Any) -> Certificate:
    return Certificate(**{"name": "candlefish.ai", "where": "us-east-1", "identity": ARN, "status": "ISSUED",
                          "ends": NOW + timedelta(days=90), "used": True, "renewal": "SUCCESS", **changed})


@pytest.mark.parametrize(("changed", "words"), [
    ({}, []),
    ({"status": "Ready", "renewal": ""}, []),
    ({"status": "PENDING_VALIDATION", "ends": None}, ["is PENDING_VALIDATION"]),
    ({"ends": NOW + timedelta(days=29, hours=23)}, ["ends in 29 days; 30 is the least"]),
    ({"ends": NOW - timedelta(hours=1), "status": "EXPIRED"}, ["is EXPIRED", "ends in -1 days; 30 is the least"]),
    ({"renewal": "PENDING_VALIDATION"}, ["its renewal waits for its DNS validation record"]),
    ({"renewal": "FAILED"}, ["its renewal failed"])])
def test_a_certificate_that_will_not_last_has_its_faults_told(changed: dict[str, Any], words: list[str]) -> None:
    assert faults(certificate(**changed), NOW, 30) == words


def test_acm_is_asked_in_both_regions_and_for_every_kind_of_key() -> None:
    asked: list[Mapping[str, Any]] = []

    def listed(parameters: Mapping[str, Any]) -> dict[str, Any]:
        asked.append(parameters)
        return {"CertificateSummaryList": [{"CertificateArn": ARN, "DomainName": "candlefish.ai"},
                                           {"CertificateArn": ARN, "DomainName": "another.example"}]}

    detail = {"Certificate": {"CertificateArn": ARN, "DomainName": "candlefish.ai", "Status": "ISSUED",
                              "NotAfter": NOW + timedelta(days=50), "InUseBy": [],
                              "RenewalSummary": {"RenewalStatus": "PENDING_VALIDATION", "UpdatedAt": NOW,
                                                 "DomainValidationOptions": [{"DomainName": "candlefish.ai"}]}}}
    fake = FakeAws({("acm", region, operation): answer for region in ("us-east-1", "us-west-2")
                    for operation, answer in (("ListCertificates", listed), ("DescribeCertificate", detail))})
    found = in_account(fake.client, "us-west-2", hosts(SETTINGS.domain))
    assert [(each.where, each.used, each.renewal) for each in found] == [
        ("us-west-2", False, "PENDING_VALIDATION"), ("us-east-1", False, "PENDING_VALIDATION")]
    assert {tuple(each["Includes"]["keyTypes"]) for each in asked} == {KEY_TYPES}


def test_cert_managers_are_told_by_their_condition_and_a_cluster_without_it_has_none() -> None:
    item = {"metadata": {"name": "candlefish-tls", "namespace": "candlefish-prod"}, "spec": {"dnsNames": ["a.b"]},
            "status": {"notAfter": "2026-12-24T00:00:00Z", "renewalTime": "2026-12-01T00:00:00Z",
                       "conditions": [{"type": "Ready", "status": "False", "message": "no issuer"}]}}
    (found,) = in_cluster(Kubernetes(Certificate=[item]))  # type: ignore[arg-type]
    assert (found.days(NOW), found.status, found.renewal) == (32, "not ready (no issuer)", "from 2026-12-01T00:00:00Z")
    assert faults(found, NOW, 30) == ["is not ready (no issuer)"]
    assert in_cluster(Kubernetes()) == []  # type: ignore[arg-type]


# The CDN's cache


@pytest.mark.parametrize(("path", "words"), [
    ("index.html", "does not begin with a slash"), ("/a*/b", "a \\* before its end"), ("/é", "write them as %C3"),
    ("/a b", "characters that an address does not"), *((f"/{n}/*", "more than CloudFront") for n in range(1))])
def test_a_path_that_cloudfront_would_refuse_is_refused_here(path: str, words: str) -> None:
    many = [f"/x{number}/*" for number in range(15)] if "more" in words else []
    with pytest.raises(NotAcceptable, match=words):
        checked([*many, path])


def test_paths_are_asked_for_once_and_waited_for_when_told_so() -> None:
    said: list[str] = []
    cloudfront = CloudFront()
    work = Invalidation(Distribution(cloudfront, SITE, pause=lambda _: None), said.append)
    assert checked(["/a", "/b*", "/a"]) == ["/a", "/b*"]
    assert work.run(["/a"], wait=False)["completed"] is False
    assert work.run(["/a"], wait=True)["completed"] is True
    assert len(cloudfront.references) == 2  # each time a new one: what is asked for again is to be forgotten again
    assert "every edge has forgotten them" in said[-1]


# Capacity


class Kubernetes:
    """Kind → objects; a kind that is not there is unknown to the cluster."""

    def __init__(self, **objects: list[Object]) -> None:
        self.objects = objects

    def list(self, api_version: str, kind: str, namespace: str | None = None, *, labels: str = "",
             fields: str = "") -> list[Object]:
        if kind not in self.objects:
            raise UnknownKind(f"no {kind}", code=404, reason="NoKindMatch")
        return self.objects[kind]


def container(cpu: str, memory: str, **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}}, **more}


def test_a_pod_takes_what_the_scheduler_counts() -> None:
    """Containers and sidecars together, or an init container that asks for more; what has ended takes nothing."""
    spec = {"nodeName": "one", "containers": [container("100m", "128Mi"), {}], "overhead": {"cpu": "10m"},
            "initContainers": [container("50m", "64Mi", restartPolicy="Always"), container("1", "32Mi")]}
    ended = {"spec": {"nodeName": "one", "containers": [container("4", "4Gi")]}, "status": {"phase": "Succeeded"}}
    waits = {"spec": {"containers": [container("0.5", "1Gi")]}}
    assert requested([{"spec": spec}, ended, waits]) == {
        "one": Amount(1000, 192, 1), "": Amount(500, 1024, 1)}


@given(some.integers(0, 10 ** 6), some.integers(0, 10 ** 6))
def test_quantities_are_read_as_they_are_spelled(millis: int, mib: int) -> None:
    assert (in_millis(cpu(millis)), in_mib(memory(mib))) == (millis, mib)


@pytest.mark.parametrize(("text", "millis", "mib"), [
    ("1.93", 1930, 1), ("16393844Ki", 16_787_296_256_000, 16010), ("1e3", 1_000_000, 1), ("-1", None, None),
    ("500M", 500_000_000_000, 477), ("1u", 1, 1), ("2Gb", None, None)])
def test_other_spellings_of_quantities_are_rounded_up_or_refused(
        text: str, millis: int | None, mib: int | None) -> None:
    if millis is None:
        with pytest.raises(ValueError, match="no quantity"):
            in_millis(text)
    else:
        assert (in_millis(text), in_mib(text)) == (millis, mib)


def node(name: str, group: str, ready: str = "True") -> Object:
    return {"metadata": {"name": name, "labels": {capacity.GROUP_LABEL: group}}, "spec": {},
            "status": {"allocatable": {"cpu": "1930m", "memory": "7Gi", "pods": "35"},
                       "conditions": [{"type": "Ready", "status": ready}]}}


class Cluster(Kubernetes):
    """Of two node groups; nodes come one a look."""

    def __init__(self) -> None:
        super().__init__(Node=[node("n0", "cluster-nodes-base-1"), node("n1", "cluster-nodes-base-1")])
        self.comes = True

    def list(self, api_version: str, kind: str, namespace: str | None = None, *, labels: str = "",
             fields: str = "") -> list[Object]:
        found = list(super().list(api_version, kind, namespace))
        if self.comes:
            self.objects["Node"].append(node(f"n{len(found)}", "cluster-nodes-base-1"))
        return [each for each in found
                if not labels or labels.partition("=")[2] == each["metadata"]["labels"][capacity.GROUP_LABEL]]


def work(cluster: Any, updated: list[Mapping[str, Any]]) -> Capacity:
    def update(asked: Mapping[str, Any]) -> dict[str, Any]:
        updated.append({key: value for key, value in asked.items() if key != "clientRequestToken"})
        return {}

    seconds = [0.0]
    fake = FakeAws({
        ("eks", "us-east-1", "ListNodegroups"): {"nodegroups": ["cluster-nodes-base-1", "cluster-nodes-spot-2"]},
        ("eks", "us-east-1", "DescribeNodegroup"): {"nodegroup": {
            "instanceTypes": ["t3.large"], "scalingConfig": {"minSize": 2, "maxSize": 10, "desiredSize": 2}}},
        ("eks", "us-east-1", "UpdateNodegroupConfig"): update})
    return Capacity(cluster, SETTINGS, fake.client("eks", "us-east-1"),
                    pause=lambda wait: seconds.__setitem__(0, seconds[0] + wait), now=lambda: seconds[0])


def test_nodes_are_brought_to_one_group_and_waited_for() -> None:
    updated: list[Mapping[str, Any]] = []
    assert work(Cluster(), updated).bring("base", 4)["ready"] == 4
    assert updated == [{"clusterName": "candlefish-production", "nodegroupName": "cluster-nodes-base-1",
                        "scalingConfig": {"desiredSize": 4}}]
    assert work(Cluster(), updated).planned("base", 4) == ["node group cluster-nodes-base-1: 2 → 4 nodes"]
    assert len(updated) == 1


def test_nodes_that_do_not_come_are_told() -> None:
    cluster = Cluster()
    cluster.comes = False
    with pytest.raises(OperationError, match="has 2 of 3 nodes ready after 900 s"):
        work(cluster, []).bring("base", 3)


@pytest.mark.parametrize(("group", "nodes", "words"), [
    ("", 3, "names 2 node groups"), ("gpu", 3, "names 0 node groups"), ("base", 1, "not within 2 to 10"),
    ("spot", 11, "not within 2 to 10")])
def test_a_group_that_is_none_and_a_size_out_of_bounds_are_refused(group: str, nodes: int, words: str) -> None:
    updated: list[Mapping[str, Any]] = []
    with pytest.raises(NotAcceptable, match=words):
        work(Cluster(), updated).bring(group, nodes)
    assert updated == []


def test_a_cluster_is_looked_at_as_a_whole() -> None:
    cluster: Any = Cluster()
    cluster.comes = False
    cluster.objects |= {"Pod": [{"spec": {"nodeName": "n0", "containers": [container("965m", "512Mi")]}}],
                        "HorizontalPodAutoscaler": [{"metadata": {"name": "website-green"}, "status": {
                            "currentReplicas": 4}, "spec": {"minReplicas": 3, "maxReplicas": 20}}]}
    cluster.get = lambda *_: {"spec": {"selector": {"color": "green"}}}
    found = work(cluster, []).look()
    assert found["nodes"][0]["requested"] == {"cpuMillis": 965, "memoryMib": 512, "pods": 1}
    assert found["groups"][0] == {"name": "cluster-nodes-base-1", "minimum": 2, "desired": 2, "maximum": 10, "ready": 2}
    assert {each["service"]: each["pods"] for each in found["services"]}["website"] == 4
    assert found["largest"]["fits"] is True
    assert found["largest"]["nodes"] == 20
