"""A log group with a metric filter, alarms, a composite alarm, a dashboard, a canary, and X-Ray's rules."""

import json

import pulumi

from tests.faults.programs.raw import aws, kept, role, step, tags

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
artifacts = aws("s3/bucket:Bucket", "artifacts", {"forceDestroy": True, "tags": tags()}, "bucket")
script = aws("s3/bucketObjectv2:BucketObjectv2", "script", {
    "bucket": artifacts.bucket, "key": "health.zip", "source": pulumi.AssetArchive({
        "python/health.py": pulumi.StringAsset(f"def handler(event, context):\n    return {step(1, 2)}\n")}),
    "tags": tags()}, "key")
if kept():
    aws("synthetics/canary:Canary", "health", {
        "name": "faults-health", "executionRoleArn": role("canary", "lambda.amazonaws.com").arn,
        "handler": "health.handler", "runtimeVersion": "syn-python-selenium-14.0", "startCanary": True,
        "s3Bucket": artifacts.bucket, "s3Key": script.key,
        "artifactS3Location": pulumi.Output.concat("s3://", artifacts.bucket, "/health"),
        "schedule": {"expression": step("rate(5 minutes)", "rate(10 minutes)")}, "tags": tags()})
    aws("xray/samplingRule:SamplingRule", "api", {
        "ruleName": "faults", "priority": 1000, "fixedRate": step(0.05, 0.1), "reservoirSize": 1, "serviceName": "*",
        "serviceType": "*", "host": "*", "httpMethod": "*", "urlPath": "*", "resourceArn": "*", "version": 1,
        "tags": tags()})
    aws("xray/group:Group", "faults", {
        "groupName": "faults", "filterExpression": step('service("a")', 'service("b")'), "tags": tags()})
