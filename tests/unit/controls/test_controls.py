"""Every control holds in a good world, and fails for one thing that is wrong in it."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from policy.controls import BY_ID, CONTROLS
from policy.evaluate import evaluate
from policy.model import UNKNOWN, Resource
from tests.good_world import GOOD, TLS_ONLY, TRUST, allow, good, policy

pytestmark = pytest.mark.unit

REMOVED = object()
DELETED_FIRST = "delete_before_replace"
_DATABASE, _CACHE, _TABLE = "aws:rds/instance:Instance", "aws:elasticache/replicationGroup:ReplicationGroup", \
    "aws:dynamodb/table:Table"
_RULE, _CLUSTER = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:eks/cluster:Cluster"
_TEMPLATE, _CDN, _ACL = "aws:ec2/launchTemplate:LaunchTemplate", "aws:cloudfront/distribution:Distribution", \
    "aws:wafv2/webAcl:WebAcl"
_FUNCTION, _STAGE = "aws:lambda/function:Function", "aws:apigateway/stage:Stage"
_METHODS, _API = "aws:apigateway/methodSettings:MethodSettings", "aws:apigateway/restApi:RestApi"
_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_SSE = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_ROLE_POLICY, _TRAIL = "aws:iam/rolePolicy:RolePolicy", "aws:cloudtrail/trail:Trail"
_REPOSITORY, _DEPLOYMENT = "aws:ecr/repository:Repository", "kubernetes:apps/v1:Deployment"
_POD, _CONTAINER = "spec.template.spec", "spec.template.spec.containers.0"
_SECURITY = f"{_CONTAINER}.securityContext"
_FROM_ANYWHERE = {"description": "all", "cidrIpv4": "0.0.0.0/0", "ipProtocol": "tcp"}
_OPEN_TO_ALL = '{"paths": {"/events": {"post": {}}}}'

# control: (what is spoiled, the path in its inputs ("" for all of them), the bad value)
SPOILED: dict[str, tuple[str, str, Any]] = {
    "CKV2_AWS_11": ("aws:ec2/flowLog:FlowLog", "", REMOVED),
    "CKV2_AWS_12": ("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "ingress", [{"protocol": "-1"}]),
    "CKV_AWS_130": ("aws:ec2/subnet:Subnet", "mapPublicIpOnLaunch", True),
    "CKV_AWS_24": (_RULE, "", {**_FROM_ANYWHERE, "fromPort": 20, "toPort": 25}),
    "CKV_AWS_25": (_RULE, "", {**_FROM_ANYWHERE, "fromPort": 3389, "toPort": 3389}),
    "CKV_AWS_260": (_RULE, "", {**_FROM_ANYWHERE, "fromPort": 80, "toPort": 80}),
    "CKV_AWS_277": (_RULE, "", {"description": "all", "cidrIpv6": "::/0", "ipProtocol": "-1"}),
    "CKV_AWS_23": (_RULE, "description", REMOVED),
    "CKV_AWS_39": (_CLUSTER, "vpcConfig.endpointPublicAccess", True),
    "CKV_AWS_38": (_CLUSTER, "vpcConfig", {"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]}),
    "CKV_AWS_58": (_CLUSTER, "encryptionConfig", REMOVED),
    "CKV_AWS_37": (_CLUSTER, "enabledClusterLogTypes", ["api"]),
    "CKV_AWS_339": (_CLUSTER, "version", "1.28"),
    "CKV_AWS_79": (_TEMPLATE, "metadataOptions.httpTokens", "optional"),
    "CKV_AWS_341": (_TEMPLATE, "metadataOptions.httpPutResponseHopLimit", 2),
    "CKV_AWS_16": (_DATABASE, "storageEncrypted", False),
    "CKV_AWS_17": (_DATABASE, "publiclyAccessible", True),
    "CKV_AWS_157": (_DATABASE, "multiAz", False),
    "CKV_AWS_133": (_DATABASE, "backupRetentionPeriod", 1),
    "CKV_AWS_293": (_DATABASE, "deletionProtection", False),
    "CKV2_AWS_69": ("aws:rds/parameterGroup:ParameterGroup", "parameters", []),
    "CKV_AWS_129": (_DATABASE, "enabledCloudwatchLogsExports", ["upgrade"]),
    "CKV_AWS_226": (_DATABASE, "autoMinorVersionUpgrade", False),
    "CKV_AWS_161": (_DATABASE, "iamDatabaseAuthenticationEnabled", REMOVED),
    "CKV_AWS_353": (_DATABASE, "performanceInsightsEnabled", REMOVED),
    "CKV_AWS_354": (_DATABASE, "performanceInsightsKmsKeyId", REMOVED),
    "CKV_AWS_118": (_DATABASE, "monitoringInterval", 0),
    "RDS.26": ("aws:backup/selection:Selection", "resources", ["arn:aws:dynamodb:*:*:table/*"]),
    "CKV_AWS_245": (
        "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication", "kmsKeyId", REMOVED),
    "CKV_AWS_29": (_CACHE, "atRestEncryptionEnabled", REMOVED),
    "CKV_AWS_30": (_CACHE, "transitEncryptionEnabled", False),
    "CKV_AWS_31": (_CACHE, "authToken", REMOVED),
    "CKV2_AWS_50": (_CACHE, "automaticFailoverEnabled", False),
    "CKV_AWS_191": (_CACHE, "kmsKeyId", REMOVED),
    "ElastiCache.1": (_CACHE, "snapshotRetentionLimit", 0),
    "CKV_AWS_28": (_TABLE, "pointInTimeRecovery.enabled", False),
    "CKV_AWS_119": (_TABLE, "serverSideEncryption.kmsKeyArn", REMOVED),
    "DynamoDB.6": (_TABLE, "deletionProtectionEnabled", False),
    "DynamoDB.4": ("aws:backup/selection:Selection", "resources", ["arn:aws:rds:*:*:db:*"]),
    "CKV_AWS_34": (_CDN, "defaultCacheBehavior.viewerProtocolPolicy", "allow-all"),
    "CKV_AWS_68": (_CDN, "webAclId", REMOVED),
    "CKV_AWS_174": (_CDN, "viewerCertificate.minimumProtocolVersion", "TLSv1.1_2016"),
    "CKV_AWS_86": (_CDN, "loggingConfig", REMOVED),
    "CKV2_AWS_46": (_CDN, "origins.0.originAccessControlId", REMOVED),
    "CKV2_AWS_72": (_CDN, "origins.1.customOriginConfig.originProtocolPolicy", "match-viewer"),
    "CKV2_AWS_32": (_CDN, "defaultCacheBehavior.responseHeadersPolicyId", REMOVED),
    "CKV_AWS_305": (_CDN, "defaultRootObject", REMOVED),
    "CKV_AWS_310": (_CDN, "originGroups", []),
    "CKV2_AWS_47": (_ACL, "rules.0.statement", {}),
    "CKV_AWS_175": (_ACL, "rules", []),
    "CKV2_AWS_31": ("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", "", REMOVED),
    "CKV_AWS_192": (_ACL, "rules.0.statement", {}),
    "WAF.12": (_ACL, "rules.0.visibilityConfig.cloudwatchMetricsEnabled", False),
    "CKV_AWS_45": (_FUNCTION, "environment.variables.DATABASE_PASSWORD", "open sesame"),
    "CKV_AWS_173": (_FUNCTION, "kmsKeyArn", REMOVED),
    "CKV_AWS_301": ("aws:lambda/permission:Permission", "principal", "*"),
    "CKV_AWS_364": ("aws:lambda/permission:Permission", "sourceArn", REMOVED),
    "CKV_AWS_363": (_FUNCTION, "runtime", "nodejs18.x"),
    "CKV_AWS_116": (_FUNCTION, "deadLetterConfig", REMOVED),
    "CKV_AWS_115": (_FUNCTION, "reservedConcurrentExecutions", REMOVED),
    "CKV_AWS_50": (_FUNCTION, "tracingConfig.mode", "PassThrough"),
    "CKV_AWS_272": (_FUNCTION, "codeSigningConfigArn", REMOVED),
    "CKV_AWS_76": (_STAGE, "accessLogSettings", REMOVED),
    "CKV2_AWS_4": (_METHODS, "settings.loggingLevel", "OFF"),
    "CKV2_AWS_29": ("aws:wafv2/webAclAssociation:WebAclAssociation", "", REMOVED),
    "CKV_AWS_59": (_API, "body", _OPEN_TO_ALL),
    "CKV_AWS_309": ("aws:apigatewayv2/route:Route", "authorizationType", "NONE"),
    "CKV_AWS_276": (_METHODS, "settings.dataTraceEnabled", True),
    "CKV_AWS_206": ("aws:apigateway/domainName:DomainName", "securityPolicy", "TLS_1_0"),
    "CKV2_AWS_53": (_API, "body", _OPEN_TO_ALL),
    "CKV_AWS_53": (_BLOCK, "blockPublicAcls", False),
    "CKV_AWS_54": (_BLOCK, "blockPublicPolicy", False),
    "CKV_AWS_55": (_BLOCK, "ignorePublicAcls", REMOVED),
    "CKV_AWS_56": (_BLOCK, "restrictPublicBuckets", REMOVED),
    "CKV2_AWS_6": (_BLOCK, "", REMOVED),
    "S3.5": ("aws:s3/bucketPolicy:BucketPolicy", "policy", TLS_ONLY.replace('"false"', '"true"')),
    "CKV_AWS_145": (_SSE, "rules.0.applyServerSideEncryptionByDefault.sseAlgorithm", "AES256"),
    "CKV_AWS_21": ("aws:s3/bucketVersioning:BucketVersioning", "versioningConfiguration.status", "Suspended"),
    "CKV2_AWS_61": ("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "", REMOVED),
    "CKV_AWS_18": ("aws:s3/bucketLogging:BucketLogging", "", REMOVED),
    "CKV_AWS_144": ("aws:s3/bucketReplicationConfig:BucketReplicationConfig", "", REMOVED),
    "CKV2_AWS_62": ("aws:s3/bucketNotification:BucketNotification", "", REMOVED),
    "CKV_AWS_149": ("aws:secretsmanager/secret:Secret", "kmsKeyId", REMOVED),
    "CKV2_AWS_57": ("aws:secretsmanager/secretRotation:SecretRotation", "", REMOVED),
    "CKV_AWS_304": (
        "aws:secretsmanager/secretRotation:SecretRotation", "rotationRules", {"scheduleExpression": "rate(120 days)"}),
    "CKV_AWS_7": ("aws:kms/key:Key", "enableKeyRotation", False),
    "CKV_AWS_33": ("aws:kms/key:Key", "policy", policy(allow("kms:*", "*", Principal={"AWS": "*"}))),
    "CKV_AWS_26": ("aws:sns/topic:Topic", "kmsMasterKeyId", REMOVED),
    "CKV_AWS_27": ("aws:sqs/queue:Queue", "kmsMasterKeyId", REMOVED),
    "CKV_AWS_158": ("aws:cloudwatch/logGroup:LogGroup", "kmsKeyId", REMOVED),
    "CKV_AWS_338": ("aws:cloudwatch/logGroup:LogGroup", "retentionInDays", 30),
    "CKV_AWS_62": (_ROLE_POLICY, "policy", policy(allow("*", "*"))),
    "CKV_AWS_286": (_ROLE_POLICY, "policy", policy(allow("iam:PassRole", "*"))),
    "CKV_AWS_287": (_ROLE_POLICY, "policy", policy(allow("sts:Assume*", "*"))),
    "CKV_AWS_288": (_ROLE_POLICY, "policy", policy(allow("secretsmanager:GetSecretValue", ["*"]))),
    "CKV_AWS_289": (_ROLE_POLICY, "policy", policy(allow("s3:PutBucketPolicy", "*"))),
    "CKV_AWS_290": (_ROLE_POLICY, "policy", policy(allow("sqs:DeleteQueue", "*"))),
    "CKV_AWS_355": (_ROLE_POLICY, "policy", policy(allow("rds:DescribeDBInstances", "*"))),
    "CKV_AWS_358": ("aws:iam/role:Role", "assumeRolePolicy", TRUST.replace("environment:staging", "*")),
    "CKV_AWS_166": ("aws:backup/vault:Vault", "kmsKeyArn", REMOVED),
    "CKV_AWS_67": (_TRAIL, "isMultiRegionTrail", False),
    "CKV_AWS_35": (_TRAIL, "kmsKeyId", REMOVED),
    "CKV_AWS_36": (_TRAIL, "enableLogFileValidation", False),
    "CKV2_AWS_10": (_TRAIL, "cloudWatchLogsGroupArn", REMOVED),
    "CKV_AWS_238": ("aws:guardduty/detector:Detector", "", REMOVED),
    "CKV2_AWS_45": ("aws:cfg/recorderStatus:RecorderStatus", "isEnabled", False),
    "CKV2_AWS_48": ("aws:cfg/recorder:Recorder", "recordingGroup.includeGlobalResourceTypes", False),
    "CKV2_AWS_38": ("aws:route53/hostedZoneDnsSec:HostedZoneDnsSec", "", REMOVED),
    "CKV2_AWS_39": ("aws:route53/queryLog:QueryLog", "", REMOVED),
    "CKV_AWS_233": ("aws:acm/certificate:Certificate", DELETED_FIRST, True),
    "CKV2_AWS_71": ("aws:acm/certificate:Certificate", "domainName", "*.candlefish.ai"),
    "CKV_AWS_51": (_REPOSITORY, "imageTagMutability", "MUTABLE"),
    "CKV_AWS_163": (_REPOSITORY, "imageScanningConfiguration.scanOnPush", False),
    "CKV_AWS_136": (_REPOSITORY, "encryptionConfigurations.0.encryptionType", "AES256"),
    "PodSecurity.restricted": ("kubernetes:core/v1:Namespace", "metadata.labels", {}),
    "CKV_K8S_8": (_DEPLOYMENT, f"{_CONTAINER}.livenessProbe", REMOVED),
    "CKV_K8S_9": (_DEPLOYMENT, f"{_CONTAINER}.readinessProbe", REMOVED),
    "CKV_K8S_10": (_DEPLOYMENT, f"{_CONTAINER}.resources.requests.cpu", REMOVED),
    "CKV_K8S_11": (_DEPLOYMENT, f"{_CONTAINER}.resources.limits.cpu", REMOVED),
    "CKV_K8S_12": (_DEPLOYMENT, f"{_CONTAINER}.resources.requests.memory", REMOVED),
    "CKV_K8S_13": (_DEPLOYMENT, f"{_CONTAINER}.resources.limits.memory", REMOVED),
    "CKV_K8S_14": (_DEPLOYMENT, f"{_CONTAINER}.image", "ghcr.io:443/candlefish-ai/website"),
    "CKV_K8S_16": (_DEPLOYMENT, f"{_SECURITY}.privileged", True),
    "CKV_K8S_17": (_DEPLOYMENT, f"{_POD}.hostPID", True),
    "CKV_K8S_18": (_DEPLOYMENT, f"{_POD}.hostIPC", True),
    "CKV_K8S_19": (_DEPLOYMENT, f"{_POD}.hostNetwork", True),
    "CKV_K8S_20": (_DEPLOYMENT, f"{_SECURITY}.allowPrivilegeEscalation", REMOVED),
    "CKV_K8S_21": (_DEPLOYMENT, "metadata.namespace", "default"),
    "CKV_K8S_22": (_DEPLOYMENT, f"{_SECURITY}.readOnlyRootFilesystem", False),
    "CKV_K8S_23": (_DEPLOYMENT, f"{_SECURITY}.runAsNonRoot", False),
    "CKV_K8S_28": (_DEPLOYMENT, f"{_SECURITY}.capabilities", {}),
    "CKV_K8S_29": (_DEPLOYMENT, f"{_POD}.securityContext", REMOVED),
    "CKV_K8S_30": (_DEPLOYMENT, _SECURITY, REMOVED),
    "CKV_K8S_31": (_DEPLOYMENT, f"{_SECURITY}.seccompProfile.type", "Unconfined"),
    "CKV_K8S_37": (_DEPLOYMENT, f"{_SECURITY}.capabilities.add", ["SYS_ADMIN"]),
    "CKV_K8S_38": (_DEPLOYMENT, f"{_POD}.automountServiceAccountToken", True),
    "CKV_K8S_40": (_DEPLOYMENT, f"{_SECURITY}.runAsUser", 1000),
    "CKV_K8S_43": (_DEPLOYMENT, f"{_CONTAINER}.image", "ghcr.io/candlefish-ai/website:1.0.0"),
    "CKV2_K8S_6": ("kubernetes:networking.k8s.io/v1:NetworkPolicy", "spec.podSelector.matchLabels", {"app": "other"}),
}


def spoiled(type: str, path: str, value: Any) -> list[Resource]:
    world = good()
    if path == DELETED_FIRST:
        world[type] = replace(world[type], delete_before_replace=value)
    elif not path and value is REMOVED:
        del world[type]
    else:
        world[type] = replace(world[type], inputs=_changed(world[type].inputs, path, value))
    return list(world.values())


def _changed(inputs: Any, path: str, value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(inputs)
    *steps, last = path.split(".")
    place = changed
    for step in steps:
        place = place[int(step)] if step.isdigit() else place[step]
    if value is REMOVED:
        del place[last]
    else:
        place[last] = value
    return changed


def test_every_control_holds_in_the_good_world() -> None:
    result = evaluate(good().values())
    assert [str(finding) for finding in (*result.findings, *result.undecided)] == []
    assert [id for id, count in result.held.items() if not count] == []


def test_every_control_is_spoiled_once() -> None:
    assert {*SPOILED} == {control.id for control in CONTROLS}
    assert {type for type, _, _ in SPOILED.values()} <= {*GOOD}


@pytest.mark.parametrize("id", SPOILED)
def test_a_control_fails_where_one_thing_is_wrong(id: str) -> None:
    found = evaluate(spoiled(*SPOILED[id]), [BY_ID[id]]).findings
    assert [finding.control.id for finding in found] == [id]
    assert BY_ID[id].mend in str(found[0])


def test_ids_and_names_are_unique() -> None:
    ids = [id for control in CONTROLS for id in control.ids]
    assert len(ids) == len({*ids})
    assert len({control.name for control in CONTROLS}) == len(CONTROLS)


def test_a_policy_that_only_the_deployment_knows_is_undecided() -> None:
    found = evaluate(spoiled(_ROLE_POLICY, "policy", UNKNOWN), [BY_ID["CKV_AWS_62"]])
    assert (len(found.findings), [each.resource.type for each in found.undecided]) == (0, [_ROLE_POLICY])


def test_a_managed_policy_may_bound_roles_whose_boundary_only_the_deployment_knows() -> None:
    managed = Resource("aws:iam/policy:Policy", "urn:boundary", "boundary", {"policy": policy(allow("*", "*"))})

    def judged(boundary: str) -> tuple[int, int]:
        role = Resource("aws:iam/role:Role", "urn:role", "role", {"permissionsBoundary": boundary})
        found = evaluate([managed, role], [BY_ID["CKV_AWS_355"], BY_ID["CKV_AWS_62"]])
        return len(found.findings), len(found.undecided)

    assert judged("arn:aws:iam::111111111111:policy/boundary") == (0, 0)
    assert judged(UNKNOWN) == (0, 2)
    assert judged("arn:aws:iam::111111111111:policy/another")[0] > 0
