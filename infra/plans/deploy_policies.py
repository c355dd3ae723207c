"""What the pipelines' roles may do: a whole `pulumi up`, and a `pulumi preview` (O8).

A deployment makes and changes everything of its environment, so its permissions go by service, tied to the account and
the regions, and are bounded by denials: nothing tagged as another environment's, no roles but below the environment's
path and with its boundary, nothing of what bounds the role itself. Changing those takes an administrator.

An account's managed policies may have 6,144 characters (IAM quotas): the statements are packed into several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.plans.policies import Document, Statement, allow, document, text

MANAGED_POLICY_CHARACTERS = 6144
ATTACHED_POLICIES = 10  # a role's, by default

# IAM prefix → ARNs after `arn:aws:`, `{r}` a region, `{a}` the account. Services whose resources are named by the
# programs of several stacks have `*` here; the denial of foreign tags keeps the stacks apart.
SERVICES: Mapping[str, tuple[str, ...]] = {
    "access-analyzer": ("access-analyzer:{r}:{a}:analyzer/*",),
    "acm": ("acm:{r}:{a}:certificate/*",),
    "apigateway": ("apigateway:{r}::/*",),
    "application-autoscaling": ("application-autoscaling:{r}:{a}:scalable-target/*",),
    "autoscaling": ("autoscaling:{r}:{a}:*",),
    "backup": ("backup:{r}:{a}:*",),
    "budgets": ("budgets::{a}:budget/*",),
    "ce": ("ce::{a}:*",),
    "cloudfront": ("cloudfront::{a}:*",),
    "cloudtrail": ("cloudtrail:{r}:{a}:trail/*",),
    "cloudwatch": ("cloudwatch:{r}:{a}:*", "cloudwatch::{a}:dashboard/*"),
    "cognito-idp": ("cognito-idp:{r}:{a}:userpool/*",),
    "config": ("config:{r}:{a}:*",),
    "dynamodb": ("dynamodb:{r}:{a}:table/*",),
    "ec2": ("ec2:{r}:{a}:*", "ec2:{r}::image/*"),
    "ecr": ("ecr:{r}:{a}:repository/*",),
    "eks": ("eks:{r}:{a}:*",),
    "elasticache": ("elasticache:{r}:{a}:*",),
    "elasticfilesystem": ("elasticfilesystem:{r}:{a}:*",),
    "elasticloadbalancing": ("elasticloadbalancing:{r}:{a}:*",),
    "events": ("events:{r}:{a}:*",),
    "guardduty": ("guardduty:{r}:{a}:detector/*",),
    "kms": ("kms:{r}:{a}:key/*", "kms:{r}:{a}:alias/*"),
    "lambda": ("lambda:{r}:{a}:*",),
    "logs": ("logs:{r}:{a}:*",),
    "rds": ("rds:{r}:{a}:*",),
    "route53": ("route53:::hostedzone/*", "route53:::change/*", "route53:::healthcheck/*",
                "route53:::queryloggingconfig/*"),
    "s3": ("s3:::*",),
    "scheduler": ("scheduler:{r}:{a}:*",),
    "secretsmanager": ("secretsmanager:{r}:{a}:secret:*",),
    "securityhub": ("securityhub:{r}:{a}:*",),
    "shield": ("shield::{a}:*",),
    "signer": ("signer:{r}:{a}:*",),
    "sns": ("sns:{r}:{a}:*",),
    "sqs": ("sqs:{r}:{a}:*",),
    "ssm": ("ssm:{r}:{a}:parameter/*", "ssm:{r}:{a}:document/*"),
    "synthetics": ("synthetics:{r}:{a}:canary:*",),
    "wafv2": ("wafv2:{r}:{a}:*",),
    "xray": ("xray:{r}:{a}:*",),
}

# Modules of pulumi-aws whose IAM prefix is another word; the rest have the same.
PREFIXES: Mapping[str, str] = {
    "accessanalyzer": "access-analyzer", "alb": "elasticloadbalancing", "apigatewayv2": "apigateway",
    "appautoscaling": "application-autoscaling", "cfg": "config", "cognito": "cognito-idp", "costexplorer": "ce",
    "ebs": "ec2", "efs": "elasticfilesystem", "lb": "elasticloadbalancing", "vpc": "ec2"}

# Actions that have no resource type, by the Service Authorization Reference: what creates something without a name,
# and settings of the account. Limited to the regions where the service has them.
_UNNAMED = (
    "acm:RequestCertificate", "backup:GetSupportedResourceTypes", "backup-storage:MountCapsule",
    "ce:CreateAnomalyMonitor", "ce:CreateAnomalySubscription",
    "cognito-idp:CreateUserPool", "cognito-idp:CreateUserPoolDomain",
    "config:PutConfigurationRecorder", "config:PutDeliveryChannel", "config:StartConfigurationRecorder",
    "ec2:DisableEbsEncryptionByDefault", "ec2:EnableEbsEncryptionByDefault", "s3:GetAccountPublicAccessBlock",
    "s3:PutAccountPublicAccessBlock",
    "ecr:CreatePullThroughCacheRule", "ecr:CreateRepositoryCreationTemplate", "ecr:DeletePullThroughCacheRule",
    "ecr:DeleteRepositoryCreationTemplate", "ecr:PutRegistryPolicy", "ecr:PutRegistryScanningConfiguration",
    "ecr:PutReplicationConfiguration", "ecr:UpdatePullThroughCacheRule", "ecr:UpdateRepositoryCreationTemplate",
    "ecr:GetAuthorizationToken", "guardduty:CreateDetector", "kms:CreateKey", "lambda:CreateEventSourceMapping",
    "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
    "securityhub:EnableSecurityHub", "sns:CreatePlatformApplication", "synthetics:CreateCanary",
    "xray:PutTraceSegments")
_GLOBAL_UNNAMED = ("cloudfront:CreateMonitoringSubscription", "cloudfront:DeleteMonitoringSubscription",
                   "route53:CreateHealthCheck", "route53:CreateHostedZone", "shield:CreateProtection")

# What both roles look up. None of these actions shows a secret's value or an object's content.
_READS = ("Describe*", "Get*", "List*")
_READ_PREFIXES = (*(prefix for prefix in SERVICES if prefix not in ("s3", "secretsmanager", "ssm")), "iam", "sts")
_READS_OF_OTHERS = (
    "s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration",
    "s3:GetAccelerateConfiguration", "s3:ListAllMyBuckets", "s3:ListBucket", "secretsmanager:DescribeSecret",
    "secretsmanager:GetResourcePolicy", "secretsmanager:ListSecrets", "ssm:DescribeParameters",
    "ssm:ListTagsForResource", "tag:GetResources")
# Values and contents, and what could be made into them.
CONTENTS = (
    "cognito-idp:DescribeUserPoolClient", "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:GetRecords",
    "dynamodb:PartiQL*", "dynamodb:Query", "dynamodb:Scan", "ec2:GetConsoleOutput", "ec2:GetPasswordData",
    "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer", "kms:Decrypt", "lambda:GetFunction",
    "logs:FilterLogEvents", "logs:GetLogEvents", "logs:GetLogRecord", "logs:GetQueryResults", "logs:StartQuery",
    "s3:GetObject*", "secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue", "sqs:ReceiveMessage",
    "ssm:GetParameter*", "sts:GetFederationToken", "sts:GetSessionToken")

_OF_STATE = frozenset({"kms:Decrypt", "s3:GetObject*"})  # denied for all but the state
STATE_BUCKET, STATE_KEY = "candlefish-pulumi-state", "alias/candlefish-pulumi"  # docs/first-time.md makes them

_PASSED_TO = ("backup", "cloudtrail", "config", "ec2", "ecr", "edgelambda", "eks", "lambda", "monitoring.rds",
              "pods.eks", "rds", "s3", "scheduler", "vpc-flow-logs", "apigateway", "events", "synthetics",
              "cognito-idp")
_LINKED = ("autoscaling", "backup", "config", "eks", "eks-nodegroup", "elasticache", "elasticloadbalancing",
           "guardduty", "access-analyzer", "pullthroughcache.ecr", "replication.ecr", "rds", "restore-testing.backup",
           "securityhub", "spot", "ops.apigateway", "logger.cloudfront", "replicator.lambda", "wafv2")


# What a rebuild from another environment's copies does with them: look, read, copy, restore. Never change or delete.
USE_OF_COPIES = (
    "backup:CopyFromBackupVault", "backup:Describe*", "backup:Get*", "backup:List*", "backup:StartCopyJob",
    "backup:StartRestoreJob", "dynamodb:Describe*", "dynamodb:RestoreTable*", "kms:CreateGrant", "kms:Decrypt",
    "kms:DescribeKey", "kms:GenerateDataKey*", "kms:ReEncrypt*", "rds:CopyDBSnapshot", "rds:Describe*",
    "rds:ListTagsForResource", "rds:RestoreDBInstance*", "s3:GetBucket*", "s3:GetObject*", "s3:ListBucket*")


def role_path(environment: str) -> str:
    """Of all roles and policies that a stack makes."""
    return f"/candlefish/{environment}/"


def deploy(account_id: str, regions: Sequence[str], environment: str, boundary_arn: str,
           protected_arns: Sequence[str], stands_in_for: str | None = None) -> list[Document]:
    """The managed policies of the deploy role.

    `boundary_arn`: of the policy that bounds the roles that it makes. `protected_arns`: roles and policies that it may
    not change: its own, the boundary, the preview's. `stands_in_for`: environment whose copies it may restore from.
    """
    path = role_path(environment)
    roles = [f"arn:aws:iam::{account_id}:role{path}*", f"arn:aws:iam::{account_id}:instance-profile{path}*"]
    policies = [f"arn:aws:iam::{account_id}:policy{path}*"]
    statements = [*_services(account_id, regions), *_reads(), *_unnamed(regions)]
    statements += [
        # A role that is made here can do no more than the boundary allows, whatever is attached to it.
        allow("BoundRoles", ["iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:AttachRolePolicy",
                             "iam:DetachRolePolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy"], roles,
              {"StringEquals": {"iam:PermissionsBoundary": boundary_arn}}),
        allow("Roles", ["iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateRole",
                        "iam:UpdateAssumeRolePolicy", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile",
                        "iam:AddRoleToInstanceProfile", "iam:RemoveRoleFromInstanceProfile"], roles),
        allow("Policies", ["iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy",
                           "iam:DeletePolicyVersion", "iam:TagPolicy", "iam:UntagPolicy"], policies),
        allow("PassRoles", ["iam:PassRole"], roles[:1], {"StringEquals": {
            "iam:PassedToService": [f"{service}.amazonaws.com" for service in _PASSED_TO]}}),
        allow("LinkedRoles", ["iam:CreateServiceLinkedRole"],
              [f"arn:aws:iam::{account_id}:role/aws-service-role/*"],
              {"StringEquals": {"iam:AWSServiceName": [f"{service}.amazonaws.com" for service in _LINKED]}}),
        # The cluster's own provider; GitHub's says who may take this role.
        allow("ClusterIdentity", ["iam:CreateOpenIDConnectProvider", "iam:DeleteOpenIDConnectProvider",
                                  "iam:TagOpenIDConnectProvider", "iam:UntagOpenIDConnectProvider",
                                  "iam:UpdateOpenIDConnectProviderThumbprint"],
              [f"arn:aws:iam::{account_id}:oidc-provider/oidc.eks.*"]),
        *_others(environment, stands_in_for),
        {"Sid": "OwnBounds", "Effect": "Deny", "Resource": sorted(protected_arns), "Action": [
            "iam:Add*", "iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:Put*", "iam:Set*",
            "iam:Update*"]},
        {"Sid": "KeepBounds", "Effect": "Deny", "Action": ["iam:DeleteRolePermissionsBoundary"], "Resource": "*"},
    ]
    return packed(statements)


def preview(account_id: str) -> list[Document]:
    """The managed policies of the preview role: everything can be looked at but contents and secrets.

    The one content is Pulumi's state, without which nothing can be compared with it; whoever can read that can read the
    secrets in it, so that the role is for jobs of main only. What it may not read, `make drift` leaves out.
    """
    state = [f"arn:aws:s3:::{STATE_BUCKET}-{account_id}/*"]
    alias = {"kms:ResourceAliases": [STATE_KEY]}
    return packed([
        *_reads(),
        allow("State", ["s3:GetObject"], state),
        allow("StateKey", ["kms:Decrypt"], [f"arn:aws:kms:*:{account_id}:key/*"], {"ForAnyValue:StringEquals": alias}),
        {"Sid": "Contents", "Effect": "Deny", "Resource": "*",
         "Action": [action for action in CONTENTS if action not in _OF_STATE]},
        {"Sid": "OtherObjects", "Effect": "Deny", "Action": ["s3:GetObject*"], "NotResource": state},
        {"Sid": "OtherKeys", "Effect": "Deny", "Action": ["kms:Decrypt"], "Resource": "*",
         "Condition": {"ForAllValues:StringNotEquals": alias}},  # a key without an alias too
    ])


def boundary(account_id: str, environment: str, stands_in_for: str | None = None) -> Document:
    """The most that a role made by the stack can be allowed: no identities but its environment's, nothing of another's
    but the use of the copies of the one that it stands in for.

    A boundary grants nothing by itself.
    """
    path = role_path(environment)
    own = f"arn:aws:iam::{account_id}:role{path}*"
    return document([
        {"Sid": "Services", "Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*", "sts:*"],
         "Resource": "*"},
        allow("Identity", ["iam:GetRole", "iam:ListAttachedRolePolicies", "iam:PassRole", "sts:AssumeRole",
                           "sts:TagSession"], [own]),
        allow("LinkedRoles", ["iam:CreateServiceLinkedRole"],
              [f"arn:aws:iam::{account_id}:role/aws-service-role/*"]),
        allow("WhoAmI", ["sts:GetCallerIdentity"], ["*"]),
        *_others(environment, stands_in_for),
    ])


def _others(environment: str, stands_in_for: str | None) -> list[Statement]:
    """Denies what carries another environment's tag; the copies of the environment `stands_in_for` can be used."""
    def deny(sid: str, *environments: str, **actions: Any) -> Statement:
        return {"Sid": sid, "Effect": "Deny", **actions, "Resource": "*", "Condition": {
            "StringNotEquals": {"aws:ResourceTag/Environment": environments[0] if len(environments) == 1
                                else list(environments)},
            "Null": {"aws:ResourceTag/Environment": "false"}}}

    if stands_in_for is None:
        return [deny("OtherEnvironments", environment, Action="*")]
    return [deny("OtherEnvironments", environment, NotAction=list(USE_OF_COPIES)),
            deny("OthersCopies", environment, stands_in_for, Action=list(USE_OF_COPIES))]


def packed(statements: Sequence[Statement], limit: int = MANAGED_POLICY_CHARACTERS) -> list[Document]:
    """As few documents as the statements, in their order, fill. Raises ValueError for one that is too long alone."""
    documents: list[list[Statement]] = [[]]
    for statement in statements:
        if size(document([*documents[-1], statement])) > limit:
            documents.append([])
        documents[-1].append(statement)
        if size(document(documents[-1])) > limit:
            raise ValueError(f"the statement {statement.get('Sid', '')} alone is longer than {limit} characters")
    return [document(each) for each in documents]


def size(policy: Mapping[str, Any]) -> int:
    """As IAM counts: without white space."""
    return len(text(policy))


def _services(account_id: str, regions: Sequence[str]) -> list[Statement]:
    statements = []
    for prefix, patterns in SERVICES.items():
        arns = [f"arn:aws:{pattern.format(r=region, a=account_id)}" for pattern in patterns for region in regions]
        condition = None
        if prefix == "s3":  # its ARNs have no account; a bucket that is being made belongs to nobody yet
            condition = {"StringEqualsIfExists": {"aws:ResourceAccount": account_id}}
        statements.append(allow(_sid(prefix), [f"{prefix}:*"], sorted(set(arns)), condition))
    return statements


def _reads() -> list[Statement]:
    actions = [f"{prefix}:{read}" for prefix in _READ_PREFIXES for read in _READS]
    half = len(actions) // 2
    return [allow("Look1", actions[:half], ["*"]), allow("Look2", [*actions[half:], *_READS_OF_OTHERS], ["*"])]


def _unnamed(regions: Sequence[str]) -> list[Statement]:
    return [allow("Unnamed", _UNNAMED, ["*"], {"StringEquals": {"aws:RequestedRegion": sorted(set(regions))}}),
            allow("UnnamedGlobal", _GLOBAL_UNNAMED, ["*"], {"StringEquals": {"aws:RequestedRegion": "us-east-1"}})]


def _sid(prefix: str) -> str:
    return "".join(part.capitalize() for part in prefix.split("-"))
