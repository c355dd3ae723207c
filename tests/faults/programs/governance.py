"""A budget and the watch over unusual costs."""

import json

from tests.faults.programs.raw import aws, kept, step, tags

topic = aws("sns/topic:Topic", "money", {"tags": tags()}, "arn")
aws("budgets/budget:Budget", "month", {
    "name": "faults", "budgetType": "COST", "timeUnit": "MONTHLY", "limitUnit": "USD",
    "limitAmount": step("400", "600"),
    "notifications": [{"comparisonOperator": "GREATER_THAN", "notificationType": "ACTUAL", "threshold": 80,
                       "thresholdType": "PERCENTAGE", "subscriberSnsTopicArns": [topic.arn]}], "tags": tags()})
monitor = aws("costexplorer/anomalyMonitor:AnomalyMonitor", "costs", {
    "name": step("faults", "costs"), "monitorType": "CUSTOM", "tags": tags(),
    "monitorSpecification": json.dumps({"Tags": {"Key": "Environment", "Values": ["faults"]}})}, "arn")
if kept():
    aws("costexplorer/anomalySubscription:AnomalySubscription", "costs", {
        "name": "faults", "frequency": "IMMEDIATE", "monitorArnLists": [monitor.arn], "tags": tags(),
        "subscribers": [{"type": "SNS", "address": topic.arn}], "thresholdExpression": {"dimension": {
            "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE", "matchOptions": ["GREATER_THAN_OR_EQUAL"],
            "values": [step("20", "30")]}}})
