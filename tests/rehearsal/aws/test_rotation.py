"""The rotating functions as they are deployed, on the embedded AWS: packaged, invoked, reading and writing secrets."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rehearsal.aws.rotation import RotationFailed, rotate
from tests.eventually import eventually

pytestmark = pytest.mark.rehearsal

FUNCTIONS = Path(__file__).parents[3] / "functions"


def deployed(aws: Any, package: str, **environment: str) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        for folder in (package, "rotation"):
            for file in (FUNCTIONS / folder).rglob("*.py"):
                files.write(file, file.relative_to(FUNCTIONS))
    aws.client("iam").create_role(RoleName=package, AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')
    return str(aws.client("lambda").create_function(
        FunctionName=package, Runtime="python3.13", Role=f"arn:aws:iam::{aws.account}:role/{package}",
        Handler=f"{package}.handler.handle", Code={"ZipFile": archive.getvalue()}, Timeout=30,
        Environment={"Variables": environment})["FunctionArn"])


def current(aws: Any, secret: str) -> dict[str, Any]:
    """Without a stage, as services read it."""
    value = aws.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    document: dict[str, Any] = json.loads(value)
    return document


def test_the_signing_keys_rotate_and_everyone_reads_the_new_ones(aws: Any) -> None:
    secret = aws.client("secretsmanager").create_secret(Name="candlefish/jwt-key-test", SecretString=json.dumps(
        {"current": "a" * 64, "previous": ""}))["ARN"]
    function = deployed(aws, "key_rotation", OVERLAP_SECONDS="3600")
    rotate(aws.client("lambda"), secret, function)
    announced = current(aws, secret)
    assert announced["current"] == "a" * 64
    version = rotate(aws.client("lambda"), secret, function)
    assert current(aws, secret)["current"] == announced["next"]
    assert rotate(aws.client("lambda"), secret, function, version) == version  # delivered again: nothing changes
    assert current(aws, secret)["current"] == announced["next"]


def test_a_step_that_fails_is_named_and_the_old_value_stays(aws: Any) -> None:
    secret = aws.client("secretsmanager").create_secret(Name="s", SecretString="no document")["ARN"]
    with pytest.raises(RotationFailed, match=r"createSecret.*no JSON object") as caught:
        rotate(aws.client("lambda"), secret, deployed(aws, "key_rotation", OVERLAP_SECONDS="3600"))
    assert caught.value.step == "createSecret"
    stages = aws.client("secretsmanager").describe_secret(SecretId=secret)["VersionIdsToStages"]
    assert list(stages.values()) == [["AWSCURRENT"]]


ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"


def scheduled(aws: Any, value: str) -> tuple[str, Any]:
    """A secret that the function rotates every 30 days, as a stack has it."""
    secret = aws.client("secretsmanager").create_secret(Name="s", SecretString=value)["ARN"]
    inputs = {"secretId": secret, "rotationRules": {"automaticallyAfterDays": 30}, "rotateImmediately": False,
              "rotationLambdaArn": deployed(aws, "key_rotation", OVERLAP_SECONDS="3600")}
    aws.kept.put(aws.account, aws.region, ROTATION, secret, inputs)
    return secret, aws.client("secretsmanager")


def test_rotate_secret_calls_the_stacks_function_and_the_secret_tells_of_it(aws: Any) -> None:
    secret, manager = scheduled(aws, json.dumps({"current": "a" * 64, "previous": ""}))
    version = manager.rotate_secret(SecretId="s")["VersionId"]
    found = eventually("the rotation's end", lambda: next(
        (each for each in [manager.describe_secret(SecretId=secret)] if "LastRotatedDate" in each), None))
    assert "AWSCURRENT" in found["VersionIdsToStages"][version]
    assert (found["RotationEnabled"], found["RotationRules"]) == (True, {"AutomaticallyAfterDays": 30})
    (listed,) = manager.list_secrets()["SecretList"]
    assert listed["LastRotatedDate"] == found["LastRotatedDate"]
    assert len(current(aws, secret)["next"]) == 64


def test_a_rotation_that_fails_changes_nothing_and_one_without_a_function_is_refused(aws: Any) -> None:
    secret, manager = scheduled(aws, "no document")
    manager.rotate_secret(SecretId=secret)
    eventually("the function was called", lambda: aws.client("logs").describe_log_groups()["logGroups"])
    assert manager.get_secret_value(SecretId=secret)["SecretString"] == "no document"
    by_hand = manager.create_secret(Name="by-hand", SecretString="x")["ARN"]
    with pytest.raises(manager.exceptions.InvalidRequestException, match="No Lambda rotation function"):
        manager.rotate_secret(SecretId=by_hand)
    with pytest.raises(manager.exceptions.ResourceNotFoundException):
        manager.rotate_secret(SecretId="nobody's")
