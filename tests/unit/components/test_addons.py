"""The controllers: pinned charts, identities before pods, secrets of this environment only."""

from __future__ import annotations

import json
import re

import pytest

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
    for name in ("addons-load-balancers", "addons-external-secrets"):
        identity = addons.one("aws:eks/podIdentityAssociation:PodIdentityAssociation", name)
        release = addons.one(RELEASE, name)
        assert identity.urn in release.dependencies
        assert identity.inputs["serviceAccount"] == release.inputs["values"]["serviceAccount"]["name"]
        assert identity.inputs["namespace"] == release.inputs["namespace"]


def test_the_operator_reads_the_given_secrets_and_no_others(addons: Registrations) -> None:
    policy = json.loads(addons.one("aws:iam/rolePolicy:RolePolicy", "addons-external-secrets").inputs["policy"])
    assert policy["Statement"][0]["Resource"] == [
        "arn:aws:secretsmanager:::cache-auth", "arn:aws:secretsmanager:::secret:rds!database"]


def test_the_store_serves_only_the_named_namespaces_and_comes_after_its_operator(addons: Registrations) -> None:
    store = addons.one("kubernetes:external-secrets.io/v1:ClusterSecretStore", "addons-secret-store")
    assert store.inputs["spec"]["conditions"] == [{"namespaces": ["candlefish-test"]}]
    assert store.inputs["metadata"]["name"] == addons.built.addons.secret_store_name
    assert addons.one(RELEASE, "addons-external-secrets").urn in store.dependencies


def test_services_can_be_made_while_the_load_balancer_controller_is_away(addons: Registrations) -> None:
    assert addons.one(RELEASE, "addons-load-balancers").inputs["values"]["enableServiceMutatorWebhook"] is False


def test_volumes_are_encrypted_and_made_in_the_zone_of_their_pod(addons: Registrations) -> None:
    storage_class = addons.one("kubernetes:storage.k8s.io/v1:StorageClass", "addons-gp3").inputs
    assert storage_class["parameters"] == {"type": "gp3", "encrypted": "true"}
    assert storage_class["volumeBindingMode"] == "WaitForFirstConsumer"
