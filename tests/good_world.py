"""A small world in which every control holds."""

from __future__ import annotations

import json
from typing import Any

from policy.model import Resource

KEY_ARN = "arn:aws:kms:us-east-1:111111111111:key/data"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


_GITHUB = "token.actions.githubusercontent.com"
TRUST = policy({"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {
    "Federated": f"arn:aws:iam::111111111111:oidc-provider/{_GITHUB}"}, "Condition": {"StringEquals": {
        f"{_GITHUB}:aud": "sts.amazonaws.com", f"{_GITHUB}:sub": "repo:candlefish-ai/infra:environment:staging"}}})
TLS_ONLY = policy({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
                   "Condition": {"Bool": {"aws:SecureTransport": "false"}}})
BEHAVIOUR = {"viewerProtocolPolicy": "redirect-to-https", "responseHeadersPolicyId": "headers"}
BAD_INPUTS = {"statement": {"managedRuleGroupStatement": {"name": "AWSManagedRulesKnownBadInputsRuleSet"}},
              "visibilityConfig": {"cloudwatchMetricsEnabled": True}}
OPEN_API = json.dumps({
    "paths": {"/events": {"post": {"security": [{"api_key": []}]}}}, "x-amazon-apigateway-request-validator": "all",
    "x-amazon-apigateway-request-validators": {
        "all": {"validateRequestBody": True, "validateRequestParameters": True}}})
CONTAINER = {
    "name": "website", "image": "ghcr.io/candlefish-ai/website:1.0.0@sha256:" + 64 * "0",
    "livenessProbe": {"httpGet": {}}, "readinessProbe": {"httpGet": {}},
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "privileged": False,
                        "runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"},
                        "capabilities": {"drop": ["ALL"]}}}
POD = {"containers": [CONTAINER], "securityContext": {"runAsNonRoot": True}, "automountServiceAccountToken": False}

# type: (inputs, types of the resources that an input names)
GOOD: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "pulumi:pulumi:Stack": ({}, {}),
    "aws:ec2/vpc:Vpc": ({}, {}),
    "aws:ec2/flowLog:FlowLog": ({}, {"vpcId": "aws:ec2/vpc:Vpc"}),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ({}, {"vpcId": "aws:ec2/vpc:Vpc"}),
    "aws:ec2/subnet:Subnet": ({"mapPublicIpOnLaunch": False}, {}),
    "aws:ec2/securityGroup:SecurityGroup": ({"description": "Cache"}, {}),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        {"description": "HTTPS", "cidrIpv4": "10.0.0.0/16", "fromPort": 443, "toPort": 443, "ipProtocol": "tcp"}, {}),
    "aws:eks/cluster:Cluster": ({
        "version": "1.34", "vpcConfig": {"endpointPublicAccess": False},
        "enabledClusterLogTypes": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
        "encryptionConfig": {"provider": {"keyArn": KEY_ARN}, "resources": ["secrets"]}}, {}),
    "aws:ec2/launchTemplate:LaunchTemplate": (
        {"metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1}}, {}),
    "aws:rds/parameterGroup:ParameterGroup": ({"parameters": [{"name": "rds.force_ssl", "value": "1"}]}, {}),
    "aws:rds/instance:Instance": ({
        "storageEncrypted": True, "publiclyAccessible": False, "multiAz": True, "backupRetentionPeriod": 7,
        "deletionProtection": True, "enabledCloudwatchLogsExports": ["postgresql"], "autoMinorVersionUpgrade": True,
        "iamDatabaseAuthenticationEnabled": True, "performanceInsightsEnabled": True,
        "performanceInsightsKmsKeyId": KEY_ARN, "monitoringInterval": 60},
        {"parameterGroupName": "aws:rds/parameterGroup:ParameterGroup"}),
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": ({"kmsKeyId": KEY_ARN}, {}),
    "aws:backup/selection:Selection": ({"resources": ["arn:aws:rds:*:*:db:*", "arn:aws:dynamodb:*:*:table/*"]}, {}),
    "aws:elasticache/replicationGroup:ReplicationGroup": ({
        "atRestEncryptionEnabled": True, "transitEncryptionEnabled": True, "authToken": "drawn", "kmsKeyId": KEY_ARN,
        "automaticFailoverEnabled": True, "snapshotRetentionLimit": 1}, {}),
    "aws:dynamodb/table:Table": ({
        "pointInTimeRecovery": {"enabled": True}, "deletionProtectionEnabled": True,
        "serverSideEncryption": {"enabled": True, "kmsKeyArn": KEY_ARN}}, {}),
    "aws:wafv2/webAcl:WebAcl": ({"rules": [BAD_INPUTS], "visibilityConfig": {"cloudwatchMetricsEnabled": True}}, {}),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": ({}, {"resourceArn": "aws:wafv2/webAcl:WebAcl"}),
    "aws:cloudfront/distribution:Distribution": ({
        "defaultCacheBehavior": BEHAVIOUR, "webAclId": "arn", "loggingConfig": {"bucket": "logs"},
        "viewerCertificate": {"minimumProtocolVersion": "TLSv1.2_2021"}, "defaultRootObject": "index.html",
        "originGroups": [{}], "origins": [
            {"originAccessControlId": "oac"},
            {"customOriginConfig": {"originProtocolPolicy": "https-only", "originSslProtocols": ["TLSv1.2"]}}]},
        {"webAclId": "aws:wafv2/webAcl:WebAcl"}),
    "aws:lambda/function:Function": ({
        "environment": {"variables": {"TABLE_NAME": "events"}}, "kmsKeyArn": KEY_ARN, "runtime": "python3.13",
        "deadLetterConfig": {"targetArn": "arn"}, "reservedConcurrentExecutions": 1,
        "tracingConfig": {"mode": "Active"}, "codeSigningConfigArn": "arn"}, {}),
    "aws:lambda/permission:Permission": ({"principal": "sns.amazonaws.com", "sourceArn": "arn"}, {}),
    "aws:apigateway/stage:Stage": ({"accessLogSettings": {"destinationArn": "arn"}}, {}),
    "aws:apigateway/methodSettings:MethodSettings": (
        {"settings": {"loggingLevel": "ERROR", "dataTraceEnabled": False}},
        {"stageName": "aws:apigateway/stage:Stage"}),
    "aws:wafv2/webAclAssociation:WebAclAssociation": ({}, {"resourceArn": "aws:apigateway/stage:Stage"}),
    "aws:apigateway/restApi:RestApi": ({"body": OPEN_API}, {}),
    "aws:apigatewayv2/route:Route": ({"routeKey": "$connect", "authorizationType": "AWS_IAM"}, {}),
    "aws:apigateway/domainName:DomainName": ({"securityPolicy": "TLS_1_2"}, {}),
    "aws:s3/bucket:Bucket": ({}, {}),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        {"blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True, "restrictPublicBuckets": True},
        {"bucket": "aws:s3/bucket:Bucket"}),
    "aws:s3/bucketPolicy:BucketPolicy": ({"policy": TLS_ONLY}, {"bucket": "aws:s3/bucket:Bucket"}),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]},
        {"bucket": "aws:s3/bucket:Bucket"}),
    "aws:s3/bucketVersioning:BucketVersioning": (
        {"versioningConfiguration": {"status": "Enabled"}}, {"bucket": "aws:s3/bucket:Bucket"}),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ({}, {"bucket": "aws:s3/bucket:Bucket"}),
    "aws:s3/bucketLogging:BucketLogging": ({}, {"bucket": "aws:s3/bucket:Bucket"}),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": ({}, {"bucket": "aws:s3/bucket:Bucket"}),
    "aws:s3/bucketNotification:BucketNotification": ({}, {"bucket": "aws:s3/bucket:Bucket"}),
    "aws:secretsmanager/secret:Secret": ({"kmsKeyId": KEY_ARN}, {}),
    "aws:secretsmanager/secretRotation:SecretRotation": (
        {"rotationRules": {"automaticallyAfterDays": 30}}, {"secretId": "aws:secretsmanager/secret:Secret"}),
    "aws:kms/key:Key": ({"enableKeyRotation": True, "policy": policy(
        allow("kms:*", "*", Principal={"AWS": "arn:aws:iam::111111111111:root"}))}, {}),
    "aws:sns/topic:Topic": ({"kmsMasterKeyId": KEY_ARN}, {}),
    "aws:sqs/queue:Queue": ({"kmsMasterKeyId": KEY_ARN}, {}),
    "aws:cloudwatch/logGroup:LogGroup": ({"kmsKeyId": KEY_ARN, "retentionInDays": 365}, {}),
    "aws:iam/role:Role": ({"assumeRolePolicy": TRUST}, {}),
    "aws:iam/rolePolicy:RolePolicy": ({"policy": policy(allow("s3:GetObject", "arn:aws:s3:::assets/*"),
                                                        allow("ec2:DescribeInstances", "*"))}, {}),
    "aws:backup/vault:Vault": ({"kmsKeyArn": KEY_ARN}, {}),
    "aws:cloudtrail/trail:Trail": ({"isMultiRegionTrail": True, "kmsKeyId": KEY_ARN, "enableLogFileValidation": True,
                                    "cloudWatchLogsGroupArn": "arn"}, {}),
    "aws:guardduty/detector:Detector": ({"enable": True}, {}),
    "aws:cfg/recorderStatus:RecorderStatus": ({"isEnabled": True}, {}),
    "aws:cfg/recorder:Recorder": (
        {"recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}}, {}),
    "aws:route53/zone:Zone": ({}, {}),
    "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec": ({}, {"hostedZoneId": "aws:route53/zone:Zone"}),
    "aws:route53/queryLog:QueryLog": ({}, {"zoneId": "aws:route53/zone:Zone"}),
    "aws:acm/certificate:Certificate": ({"domainName": "candlefish.ai"}, {}),
    "aws:ecr/repository:Repository": ({
        "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfigurations": [{"encryptionType": "KMS"}]}, {}),
    "kubernetes:core/v1:Namespace": (
        {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}, {}),
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": (
        {"metadata": {"namespace": "candlefish"}, "spec": {"podSelector": {"matchLabels": {"app": "website"}}}}, {}),
    "kubernetes:apps/v1:Deployment": ({"metadata": {"namespace": "candlefish"}, "spec": {
        "template": {"metadata": {"labels": {"app": "website"}}, "spec": POD}}}, {}),
}


def urn_of(type: str) -> str:
    return f"urn:pulumi:staging::candlefish::{type}::assets"


def good() -> dict[str, Resource]:
    """By type. The one bucket is one that must be replicated."""
    return {type: Resource(type, urn_of(type), "assets", inputs,
                           {key: (urn_of(named),) for key, named in references.items()})
            for type, (inputs, references) in GOOD.items()}
