"""What has stopped rebuilds elsewhere, asked of every stack's program (docs/recovery.md, "What breaks rebuilds")."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from rehearsal.engine.state import State
from tests.program import Graph, Programs
from tests.stacks import STACKS

pytestmark = pytest.mark.rehearsal

ROLE = "aws:iam/role:Role"
PERMISSIONS = ("aws:iam/rolePolicy:RolePolicy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment")
# Services that begin to use a role as soon as they are told of it.
TAKERS = {"aws:lambda/function:Function", "aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon",
          "aws:synthetics/canary:Canary", "aws:rds/instance:Instance", "aws:ec2/flowLog:FlowLog",
          "aws:backup/selection:Selection", "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
          "aws:cfg/recorder:Recorder", "aws:eks/podIdentityAssociation:PodIdentityAssociation"}
EDGE = {"aws:wafv2/webAcl:WebAcl", "aws:acm/certificateValidation:CertificateValidation"}


@pytest.fixture(params=STACKS)
def graph(request: pytest.FixtureRequest, programs: Programs) -> Graph:
    return programs.preview(request.param)


class Before:
    """What has to be there before a resource is made, and is deleted after it."""

    def __init__(self, graph: Graph) -> None:
        self._of = {each.urn: each for each in graph.resources}
        self._known: dict[str, frozenset[str]] = {}

    def of(self, urn: str) -> frozenset[str]:
        if urn not in self._known:
            self._known[urn] = frozenset()
            direct = [each for each in self._of[urn].dependencies if each in self._of]
            self._known[urn] = frozenset(direct).union(*(self.of(each) for each in direct))
        return self._known[urn]


def test_no_bucket_has_a_name_that_it_would_have_to_wait_for(graph: Graph) -> None:
    found = graph.of("aws:s3/bucket:Bucket")
    assert found
    assert [each.name for each in found if not re.search(r"-[0-9a-f]{7}$", str(each.inputs["bucket"]))] == []


def test_no_function_leaves_interfaces_in_a_subnet(graph: Graph) -> None:
    found = [*graph.of("aws:lambda/function:Function"), *graph.of("aws:synthetics/canary:Canary")]
    assert found
    assert [each.name for each in found if each.inputs.get("vpcConfig")] == []


def test_an_ingress_goes_before_the_controller_that_takes_its_load_balancer_away(graph: Graph) -> None:
    before, controllers = Before(graph), {
        each.urn for each in graph.of("kubernetes:helm.sh/v3:Release") if "load-balancer" in each.name}
    assert controllers
    ingresses = graph.of("kubernetes:networking.k8s.io/v1:Ingress")
    assert ingresses
    assert [each.name for each in ingresses if not controllers <= before.of(each.urn)] == []


def test_what_cloudfront_uses_is_in_its_region(graph: Graph) -> None:
    distributions = graph.of("aws:cloudfront/distribution:Distribution")
    assert distributions
    used = {urn for each in distributions for field in ("viewerCertificate", "webAclId")
            for urn in each.property_dependencies.get(field, ())}
    found = [each for each in graph.resources if each.urn in used and each.type in EDGE]
    assert {each.type for each in found} == EDGE
    assert {each.name: _region(graph, each) for each in found} == {each.name: "us-east-1" for each in found}


def test_a_vault_that_may_go_goes_with_its_points_and_every_other_is_protected(graph: Graph) -> None:
    found = graph.of("aws:backup/vault:Vault")
    assert found
    assert [each.name for each in found if bool(each.inputs.get("forceDestroy")) is each.protect] == []


def test_no_stack_makes_the_zone_anew(graph: Graph) -> None:
    assert [each.name for each in graph.of("aws:route53/zone:Zone")] == []


def test_who_takes_on_a_role_comes_after_its_permissions(graph: Graph) -> None:
    """And is deleted before them. Without it a service begins with what it may not do yet, and IAM takes its time."""
    before = Before(graph)
    roles = {each.urn for each in graph.of(ROLE)}
    permissions: dict[str, set[str]] = defaultdict(set)
    for each in graph.resources:
        if each.type in PERMISSIONS:
            for role in roles & set(each.dependencies):
                permissions[role].add(each.urn)
    for each in graph.resources:
        if each.type not in TAKERS:
            continue
        lacking = {urn for role in roles & set(each.dependencies) for urn in permissions[role]} - before.of(each.urn)
        assert lacking == set(), each.urn


def _region(graph: Graph, resource: State) -> str:
    provider = resource.provider.rpartition("::")[0]
    return str(next(each.inputs["region"] for each in graph.resources if each.urn == provider))
