"""The controllers: pinned charts, identities before pods, secrets of this environment only."""

from __future__ import annotations

import json
import re

import pytest

from infra.plans import charts, monitoring
from infra.settings.platform import Monitoring
from rehearsal.kubernetes import release_services
from tests.unit.components.recording import Registrations, foundation

pytestmark = pytest.mark.unit

RELEASE = "kubernetes:helm.sh/v3:Release"


@pytest.fixture(scope="module")
def addons() -> Registrations:
    return foundation()


def test_charts_are_pinned_to_a_version_of_a_named_repository(addons: Registrations) -> None:
    for release in addons.of(RELEASE):
        assert re.fullmatch(r"\d+\.\d+\.\d+", release.inputs["version"])
        assert release.inputs["repositoryOpts"]["repo"].startswith("https://")


def test_the_load_balancer_controller_is_told_what_it_cannot_ask_the_metadata_service(addons: Registrations) -> None:
    values = addons.one(RELEASE, "addons-load-balancers").inputs["values"]
    assert (values["clusterName"], values["region"], values["vpcId"]) == (
        "candlefish-test", "us-east-1", "network-vpc-id")
    assert values["defaultTags"] == {"Project": "candlefish", "Component": "addons"}


def test_a_controller_has_its_identity_before_its_pods_start(addons: Registrations) -> None:
    identified = [chart for chart in charts.CHARTS if chart.identity]
    assert len(identified) == 4
    for chart in identified:
        identity = addons.one("aws:eks/podIdentityAssociation:PodIdentityAssociation", f"addons-{chart.key}")
        release = addons.one(RELEASE, f"addons-{chart.key}")
        values = release.inputs["values"]
        assert identity.urn in release.dependencies
        assert identity.inputs["serviceAccount"] == values.get("rbac", values)["serviceAccount"]["name"]
        assert identity.inputs["namespace"] == release.inputs["namespace"]


def test_the_operator_reads_the_given_secrets_and_no_others(addons: Registrations) -> None:
    policy = json.loads(addons.one("aws:iam/rolePolicy:RolePolicy", "addons-external-secrets").inputs["policy"])
    assert policy["Statement"][0]["Resource"] == [
        "arn:aws:secretsmanager:::cache-auth", "arn:aws:secretsmanager:::secret:rds!database"]


def test_the_store_serves_only_the_named_namespaces_and_comes_after_its_operator(addons: Registrations) -> None:
    store = addons.one("kubernetes:external-secrets.io/v1:ClusterSecretStore", "addons-secret-store")
    assert store.inputs["spec"]["conditions"] == [{"namespaces": ["candlefish-test", "monitoring"]}]
    assert store.inputs["metadata"]["name"] == addons.built.addons.secret_store_name
    assert addons.one(RELEASE, "addons-external-secrets").urn in store.dependencies


def test_services_can_be_made_while_the_load_balancer_controller_is_away(addons: Registrations) -> None:
    assert addons.one(RELEASE, "addons-load-balancers").inputs["values"]["enableServiceMutatorWebhook"] is False


def test_services_wait_only_for_the_charts_that_they_cannot_run_without(addons: Registrations) -> None:
    names = {resource._name for resource in addons.built.addons.foundations}
    assert names == {"addons-load-balancers", "addons-secret-store", "addons-gp3"}


def test_grafana_and_prometheus_have_the_names_that_operators_know_and_no_password_in_values(
        addons: Registrations) -> None:
    release = addons.one(RELEASE, "addons-monitoring").inputs
    assert {service["metadata"]["name"]: service["spec"]["ports"][0]["port"] for service in release_services.services(
        release["chart"], release["name"], release["namespace"], release["values"])} == {
        "grafana": 3000, "prometheus-stack-kube-prom-prometheus": 9090, "prometheus-stack-kube-prom-alertmanager": 9093}
    assert release["values"]["grafana"]["admin"] == {
        "existingSecret": "grafana-admin", "userKey": "username", "passwordKey": "password"}
    assert "adminPassword" not in json.dumps(release["values"])
    secret = addons.one("kubernetes:external-secrets.io/v1:ExternalSecret", "addons-grafana-admin")
    assert secret.urn in addons.one(RELEASE, "addons-monitoring").dependencies
    assert secret.inputs["spec"]["data"][1]["remoteRef"] == {"key": "arn:grafana", "property": "password"}


def test_grafana_with_a_read_only_root_has_a_place_for_temporary_files() -> None:
    grafana = monitoring.values(Monitoring(), "candlefish-test", "gp3", 2)["grafana"]
    assert grafana["containerSecurityContext"]["readOnlyRootFilesystem"] is True
    assert grafana["extraEmptyDirMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]


def test_only_what_needs_the_host_may_be_privileged(addons: Registrations) -> None:
    levels = {each.inputs["metadata"]["name"]: each.inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
              for each in addons.of("kubernetes:core/v1:Namespace")}
    assert levels == {"external-secrets": "restricted", "monitoring": "baseline", "log-shipping": "privileged"}


def test_every_job_of_the_services_begins_with_candlefish() -> None:
    values = monitoring.values(Monitoring(), "candlefish-test", "gp3", 2)
    job = values["prometheus"]["additionalPodMonitors"][0]["podMetricsEndpoints"][0]["relabelings"][0]
    assert (job["targetLabel"], job["replacement"]) == ("job", "candlefish-$1")


def test_prometheus_deletes_before_its_volume_is_full() -> None:
    spec = monitoring.values(Monitoring(storage_gib=20), "n", "gp3", 2)["prometheus"]["prometheusSpec"]
    assert spec["retentionSize"] == "18432MiB"


def test_the_shipper_has_an_output_for_each_log_group_and_makes_none(addons: Registrations) -> None:
    outputs = addons.one(RELEASE, "addons-logs").inputs["values"]["config"]["outputs"]
    assert re.findall(r"log_group_name (\S+)", outputs) == ["/app", "/web/animation", "/web/performance"]
    assert outputs.count("auto_create_group false") == 3
    policy = json.loads(addons.one("aws:iam/rolePolicy:RolePolicy", "addons-logs").inputs["policy"])
    assert not any("CreateLogGroup" in action for statement in policy["Statement"] for action in statement["Action"])


def test_the_autoscaler_scales_only_groups_of_its_cluster_and_is_of_its_version(addons: Registrations) -> None:
    policy = json.loads(addons.one("aws:iam/rolePolicy:RolePolicy", "addons-autoscaler").inputs["policy"])
    scale = next(statement for statement in policy["Statement"] if statement["Sid"] == "Scale")
    assert scale["Condition"] == {
        "StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/candlefish-test": "owned"}}
    assert addons.one(RELEASE, "addons-autoscaler").inputs["values"]["image"]["tag"] == "v1.34.0"


def test_nothing_reaches_monitoring_but_by_the_named_paths(addons: Registrations) -> None:
    policies = {each.inputs["metadata"]["name"]: each.inputs["spec"]
                for each in addons.of("kubernetes:networking.k8s.io/v1:NetworkPolicy")}
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    outside = {name for name, spec in policies.items() for rule in spec.get("ingress", ())
               for source in rule["from"] if "podSelector" not in source}
    assert outside == {"grafana", "prometheus", "traces", "webhook"}


def test_volumes_are_encrypted_and_made_in_the_zone_of_their_pod(addons: Registrations) -> None:
    storage_class = addons.one("kubernetes:storage.k8s.io/v1:StorageClass", "addons-gp3").inputs
    assert storage_class["parameters"] == {"type": "gp3", "encrypted": "true"}
    assert storage_class["volumeBindingMode"] == "WaitForFirstConsumer"
