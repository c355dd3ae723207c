"""The workloads component: what of it operations own, in which order it comes, and what it tells of the front door."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
import pytest

from infra.components.workloads.database_jobs import BackupsPlace
from infra.components.workloads.workloads import Workloads, WorkloadsArgs
from infra.plans.external_secrets import DatabasePlace
from infra.plans.hosts import hosts
from infra.settings import model
from infra.settings.workloads import Workloads as Settings
from tests.unit.components import answering
from tests.unit.components.answering import BALANCER, Registered, Registrations, record, service, six_services

pytestmark = pytest.mark.unit

NAMESPACE = "candlefish-staging"
SETTINGS = Settings(maintenance_image="ghcr.io/candlefish-ai/maintenance:1.0.0@sha256:0f",
                    database_tools_image="ghcr.io/candlefish-ai/database-tools:1.0.0@sha256:0f", pull_secrets=("ghcr",))
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SERVICE = "kubernetes:core/v1:Service"
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
SECRET = "kubernetes:external-secrets.io/v1:ExternalSecret"


def workloads(services: tuple[model.Service, ...], **changes: Any) -> Registrations:
    values: dict[str, Any] = {
        "namespace": NAMESPACE, "services": services, "hosts": hosts(model.Domain(prefix="staging")),
        "cluster_name": "candlefish-staging", "secrets": {"database": "arn:secret:db", "jwt": "arn:secret:jwt"},
        "front_door_cidrs": ("10.20.0.0/22",), "data_cidrs": ("10.20.64.0/24",),
        "public_subnet_ids": ["subnet-1", pulumi.Output.from_input("subnet-2")], "certificate_arns": ["arn:cert"],
        "web_acl_arn": "arn:acl", "identity_provider": "{}", "tags": {"Project": "candlefish"}, "settings": SETTINGS,
        "backups": BackupsPlace("backups", "arn:aws:s3:::backups", "arn:key", "us-east-1", 30),
        "database": DatabasePlace(pulumi.Output.from_input("db.test"), "5432", "candlefish")}

    answering.behind[:] = services

    def program() -> SimpleNamespace:
        providers = pulumi.ResourceOptions(providers=[aws.Provider("aws", region="us-east-1"),
                                                      k8s.Provider("cluster", kubeconfig="{}")])
        made = Workloads("workloads", WorkloadsArgs(**(values | changes)), providers)
        return SimpleNamespace(domain=made.load_balancer_domain, arn=made.load_balancer_arn, groups=made.target_groups,
                               listener=made.listener_arn, rules=made.listener_rules, namespace=made.namespace)

    return record(program)


@pytest.fixture(scope="module")
def all_six() -> Registrations:
    return workloads(six_services())


def named(recorded: Registrations, type: str, name: str) -> Registered:
    return next(found for found in recorded.of(type) if found.inputs["metadata"]["name"] == name)


def test_every_service_has_two_deployments_of_which_only_blue_has_replicas(all_six: Registrations) -> None:
    replicas = {found.inputs["metadata"]["name"]: found.inputs["spec"]["replicas"] for found in all_six.of(DEPLOYMENT)}
    assert replicas.pop("maintenance") == 0
    assert len(replicas) == 12
    assert all((count == 0) == name.endswith("-green") for name, count in replicas.items())


def test_operations_own_replicas_and_the_pods_of_a_deployment(all_six: Registrations) -> None:
    owned = {found.inputs["metadata"]["name"]: found.ignored for found in all_six.of(DEPLOYMENT)}
    assert owned.pop("maintenance") == ("spec.replicas",)
    assert set(owned.values()) == {("spec.replicas", "spec.template")}


def test_what_the_settings_want_of_the_pods_is_the_programs_alone(all_six: Registrations) -> None:
    wanted = {found.inputs["metadata"]["name"]: found for found in all_six.of("kubernetes:core/v1:PodTemplate")}
    assert len(wanted) == 6
    assert {found.ignored for found in wanted.values()} == {()}
    for name, found in wanted.items():
        spec = named(all_six, DEPLOYMENT, f"{name}-green").inputs["spec"]["template"]["spec"]
        assert spec == found.inputs["template"]["spec"]
        assert spec["imagePullSecrets"] == [{"name": "ghcr"}]


def test_operations_own_the_switches(all_six: Registrations) -> None:
    found = {each.inputs["metadata"]["name"]: (each.inputs["data"], each.ignored)
             for each in all_six.of("kubernetes:core/v1:ConfigMap")}
    assert found == {"website-animation-fallback": ({"ANIMATION_FALLBACK": "false"}, ("data",)),
                     "backend-api-read-only": ({"READ_ONLY": "false"}, ("data",))}


def test_operations_own_the_selector_of_the_live_service_but_not_of_the_colours(all_six: Registrations) -> None:
    live, blue = named(all_six, SERVICE, "website"), named(all_six, SERVICE, "website-blue")
    assert (live.ignored, blue.ignored) == (("spec.selector",), ())
    assert live.inputs["spec"]["selector"] == {"app.kubernetes.io/name": "website", "color": "blue"}


def test_operations_own_the_minimum_of_an_autoscaler(all_six: Registrations) -> None:
    scalers = all_six.of("kubernetes:autoscaling/v2:HorizontalPodAutoscaler")
    assert len(scalers) == 12
    assert {found.ignored for found in scalers} == {("spec.minReplicas",)}


def test_operations_own_the_annotations_of_every_ingress_but_the_first(all_six: Registrations) -> None:
    doors = {found.inputs["metadata"]["name"]: found for found in all_six.of(INGRESS)}
    assert doors.keys() == {"candlefish-ingress", "maintenance", "website", "analytics-dashboard", "brand-portal",
                            "api-gateway"}
    first = doors.pop("candlefish-ingress")
    assert first.ignored == ()
    assert first.inputs["metadata"]["annotations"]["alb.ingress.kubernetes.io/subnets"] == "subnet-1,subnet-2"
    for name, door in doors.items():
        assert door.ignored == ("metadata.annotations",)
        assert "workloads-front-door-ingress" in " ".join(door.dependencies), name
        settings = {key.removeprefix("alb.ingress.kubernetes.io/") for key in door.inputs["metadata"]["annotations"]}
        assert not settings & {"subnets", "wafv2-acl-arn", "certificate-arn", "tags", "load-balancer-attributes"}
    forward = json.loads(doors["website"].inputs["metadata"]["annotations"][
        "alb.ingress.kubernetes.io/actions.website"])
    assert [group["weight"] for group in forward["forwardConfig"]["targetGroups"]] == [100, 0]


def test_the_certificate_is_the_classs_so_that_a_new_one_reaches_every_ingress(all_six: Registrations) -> None:
    (parameters,) = all_six.of("kubernetes:elbv2.k8s.aws/v1beta1:IngressClassParams")
    assert parameters.inputs["spec"] == {"group": {"name": "candlefish"}, "scheme": "internet-facing",
                                         "certificateArn": ["arn:cert"]}
    (found,) = all_six.of("kubernetes:networking.k8s.io/v1:IngressClass")
    assert found.inputs["spec"]["parameters"]["name"] == parameters.inputs["metadata"]["name"]
    assert {door.inputs["spec"]["ingressClassName"] for door in all_six.of(INGRESS)} == {"candlefish"}


def test_the_dump_may_write_dumps_and_nothing_else(all_six: Registrations) -> None:
    policy = json.loads(all_six.one("aws:iam/rolePolicy:RolePolicy", "workloads-jobs-dump").inputs["policy"])
    assert {(action, *each["Resource"]) for each in policy["Statement"] for action in each["Action"]} == {
        ("s3:PutObject", "arn:aws:s3:::backups/database/*"), ("kms:GenerateDataKey", "arn:key"),
        ("s3:AbortMultipartUpload", "arn:aws:s3:::backups/database/*"), ("kms:Decrypt", "arn:key")}
    pod = all_six.one("aws:eks/podIdentityAssociation:PodIdentityAssociation", "workloads-jobs-dump").inputs
    assert (pod["namespace"], pod["serviceAccount"]) == (NAMESPACE, "database-dump")


def test_a_stack_without_a_database_has_no_jobs_of_it() -> None:
    recorded = workloads((service("website", callers=("front-door",), paths=("/",)),), backups=None)
    assert not recorded.of("kubernetes:batch/v1:CronJob")


def test_nothing_that_operations_share_forces_a_conflict(all_six: Registrations) -> None:
    annotations = [found.inputs["metadata"].get("annotations", {}) for found in all_six.all
                   if "metadata" in found.inputs]
    assert not any("pulumi.com/patchForce" in found for found in annotations)


def test_pulumi_does_not_wait_for_endpoints_that_an_idle_colour_never_has(all_six: Registrations) -> None:
    waited = [found.name for found in all_six.of(SERVICE) if found.inputs["spec"]["type"] == "ClusterIP"
              and found.inputs["metadata"].get("annotations", {}).get("pulumi.com/skipAwait") != "true"]
    assert waited == []


def test_pods_start_after_quota_policies_account_and_secret(all_six: Registrations) -> None:
    before = " ".join(named(all_six, DEPLOYMENT, "backend-api-blue").dependencies)
    for needed in ("ResourceQuota", "LimitRange", "default-deny", "priorityclass", "serviceaccount", "externalsecret",
                   "workloads-backend-api-network"):
        assert needed.lower() in before.lower()


def test_secrets_come_by_reference_and_no_value_is_in_a_manifest(all_six: Registrations) -> None:
    secret = named(all_six, SECRET, "backend-api")
    assert secret.inputs["spec"]["data"] == [
        {"secretKey": "JWT_KEY", "remoteRef": {"key": "arn:secret:jwt"}},
        {"secretKey": "database_username", "remoteRef": {"key": "arn:secret:db", "property": "username"}},
        {"secretKey": "database_password", "remoteRef": {"key": "arn:secret:db", "property": "password"}}]
    assert secret.inputs["spec"]["target"]["template"]["data"] == {
        "JWT_KEY": "{{ .JWT_KEY }}",
        "DATABASE_URL": "postgresql://{{ .database_username | urlquery }}:{{ .database_password | urlquery }}"
                        "@db.test:5432/candlefish?sslmode=require"}
    whole = named(all_six, SECRET, "candlefish-database-secret").inputs["spec"]
    assert whole["dataFrom"] == [{"extract": {"key": "arn:secret:db"}}]
    assert whole["target"]["template"]["data"]["host"] == "db.test"
    assert not all_six.of("kubernetes:core/v1:Secret")


def test_the_front_door_is_known_once_the_controller_has_made_it(all_six: Registrations) -> None:
    built = all_six.built
    assert (built.arn, built.domain) == (BALANCER, "k8s-candlefish.elb.test")
    assert built.listener == f"{BALANCER}/listener/443"
    assert built.groups["analytics-dashboard"]["green"] == (
        f"arn:target-group:{NAMESPACE}/analytics-dashboard-analytics-dashboard-green:80")
    assert set(built.groups) == {"website", "analytics-dashboard", "brand-portal", "api-gateway"}
    assert built.rules["website"].keys() == {
        f"{host}{path}" for host in ("staging.candlefish.ai", "www.staging.candlefish.ai") for path in ("/", "/ws")}
    assert built.rules["api-gateway"].keys() == {"api.staging.candlefish.ai/"}
    assert built.namespace == NAMESPACE


def test_every_component_registers_its_outputs(all_six: Registrations) -> None:
    components = {found.urn for found in all_six.all if found.type.startswith("candlefish:")}
    assert len(components) == 11
    assert components <= all_six.with_outputs


def test_a_seventh_service_is_one_entry_more() -> None:
    seven = (*six_services(), service("reports", port=9000, callers=("api-gateway",), calls=("database",)))
    before, after = workloads(six_services()), workloads(seven)
    added = len(after.all) - len(before.all)
    one = [found for found in after.all if found.name.startswith("workloads-reports")]
    assert added == len(one)
    assert {found.type for found in one} >= {DEPLOYMENT, SERVICE, POLICY}


def test_a_secret_that_the_stack_does_not_have_is_refused_by_name() -> None:
    stray = service(secrets=(model.SecretReference(variable="SENTRY_DSN", secret="sentry"),))
    with pytest.raises(ValueError, match="service website refers to secret sentry"):
        workloads((stray,))


def test_a_service_that_nobody_may_call_from_outside_has_no_target_groups() -> None:
    recorded = workloads((service("website", callers=("front-door",), paths=("/",)), service("paintbox")))
    assert set(recorded.built.groups) == {"website"}
