"""Environments, network and edge, cluster and workloads: ids E, N and K."""

from __future__ import annotations

from collections.abc import Mapping

from policy.model import listed
from tests.requirements.row import MINIMAL, SERVICES, Row, Where, all_of, holds, says

NOT_PRODUCTION = ("development", "staging")
_POD = "spec.template.spec"
_CONTAINERS = f"{_POD}.containers[]"
_DATABASE, _FUNCTION = "aws:rds/instance:Instance", "aws:lambda/function:Function"
_CDN, _WAF = "aws:cloudfront/distribution:Distribution", "aws:wafv2/webAcl:WebAcl"
_CLUSTER, _SUBNET = "aws:eks/cluster:Cluster", "aws:ec2/subnet:Subnet"
_NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"


def _record(name: str) -> Row:
    return Row("E6", f"name `{name}`", "aws:route53/record:Record", f"records-{name}-*")


def _deployments(clause: str, where: Where, id: str = "K4") -> Row:
    return Row(id, clause, "kubernetes:apps/v1:Deployment", "workloads-*-*", where, 12)


def _chart(clause: str, name: str, but: Mapping[str, str] | None = None) -> Row:
    return Row("K2", clause, "kubernetes:helm.sh/v3:Release", f"addons-{name}", says("version"), 1, but or {})


def _addon(name: str, but: Mapping[str, str] | None = None) -> Row:
    return Row("K2", f"add-on {name}", "aws:eks/addon:Addon", f"cluster-*-{name}", but=but or {})


ENVIRONMENT = (
    Row("E1", "one program of the same components", "candlefish:*", least=25),
    Row("E2", "a provider for each region", "pulumi:providers:aws", where=says("region")),
    Row("E2", "certificate and web ACL of CloudFront in us-east-1", _WAF, where=says("scope", "CLOUDFRONT")),
    Row("E3", "node groups of the environment's size", "aws:eks/nodeGroup:NodeGroup",
        where=says("scalingConfig.minSize")),
    Row("E4", "the cluster's name", _CLUSTER, where=holds("name", "candlefish-")),
    Row("E4", "names of data stores", _DATABASE, where=holds("identifier", "-candlefish-db")),
    Row("E4", "role `…-candlefish-lambda-role`", "aws:iam/role:Role", where=holds("name", "-candlefish-lambda-role")),
    Row("E4", "role `candlefish-deploy`", "aws:iam/role:Role", where=holds("name", "candlefish-deploy")),
    Row("E4", "web ACL `candlefish-aesthetic-defense`", _WAF, "edge-cloudfront-acl"),
    Row("E4", "function `performance-optimizer`", _FUNCTION, where=holds("name", "performance-optimizer")),
    Row("E4", "secret `candlefish/jwt-key`", "aws:secretsmanager/secret:Secret", "secrets-jwt"),
    Row("E4", "namespace of the services", "kubernetes:core/v1:Namespace", where=holds("metadata.name", "candlefish-")),
    Row("E4", "namespace `monitoring`", "kubernetes:core/v1:Namespace", where=says("metadata.name", "monitoring"),
        but=MINIMAL),
    Row("E5", "tags by the provider", "pulumi:providers:aws", where=holds(
        "defaultTags", "Project", "Environment", "ManagedBy", "CostCenter", "Owner", "Stack")),
    *map(_record, ("apex", "www", "api", "ws", "assets", "docs", "status")),
    Row("E6", "names of operators' tools", "aws:route53/record:Record", "records-grafana-*"),
    Row("E6", "operators sign in", "aws:cognito/userPool:UserPool"),
    Row("E6", "operators come from an allowed range", "aws:wafv2/ipSet:IpSet"),
    Row("E6", "`/api/metrics` and admin paths are blocked", _WAF,
        where=holds("rules", "/api/metrics", "/admin"), least=2),
)
NETWORK = (
    Row("N1", "VPC", "aws:ec2/vpc:Vpc"),
    *(Row("N1", f"{kind} subnets", _SUBNET, f"network-{kind}-*",
          least={"development": 2, "staging": 3, "production": 3, "recovery": 3})
      for kind in ("public", "private", "data")),
    Row("N1", "NAT", "aws:ec2/natGateway:NatGateway",
        least={"development": 1, "staging": 1, "production": 3, "recovery": 3}),
    Row("N1", "gateway endpoints", "aws:ec2/vpcEndpoint:VpcEndpoint", where=lambda each: str(
        each.at("serviceName")).endswith((".s3", ".dynamodb")), least=2),
    Row("N1", "interface endpoints", "aws:ec2/vpcEndpoint:VpcEndpoint", where=says("vpcEndpointType", "Interface"),
        least=5, but=dict.fromkeys(NOT_PRODUCTION, "N1: in production")),
    Row("N1", "flow logs", "aws:ec2/flowLog:FlowLog", where=says("trafficType", "ALL")),
    Row("N1", "locked default security group", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"),
    Row("N2", "zone's records", "aws:route53/record:Record", least=10),
    Row("N2", "certificates with DNS validation", "aws:acm/certificate:Certificate",
        where=says("validationMethod", "DNS"), least=2),
    Row("N3", "CloudFront with HTTP/3, logs and failover", _CDN, where=all_of(
        says("httpVersion", "http2and3"), says("loggingConfig.bucket"), says("originGroups"))),
    Row("N3", "origin access control", "aws:cloudfront/originAccessControl:OriginAccessControl"),
    Row("N3", "cache policies with Brotli", "aws:cloudfront/cachePolicy:CachePolicy", where=says(
        "parametersInCacheKeyAndForwardedToOrigin.enableAcceptEncodingBrotli", True)),
    Row("N4", "security headers", "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy", where=all_of(
        holds("securityHeadersConfig", "report-uri", "preload", "frameOption", "referrerPolicy"),
        holds("customHeadersConfig", "Permissions-Policy"))),
    Row("N4", "Lambda@Edge", _FUNCTION, "*optimizer*", says("publish", True)),
    Row("N4", "behaviours that call it", _CDN, where=holds("defaultCacheBehavior", "lambdaFunctionAssociations")),
    *(Row("N5", f"web ACL of scope {scope}", _WAF, where=all_of(says("scope", scope), holds(
        "rules", "RateLimitRule", "CommonRuleSet", "KnownBadInputs", "SQLi", "IpReputation")))
      for scope in ("CLOUDFRONT", "REGIONAL")),
    Row("N5", "bot control", _WAF, where=holds("rules", "BotControl"),
        but=dict.fromkeys(NOT_PRODUCTION, "N5: in production")),
    Row("N5", "redacted logs", "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
        where=holds("redactedFields", "authorization", "cookie"), least=2),
    *(Row("N6", f"site's {colour} bucket", "aws:s3/bucket:Bucket", f"storage-site-{colour}")
      for colour in ("blue", "green")),
    Row("N6", "both colours are origins", _CDN, where=holds("origins", "site-blue", "site-green")),
    Row("N7", "ALB from `candlefish-ingress`", _INGRESS, where=says("metadata.name", "candlefish-ingress")),
    Row("N7", "weights between colours", _INGRESS, where=lambda each: '"weight": ' in str(
        each.at("metadata.annotations"))),
    Row("N7", "`/ws` with stickiness", _INGRESS, where=all_of(
        holds("spec", "/ws"), holds("metadata.annotations", "targetGroupStickinessConfig"))),
    *(Row("N7", f"`{path}` to the REST API", _CDN, where=holds("orderedCacheBehaviors", path))
      for path in ("/api/analytics", "/memory", "/experiments")),
)
CLUSTER = (
    Row("K1", "private endpoint, all logs, secrets under KMS", _CLUSTER, where=all_of(
        says("vpcConfig.endpointPublicAccess", False), lambda each: len(listed(each.at("enabledClusterLogTypes"))) == 5,
        says("encryptionConfig.provider.keyArn"), says("accessConfig.authenticationMode", "API"))),
    Row("K1", "access entries", "aws:eks/accessEntry:AccessEntry", least=2),
    Row("K1", "roles for pods", "aws:eks/podIdentityAssociation:PodIdentityAssociation", least=2),
    Row("K1", "node groups from 2 nodes on, at most 10", "aws:eks/nodeGroup:NodeGroup", where=lambda each: int(
        each.at("scalingConfig.maxSize")) <= 10),
    Row("K1", "spot nodes", "aws:eks/nodeGroup:NodeGroup", where=says("capacityType", "SPOT")),
    Row("K1", "an on-demand base", "aws:eks/nodeGroup:NodeGroup", where=says("capacityType", "ON_DEMAND"),
        but=dict.fromkeys(NOT_PRODUCTION, "K1: spot for non-production")),
    Row("K1", "metadata v2 only, encrypted gp3", "aws:ec2/launchTemplate:LaunchTemplate", where=all_of(
        says("metadataOptions.httpTokens", "required"), holds("blockDeviceMappings", "gp3", "'encrypted': 'true'"))),
    *map(_addon, ("vpc-cni", "coredns", "kube-proxy", "aws-ebs-csi-driver", "metrics-server")),
    _addon("cert-manager", MINIMAL),
    _chart("AWS Load Balancer Controller", "load-balancers"),
    _chart("External Secrets Operator", "external-secrets"),
    _chart("cluster autoscaler", "autoscaler"),
    _chart("Prometheus stack with Grafana and Alertmanager", "monitoring", MINIMAL),
    _chart("Jaeger", "tracing", MINIMAL),
    _chart("log shipper", "logs", MINIMAL),
    Row("K2", "network policies are enforced", "aws:eks/addon:Addon", "*vpc-cni",
        holds("configurationValues", "enableNetworkPolicy")),
    Row("K2", "certificate `candlefish-tls`", "kubernetes:cert-manager.io/v1:Certificate",
        where=says("spec.secretName", "candlefish-tls"), but=MINIMAL),
    *(Row("K3", f"service `{service}`", "kubernetes:apps/v1:Deployment", f"workloads-{service}-*", least=2)
      for service in SERVICES),
    Row("K3", "`paintbox-service`", "kubernetes:core/v1:Service", where=says("metadata.name", "paintbox-service")),
    Row("K3", "the website's environment", "kubernetes:apps/v1:Deployment", "workloads-website-*", holds(
        _CONTAINERS, "NODE_OPTIONS", "HELMET_ENABLED", "NEXT_PUBLIC_API_URL", "NEXT_PUBLIC_WEBSOCKET_URL"), 2),
    _deployments("two Deployments a service with three probes", holds(
        _CONTAINERS, "startupProbe", "readinessProbe", "livenessProbe")),
    Row("K4", "live Service with a colour", "kubernetes:core/v1:Service", "workloads-*-live", says(
        "spec.selector.color", "blue"), 6),
    *(Row("K4", f"a Service for {colour}", "kubernetes:core/v1:Service", f"workloads-*-{colour}", says(
        "spec.selector.color", colour), 6) for colour in ("blue", "green")),
    _deployments("requests and limits", holds(_CONTAINERS, "requests", "limits")),
    _deployments("read-only, no escalation, no capabilities, seccomp", holds(
        _POD, "'readOnlyRootFilesystem': True", "'allowPrivilegeEscalation': False", "'drop': ['ALL']",
        "RuntimeDefault",
        "'runAsNonRoot': True")),
    _deployments("spread over zones", holds(_POD, "topologySpreadConstraints", "topology.kubernetes.io/zone")),
    _deployments("preStop drain", holds(_CONTAINERS, "preStop")),
    Row("K4", "disruption budgets", "kubernetes:policy/v1:PodDisruptionBudget", "workloads-*", least=12),
    Row("K5", "autoscaling by CPU and memory", "kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "workloads-*",
        holds("spec.metrics", "cpu", "memory"), 12),
    Row("K5", "website at CPU 70 %, memory 80 %", "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
        "workloads-website-*", holds("spec.metrics", "70", "80"), 2),
    Row("K6", "the website's volume, one for each pod", "kubernetes:apps/v1:Deployment", "workloads-website-*",
        holds(f"{_POD}.volumes", "ephemeral", "storage"), 2),
    Row("K7", "namespace under Pod Security `restricted`", "kubernetes:core/v1:Namespace", "workloads-*", where=lambda
        each: each.at("metadata.labels")["pod-security.kubernetes.io/enforce"] == "restricted"),
    Row("K7", "quota", "kubernetes:core/v1:ResourceQuota", "workloads-*"),
    Row("K7", "limit range", "kubernetes:core/v1:LimitRange", "workloads-*"),
    Row("K7", "default-deny", _NETWORK_POLICY, "workloads-*deny*"),
    Row("K7", "paths that are needed", _NETWORK_POLICY, "workloads-*-network", least=6),
    Row("K7", "paths that are needed: an operator's relay to the data stores", _NETWORK_POLICY, "workloads-*relay"),
    Row("K7", "RBAC", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"),
    Row("K8", "External Secrets from Secrets Manager", "kubernetes:external-secrets.io/v1:ExternalSecret", least=3),
    Row("K8", "database URL, Redis URL, JWT key", "kubernetes:external-secrets.io/v1:ExternalSecret", "*backend-api*",
        holds("spec", "DATABASE_URL", "REDIS_URL", "JWT")),
    Row("K9", "repositories with immutable tags and scans", "aws:ecr/repository:Repository", where=all_of(
        says("imageTagMutability", "IMMUTABLE"), says("imageScanningConfiguration.scanOnPush", True)), least=6),
    Row("K9", "lifecycle of images", "aws:ecr/lifecyclePolicy:LifecyclePolicy", least=6),
    Row("K9", "replication to the recovery region", "aws:ecr/replicationConfiguration:ReplicationConfiguration",
        but=dict.fromkeys((*NOT_PRODUCTION, "recovery"), "one a registry, and production's stack has it")),
    Row("K9", "pull secret for GHCR", "kubernetes:external-secrets.io/v1:ExternalSecret", "*registry-pull"),
    Row("K9", "images as tag@digest", "kubernetes:apps/v1:Deployment", "workloads-*-blue", holds(
        _CONTAINERS, "@sha256:"), 6, {"development": "CKV_K8S_43 (d): tags there"}),
    Row("K10", "READ_ONLY", "kubernetes:core/v1:ConfigMap", "*READ_ONLY"),
    Row("K10", "ANIMATION_FALLBACK", "kubernetes:core/v1:ConfigMap", "*ANIMATION_FALLBACK"),
    Row("K10", "maintenance page", "kubernetes:apps/v1:Deployment", "workloads-maintenance"),
)
