"""KMS, Logs, SQS, SNS and CloudWatch through the provider: made, read back as sent, changed, deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.engine.provider import ProviderError

pytestmark = pytest.mark.rehearsal

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Sid": "a", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sns:Publish", "Resource": "*"}]})
BODY = json.dumps({"widgets": [{"type": "text", "width": 6, "height": 6, "properties": {"markdown": "x"}}]})
METRIC = {"comparisonOperator": "LessThanThreshold", "evaluationPeriods": 5, "metricName": "fps", "namespace": "n",
          "period": 60, "statistic": "Average", "threshold": 30, "alarmDescription": "slow",
          "dimensions": {"Environment": "staging"}, "treatMissingData": "breaching", "tags": {"a": "1"}}

CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "key": ("aws:kms/key:Key", {
        "description": "d", "enableKeyRotation": True, "deletionWindowInDays": 7, "rotationPeriodInDays": 180,
        "tags": {"a": "1"}}, {"description": "e", "tags": {"b": "2"}, "enableKeyRotation": False,
                              "rotationPeriodInDays": None, "deletionWindowInDays": 8}),
    "log group": ("aws:cloudwatch/logGroup:LogGroup", {
        "name": "/candlefish/x", "retentionInDays": 30, "tags": {"a": "1"}},
        {"retentionInDays": 365, "tags": {"b": "2"}}),
    "log resource policy": ("aws:cloudwatch/logResourcePolicy:LogResourcePolicy", {
        "policyName": "p", "policyDocument": POLICY}, {"policyDocument": POLICY.replace("sns:", "logs:")}),
    "queue": ("aws:sqs/queue:Queue", {
        "name": "jobs", "visibilityTimeoutSeconds": 60, "messageRetentionSeconds": 1209600, "delaySeconds": 3,
        "sqsManagedSseEnabled": True, "tags": {"a": "1"}}, {"visibilityTimeoutSeconds": 61, "tags": {"b": "2"}}),
    "fifo queue": ("aws:sqs/queue:Queue", {
        "name": "jobs.fifo", "fifoQueue": True, "contentBasedDeduplication": True},
        {"contentBasedDeduplication": False}),
    "topic": ("aws:sns/topic:Topic", {"name": "alerts", "displayName": "Alerts", "policy": POLICY, "tags": {"a": "1"}},
              {"displayName": "Alarms", "tags": {"b": "2"}}),
    "alarm": ("aws:cloudwatch/metricAlarm:MetricAlarm", {"name": "fps", **METRIC},
              {"threshold": 29.5, "tags": {"b": "2"}}),
    "math alarm": ("aws:cloudwatch/metricAlarm:MetricAlarm", {
        "name": "ratio", "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1, "threshold": 0.05,
        "metricQueries": [
            {"id": "ratio", "expression": "errors/requests", "label": "errors", "returnData": True},
            {"id": "errors", "metric": {"metricName": "errors", "namespace": "n", "period": 60, "stat": "Sum",
                                        "dimensions": {"Service": "website"}}},
            {"id": "requests", "metric": {"metricName": "requests", "namespace": "n", "period": 60, "stat": "Sum"}}]},
        {"threshold": 0.1}),
    "composite alarm": ("aws:cloudwatch/compositeAlarm:CompositeAlarm", {
        "alarmName": "any", "alarmRule": "ALARM(fps)", "alarmDescription": "d"}, {"alarmDescription": "e"}),
    "dashboard": ("aws:cloudwatch/dashboard:Dashboard", {"dashboardName": "board", "dashboardBody": BODY},
                  {"dashboardBody": BODY.replace('"x"', '"y"')}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_resource_is_made_read_back_changed_imported_and_deleted(aws: Any, case: str) -> None:
    type, first, change = CASES[case]
    if case == "composite alarm":
        aws.provider.create(aws.context("aws:cloudwatch/metricAlarm:MetricAlarm"), {"name": "fps", **METRIC})
    _lifecycle(aws, type, first, change)


def test_an_alias_points_at_its_key_and_moves_to_another(aws: Any) -> None:
    keys = [aws.client("kms").create_key()["KeyMetadata"]["KeyId"] for _ in range(2)]
    _lifecycle(aws, "aws:kms/alias:Alias", {"name": "alias/main", "targetKeyId": keys[0]}, {"targetKeyId": keys[1]})


def test_a_log_group_gets_a_key_another_one_and_none(aws: Any) -> None:
    keys = [aws.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
    for first, second in (keys, (keys[0], None), (None, keys[1])):
        _lifecycle(aws, "aws:cloudwatch/logGroup:LogGroup", {
            "name": "keyed", **({"kmsKeyId": first} if first else {})}, {"kmsKeyId": second})


def test_a_key_is_for_a_log_group_that_exists(aws: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws.client("logs").associate_kms_key(logGroupName="gone", kmsKeyId="k" * 20)


def test_a_metric_filter_reads_a_log_group(aws: Any) -> None:
    aws.client("logs").create_log_group(logGroupName="g")
    transformation = {"name": "errors", "namespace": "n", "value": "1", "defaultValue": "0", "unit": "None"}
    _lifecycle(aws, "aws:cloudwatch/logMetricFilter:LogMetricFilter", {
        "name": "f", "logGroupName": "g", "pattern": "ERROR", "metricTransformation": transformation},
        {"pattern": "FATAL"}, import_id="g:f")


def test_a_queue_subscribes_to_a_topic_with_a_filter(aws: Any) -> None:
    topic = aws.client("sns").create_topic(Name="t")["TopicArn"]
    aws.client("sqs").create_queue(QueueName="q")
    _lifecycle(aws, "aws:sns/topicSubscription:TopicSubscription", {
        "topic": topic, "protocol": "sqs", "endpoint": f"arn:aws:sqs:us-east-1:{aws.account}:q",
        "rawMessageDelivery": True, "filterPolicy": json.dumps({"severity": ["P0"]})}, {"rawMessageDelivery": False})


def test_policies_of_topics_and_queues_are_resources_of_their_own(aws: Any) -> None:
    topic = aws.client("sns").create_topic(Name="t")["TopicArn"]
    queue = aws.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    changed = {"policy": POLICY.replace('"a"', '"b"')}
    provider, context = aws.provider, aws.context("aws:sns/topicPolicy:TopicPolicy")
    id, outputs = provider.create(context, {"arn": topic, "policy": POLICY})
    assert json.loads(outputs["policy"]) == json.loads(POLICY)
    provider.delete(context, id, {"arn": topic, "policy": POLICY}, outputs)
    _lifecycle(aws, "aws:sqs/queuePolicy:QueuePolicy", {"queueUrl": queue, "policy": POLICY}, changed)


def test_a_dead_letter_queue_must_exist(aws: Any) -> None:
    policy = json.dumps({"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{aws.account}:gone", "maxReceiveCount": 3})
    with pytest.raises(ProviderError, match=r"`redrivePolicy`.*gone' does not exist in account"):
        aws.provider.create(aws.context("aws:sqs/queue:Queue"), {"name": "q", "redrivePolicy": policy})


@pytest.mark.parametrize(("type", "inputs", "message"), [
    ("aws:sqs/queue:Queue", {"name": "q", "delaySeconds": 901}, "0 to 900"),
    ("aws:sqs/queue:Queue", {"name": "q", "fifoQueue": True}, r"\.fifo"),
    ("aws:cloudwatch/logGroup:LogGroup", {"name": "g", "retentionInDays": 31}, "retentionInDays is 31"),
    ("aws:kms/key:Key", {"deletionWindowInDays": 3}, "7 to 30"),
    ("aws:cloudwatch/metricAlarm:MetricAlarm", {"name": "a", **METRIC, "period": 61}, "multiple of 60"),
    ("aws:cloudwatch/metricAlarm:MetricAlarm", {"name": "a", **METRIC, "comparisonOperator": "Less"}, "Less"),
    ("aws:cloudwatch/dashboard:Dashboard", {"dashboardName": "d", "dashboardBody": "{"}, "not a JSON object"),
])
def test_what_aws_refuses_is_refused(aws: Any, type: str, inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(ProviderError, match=message):
        aws.provider.create(aws.context(type), inputs)


def test_data_sources_say_who_and_where(aws: Any) -> None:
    provider, context = aws.provider, aws.context("")
    assert provider.invoke(context, "aws:index/getCallerIdentity:getCallerIdentity", {})["accountId"] == aws.account
    assert provider.invoke(context, "aws:index/getRegion:getRegion", {})["name"] == "us-east-1"
    assert provider.invoke(context, "aws:index/getPartition:getPartition", {})["partition"] == "aws"
    zones = provider.invoke(context, "aws:index/getAvailabilityZones:getAvailabilityZones", {"state": "available"})
    assert zones["names"][:2] == ["us-east-1a", "us-east-1b"]


def test_a_policy_document_is_composed(aws: Any) -> None:
    arguments = {"statements": [{"sid": "a", "actions": ["s3:GetObject", "s3:ListBucket"], "resources": ["*"],
                                 "principals": [{"type": "Service", "identifiers": ["lambda.amazonaws.com"]}],
                                 "conditions": [{"test": "Bool", "variable": "aws:SecureTransport",
                                                 "values": ["false"]}]}]}
    answer = aws.provider.invoke(aws.context(""), "aws:iam/getPolicyDocument:getPolicyDocument", arguments)
    assert json.loads(answer["json"])["Statement"] == [{
        "Sid": "a", "Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "*",
        "Principal": {"Service": "lambda.amazonaws.com"}, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]


def _lifecycle(aws: Any, type: str, first: dict[str, Any], change: dict[str, Any], import_id: str = "") -> None:
    provider, context = aws.provider, aws.context(type)
    checked = provider.check(context, None, first)
    assert not checked.failures
    id, outputs = provider.create(context, checked.inputs)
    _assert_within(first, outputs)
    found = provider.read(context, id, checked.inputs, outputs)
    assert found.inputs == checked.inputs
    assert found.outputs == outputs

    second = {name: value for name, value in {**first, **change}.items() if value is not None}
    again = aws.context(type)
    assert provider.diff(again, id, checked.inputs, outputs, second).changed
    changed = provider.update(again, id, checked.inputs, outputs, second, ())
    _assert_within(second, changed)
    assert not provider.diff(again, id, second, changed, second).changed

    imported = provider.read(aws.context(type), import_id or id, None, None)
    assert imported is not None
    assert imported.outputs.get("arn") == changed.get("arn")
    provider.delete(aws.context(type), id, second, changed)
    assert provider.read(aws.context(type), id, second, changed) is None
    provider.delete(aws.context(type), id, second, changed)


def _assert_within(sent: dict[str, Any], got: dict[str, Any]) -> None:
    """What was sent came back; JSON documents as documents."""
    for name, value in sent.items():
        if isinstance(value, str) and value.startswith("{"):
            assert json.loads(got[name]) == json.loads(value)
        elif isinstance(value, list):
            assert [{**item, **{k: v for k, v in got[name][i].items() if k not in item}}
                    for i, item in enumerate(value)] == got[name]
        else:
            assert got[name] == value, name
