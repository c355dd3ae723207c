"""The image repositories."""

from __future__ import annotations

import json

import pytest

from infra.components.registry import Registry, RegistryArgs
from infra.settings.platform import Registry as RegistrySettings
from tests.unit.components.recording import ACCOUNT, foundation, record

pytestmark = pytest.mark.unit


def test_repositories_have_immutable_tags_scans_and_our_key() -> None:
    repository = foundation().one("aws:ecr/repository:Repository", "registry-website").inputs
    assert repository["name"] == "candlefish-website-test"
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["encryptionConfigurations"] == [{"encryptionType": "KMS", "kmsKey": "arn:aws:kms:::keys-data"}]


def test_the_lifecycle_keeps_the_newest_images() -> None:
    lifecycle = foundation().one("aws:ecr/lifecyclePolicy:LifecyclePolicy", "registry-website")
    policy = json.loads(lifecycle.inputs["policy"])
    assert [rule["selection"]["countNumber"] for rule in policy["rules"]] == [7, 100]


def test_replication_names_the_region_and_only_our_repositories() -> None:
    configuration = foundation().one("aws:ecr/replicationConfiguration:ReplicationConfiguration", "registry")
    rule = configuration.inputs["replicationConfiguration"]["rules"][0]
    assert rule["destinations"] == [{"region": "us-west-2", "registryId": ACCOUNT}]
    assert rule["repositoryFilters"] == [{"filter": "candlefish-website-test", "filterType": "PREFIX_MATCH"}]


def test_replicas_are_made_with_immutable_tags_before_the_first_is_sent() -> None:
    template = foundation().one("aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate", "registry")
    assert (template.inputs["region"], template.inputs["prefix"]) == ("us-west-2", "ROOT")
    assert (template.inputs["imageTagMutability"], template.inputs["appliedFors"]) == ("IMMUTABLE", ["REPLICATION"])
    replication = foundation().one("aws:ecr/replicationConfiguration:ReplicationConfiguration", "registry")
    assert template.urn in replication.dependencies


def test_replicas_under_kms_are_made_by_a_role_that_may_do_no_more() -> None:
    recorded = foundation()
    template = recorded.one("aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate", "registry")
    role = recorded.one("aws:iam/role:Role", "registry-replicas")
    permission = recorded.one("aws:iam/rolePolicy:RolePolicy", "registry-replicas")
    assert template.inputs["customRoleArn"] == "arn:aws:iam:::registry-replicas"
    assert json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]["Principal"] == {"Service": "ecr.amazonaws.com"}
    statements = {each["Sid"]: each for each in json.loads(permission.inputs["policy"])["Statement"]}
    assert statements["Repositories"]["Resource"] == [
        f"arn:aws:ecr:us-west-2:{ACCOUNT}:repository/candlefish-website-test"]
    assert statements["Key"]["Resource"] == [f"arn:aws:kms:us-west-2:{ACCOUNT}:key/*"]
    assert permission.urn in template.dependencies


def test_only_pipelines_and_replication_push_images() -> None:
    policy = json.loads(foundation().one("aws:ecr/repositoryPolicy:RepositoryPolicy", "registry-website").inputs[
        "policy"])["Statement"][0]
    assert (policy["Effect"], policy["Principal"]) == ("Deny", "*")
    assert policy["Condition"]["ArnNotLike"]["aws:PrincipalArn"] == [
        f"arn:aws:iam::{ACCOUNT}:role/candlefish-deploy-test",
        f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/replication.ecr.amazonaws.com/*"]


@pytest.mark.parametrize(("enhanced", "expected"), [
    (False, ("BASIC", "SCAN_ON_PUSH")), (True, ("ENHANCED", "CONTINUOUS_SCAN"))])
def test_scans_are_a_setting_of_the_account(enhanced: bool, expected: tuple[str, str]) -> None:
    def program() -> None:
        Registry("registry", RegistryArgs({}, "key", ACCOUNT, False, "deploy", "us-west-2", RegistrySettings(
            account_settings=True, enhanced_scanning=enhanced)))

    scanning = record(program).one("aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration", "registry")
    assert (scanning.inputs["scanType"], scanning.inputs["rules"][0]["scanFrequency"]) == expected


def test_a_stack_that_does_not_own_the_accounts_settings_leaves_them_alone() -> None:
    recorded = record(lambda: Registry("registry", RegistryArgs({}, "key", ACCOUNT, False, "deploy", "us-west-2"))
                      and None)
    assert not [each for each in recorded.all if each.type.startswith("aws:ecr/re")]
