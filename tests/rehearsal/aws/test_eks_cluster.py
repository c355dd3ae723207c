"""The expansion of eks:index:Cluster against what pulumi-eks registers."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

import rehearsal.aws.services.eks_cluster  # noqa: F401
from rehearsal.aws.handler import COMPONENTS, HANDLERS
from rehearsal.aws.services import eks
from rehearsal.engine.provider import ProviderError, Registered, Registration
from rehearsal.engine.values import UNKNOWN, Properties, ResourceReference, Secret
from tests.rehearsal.aws.lifecycle import network

pytestmark = pytest.mark.rehearsal
TYPE = "eks:index:Cluster"
INPUTS: Properties = {
    "name": "main", "authenticationMode": "API", "skipDefaultNodeGroup": True, "createOidcProvider": True,
    "vpcId": "vpc-1", "privateSubnetIds": ["subnet-1", "subnet-2"], "version": "1.33",
    "endpointPrivateAccess": True, "endpointPublicAccess": False, "enabledClusterLogTypes": ["api"],
    "vpcCniOptions": {"enableNetworkPolicy": True}, "corednsAddonOptions": {"enabled": True},
    "clusterTags": {"Tier": "cluster"}, "nodeAssociatePublicIpAddress": False}

# As `pulumi stack --show-urns` lists them for a cluster without a default node group.
CHILDREN = [
    ("eks:index:ServiceRole", "c-eksRole"),
    ("aws:iam/role:Role", "c-eksRole-role"),
    ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "c-eksRole-4b490823"),
    ("aws:ec2/securityGroup:SecurityGroup", "c-eksClusterSecurityGroup"),
    ("aws:ec2/securityGroupRule:SecurityGroupRule", "c-eksClusterInternetEgressRule"),
    ("aws:eks/cluster:Cluster", "c-eksCluster"),
    ("aws:eks/addon:Addon", "c-kube-proxy"),
    ("pulumi:providers:kubernetes", "c-eks-k8s"),
    ("eks:index:VpcCniAddon", "c-vpc-cni"),
    ("aws:eks/addon:Addon", "c-vpc-cni"),
    ("aws:eks/addon:Addon", "c-coredns"),
    ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "c-oidcProvider"),
    ("aws:ec2/securityGroup:SecurityGroup", "c-nodeSecurityGroup"),
    ("aws:ec2/securityGroupRule:SecurityGroupRule", "c-eksNodeIngressRule"),
    ("aws:ec2/securityGroupRule:SecurityGroupRule", "c-eksNodeClusterIngressRule"),
    ("aws:ec2/securityGroupRule:SecurityGroupRule", "c-eksExtApiServerClusterIngressRule"),
    ("aws:ec2/securityGroupRule:SecurityGroupRule", "c-eksNodeInternetEgressRule"),
    ("aws:ec2/securityGroupRule:SecurityGroupRule", "c-eksClusterIngressRule"),
]


def expand(aws: Any, inputs: Properties, *, preview: bool) -> tuple[list[Registration], Properties]:
    """Registers on the emulator, or, in a preview, with nothing but unknowns for what AWS decides."""
    seen: list[Registration] = []

    def register(child: Registration) -> Registered:
        seen.append(child)
        urn = f"urn:pulumi:test::test::{child.type}::{child.name}"
        handler = HANDLERS.get(child.type)
        if preview or handler is None:
            return Registered(urn, UNKNOWN if preview and child.custom else child.name, dict(child.inputs))
        call = aws.call(child.type, child.name, tags=child.inputs.get("tags") or {})
        sent = {"name": child.name, **child.inputs} if handler.naming else dict(child.inputs)
        assert all(reference.exists(call) for reference in handler.references(sent))
        id = handler.create(call, sent)
        return Registered(urn, id, {**sent, **(handler.read(call, id, sent) or {})})

    call = aws.call(TYPE, "c")
    call.context = dataclasses.replace(call.context, preview=preview)
    return seen, COMPONENTS[TYPE](call, inputs, register)


def test_the_children_have_the_types_names_and_parents_of_pulumi_eks(aws: Any) -> None:
    children, _ = expand(aws, INPUTS, preview=True)
    assert [(child.type, child.name) for child in children] == CHILDREN
    parents = {child.name: child.parent.rpartition("::")[2] for child in children if child.parent}
    assert parents == {"c-eksRole-role": "c-eksRole", "c-eksRole-4b490823": "c-eksRole", "c-vpc-cni": "c-vpc-cni"}


def test_the_cluster_waits_for_its_roles_policies_and_ignores_what_pulumi_eks_ignores(aws: Any) -> None:
    children, _ = expand(aws, INPUTS, preview=True)
    cluster = next(child for child in children if child.name == "c-eksCluster")
    assert {urn.rpartition("::")[2] for urn in cluster.depends_on} == {
        "c-eksRole-role", "c-eksRole-4b490823", "c-eksClusterSecurityGroup"}
    assert cluster.ignore_changes == ("accessConfig.bootstrapClusterCreatorAdminPermissions",
                                      "bootstrapSelfManagedAddons")
    assert cluster.inputs["tags"] == {"Name": "c-eksCluster", "Tier": "cluster"}


def test_a_preview_knows_what_is_given_and_nothing_else(aws: Any) -> None:
    unknown = {"vpcId": UNKNOWN, "privateSubnetIds": UNKNOWN, "encryptionConfigKeyArn": UNKNOWN}
    _, outputs = expand(aws, {**INPUTS, **unknown}, preview=True)
    assert outputs["kubeconfig"] is UNKNOWN
    assert outputs["oidcProviderUrl"] is UNKNOWN
    assert isinstance(outputs["eksCluster"], ResourceReference)
    assert outputs["core"]["nodeGroupOptions"]["version"] == "1.33"


def test_a_secret_input_stays_secret(aws: Any) -> None:
    children, _ = expand(aws, {**INPUTS, "clusterTags": Secret({"a": "b"})}, preview=True)
    tags = next(child for child in children if child.name == "c-eksCluster").inputs["tags"]
    assert tags == Secret({"Name": "c-eksCluster", "a": "b"})


def test_it_becomes_a_cluster_on_the_emulator_with_the_outputs_of_the_sdk(aws: Any) -> None:
    vpc, subnets = network(aws)
    aws.kept.put(aws.account, "us-east-1", eks.CONTROL_PLANE, "main",
                 {"endpoint": "https://127.0.0.1:16443", "certificateAuthority": "Q0E="})
    admin = aws.client("iam").create_role(RoleName="admin", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                "Principal": {"AWS": aws.account}}]}))["Role"]["Arn"]
    children, outputs = expand(aws, {**INPUTS, "vpcId": vpc, "privateSubnetIds": subnets, "accessEntries": {
        "admin": {"principalArn": admin, "accessPolicies": {"all": {
            "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            "accessScope": {"type": "cluster"}}}}}}, preview=False)
    assert {"c-admin", "c-admin-all"} <= {child.name for child in children}
    config = outputs["kubeconfig"]
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:16443"
    assert json.loads(outputs["kubeconfigJson"]) == config
    assert config["users"][0]["user"]["exec"]["args"] == [
        "--region", "us-east-1", "eks", "get-token", "--cluster-name", "main", "--output", "json"]
    assert outputs["oidcIssuer"] == outputs["oidcProviderUrl"].removeprefix("https://")
    assert outputs["oidcProviderArn"].endswith(outputs["oidcIssuer"])
    assert outputs["clusterSecurityGroupId"] == outputs["clusterSecurityGroup"].id
    assert outputs["clusterIngressRuleId"].startswith("sgr-")
    assert outputs["core"]["provider"].urn.endswith("c-eks-k8s")
    assert outputs["instanceRoles"] == []
    addons = aws.client("eks").list_addons(clusterName="main")["addons"]
    assert sorted(addons) == ["coredns", "kube-proxy", "vpc-cni"]


@pytest.mark.parametrize(("change", "named"), [
    ({"storageClasses": "gp3"}, "storageClasses"), ({"proxy": "http://x"}, "proxy"),
    ({"autoMode": {"enabled": True}}, "autoMode.enabled"), ({"fargate": True}, "fargate"),
    ({"skipDefaultNodeGroup": False}, "skipDefaultNodeGroup"), ({"authenticationMode": "CONFIG_MAP"}, "CONFIG_MAP"),
    ({"instanceRoles": [ResourceReference("urn", "x")]}, "instanceRoles"),
    ({"publicAccessCidrs": ["203.0.113.0/24"]}, "publicAccessCidrs"),
    ({"subnetIds": ["subnet-1"]}, "mutually exclusive"),
    ({"vpcCniOptions": {"securityContextPrivileged": True}}, "securityContextPrivileged")])
def test_what_is_not_expanded_is_refused_by_name(aws: Any, change: Properties, named: str) -> None:
    with pytest.raises(ProviderError, match=named):
        expand(aws, {**INPUTS, **change}, preview=True)
