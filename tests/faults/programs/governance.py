"""A budget, the watch over unusual costs, and what watches an account."""

import json

import pulumi

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

bucket = aws("s3/bucket:Bucket", "records", {"forceDestroy": True, "tags": tags()}, "bucket")
detector = aws("guardduty/detector:Detector", "account", {
    "findingPublishingFrequency": step("ONE_HOUR", "FIFTEEN_MINUTES"), "tags": tags()})
recorder = aws("cfg/recorder:Recorder", "account", {
    "name": "default", "recordingGroup": {"allSupported": True},
    "roleArn": aws("iam/serviceLinkedRole:ServiceLinkedRole", "config", {
        "awsServiceName": "config.amazonaws.com", "tags": tags()}, "arn").arn}, "name")
channel = aws("cfg/deliveryChannel:DeliveryChannel", "account", {"name": "default", "s3BucketName": bucket.bucket},
              opts=pulumi.ResourceOptions(depends_on=[recorder]))
hub = aws("securityhub/account:Account", "account", {
    "enableDefaultStandards": False, "autoEnableControls": step(True, False)})
aws("accessanalyzer/analyzer:Analyzer", "account", {"analyzerName": "faults", "tags": tags()})
aws("ebs/encryptionByDefault:EncryptionByDefault", "account", {"enabled": True})
aws("s3/accountPublicAccessBlock:AccountPublicAccessBlock", "account", {
    "blockPublicAcls": True, "blockPublicPolicy": step(False, True)})
if kept():
    aws("cloudtrail/trail:Trail", "account", {
        "name": "faults", "s3BucketName": bucket.bucket, "enableLogFileValidation": step(False, True),
        "tags": tags()})
    aws("guardduty/detectorFeature:DetectorFeature", "objects", {
        "detectorId": detector.id, "name": "S3_DATA_EVENTS", "status": step("DISABLED", "ENABLED")})
    aws("cfg/recorderStatus:RecorderStatus", "account", {"name": recorder.name, "isEnabled": True},
        opts=pulumi.ResourceOptions(depends_on=[channel]))
    aws("cfg/rule:Rule", "volumes", {
        "name": "faults", "description": step("first", "second"), "tags": tags(),
        "source": {"owner": "AWS", "sourceIdentifier": "ENCRYPTED_VOLUMES"}},
        opts=pulumi.ResourceOptions(depends_on=[recorder]))
    aws("securityhub/standardsSubscription:StandardsSubscription", "practices", {
        "standardsArn": "arn:aws:securityhub:us-east-1::standards/aws-foundational-security-best-practices/v/1.0.0"},
        opts=pulumi.ResourceOptions(depends_on=[hub]))
