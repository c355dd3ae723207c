"""IAM, key, bucket and repository policies as data: pure functions of ARNs and names.

Every function returns a policy document as a `dict` ready for `json.dumps`. Partition `aws` only.
Sources of the statements are the services' own user guides, named where a statement surprises.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Statement = dict[str, Any]
Document = dict[str, Any]


def document(statements: Iterable[Mapping[str, Any]]) -> Document:
    """A policy document of the statements, in their order."""
    return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]}


def text(policy: Mapping[str, Any]) -> str:
    """Without white space, which counts in some of IAM's limits."""
    return json.dumps(policy, separators=(",", ":"))


def allow(sid: str, actions: Sequence[str], resources: Sequence[str], condition: Mapping[str, Any] | None = None,
          principal: Mapping[str, Any] | None = None) -> Statement:
    """One `Allow` statement; `condition` and `principal` only where given."""
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    if principal is not None:
        statement["Principal"] = dict(principal)
    if condition is not None:
        statement["Condition"] = dict(condition)
    return statement


# --- who may take on a role ------------------------------------------------------------------------------------------


def service_trust(service: str, account_id: str | None = None) -> Document:
    """A role for an AWS service; with `account_id` only on behalf of resources of that account (confused deputy)."""
    statement: Statement = {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": service}}
    if account_id is not None:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account_id}}
    return document([statement])


def edge_function_trust() -> Document:
    """Lambda@Edge: the function runs as Lambda's, its replicas as the edge's (CloudFront developer guide)."""
    return document([{"Effect": "Allow", "Action": ["sts:AssumeRole"],
                      "Principal": {"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}}])


def edge_function_logs(account_id: str, function_name: str) -> Document:
    """In every region: a replica logs where it runs."""
    group = f"arn:aws:logs:*:{account_id}:log-group:/aws/lambda/us-east-1.{function_name}"
    return document([allow("Logs", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                           [group, f"{group}:*"])])


def pod_identity_trust() -> Document:
    """A role for pods by EKS Pod Identity, which tags the session with cluster, namespace and service account."""
    return document([{"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"],
                      "Principal": {"Service": "pods.eks.amazonaws.com"}}])


def github_trust(provider_arn: str, repository: str, subject: str) -> Document:
    """A role for jobs of one GitHub repository (`owner/name`) of one kind, and no other. `subject`: what GitHub says of
    the job after the repository, such as `environment:production`."""
    return document([{
        "Effect": "Allow", "Action": ["sts:AssumeRoleWithWebIdentity"], "Principal": {"Federated": provider_arn},
        "Condition": {"StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": f"repo:{repository}:{subject}"}},
    }])


def account_trust(account_id: str) -> Document:
    """A role for the account's own principals that are allowed to take it, with a second factor."""
    return document([{
        "Effect": "Allow", "Action": ["sts:AssumeRole"],
        "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}])


# --- keys ------------------------------------------------------------------------------------------------------------


def key_administration(account_id: str) -> Statement:
    """The account itself: what lets IAM policies grant the use of a key. Without it a key can be locked out."""
    return allow("Account", ["kms:*"], ["*"], principal={"AWS": f"arn:aws:iam::{account_id}:root"})


def cluster_key(account_id: str) -> Document:
    """Key of the cluster's secrets: EKS gets its grant from the principal that creates the cluster."""
    return document([key_administration(account_id)])


def data_key(account_id: str) -> Document:
    """Key of data at rest. CloudFront's origin access control must be able to read encrypted objects.

    Any distribution of the account: the distribution's ARN would close a circle, as it needs the buckets.
    """
    return document([
        key_administration(account_id),
        allow("CloudFront", ["kms:Decrypt"], ["*"], principal={"Service": "cloudfront.amazonaws.com"},
              condition={"StringLike": {"aws:SourceArn": f"arn:aws:cloudfront::{account_id}:distribution/*"}}),
    ])


def logs_key(account_id: str, region: str, publishers: Sequence[Statement] = ()) -> Document:
    """Key of log groups, topics and queues: CloudWatch Logs for this account's groups, and what publishes to topics
    (`infra.plans.topics.key_statements`)."""
    return document([
        key_administration(account_id),
        allow("CloudWatchLogs",
              ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"], ["*"],
              principal={"Service": f"logs.{region}.amazonaws.com"},
              condition={"ArnLike": {
                  "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{region}:{account_id}:log-group:*"}}),
        *publishers,
    ])


def via(service: str, region: str) -> dict[str, Any]:
    """Condition: the key is used only through the service in the region."""
    return {"StringEquals": {"kms:ViaService": f"{service}.{region}.amazonaws.com"}}


# --- buckets ---------------------------------------------------------------------------------------------------------


def bucket_policy(bucket_arn: str, statements: Sequence[Mapping[str, Any]] = ()) -> Document:
    """Refuses everything that is not TLS 1.2 or later, then the statements."""
    everything = [bucket_arn, f"{bucket_arn}/*"]
    return document([
        {"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": everything,
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Sid": "Tls12", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": everything,
         "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}},
        *statements,
    ])


def distributions_read(bucket_arn: str, distribution_arns: Sequence[str]) -> Statement:
    """Origin access control: these distributions read objects. Listing too, so that a missing one is 404, not 403."""
    return allow("Distribution", ["s3:GetObject", "s3:ListBucket"], [bucket_arn, f"{bucket_arn}/*"],
                 principal={"Service": "cloudfront.amazonaws.com"},
                 condition={"StringEquals": {"aws:SourceArn": list(distribution_arns)}})


def log_deliveries(bucket_arn: str, account_id: str) -> list[Statement]:
    """Who writes access logs: S3 itself, load balancers, and the log delivery service (CloudFront v2, flow logs)."""
    own = {"StringEquals": {"aws:SourceAccount": account_id}}
    delivery = {"Service": "delivery.logs.amazonaws.com"}
    return [
        allow("S3Logs", ["s3:PutObject"], [f"{bucket_arn}/s3/*"], own, {"Service": "logging.s3.amazonaws.com"}),
        # As the guide has it, without a condition: the path says whose logs they are ("Access logs for your ALB").
        allow("LoadBalancerLogs", ["s3:PutObject"], [f"{bucket_arn}/*/AWSLogs/{account_id}/*"],
              principal={"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}),
        allow("DeliveredLogs", ["s3:PutObject"], [f"{bucket_arn}/*"],
              {"StringEquals": {"aws:SourceAccount": account_id, "s3:x-amz-acl": "bucket-owner-full-control"}},
              delivery),
        allow("DeliveryCheck", ["s3:GetBucketAcl"], [bucket_arn], own, delivery),
    ]


def replication(source_arn: str, source_key_arn: str, source_region: str, target_arn: str, target_key_arn: str,
                target_region: str) -> Document:
    """What S3 needs to copy encrypted, possibly locked objects to one bucket."""
    return document([
        allow("ReadConfiguration", ["s3:GetReplicationConfiguration", "s3:ListBucket"], [source_arn]),
        allow("ReadObjects", ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl",
                              "s3:GetObjectVersionTagging", "s3:GetObjectRetention", "s3:GetObjectLegalHold"],
              [f"{source_arn}/*"]),
        allow("WriteReplicas", ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"], [f"{target_arn}/*"]),
        allow("DecryptSource", ["kms:Decrypt"], [source_key_arn], via("s3", source_region)),
        allow("EncryptReplicas", ["kms:Encrypt", "kms:GenerateDataKey"], [target_key_arn], via("s3", target_region)),
    ])


# --- roles' permissions ----------------------------------------------------------------------------------------------


def flow_logs(log_group_arn: str) -> Document:
    """Writing to one log group, which the service looks for among all ("IAM role for publishing flow logs")."""
    return document([allow("Write", ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                           [log_group_arn, f"{log_group_arn}:*"]),
                     allow("Find", ["logs:DescribeLogGroups"], [f"{log_group_arn.rpartition(':')[0]}:*"])])


def database_dump(bucket_arn: str, prefix: str, key_arn: str, region: str) -> Document:
    """Writes below one prefix of the backups bucket and reads nothing back: a dump's own key is drawn from KMS, and the
    parts of an upload are put together under the bucket's (S3 asks for Decrypt)."""
    return document([
        allow("WriteDumps", ["s3:PutObject", "s3:AbortMultipartUpload"], [f"{bucket_arn}/{prefix}/*"]),
        allow("DrawKeys", ["kms:GenerateDataKey"], [key_arn]),
        allow("JoinParts", ["kms:Decrypt"], [key_arn],
              {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}}),
    ])


def external_secrets(secret_arns: Sequence[str], key_arn: str, region: str) -> Document:
    """Reading the named secrets and nothing else."""
    return document([
        allow("Read", ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], sorted(secret_arns)),
        allow("Decrypt", ["kms:Decrypt"], [key_arn], via("secretsmanager", region)),
    ])


# What `verify`, `connect`, `capacity`, `certificates check` and `secrets list` ask of AWS; no value and no content.
ON_CALL_READS = (
    "acm:DescribeCertificate", "acm:ListCertificates", "apigateway:GET", "backup:ListBackupVaults",
    "backup:ListRecoveryPointsByBackupVault", "cloudfront:GetDistributionConfig", "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData", "config:DescribeComplianceByConfigRule", "config:DescribeConfigurationRecorderStatus",
    "eks:DescribeNodegroup", "eks:ListNodegroups", "elasticache:DescribeReplicationGroups",
    "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeSSLPolicies",
    "elasticloadbalancing:DescribeTargetHealth", "guardduty:GetDetector", "guardduty:GetFindings",
    "guardduty:ListDetectors", "guardduty:ListFindings", "rds:DescribeDBInstances",
    "route53:ListResourceRecordSets", "secretsmanager:ListSecrets", "synthetics:GetCanaryRuns",
    "wafv2:GetLoggingConfiguration", "wafv2:GetSampledRequests", "wafv2:GetWebACL", "wafv2:GetWebACLForResource")


def on_call(cluster_arn: str) -> Document:
    """Finding the cluster, and looking. What one may do in the cluster is the matter of its access entry; to rotate,
    restore or scale nodes is the deploy role's or an administrator's."""
    return document([allow("Cluster", ["eks:DescribeCluster"], [cluster_arn]), allow("Look", ON_CALL_READS, ["*"])])


# --- repositories ----------------------------------------------------------------------------------------------------


def image_pushes(account_id: str, deploy_role: str) -> Document:
    """Images come from the deploy role and from ECR's own replication; not even an administrator pushes by hand."""
    roles = f"arn:aws:iam::{account_id}:role"
    return document([{
        "Sid": "PushedByPipelines", "Effect": "Deny", "Principal": "*",
        "Action": ["ecr:CompleteLayerUpload", "ecr:PutImage"],
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": [
            f"{roles}/{deploy_role}", f"{roles}/aws-service-role/replication.ecr.amazonaws.com/*"]}}}])


def replica_repositories(account_id: str, region: str, names: Sequence[str]) -> Document:
    """Making the repositories of replicas under KMS ("Create a custom policy for repository creation templates", ECR
    user guide)."""
    return document([
        allow("Repositories", ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"],
              [f"arn:aws:ecr:{region}:{account_id}:repository/{name}" for name in names]),
        allow("Key", ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"],
              [f"arn:aws:kms:{region}:{account_id}:key/*"]),
    ])


def image_lifecycle(kept_images: int) -> Document:
    """ECR lifecycle: untagged images go after a week, of the others the newest `kept_images` stay."""
    return {"rules": [
        {"rulePriority": 1, "description": "Untagged images go after 7 days", "action": {"type": "expire"},
         "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days",
                       "countNumber": 7}},
        {"rulePriority": 2, "description": f"The newest {kept_images} images stay", "action": {"type": "expire"},
         "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": kept_images}},
    ]}
