"""IAM actions by what they can be used for.

Sources: cloudsplaining's lists, which checkov's CKV_AWS_286 to 290 use, cut to the services of the platform; AWS's
Service Authorization Reference for actions that take no resource."""

from __future__ import annotations

import re

ESCALATION = frozenset({
    "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:CreateAccessKey", "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile", "iam:AttachUserPolicy", "iam:AttachGroupPolicy", "iam:AttachRolePolicy",
    "iam:PutUserPolicy", "iam:PutGroupPolicy", "iam:PutRolePolicy", "iam:AddUserToGroup",
    "iam:UpdateAssumeRolePolicy", "iam:PassRole", "lambda:UpdateFunctionCode", "glue:UpdateDevEndpoint",
    "codestar:CreateProject", "sts:AssumeRole"})
CREDENTIALS = frozenset({
    "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML", "sts:GetFederationToken",
    "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreateServiceSpecificCredential",
    "iam:ResetServiceSpecificCredential", "iam:UpdateAccessKey", "lambda:GetFunction", "rds-db:connect",
    "redshift:GetClusterCredentials", "ssm:GetParametersByPath", "codepipeline:PollForJobs",
    "cognito-idp:DescribeUserPoolClient"})
EXFILTRATION = frozenset({
    "s3:GetObject", "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath",
    "secretsmanager:GetSecretValue", "dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query", "kms:Decrypt",
    "rds:CopyDBSnapshot", "rds:CreateDBSnapshot"})
PERMISSIONS = frozenset({
    "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary", "iam:PassRole",
    "iam:UpdateAssumeRolePolicy", "kms:CreateGrant", "kms:PutKeyPolicy", "lambda:AddPermission", "s3:PutBucketPolicy",
    "s3:PutBucketAcl", "s3:PutBucketPublicAccessBlock", "sns:SetTopicAttributes", "sns:AddPermission",
    "sqs:SetQueueAttributes", "sqs:AddPermission", "secretsmanager:PutResourcePolicy", "ecr:SetRepositoryPolicy",
    "ec2:ModifySnapshotAttribute", "ec2:ModifyImageAttribute", "rds:ModifyDBSnapshotAttribute",
    "logs:PutResourcePolicy", "backup:PutBackupVaultAccessPolicy"})

READS = re.compile(r"(GET$|Get|List|Describe|Lookup|Query|Scan|Search|View|BatchGet|Simulate|Check|Filter|Select|"
                   r"Estimate|Validate|Test|StartQuery|StopQuery|Preview)")

# Patterns of actions for which AWS takes no resource but *.
WITHOUT_RESOURCES = (
    "acm:ListCertificates", "autoscaling:Describe*", "budgets:DescribeBudgets", "ce:*", "cloudformation:ListStacks",
    "cloudfront:List*", "cloudtrail:DescribeTrails", "cloudtrail:LookupEvents", "cloudwatch:DescribeAlarms*",
    "cloudwatch:DescribeAnomalyDetectors", "cloudwatch:GetMetric*", "cloudwatch:ListDashboards",
    "cloudwatch:ListMetrics", "cloudwatch:PutMetricData", "cognito-idp:DescribeUserPoolDomain", "config:Describe*",
    "dynamodb:ListStreams", "ec2:Describe*", "ec2:GetCoipPoolUsage", "ec2:GetInstanceTypesFrom*",
    "ec2:GetSecurityGroupsForVpc", "ec2:GetSpotPlacementScores", "ecr:DescribeRegistry", "ecr:GetAuthorizationToken",
    "ecr:GetRegistry*", "eks:DescribeAddonVersions", "eks:ListClusters", "elasticache:DescribeEngine*",
    "elasticloadbalancing:Describe*", "guardduty:ListDetectors", "iam:GetAccount*", "iam:ListAccountAliases",
    "iam:ListOpenIDConnectProviders", "iam:ListPolicies", "iam:ListRoles", "iam:ListServerCertificates",
    "kms:ListAliases", "kms:ListKeys", "lambda:GetAccountSettings", "lambda:ListEventSourceMappings",
    "lambda:ListFunctions", "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups",
    "logs:DescribeQueries", "logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:GetQueryResults",
    "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:StopQuery", "logs:UpdateLogDelivery", "pricing:*",
    "rds:DescribeAccountAttributes", "rds:DescribeDBEngineVersions", "rds:DescribeOrderable*",
    "route53:GetHostedZoneCount", "route53:ListHostedZones*", "route53:TestDNSAnswer",
    "s3:GetAccountPublicAccessBlock", "s3:ListAllMyBuckets", "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetRandomPassword", "secretsmanager:ListSecrets", "shield:DescribeSubscription",
    "shield:GetSubscriptionState", "sns:ListSubscriptions", "sns:ListTopics", "sqs:ListQueues",
    "ssm:DescribeInstanceInformation", "ssm:DescribeParameters", "sts:GetCallerIdentity", "tag:Get*",
    "waf-regional:List*", "wafv2:List*", "xray:BatchGetTraces", "xray:GetSampling*", "xray:GetServiceGraph",
    "xray:GetTrace*", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
)
