"""Secrets Manager through the provider, on the embedded AWS."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycles import Inputs, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
POLICY = '{"Version":"2012-10-17","Statement":[]}'


def test_a_secret_is_replicated_and_its_name_rests_in_its_recovery_window(aws: Any) -> None:
    place, far = world(aws), world(aws, "us-west-2")
    lives(aws, SECRET, {"name": "a/b", "description": "d", "kmsKeyId": place.key, "policy": POLICY,
                        "replicas": [{"region": "us-west-2", "kmsKeyId": far.key}]},
          {"description": "e"}, {"replicas": None}, {"policy": None})
    refused(aws, SECRET, {"name": "a/b"}, "ResourceExists|InvalidRequest|scheduled")


@pytest.mark.parametrize(("wrong", "message"), [
    ({"name": "bad name"}, "Invalid name"), ({"recoveryWindowInDays": 3}, "between 7 and 30"),
    ({"kmsKeyId": "00000000-0000-0000-0000-000000000000"}, "does not exist")])
def test_a_secret_that_aws_refuses_is_refused(aws: Any, wrong: Inputs, message: str) -> None:
    refused(aws, SECRET, {"name": "s", **wrong}, message)


def test_a_secret_without_a_recovery_window_frees_its_name(aws: Any) -> None:
    for _ in range(2):
        lives(aws, SECRET, {"name": "s", "recoveryWindowInDays": 0})


def test_versions_carry_text_bytes_and_labels(aws: Any) -> None:
    secret, _ = made(aws, SECRET, {"name": "s"})
    for value in ({"secretString": "one"}, {"secretBinary": base64.b64encode(b"two").decode()}):
        lives(aws, VERSION, {"secretId": secret, **value}, stays=True)
    lives(aws, VERSION, {"secretId": secret, "secretString": "three", "versionStages": ["AWSCURRENT", "mine"]},
          {"versionStages": ["AWSCURRENT", "other"]}, stays=True)
    refused(aws, VERSION, {"secretId": "nope", "secretString": "x"}, "`secretId`.*does not exist")
    provider, context = aws.provider, aws.context("")
    current = provider.invoke(context, "aws:secretsmanager/getSecretVersion:getSecretVersion", {"secretId": "s"})
    assert current["secretString"] == "three"
    assert provider.invoke(context, "aws:secretsmanager/getSecret:getSecret", {"name": "s"})["arn"] == secret
    with pytest.raises(ProviderError, match="can't find"):
        provider.invoke(context, "aws:secretsmanager/getSecret:getSecret", {"name": "no"})


def test_policies_and_rotation_belong_to_a_secret(aws: Any) -> None:
    secret, _ = made(aws, SECRET, {"name": "s"})
    lives(aws, "aws:secretsmanager/secretPolicy:SecretPolicy", {"secretArn": secret, "policy": POLICY},
          {"policy": POLICY.replace("2012-10-17", "2008-10-17")})
    refused(aws, "aws:secretsmanager/secretPolicy:SecretPolicy", {"secretArn": secret + "x", "policy": POLICY},
            "does not exist")


def test_a_rotation_needs_rules_and_a_function_unless_a_service_owns_the_secret(aws: Any) -> None:
    rotation = "aws:secretsmanager/secretRotation:SecretRotation"
    secret, _ = made(aws, "aws:secretsmanager/secret:Secret", {"name": "s"})
    monthly = {"secretId": secret, "rotationRules": {"automaticallyAfterDays": 30}}
    refused(aws, rotation, monthly, "give rotationLambdaArn")
    refused(aws, rotation, {**monthly, "rotationRules": {}}, "automaticallyAfterDays or")
    refused(aws, rotation, {**monthly, "rotationEnabled": False}, "rotationRules cannot be set")
    refused(aws, rotation, {**monthly, "rotationLambdaArn": f"arn:aws:lambda:us-east-1:{aws.account}:function:no"},
            "`rotationLambdaArn`.*does not exist")
    aws.client("rds").create_db_instance(
        DBInstanceIdentifier="db", DBInstanceClass="db.t4g.small", Engine="postgres", AllocatedStorage=20,
        MasterUsername="u", ManageMasterUserPassword=True)
    owned = aws.client("rds").describe_db_instances()["DBInstances"][0]["MasterUserSecret"]["SecretArn"]
    created = lives(aws, rotation, {**monthly, "secretId": owned, "rotateImmediately": False},
                    {"rotationRules": {"automaticallyAfterDays": 20}},
                    {"rotationRules": None, "rotationEnabled": False})
    assert created["rotationEnabled"] is True
