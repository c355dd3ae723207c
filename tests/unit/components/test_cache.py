"""The cache: encrypted both ways, with a token that only Secrets Manager tells."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from infra.components.cache import Cache, CacheArgs
from infra.settings import model
from tests.unit.components.recording import DISPOSABLE, Registrations, cache_args, foundation, record

pytestmark = pytest.mark.unit

GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"


def built(args: CacheArgs) -> Registrations:
    return record(lambda: SimpleNamespace(cache=Cache("cache", args)))


def test_the_cache_is_encrypted_at_rest_and_in_transit_and_asks_for_its_token() -> None:
    group = foundation().one(GROUP, "cache")
    assert group.inputs["atRestEncryptionEnabled"] is True
    assert group.inputs["kmsKeyId"] == "arn:aws:kms:::keys-data"
    assert (group.inputs["transitEncryptionEnabled"], group.inputs["transitEncryptionMode"]) == (True, "required")
    assert "authToken" in group.secrets


def test_the_token_belongs_to_its_rotation_after_creation() -> None:
    assert foundation().one(GROUP, "cache").ignored == ("authToken",)
    assert foundation().one("aws:secretsmanager/secretVersion:SecretVersion",
                            "cache-auth").ignored == ("secretString",)


def test_only_the_program_changes_the_version_as_a_later_one_would_have_the_cache_replaced() -> None:
    assert foundation().one(GROUP, "cache").inputs["autoMinorVersionUpgrade"] is False


def test_the_secret_is_under_our_key_auto_named_and_tells_how_to_connect() -> None:
    secret = foundation().one("aws:secretsmanager/secret:Secret", "cache-auth")
    assert secret.inputs["kmsKeyId"] == "arn:aws:kms:::keys-data"
    assert "name" not in secret.inputs
    version = foundation().one("aws:secretsmanager/secretVersion:SecretVersion", "cache-auth")
    assert "secretString" in version.secrets
    assert json.loads(version.inputs["secretString"]) == {
        "host": "cache.cache.test", "port": 6379, "auth_token": "not-a-secret",
        "url": "rediss://:not-a-secret@cache.cache.test:6379/0"}


def test_replicas_bring_failover_over_zones_and_without_them_there_is_none() -> None:
    group = foundation().one(GROUP, "cache").inputs
    assert (group["numCacheClusters"], group["automaticFailoverEnabled"], group["multiAzEnabled"]) == (2, True, True)
    settings = model.Cache(node_type="cache.t4g.micro", replica_count=0)
    alone = built(cache_args(settings=settings)).one(GROUP, "cache").inputs
    assert (alone["numCacheClusters"], alone["automaticFailoverEnabled"], alone["multiAzEnabled"]) == (1, False, False)


def test_the_parameter_family_follows_engine_and_major_version() -> None:
    assert foundation().one("aws:elasticache/parameterGroup:ParameterGroup",
                            "cache-valkey8").inputs["family"] == "valkey8"
    settings = model.Cache(node_type="cache.t4g.small", engine="redis", engine_version="7.1")
    assert built(cache_args(settings=settings)).one("aws:elasticache/parameterGroup:ParameterGroup",
                                                    "cache-redis7").inputs["family"] == "redis7"


def test_only_the_named_security_groups_may_connect() -> None:
    rule = foundation().one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "cache-cluster").inputs
    assert (rule["referencedSecurityGroupId"], rule["fromPort"], rule["toPort"]) == ("sg-eks", 6379, 6379)


def test_a_final_snapshot_has_a_new_name_and_a_cache_for_a_teardown_has_none() -> None:
    kept = foundation().one(GROUP, "cache")
    assert kept.protect
    assert kept.inputs["finalSnapshotIdentifier"] == "test-candlefish-cache-final-deadbeef"
    disposable = built(cache_args(lifecycle=DISPOSABLE)).one(GROUP, "cache")
    assert not disposable.protect
    assert "finalSnapshotIdentifier" not in disposable.inputs
