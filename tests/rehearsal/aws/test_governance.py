"""Budgets and cost anomalies through the provider."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rehearsal.aws.lifecycles import Inputs, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

BUDGET, MONITOR, SUBSCRIPTION = "aws:budgets/budget:Budget", "aws:costexplorer/anomalyMonitor:AnomalyMonitor", \
    "aws:costexplorer/anomalySubscription:AnomalySubscription"
TOPIC = "arn:aws:sns:us-east-1:999999999999:another-accounts"
MONITORED = {"name": "m", "monitorType": "CUSTOM",
             "monitorSpecification": json.dumps({"Tags": {"Key": "Environment", "Values": ["a"]}})}


def alert(topic: str, **more: Any) -> Inputs:
    return {"comparisonOperator": "GREATER_THAN", "notificationType": "ACTUAL", "threshold": 80,
            "thresholdType": "PERCENTAGE", "subscriberSnsTopicArns": [topic], **more}


def budget(**more: Any) -> Inputs:
    return {"name": "b", "budgetType": "COST", "timeUnit": "MONTHLY", "limitAmount": "400", "limitUnit": "USD", **more}


def test_a_budget_lives_with_its_notifications(aws: Any) -> None:
    topic = world(aws).topic
    lives(aws, BUDGET, budget(notifications=[alert(topic)]), {"limitAmount": "600"},
          {"notifications": [alert(topic), alert(topic, notificationType="FORECASTED", threshold=100)]})
    made(aws, BUDGET, budget())
    refused(aws, BUDGET, budget(), "Duplicate")
    nobody = alert(f"{topic}-nobody")
    refused(aws, BUDGET, budget(name="c", notifications=[nobody]), "subscriberSnsTopicArns")


@pytest.mark.parametrize(("wrong", "message"), [
    ({"budgetType": "MONEY"}, "COST"), ({"timeUnit": "WEEKLY"}, "MONTHLY"), ({"limitAmount": "0"}, "above 0"),
    ({"limitAmount": None}, "limitAmount and limitUnit are needed"),
    ({"notifications": [alert(TOPIC, thresholdType="SHARE")]}, "PERCENTAGE"),
    ({"notifications": [alert(TOPIC, subscriberSnsTopicArns=[TOPIC, f"{TOPIC}2"])]}, "one topic")])
def test_a_budget_that_aws_refuses_is_refused(aws: Any, wrong: Inputs, message: str) -> None:
    refused(aws, BUDGET, {key: value for key, value in budget(**wrong).items() if value is not None}, message)


def test_a_monitor_and_its_subscription_live(aws: Any) -> None:
    topic = world(aws).topic
    lives(aws, MONITOR, MONITORED, {"name": "n"})
    monitor, _ = made(aws, MONITOR, MONITORED)
    subscription = {"name": "s", "frequency": "IMMEDIATE", "monitorArnLists": [monitor],
                    "subscribers": [{"type": "SNS", "address": topic}]}
    lives(aws, SUBSCRIPTION, subscription, {"thresholdExpression": {"dimension": {
        "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE", "matchOptions": ["GREATER_THAN_OR_EQUAL"], "values": ["20"]}}})
    refused(aws, SUBSCRIPTION, {**subscription, "frequency": "DAILY"}, "IMMEDIATE is for SNS")
    refused(aws, SUBSCRIPTION, {**subscription, "monitorArnLists": [f"{monitor}x"]}, "monitorArnLists")


@pytest.mark.parametrize("wrong", [{"monitorType": "DIMENSIONAL"}, {"monitorSpecification": "{}"}])
def test_a_monitor_of_nothing_is_refused(aws: Any, wrong: Inputs) -> None:
    refused(aws, MONITOR, {**MONITORED, **wrong}, "monitor")


STANDARD = "arn:aws:securityhub:us-east-1::standards/aws-foundational-security-best-practices/v/1.0.0"


def test_what_watches_an_account_lives(aws: Any) -> None:
    place = world(aws)
    aws.client("s3").create_bucket(Bucket=f"records-{aws.account}")
    bucket = f"records-{aws.account}"
    lives(aws, "aws:cloudtrail/trail:Trail", {
        "name": "t", "s3BucketName": bucket, "kmsKeyId": place.key, "isMultiRegionTrail": True},
        {"enableLogFileValidation": True}, {"cloudWatchLogsRoleArn": place.role, "cloudWatchLogsGroupArn":
         f"arn:aws:logs:us-east-1:{aws.account}:log-group:/logs:*"})
    lives(aws, "aws:guardduty/detector:Detector", {"enable": True}, {"findingPublishingFrequency": "ONE_HOUR"})
    lives(aws, "aws:accessanalyzer/analyzer:Analyzer", {"analyzerName": "a"})
    lives(aws, "aws:ebs/encryptionByDefault:EncryptionByDefault", {"enabled": True}, {"enabled": False}, stays=True)
    lives(aws, "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", {"blockPublicAcls": True},
          {"blockPublicPolicy": True})
    lives(aws, "aws:securityhub/account:Account", {"enableDefaultStandards": False}, {"autoEnableControls": False})
    lives(aws, "aws:cfg/recorder:Recorder", {"name": "default", "roleArn": place.role},
          {"recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}})
    detector, _ = made(aws, "aws:guardduty/detector:Detector", {})
    lives(aws, "aws:guardduty/detectorFeature:DetectorFeature", {
        "detectorId": detector, "name": "S3_DATA_EVENTS", "status": "ENABLED"}, {"status": "DISABLED"})
    made(aws, "aws:securityhub/account:Account", {})
    lives(aws, "aws:securityhub/standardsSubscription:StandardsSubscription", {"standardsArn": STANDARD})
    made(aws, "aws:cfg/recorder:Recorder", {"name": "default", "roleArn": place.role})
    lives(aws, "aws:cfg/rule:Rule", {"name": "r", "source": {"owner": "AWS", "sourceIdentifier": "REQUIRED_TAGS"}},
          {"inputParameters": '{"tag1Key": "Owner"}'})
    lives(aws, "aws:cfg/deliveryChannel:DeliveryChannel", {"name": "default", "s3BucketName": bucket},
          {"s3KmsKeyArn": place.key})
    made(aws, "aws:cfg/deliveryChannel:DeliveryChannel", {"name": "default", "s3BucketName": bucket})
    lives(aws, "aws:cfg/recorderStatus:RecorderStatus", {"name": "default", "isEnabled": True}, {"isEnabled": False})
    for type, second in (("guardduty/detector:Detector", {}), ("securityhub/account:Account", {}),
                         ("cfg/recorder:Recorder", {"name": "other", "roleArn": place.role}),
                         ("cfg/deliveryChannel:DeliveryChannel", {"name": "other", "s3BucketName": bucket})):
        refused(aws, f"aws:{type}", second, "already")


@pytest.mark.parametrize(("type", "wrong", "message"), [
    ("cloudtrail/trail:Trail", {"name": "t", "s3BucketName": "nobody-has-this"}, "s3BucketName"),
    ("guardduty/detector:Detector", {"findingPublishingFrequency": "DAILY"}, "FIFTEEN_MINUTES"),
    ("guardduty/detectorFeature:DetectorFeature", {"detectorId": "d", "name": "S3_DATA_EVENTS", "status": "ENABLED"},
     "detectorId"),
    ("cfg/rule:Rule", {"name": "r", "source": {"owner": "AWS", "sourceIdentifier": "X"}}, "needs a recorder"),
    ("securityhub/standardsSubscription:StandardsSubscription", {"standardsArn": STANDARD}, "standardsArn"),
    ("accessanalyzer/analyzer:Analyzer", {"analyzerName": "1"}, "a letter")])
def test_what_an_account_can_not_have_is_refused(aws: Any, type: str, wrong: Inputs, message: str) -> None:
    refused(aws, f"aws:{type}", wrong, message)
