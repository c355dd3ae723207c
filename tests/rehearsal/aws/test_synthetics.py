"""Canaries, sampling rules and groups: objects of our own, with what AWS refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rehearsal.aws.lifecycles import lives, refused, world

pytestmark = pytest.mark.rehearsal

CANARY, RULE, GROUP = ("aws:synthetics/canary:Canary", "aws:xray/samplingRule:SamplingRule", "aws:xray/group:Group")
RULED = {"ruleName": "r", "priority": 1000, "fixedRate": 0.05, "reservoirSize": 1, "serviceName": "*",
         "serviceType": "*", "host": "*", "httpMethod": "*", "urlPath": "*", "resourceArn": "*", "version": 1}


def canary(aws: Any, **changes: Any) -> dict[str, Any]:
    around = world(aws)
    s3, bucket = aws.client("s3"), f"artifacts-{aws.account}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="health.zip", Body=b"zip")
    return {"name": "health", "executionRoleArn": around.role, "handler": "health.handler",
            "runtimeVersion": "syn-python-selenium-14.0", "s3Bucket": bucket, "s3Key": "health.zip",
            "artifactS3Location": f"s3://{bucket}/health", "startCanary": True, "kmsKeyArn": around.key,
            "schedule": {"expression": "rate(5 minutes)"},
            "runConfig": {"timeoutInSeconds": 60, "memoryInMb": 960, "environmentVariables": {"A": "1"}}, **changes}


def test_a_canary_lives(aws: Any) -> None:
    outputs = lives(aws, CANARY, canary(aws), {"schedule": {"expression": "rate(10 minutes)"}}, {"startCanary": False})
    assert outputs["status"] == "RUNNING"
    assert outputs["arn"].endswith(":canary:health")


@pytest.mark.parametrize(("changes", "message"), [
    ({"name": "Health"}, "lower-case"),
    ({"runtimeVersion": "python3.13"}, "runtimeVersion"),
    ({"handler": "health.run"}, r"end in \.handler"),
    ({"schedule": {"expression": "rate(90 minutes)"}}, r"schedule\.expression"),
    ({"s3Bucket": None, "s3Key": None}, "exactly one of them"),
    ({"runConfig": {"memoryInMb": 512}}, "960 to 3008"),
    ({"runConfig": {"memoryInMb": 1000}}, "multiple of 64"),
    ({"successRetentionPeriod": 500}, "1 to 455 days"),
    ({"s3Key": "gone.zip"}, "s3Key"),
])
def test_a_canary_that_aws_refuses_is_refused(aws: Any, changes: dict[str, Any], message: str) -> None:
    given = {key: value for key, value in canary(aws, **changes).items() if value is not None}
    refused(aws, CANARY, given, message)


def test_sampling_rules_and_groups_live(aws: Any) -> None:
    lives(aws, RULE, RULED, {"fixedRate": 0.1}, {"priority": 2000})
    lives(aws, GROUP, {"groupName": "g", "filterExpression": 'service("a")',
                       "insightsConfiguration": {"insightsEnabled": True}}, {"filterExpression": 'service("b")'})


@pytest.mark.parametrize(("type", "inputs", "message"), [
    (RULE, {**RULED, "ruleName": "r" * 33}, "32 are allowed"),
    (RULE, {**RULED, "priority": 10000}, "1 to 9999"),
    (RULE, {**RULED, "fixedRate": 5}, "0 to 1"),
    (RULE, {**RULED, "version": 2}, "1 only"),
    (GROUP, {"groupName": "Default", "filterExpression": "error"}, "not Default"),
])
def test_what_xray_refuses_is_refused(aws: Any, type: str, inputs: dict[str, Any], message: str) -> None:
    refused(aws, type, inputs, message)
