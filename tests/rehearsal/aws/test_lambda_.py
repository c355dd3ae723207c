"""Lambda through the provider, on the embedded AWS."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.engine.values import Archive, Asset
from tests.rehearsal.aws.lifecycles import Inputs, World, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

FUNCTION = "aws:lambda/function:Function"
LAYER = "aws:lambda/layerVersion:LayerVersion"


def _code(word: str) -> Archive:
    return Archive(assets={"main.py": Asset(text=f'def handler(event, context):\n    return "{word}"\n', hash=word)})


def _function(place: World, **more: Any) -> Inputs:
    inputs = {
        "name": "fn",
        "role": place.role,
        "runtime": "python3.13",
        "handler": "main.handler",
        "code": _code("one"),
        "architectures": ["arm64"],
        "memorySize": 256,
        "timeout": 10,
        "description": "d",
        "kmsKeyArn": place.key,
        "environment": {"variables": {"A": "1"}},
        "deadLetterConfig": {"targetArn": place.queue},
        "tracingConfig": {"mode": "Active"},
        "reservedConcurrentExecutions": 5,
        "ephemeralStorage": {"size": 1024},
        "vpcConfig": {"subnetIds": place.subnets, "securityGroupIds": [place.security_group]},
        "publish": True,
        "loggingConfig": {
            "logFormat": "JSON",
            "applicationLogLevel": "INFO",
            "systemLogLevel": "WARN",
            "logGroup": place.log_group,
        },
        **more,
    }
    return {name: value for name, value in inputs.items() if value is not None}


def test_a_function_changes_in_every_way(aws: Any) -> None:
    place = world(aws)
    layer, _ = made(aws, LAYER, {"layerName": "shared", "code": _code("layer"), "compatibleRuntimes": ["python3.13"]})
    outputs = lives(
        aws,
        FUNCTION,
        _function(place, layers=[layer]),
        {"code": _code("two")},
        {"memorySize": 512},
        {"timeout": 20},
        {"environment": {"variables": {"A": "2", "B": "3"}}},
        {"environment": None},
        {"reservedConcurrentExecutions": -1},
        {"tracingConfig": {"mode": "PassThrough"}},
        {"layers": None},
        {"deadLetterConfig": None},
        {"description": "e"},
        {"kmsKeyArn": None},
        {"loggingConfig": {"logFormat": "Text", "logGroup": place.log_group}},
        {"runtime": "python3.12"},
        {"handler": "main.other"},
        {"ephemeralStorage": {"size": 512}},
        {"vpcConfig": None},
    )
    assert outputs["version"] == "1"
    assert outputs["qualifiedArn"] == outputs["arn"] + ":1"


def test_new_code_runs(aws: Any) -> None:
    first, context = _function(world(aws)), aws.context(FUNCTION)
    id, outputs = aws.provider.create(context, first)
    client = aws.client("lambda")
    assert client.invoke(FunctionName="fn")["Payload"].read() == b'"one"'
    changed = aws.provider.update(aws.context(FUNCTION), id, first, outputs, {**first, "code": _code("two")}, ())
    assert client.invoke(FunctionName="fn")["Payload"].read() == b'"two"'
    assert changed["version"] == "2"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"runtime": "nodejs18.x"}, "nodejs18.x"),
        ({"code": None}, "has no code"),
        ({"memorySize": 64}, "128 and 10240"),
        ({"timeout": 901}, "1 and 900"),
        ({"architectures": ["riscv"]}, "riscv"),
        ({"environment": {"variables": {"A": "x" * 5000}}}, "4096"),
        ({"role": "arn:aws:iam::{account}:role/no"}, "not exist"),
        ({"deadLetterConfig": {"targetArn": "arn:aws:sqs:us-east-1:{account}:no"}}, "targetArn.*not exist"),
        ({"vpcConfig": {"subnetIds": ["subnet-00000000"], "securityGroupIds": []}}, "subnetIds.*not exist"),
    ],
)
def test_a_function_that_aws_refuses_is_refused(aws: Any, wrong: Inputs, message: str) -> None:
    def here(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: here(each) for key, each in value.items()}
        return value.replace("{account}", aws.account) if isinstance(value, str) else value

    refused(aws, FUNCTION, _function(world(aws), **here(wrong)), message)


def test_versions_aliases_urls_and_destinations(aws: Any) -> None:
    place = world(aws)
    made(aws, FUNCTION, _function(place))
    alias = {"functionName": "fn", "name": "live", "functionVersion": "1", "description": "d"}
    lives(aws, "aws:lambda/alias:Alias", alias, {"functionVersion": "$LATEST"}, {"description": "e"})
    refused(aws, "aws:lambda/alias:Alias", {**alias, "functionVersion": "99"}, "`functionVersion`.*not exist")
    url = {
        "functionName": "fn",
        "authorizationType": "AWS_IAM",
        "cors": {"allowOrigins": ["https://a.b"], "allowMethods": ["GET"], "maxAge": 60},
    }
    lives(
        aws, "aws:lambda/functionUrl:FunctionUrl", url, {"authorizationType": "NONE"}, {"invokeMode": "RESPONSE_STREAM"}
    )
    refused(aws, "aws:lambda/functionUrl:FunctionUrl", {**url, "authorizationType": "WHAT"}, "WHAT")
    config = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
    first = {
        "functionName": "fn",
        "maximumRetryAttempts": 1,
        "maximumEventAgeInSeconds": 120,
        "destinationConfig": {"onFailure": {"destination": place.queue}},
    }
    lives(aws, config, first, {"maximumRetryAttempts": 0})
    refused(aws, config, {**first, "functionName": "no"}, "does not exist")


def test_layers_and_signing(aws: Any) -> None:
    lives(aws, LAYER, {"layerName": "l", "code": _code("l"), "compatibleArchitectures": ["arm64"]})
    refused(aws, LAYER, {"layerName": "l"}, "has no code")
    signing = "aws:lambda/codeSigningConfig:CodeSigningConfig"
    profile = f"arn:aws:signer:us-east-1:{aws.account}:/signing-profiles/x/1"
    lives(aws, signing, {"allowedPublishers": {"signingProfileVersionArns": [profile]}}, {"description": "d"})
    refused(aws, signing, {"allowedPublishers": {"signingProfileVersionArns": []}}, "1 to 20")


def test_permissions_name_a_function(aws: Any) -> None:
    made(aws, FUNCTION, _function(world(aws)))
    type = "aws:lambda/permission:Permission"
    first = {
        "function": "fn",
        "action": "lambda:InvokeFunction",
        "principal": "events.amazonaws.com",
        "sourceArn": f"arn:aws:events:us-east-1:{aws.account}:rule/x",
    }
    lives(aws, type, {**first, "statementId": "s"}, imports=lambda id: f"fn/{id}")
    lives(aws, type, first, imports=lambda id: f"fn/{id}")
    refused(aws, type, {**first, "function": "no"}, "`function`.*does not exist")


def test_streams_and_queues_feed_a_function(aws: Any) -> None:
    place = world(aws)
    made(aws, FUNCTION, _function(place))
    _, table = made(
        aws,
        "aws:dynamodb/table:Table",
        {
            "name": "events",
            "billingMode": "PAY_PER_REQUEST",
            "hashKey": "pk",
            "attributes": [{"name": "pk", "type": "S"}],
            "streamEnabled": True,
            "streamViewType": "NEW_IMAGE",
        },
    )
    type = "aws:lambda/eventSourceMapping:EventSourceMapping"
    stream = {
        "functionName": "fn",
        "eventSourceArn": table["streamArn"],
        "startingPosition": "LATEST",
        "batchSize": 50,
        "maximumBatchingWindowInSeconds": 5,
        "bisectBatchOnFunctionError": True,
        "maximumRetryAttempts": 3,
        "maximumRecordAgeInSeconds": 3600,
        "parallelizationFactor": 2,
        "destinationConfig": {"onFailure": {"destinationArn": place.queue}},
        "filterCriteria": {"filters": [{"pattern": '{"eventName":["INSERT"]}'}]},
        "functionResponseTypes": ["ReportBatchItemFailures"],
    }
    lives(
        aws,
        type,
        stream,
        {"batchSize": 60},
        {"enabled": False},
        {"enabled": True},
        {"filterCriteria": None},
        {"maximumRetryAttempts": 1},
        {"maximumRecordAgeInSeconds": 60},
        {"parallelizationFactor": 1},
        {"functionResponseTypes": None},
        {"bisectBatchOnFunctionError": False},
        {"destinationConfig": None},
    )
    queue = {"functionName": "fn", "eventSourceArn": place.queue, "batchSize": 10}
    lives(aws, type, {**queue, "scalingConfig": {"maximumConcurrency": 5}}, {"batchSize": 5})
    refused(aws, type, {**queue, "eventSourceArn": place.queue + "x"}, "`eventSourceArn`.*does not exist")
    refused(aws, type, {**queue, "filterCriteria": {"filters": [{"pattern": "{x"}]}}, "Invalid filter pattern")
    refused(
        aws, type, {name: value for name, value in stream.items() if name != "startingPosition"}, "StartingPosition"
    )
