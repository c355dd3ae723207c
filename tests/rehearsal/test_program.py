"""Every resource of every stack, as the engine previews it from nothing."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from infra.plans.kubernetes import PART_OF
from infra.plans.tags import is_taggable
from rehearsal.engine import urns
from rehearsal.engine.state import State
from rehearsal.engine.values import UNKNOWN, Secret
from tests.bench.functions import packaged
from tests.program import MARKER, Graph, Programs, texts
from tests.stacks import BY_TYPE, RESOURCES, STACKS

pytestmark = pytest.mark.rehearsal

TAGS = {"Project", "Environment", "Component", "ManagedBy", "CostCenter", "Owner", "Stack"}  # E5
WITHOUT_OUTPUTS = {"candlefish:cluster:ManagedAddons", "candlefish:storage:ServedBuckets"}
AT_THE_TOP = {"pulumi:providers:aws", urns.STACK_TYPE}  # beside the components that the environment is made of
PHYSICAL_NAMES = ("name", "namePrefix", "identifier", "replicationGroupId", "policyName")
# Names that are not of the account: of a zone's records, of a signing key in its zone; DNS itself; of an API's stage.
# Config has one of each in a region, and a feature's name is GuardDuty's.
NAMED_OTHERWISE = {"aws:route53/record:Record", "aws:route53/keySigningKey:KeySigningKey", "aws:route53/zone:Zone",
                   "aws:apigatewayv2/stage:Stage", "aws:cfg/recorder:Recorder",
                   "aws:cfg/deliveryChannel:DeliveryChannel", "aws:cfg/recorderStatus:RecorderStatus",
                   "aws:guardduty/detectorFeature:DetectorFeature"}
NO_OBJECT = "kubernetes:helm.sh/v3:Release"  # the chart labels what it makes
SECRET_INPUTS = {  # where the program puts a secret that the stack knows
    "aws:secretsmanager/secretVersion:SecretVersion": "secretString",
    "aws:elasticache/replicationGroup:ReplicationGroup": "authToken",
    "pulumi:providers:kubernetes": "kubeconfig",
}
OFF_HOURS = {"candlefish:operations:ScheduledScaling"}  # where the settings switch the nights off
# Once an account and region: staging makes it where production is, recovery in its own region.
AUDIT = {"candlefish:governance:AccountRecords", "candlefish:governance:AccountAudit"}  # once an account
ONCE_A_REGION = {"candlefish:analytics:ApiLogging"}
SEVENTH = {"seventh": {
    "port": 9000, "image": "ghcr.io/candlefish-ai/seventh:1.0.0@sha256:" + 64 * "0",
    "callers": ["api-gateway"], "secrets": [{"variable": "SENTRY_DSN", "secret": "sentry"}],
    "resources": {"cpuMillis": 10, "memoryMib": 32, "cpuLimitMillis": 50, "memoryLimitMib": 64},
    "replicas": {"minimum": 1, "maximum": 1}}}


@pytest.fixture(params=STACKS)
def graph(request: pytest.FixtureRequest, programs: Programs) -> Graph:
    return programs.preview(request.param)


def short(state: State) -> str:
    return f"{state.type} {state.name}"


def test_a_stack_consists_of_what_the_table_says(graph: Graph) -> None:
    assert dict(sorted(graph.counts.items())) == dict(sorted(BY_TYPE[graph.stack].items()))
    assert graph.result.changes == {"create": RESOURCES[graph.stack], "update": 0, "replace": 0, "delete": 0, "same": 0}
    assert graph.result.outputs["vpcId"] is UNKNOWN


def test_nothing_comes_of_a_default_provider_of_aws_or_kubernetes(graph: Graph) -> None:
    assert [state.urn for state in graph.of("pulumi:providers:aws", "pulumi:providers:kubernetes")
            if urns.is_default_provider(state.urn)] == []


def test_components_are_named_after_their_module_and_class(graph: Graph) -> None:
    own = [state for state in graph.components if not state.type.startswith("eks:")]
    assert own
    assert [state.type for state in own if not re.fullmatch(r"candlefish:[a-z]+:[A-Z][A-Za-z]+", state.type)] == []


def test_everything_has_a_parent_that_is_there(graph: Graph) -> None:
    assert [short(state) for state in graph.resources
            if state.type != urns.STACK_TYPE and not urns.is_default_provider(state.urn)
            and state.parent not in graph.by_urn] == []


def test_only_components_and_providers_are_directly_below_the_stack(graph: Graph) -> None:
    (stack,) = graph.of(urns.STACK_TYPE)
    assert [short(state) for state in graph.resources if state.parent == stack.urn and state.custom
            and state.type not in AT_THE_TOP and not urns.is_default_provider(state.urn)] == []


def test_every_component_registers_outputs_in_camel_case(graph: Graph) -> None:
    own = [state for state in graph.components if state.type.startswith("candlefish:")]
    assert {state.type for state in own if not state.outputs} == WITHOUT_OUTPUTS
    assert [(state.type, key) for state in own for key in state.outputs
            if not re.fullmatch(r"[a-z][A-Za-z0-9]*", key)] == []


def test_every_resource_that_can_have_tags_has_all_of_them(graph: Graph) -> None:
    taggable = [state for state in graph.resources if state.type.startswith("aws:") and is_taggable(state.type)]
    assert len(taggable) > 50
    assert [(short(state), sorted(missing)) for state in taggable
            if (missing := TAGS - {*(state.outputs.get("tagsAll") or {})})] == []


def test_tags_reach_what_scaling_groups_make(graph: Graph) -> None:
    for template in graph.of("aws:ec2/launchTemplate:LaunchTemplate"):
        found = {each["resourceType"]: set(each["tags"]) for each in template.inputs["tagSpecifications"]}
        assert found.keys() == {"instance", "volume", "network-interface"}
        assert all(tags >= TAGS for tags in found.values())


def test_every_object_in_the_cluster_says_that_it_is_candlefishs(graph: Graph) -> None:
    assert [short(state) for state in graph.resources
            if state.type.startswith("kubernetes:") and state.type != NO_OBJECT
            and (state.inputs["metadata"].get("labels") or {}).get("app.kubernetes.io/part-of") != PART_OF] == []


def test_a_secret_is_nowhere_in_plain_text(graph: Graph) -> None:
    assert [(short(state), path) for state in graph.resources
            for path, text in (*texts(state.inputs, "inputs"), *texts(state.outputs, "outputs"))
            if MARKER in text] == []
    assert [path for path, text in texts(graph.result.outputs) if MARKER in text] == []


def test_what_holds_a_secret_is_encrypted_as_a_whole(graph: Graph) -> None:
    for type, key in SECRET_INPUTS.items():
        for state in graph.of(type):
            if graph.by_urn[state.parent].type.startswith("eks:"):
                continue  # its provider's kubeconfig names a command that signs in, and nothing else
            given = state.inputs.get(key)
            # What operators fill is made with an empty document.
            assert given is None or given == "{}" or isinstance(given, Secret), (short(state), given)


def test_the_drawn_secrets_arrive_where_they_are_needed(graph: Graph) -> None:
    """Or the two tests above would follow a marker that goes nowhere."""
    reached = {state.type for state in graph.resources if MARKER in repr([*_secrets(state.inputs)])}
    assert reached >= {"aws:elasticache/replicationGroup:ReplicationGroup", "aws:wafv2/webAcl:WebAcl",
                       "aws:cloudfront/distribution:Distribution", "aws:secretsmanager/secretVersion:SecretVersion"}


def _secrets(value: Any) -> Iterator[Any]:
    if isinstance(value, Secret):
        yield value.value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _secrets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(inner)


def test_every_fixed_physical_name_carries_the_environment(graph: Graph) -> None:
    fixed = [(state, key, name) for state in graph.resources if state.type.startswith("aws:")
             and state.type not in NAMED_OTHERWISE for key in PHYSICAL_NAMES
             if isinstance(name := graph.given[state.urn].get(key), str)]
    assert len(fixed) > 15
    assert [(short(state), key, name) for state, key, name in fixed if graph.stack not in name] == []


def test_logical_names_are_unique_within_a_type(graph: Graph) -> None:
    names = Counter((state.type, state.name) for state in graph.resources)
    assert [name for name, count in names.items() if count > 1] == []


def test_logical_names_do_not_depend_on_what_is_drawn(programs: Programs) -> None:
    one, other = programs.preview("development"), programs.preview("development", seed=1)
    assert {*one.by_urn} == {*other.by_urn}


def test_stacks_differ_in_sizes_and_not_in_what_they_are_made_of(programs: Programs) -> None:
    """But for development, whose switches leave parts out (E3: minimal monitoring)."""
    kinds = {stack: {state.type for state in programs.preview(stack).components} for stack in STACKS}
    alike = {stack: found - OFF_HOURS - ONCE_A_REGION - AUDIT for stack, found in kinds.items()}
    assert alike["staging"] == alike["production"] == alike["recovery"]
    assert alike["development"] < alike["production"]
    assert [stack for stack, found in kinds.items() if found >= AUDIT] == ["production"]


def test_what_a_stack_has_more_of_than_another_follows_from_its_settings(programs: Programs) -> None:
    """Production against staging, beside the account's audit: NAT and node groups, interface endpoints, the registry's
    settings with their role; staging's are GitHub's OIDC provider, the role that logs requests to APIs, and the nights
    off: a function with role, log group and queue, its two schedules and its state."""
    production = programs.preview("production")
    more = Counter(production.counts)
    more.subtract(state.type for urn, state in production.by_urn.items() if any(audit in urn for audit in AUDIT))
    more.subtract(programs.preview("staging").counts)
    assert {type: count for type, count in more.items() if count} == {
        "aws:ec2/eip:Eip": 2, "aws:ec2/natGateway:NatGateway": 2, "aws:ec2/vpcEndpoint:VpcEndpoint": 5,
        "aws:ec2/securityGroup:SecurityGroup": 1, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": 1,
        "aws:ec2/launchTemplate:LaunchTemplate": 1, "aws:eks/nodeGroup:NodeGroup": 1,
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": -1,
        "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration": 1,
        "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate": 1,
        "aws:ecr/replicationConfiguration:ReplicationConfiguration": 1,
        "candlefish:analytics:ApiLogging": -1, "aws:apigateway/account:Account": -1,
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": -1,
        "aws:lambda/function:Function": -1, "aws:iam/role:Role": -1,
        "aws:cloudwatch/logGroup:LogGroup": -1, "aws:sqs/queue:Queue": -1, "aws:scheduler/schedule:Schedule": -2,
        "aws:ssm/parameter:Parameter": -1, "candlefish:functions:Function": -1,
        "candlefish:operations:ScheduledScaling": -1}


def test_a_seventh_service_is_an_entry_of_the_configuration(programs: Programs) -> None:
    more = Counter(programs.preview("staging", services=SEVENTH).counts)
    more.subtract(programs.preview("staging").counts)
    assert {type: count for type, count in more.items() if count} == {
        "candlefish:workloads:BlueGreenService": 1, "aws:ecr/repository:Repository": 1,
        "aws:ecr/lifecyclePolicy:LifecyclePolicy": 1, "aws:ecr/repositoryPolicy:RepositoryPolicy": 1,
        "kubernetes:core/v1:ServiceAccount": 1,
        "kubernetes:networking.k8s.io/v1:NetworkPolicy": 1, "kubernetes:external-secrets.io/v1:ExternalSecret": 1,
        "kubernetes:apps/v1:Deployment": 2, "kubernetes:core/v1:PodTemplate": 1, "kubernetes:core/v1:Service": 3,
        "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": 2, "kubernetes:policy/v1:PodDisruptionBudget": 2}


def test_a_seventh_service_changes_no_logical_name_of_the_others(programs: Programs) -> None:
    before, after = programs.preview("staging"), programs.preview("staging", services=SEVENTH)
    assert {*before.by_urn} < {*after.by_urn}
    assert all("seventh" in urn for urn in {*after.by_urn} - {*before.by_urn})


def test_each_functions_archive_starts_with_the_standard_library_alone(programs: Programs, tmp_path: Path) -> None:
    """boto3 is loaded at the first call: a cold start imports nothing of it, and the archive has all the rest."""
    for name, (module, archive) in packaged(programs.preview("staging")).items():
        with zipfile.ZipFile(BytesIO(archive)) as packed:
            packed.extractall(tmp_path / name)
        start = f"import sys; sys.path.insert(0, {str(tmp_path / name)!r}); import {module} as h; assert h.handle"
        done = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", start], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 0, f"{name}: {done.stderr}"
