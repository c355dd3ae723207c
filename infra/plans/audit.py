"""The account's audit as data: policies, rules and event patterns (M5).

Sources: "Amazon S3 bucket policy for CloudTrail", "Configure AWS KMS key policies for CloudTrail" and "Role policy
document for CloudTrail to use CloudWatch Logs" (CloudTrail user guide), "Permissions for the Amazon S3 bucket" and
"Permissions for the KMS key" (AWS Config developer guide), "List of AWS Config managed rules".
"""

from __future__ import annotations

import json
from typing import Any

from infra.plans.policies import Document, Statement, allow, bucket_policy, document, key_administration

_TRAIL = {"Service": "cloudtrail.amazonaws.com"}
_CONFIG = {"Service": "config.amazonaws.com"}
_OWNED = {"s3:x-amz-acl": "bucket-owner-full-control"}

# Name of our registration → identifier of AWS's rule.
RULES = {
    "volumes-encrypted": "ENCRYPTED_VOLUMES",
    "database-encrypted": "RDS_STORAGE_ENCRYPTED",
    "database-private": "RDS_INSTANCE_PUBLIC_ACCESS_CHECK",
    "buckets-over-tls": "S3_BUCKET_SSL_REQUESTS_ONLY",
    "root-without-keys": "IAM_ROOT_ACCESS_KEY_CHECK",
    "no-open-ssh": "INCOMING_SSH_DISABLED",
    "flow-logs": "VPC_FLOW_LOGS_ENABLED",
    "cluster-secrets-encrypted": "EKS_SECRETS_ENCRYPTED",
    "cluster-endpoint-private": "EKS_ENDPOINT_NO_PUBLIC_ACCESS",
    "tables-recoverable": "DYNAMODB_PITR_ENABLED",
    "functions-private": "LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED",
    "required-tags": "REQUIRED_TAGS",
}
# REQUIRED_TAGS takes six keys at most: those that E5 names.
REQUIRED_TAGS = ("Project", "Environment", "ManagedBy", "CostCenter", "Owner", "Component")
PARAMETERS = {"REQUIRED_TAGS": {f"tag{number}Key": key for number, key in enumerate(REQUIRED_TAGS, 1)}}

# What GuardDuty looks at beside the flow logs, DNS queries and management events that it always has.
FEATURES = ("S3_DATA_EVENTS", "EKS_AUDIT_LOGS", "RDS_LOGIN_EVENTS", "EBS_MALWARE_PROTECTION")
_LEAST_SEVERITY = 4  # GuardDuty's "medium" begins here ("Findings severity levels")


def trail_arn(account_id: str, region: str, name: str) -> str:
    return f"arn:aws:cloudtrail:{region}:{account_id}:trail/{name}"


def standard_arn(region: str) -> str:
    """AWS Foundational Security Best Practices."""
    return f"arn:aws:securityhub:{region}::standards/aws-foundational-security-best-practices/v/1.0.0"


def audit_bucket(bucket_arn: str, account_id: str, trail: str) -> Document:
    """CloudTrail and Config check the bucket and write below their own prefix, for this account only."""
    of_trail, of_account = {"aws:SourceArn": trail}, {"aws:SourceAccount": account_id}
    logs = f"{bucket_arn}/AWSLogs/{account_id}"
    return bucket_policy(bucket_arn, [
        allow("TrailCheck", ["s3:GetBucketAcl"], [bucket_arn], {"StringEquals": of_trail}, _TRAIL),
        allow("TrailWrite", ["s3:PutObject"], [f"{logs}/*"], {"StringEquals": {**_OWNED, **of_trail}}, _TRAIL),
        allow("ConfigCheck", ["s3:GetBucketAcl", "s3:ListBucket"], [bucket_arn], {"StringEquals": of_account},
              _CONFIG),
        allow("ConfigWrite", ["s3:PutObject"], [f"{logs}/Config/*"], {"StringEquals": {**_OWNED, **of_account}},
              _CONFIG)])


def audit_key(account_id: str, trail: str) -> Document:
    """Reading the logs takes an IAM policy of the account: the key says nothing of it."""
    statements: list[Statement] = [
        key_administration(account_id),
        allow("TrailEncrypt", ["kms:GenerateDataKey*"], ["*"], {
            "StringEquals": {"aws:SourceArn": trail},
            "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{account_id}:trail/*"}},
            _TRAIL),
        allow("TrailDescribe", ["kms:DescribeKey"], ["*"], {"StringEquals": {"aws:SourceArn": trail}}, _TRAIL),
        allow("Config", ["kms:Decrypt", "kms:GenerateDataKey"], ["*"],
              {"StringEquals": {"aws:SourceAccount": account_id}}, _CONFIG)]
    return document(statements)


def trail_to_logs(group_arn: str, account_id: str, region: str) -> Document:
    """CloudTrail names its streams after the account and the region of the trail."""
    return document([allow("Write", ["logs:CreateLogStream", "logs:PutLogEvents"],
                           [f"{group_arn}:log-stream:{account_id}_CloudTrail_{region}*"])])


def finding_pattern() -> str:
    """GuardDuty's findings from medium on; Security Hub's critical ones, without those it has from GuardDuty."""
    patterns: list[dict[str, Any]] = [
        {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"],
         "detail": {"severity": [{"numeric": [">=", _LEAST_SEVERITY]}]}},
        {"source": ["aws.securityhub"], "detail-type": ["Security Hub Findings - Imported"],
         "detail": {"findings": {"Severity": {"Label": ["CRITICAL"]}, "Workflow": {"Status": ["NEW"]},
                                 "RecordState": ["ACTIVE"], "ProductName": [{"anything-but": ["GuardDuty"]}]}}}]
    return json.dumps({"$or": patterns})
