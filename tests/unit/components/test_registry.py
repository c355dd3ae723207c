"""The image repositories."""

from __future__ import annotations

import json

import pytest

from tests.unit.components.recording import ACCOUNT, foundation

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
