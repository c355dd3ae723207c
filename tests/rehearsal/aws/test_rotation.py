"""The rotating functions as they are deployed, on the embedded AWS: packaged, invoked, reading and writing secrets."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rehearsal.aws.rotation import RotationFailed, rotate

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
