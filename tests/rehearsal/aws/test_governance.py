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
