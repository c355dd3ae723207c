"""A log group with a metric filter, alarms, a composite alarm and a dashboard."""

import json

from tests.faults.programs.raw import aws, kept, step, tags

topic = aws("sns/topic:Topic", "alerts", {"tags": tags()}, "arn")
log = aws("cloudwatch/logGroup:LogGroup", "application", {
    "name": "/faults/application", "retentionInDays": step(30, 90), "tags": tags()}, "name")
if kept():
    aws("cloudwatch/logMetricFilter:LogMetricFilter", "errors", {
        "logGroupName": log.name, "pattern": step("ERROR", "FATAL"), "metricTransformation": {
            "name": "errors", "namespace": "Faults", "value": "1", "defaultValue": "0"}})
alarm = aws("cloudwatch/metricAlarm:MetricAlarm", "errors", {
    "name": "faults-errors", "namespace": "Faults", "metricName": "errors", "statistic": "Sum", "period": 60,
    "evaluationPeriods": 5, "threshold": step(5, 10), "comparisonOperator": "GreaterThanThreshold",
    "alarmActions": [topic.arn], "tags": tags()}, "name")
ratio = aws("cloudwatch/metricAlarm:MetricAlarm", "ratio", {
    "name": "faults-ratio", "evaluationPeriods": 5, "threshold": step(5, 10),
    "comparisonOperator": "GreaterThanThreshold", "tags": tags(), "metricQueries": [
        {"id": "result", "expression": "100 * m1 / m2", "returnData": True},
        *({"id": id, "metric": {"metricName": name, "namespace": "Faults", "period": 60, "stat": "Sum"}}
          for id, name in (("m1", "errors"), ("m2", "requests")))]}, "name")
if kept():
    aws("cloudwatch/compositeAlarm:CompositeAlarm", "any", {
        "alarmName": "faults-any", "alarmDescription": step("first", "second"), "tags": tags(),
        "alarmRule": alarm.name.apply(lambda name: f'ALARM("{name}")')})
    aws("cloudwatch/dashboard:Dashboard", "board", {
        "dashboardName": "faults", "dashboardBody": json.dumps({"widgets": [{
            "type": "text", "width": 6, "height": 6, "properties": {"markdown": step("first", "second")}}]})})
