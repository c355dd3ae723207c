"""IAM, KMS, secrets, a queue, a table and a function."""

import pulumi

from tests.faults.programs.raw import Raw, aws, kept, role, step, tags

key = aws("kms/key:Key", "data", {"description": step("first", "second"), "enableKeyRotation": step(False, True),
                                  "deletionWindowInDays": 30, "tags": tags(Name="data")}, "arn")
aws("kms/alias:Alias", "data", {"targetKeyId": key.id})
worker = role("worker", "lambda.amazonaws.com")
aws("iam/rolePolicy:RolePolicy", "worker", {"role": worker.name, "policy": pulumi.Output.json_dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": [step("sqs:SendMessage", "sqs:*")], "Resource": "*"}]})})
aws("iam/rolePolicyAttachment:RolePolicyAttachment", "worker", {
    "role": worker.name, "policyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"})
aws("iam/policy:Policy", "limits", {"tags": tags(), "policy": pulumi.Output.json_dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": [step("sqs:SendMessage", "sqs:*")], "Resource": "*"}]})})
letters = aws("sqs/queue:Queue", "letters", {"messageRetentionSeconds": step(86400, 172800),
                                             "kmsMasterKeyId": key.id, "tags": tags()}, "arn")
topic = aws("sns/topic:Topic", "alerts", {"kmsMasterKeyId": key.id, "displayName": step("first", "second"),
                                         "tags": tags()}, "arn")
aws("sns/topicPolicy:TopicPolicy", "alerts", {"arn": topic.arn, "policy": pulumi.Output.json_dumps({
    "Version": "2012-10-17", "Statement": [{
        "Sid": step("First", "Second"), "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish", "Resource": topic.arn}]})})
if kept():
    aws("sns/topicSubscription:TopicSubscription", "alerts", {
        "topic": topic.arn, "protocol": "sqs", "endpoint": letters.arn, "rawMessageDelivery": step(False, True)})
table = aws("dynamodb/table:Table", "events", {
    "billingMode": "PAY_PER_REQUEST", "hashKey": "id", "attributes": [{"name": "id", "type": "S"}],
    "pointInTimeRecovery": {"enabled": step(False, True)}, "ttl": {"enabled": True, "attributeName": "expiresAt"},
    "streamEnabled": True, "streamViewType": "NEW_IMAGE",
    "serverSideEncryption": {"enabled": True, "kmsKeyArn": key.arn}, "tags": tags()})
log = aws("cloudwatch/logGroup:LogGroup", "function", {"retentionInDays": step(30, 90), "kmsKeyId": key.arn,
                                                       "tags": tags()}, "name")
if kept():
    function = aws("lambda/function:Function", "processor", {
        "role": worker.arn, "runtime": "python3.13", "handler": "main.handle", "memorySize": step(128, 256),
        "architectures": ["arm64"], "deadLetterConfig": {"targetArn": letters.arn},
        "reservedConcurrentExecutions": step(5, 10),
        "code": pulumi.AssetArchive({"main.py": pulumi.StringAsset(
            f"def handle(event, context):\n    return {step(1, 2)}\n")}),
        "loggingConfig": {"logFormat": "Text", "logGroup": log.name},
        "environment": {"variables": {"STAGE": step("first", "second")}}, "tags": tags()}, "name")
    aws("lambda/permission:Permission", "alerts", {
        "function": function.name, "action": "lambda:InvokeFunction", "principal": "sns.amazonaws.com",
        "sourceArn": topic.arn})
    aws("iam/openIdConnectProvider:OpenIdConnectProvider", "github", {
        "url": "https://token.actions.githubusercontent.com", "clientIdLists": ["sts.amazonaws.com"], "tags": tags()})
suffix = Raw("random:index/randomId:RandomId", "suffix", {"byteLength": 4}, "hex")
password = Raw("random:index/randomPassword:RandomPassword", "password", {"length": step(32, 40), "special": False},
               "result")
secret = aws("secretsmanager/secret:Secret", "password", {
    "description": step("first", "second"), "recoveryWindowInDays": 30, "kmsKeyId": key.arn, "tags": tags()})
aws("secretsmanager/secretVersion:SecretVersion", "password", {
    "secretId": secret.id, "secretString": pulumi.Output.secret(password.result)})
pulumi.export("suffix", suffix.hex)
