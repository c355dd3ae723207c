"""A function that the clock and Secrets Manager call, with the parameter in which it keeps its state."""

import pulumi

from tests.faults.programs.raw import aws, kept, role, step, tags

caller, worker = role("caller", "scheduler.amazonaws.com"), role("worker", "lambda.amazonaws.com")
letters = aws("sqs/queue:Queue", "letters", {"messageRetentionSeconds": 86400, "tags": tags()}, "arn")
aws("ssm/parameter:Parameter", "state", {"type": "String", "insecureValue": step("{}", '{"phase":"up"}'),
                                         "description": "state", "tags": tags()})
secret = aws("secretsmanager/secret:Secret", "rotated", {"recoveryWindowInDays": 30, "tags": tags()})
aws("secretsmanager/secretVersion:SecretVersion", "rotated", {
    "secretId": secret.id, "secretString": pulumi.Output.secret("{}")})
function = aws("lambda/function:Function", "worker", {
    "role": worker.arn, "runtime": "python3.13", "handler": "main.handle", "timeout": step(30, 60),
    "code": pulumi.AssetArchive({"main.py": pulumi.StringAsset("def handle(event, context):\n    return 1\n")}),
    "tags": tags()}, "name", "arn")
if kept():
    aws("lambda/permission:Permission", "rotated", {
        "function": function.name, "action": "lambda:InvokeFunction", "principal": "secretsmanager.amazonaws.com",
        "sourceArn": secret.id})
    aws("secretsmanager/secretRotation:SecretRotation", "rotated", {
        "secretId": secret.id, "rotationLambdaArn": function.arn,
        "rotationRules": {"automaticallyAfterDays": step(30, 60)}})
    aws("scheduler/schedule:Schedule", "evening", {
        "scheduleExpression": step("cron(0 18 ? * MON-FRI *)", "cron(0 19 ? * MON-FRI *)"),
        "scheduleExpressionTimezone": "America/Denver", "flexibleTimeWindow": {"mode": "OFF"},
        "target": {"arn": function.arn, "roleArn": caller.arn, "input": '{"action":"down"}',
                   "deadLetterConfig": {"arn": letters.arn}}})
