"""The servers behind a sweep, emptied between lives, and what exists in them: names without what is drawn at random."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError

from kube.client import Client
from kube.client import NotFound as NoSuchObject
from rehearsal.aws.clients import Clients
from rehearsal.aws.gateway_inventory import inventory
from rehearsal.aws.kept import GatewayKept
from rehearsal.aws.provider import load_services
from rehearsal.aws.servers import DEFAULT_ACCOUNT, LOOPBACK, Aws, AwsEndpoint
from rehearsal.kubernetes.controlplane import ControlPlane

REGION = "us-east-1"
CLUSTER = "faults"
CONTROL_PLANE = "candlefish:kubernetes:ControlPlane"
# Kinds of which objects of ours may exist, and where.
_NAMESPACED = ("v1 LimitRange", "v1 ResourceQuota", "v1 ServiceAccount", "v1 Service", "v1 Secret", "v1 ConfigMap",
               "apps/v1 Deployment", "autoscaling/v2 HorizontalPodAutoscaler", "policy/v1 PodDisruptionBudget",
               "networking.k8s.io/v1 NetworkPolicy", "networking.k8s.io/v1 Ingress",
               "rbac.authorization.k8s.io/v1 Role", "rbac.authorization.k8s.io/v1 RoleBinding",
               "v1 PodTemplate", "batch/v1 CronJob", "external-secrets.io/v1 ExternalSecret",
               "cert-manager.io/v1 Certificate", "monitoring.coreos.com/v1 PrometheusRule")
_CLUSTER = ("v1 Namespace", "scheduling.k8s.io/v1 PriorityClass", "storage.k8s.io/v1 StorageClass",
            "apiextensions.k8s.io/v1 CustomResourceDefinition", "external-secrets.io/v1 ClusterSecretStore",
            "networking.k8s.io/v1 IngressClass", "elbv2.k8s.aws/v1beta1 IngressClassParams",
            "cert-manager.io/v1 ClusterIssuer", "rbac.authorization.k8s.io/v1 ClusterRole",
            "rbac.authorization.k8s.io/v1 ClusterRoleBinding")
_OF_THE_SERVER = re.compile(r"^(kube-|system-|system:|default$|candlefish$|(cluster-)?admin$|edit$|view$)")

Things = Counter[str]  # "kind name" → how many


@dataclass
class World:
    """`home`: of its own; nothing else may use the servers."""

    home: Path
    endpoint: AwsEndpoint
    kubeconfig: str  # JSON; empty without a cluster
    clients: Clients

    @classmethod
    def start(cls, home: Path, kubernetes: bool) -> World:
        load_services()
        home.mkdir(parents=True, exist_ok=True)
        endpoint = Aws(home / "aws").ensure()
        kubeconfig = ""
        if kubernetes:
            running = ControlPlane(home / "kubernetes", CLUSTER).ensure()
            kubeconfig = json.dumps(yaml.safe_load(running.kubeconfig.read_text()))
        return cls(home, endpoint, kubeconfig, Clients(endpoint.url))

    def stop(self) -> None:
        ControlPlane(self.home / "kubernetes", CLUSTER).stop()
        Aws(self.home / "aws").stop()

    def reset(self) -> None:
        """Empties both. What a failed life left in the cluster is removed."""
        Aws(self.home / "aws").reset()
        kept = GatewayKept(LOOPBACK, self.endpoint.port)
        kept.put(DEFAULT_ACCOUNT, REGION, CONTROL_PLANE, CLUSTER, {
            "endpoint": "https://127.0.0.1:1", "certificateAuthority": base64.b64encode(b"none").decode()})
        if self.kubeconfig:
            with Client.from_kubeconfig(self.kubeconfig) as client:
                _clean(client)

    def things(self) -> Things:
        clients = self.clients
        kept = GatewayKept(LOOPBACK, self.endpoint.port)
        found = [f"{thing.kind} {plain_id(thing.id)}"
                 for thing in inventory(clients, kept, DEFAULT_ACCOUNT, [REGION])]
        found += [f"kept {type} {plain_id(id)}" for type, id in _kept(kept)]
        for list_ in _DETAILS:
            found += [f"{list_.__name__.strip('_')} {plain_id(name)}"
                      for name in list_(lambda service: clients.shared(service, REGION, DEFAULT_ACCOUNT))]
        if self.kubeconfig:
            with Client.from_kubeconfig(self.kubeconfig) as client:
                found += [f"{kind} {plain_id(space)} {plain_id(name)}" for kind, space, name in _objects(client)]
        return Counter(found)


def difference(wanted: Things, found: Things) -> str:
    """Empty when they are the same."""
    parts = [f"missing: {name} × {count}" for name, count in sorted((wanted - found).items())]
    parts += [f"too many: {name} × {count}" for name, count in sorted((found - wanted).items())]
    return "; ".join(parts)


def plain_id(id: str) -> str:
    """Names stay, random parts become `#`."""
    id = re.sub(r"\d{4}(?:-\d\d){4}$", "#", id)
    id = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "#", id)
    id = re.sub(r"(?<![0-9A-Za-z])[0-9a-f]{6,40}(?![0-9A-Za-z])|-[A-Za-z0-9]{6}$", "#", id)
    id = re.sub(r"(?<=\d_)[A-Za-z0-9]{9}$", "#", id)  # a user pool's
    id = re.sub(r"^(sh\.helm\.release\.v1\..*)\.v\d+$", r"\1.v#", id)  # Helm counts the attempts
    return re.sub(r"\bE[A-Z0-9]{13}\b|\b(?=[A-Z0-9]*[0-9])[A-Z0-9]{10,32}\b", "#", id)  # E…: CloudFront's


def _kept(kept: GatewayKept) -> Iterator[tuple[str, str]]:
    from rehearsal.aws.handler import HANDLERS

    for account, region in ((DEFAULT_ACCOUNT, REGION), ("", "")):
        for type in HANDLERS:
            for id, _ in kept.list(account, region, type):
                yield type, id


Service = Callable[[str], Any]


def _route_tables(of: Service) -> list[str]:
    return [f"{len(table['Routes'])} routes {len(table['Associations'])} associations"
            for table in of("ec2").describe_route_tables()["RouteTables"]]


def _rules(of: Service) -> list[str]:
    return [f"{rule['IsEgress']} {rule['IpProtocol']} {rule.get('FromPort')} {rule.get('CidrIpv4', '')}"
            for rule in of("ec2").describe_security_group_rules()["SecurityGroupRules"]]


def _template_versions(of: Service) -> list[str]:
    ec2 = of("ec2")
    return [version["LaunchTemplateName"] for template in ec2.describe_launch_templates()["LaunchTemplates"]
            for version in ec2.describe_launch_template_versions(
                LaunchTemplateId=template["LaunchTemplateId"])["LaunchTemplateVersions"]]


def _permissions(of: Service) -> list[str]:
    iam, found = of("iam"), []
    for role in iam.list_roles()["Roles"]:
        if role["Path"].startswith("/aws-service-role/"):
            continue
        name = role["RoleName"]
        found += [f"{name} {policy}" for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]]
        found += [f"{name} {policy['PolicyName']}"
                  for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]]
    return found


def _aliases(of: Service) -> list[str]:
    return [alias["AliasName"] for alias in of("kms").list_aliases()["Aliases"]
            if not alias["AliasName"].startswith("alias/aws/")]


def _records(of: Service) -> list[str]:
    route53 = of("route53")
    return [f"{record['Name']} {record['Type']}" for zone in route53.list_hosted_zones()["HostedZones"]
            for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]]


def _versions(of: Service) -> list[str]:
    secrets = of("secretsmanager")
    return [f"{secret['Name']} {sorted(version.get('VersionStages', []))}"
            for secret in secrets.list_secrets()["SecretList"]
            for version in secrets.list_secret_version_ids(SecretId=secret["ARN"])["Versions"]]


def _cluster_parts(of: Service) -> list[str]:
    eks, found = of("eks"), []
    for name in eks.list_clusters()["clusters"]:
        found += [f"node group {each}" for each in eks.list_nodegroups(clusterName=name)["nodegroups"]]
        found += [f"add-on {each}" for each in eks.list_addons(clusterName=name)["addons"]]
        found += [f"access {each}" for each in eks.list_access_entries(clusterName=name)["accessEntries"]]
        found += [f"pod identity {each['namespace']}/{each['serviceAccount']}"
                  for each in eks.list_pod_identity_associations(clusterName=name)["associations"]]
    return found


def _policies(of: Service) -> list[str]:
    front = of("cloudfront")
    requests = front.list_origin_request_policies(Type="custom")["OriginRequestPolicyList"].get("Items", [])
    answers = front.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"].get("Items", [])
    return [*(each["OriginRequestPolicy"]["OriginRequestPolicyConfig"]["Name"] for each in requests),
            *(each["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]["Name"] for each in answers)]


def _firewall_logs(of: Service) -> list[str]:
    return [each["ResourceArn"] for each in of("wafv2").list_logging_configurations(
        Scope="CLOUDFRONT")["LoggingConfigurations"]]


def _image_rules(of: Service) -> list[str]:
    ecr, found = of("ecr"), []
    for repository in ecr.describe_repositories()["repositories"]:
        try:
            ecr.get_lifecycle_policy(repositoryName=repository["repositoryName"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "LifecyclePolicyNotFoundException":
                raise
        else:
            found.append(repository["repositoryName"])
    return found


_DETAILS = (_route_tables, _rules, _template_versions, _permissions, _aliases, _records, _versions, _cluster_parts,
            _policies, _firewall_logs, _image_rules)


def _objects(client: Client) -> Iterator[tuple[str, str, str]]:
    for kinds in (_NAMESPACED, _CLUSTER):
        for kind in kinds:
            version, _, name = kind.partition(" ")
            try:
                items = client.list(version, name)
            except NoSuchObject:
                continue  # a custom kind whose definition is not there
            for item in items:
                space = item["metadata"].get("namespace", "")
                if not _OF_THE_SERVER.match(space) and not _OF_THE_SERVER.match(item["metadata"]["name"]):
                    yield kind, space, item["metadata"]["name"]


def _clean(client: Client) -> None:
    for kind, space, name in list(_objects(client)):
        if kind not in _CLUSTER:
            continue
        version, _, type = kind.partition(" ")
        try:
            client.delete(version, type, name, space or None)
        except NoSuchObject:
            continue
    deadline = 300
    while deadline and any(kind == "v1 Namespace" for kind, _, _ in _objects(client)):
        client.transport.pause(0.1)
        deadline -= 1
