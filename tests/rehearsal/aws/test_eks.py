"""EKS clusters, node groups, add-ons and access on the emulator."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

import rehearsal.aws.services.eks_access
import rehearsal.aws.services.eks_addons
import rehearsal.aws.services.eks_data
import rehearsal.aws.services.eks_nodegroups  # noqa: F401
from rehearsal.aws.handler import DATA_SOURCES
from rehearsal.aws.services import eks
from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycle import Subject, dangling, made, network
from tests.rehearsal.aws.test_iam import trust

pytestmark = pytest.mark.rehearsal
CLUSTER, GROUP, ADDON = "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon"
ENTRY, ASSOCIATION = "aws:eks/accessEntry:AccessEntry", "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
IDENTITY = "aws:eks/podIdentityAssociation:PodIdentityAssociation"


def role(aws: Any, name: str, service: str) -> str:
    arn: str = made(aws, "aws:iam/role:Role", {"name": name, "assumeRolePolicy": trust(service)}).outputs["arn"]
    return arn


def cluster(aws: Any, **inputs: Any) -> Subject:
    """A cluster `main` in a network of its own, its control plane registered."""
    _, subnets = network(aws, 3)
    aws.kept.put(aws.account, "us-east-1", eks.CONTROL_PLANE, "main",
                 {"endpoint": "https://127.0.0.1:16443", "certificateAuthority": "Q0E="})
    return made(aws, CLUSTER, {
        "name": "main", "roleArn": role(aws, "control-plane", "eks.amazonaws.com"), "version": "1.33",
        "vpcConfig": {"subnetIds": subnets[:2], "endpointPrivateAccess": True, "endpointPublicAccess": False},
        "enabledClusterLogTypes": ["audit", "api"],
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
        "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16", "ipFamily": "ipv4"},
        "upgradePolicy": {"supportType": "STANDARD"}, **inputs})


def node_group(aws: Any, of: Subject, **inputs: Any) -> Subject:
    return made(aws, GROUP, {
        "clusterName": of.id, "nodeGroupName": "general",
        "nodeRoleArn": inputs.get("nodeRoleArn") or role(aws, "node", "ec2.amazonaws.com"),
        "subnetIds": of.inputs["vpcConfig"]["subnetIds"], "instanceTypes": ["t3.large"], "capacityType": "SPOT",
        "scalingConfig": {"minSize": 2, "maxSize": 10, "desiredSize": 3}, "labels": {"pool": "general"},
        "taints": [{"key": "spot", "value": "true", "effect": "NO_SCHEDULE"}], **inputs})


def test_a_cluster_lives_through_its_updates_and_takes_its_security_group_along(aws: Any) -> None:
    subject = cluster(aws)
    own = subject.outputs["vpcConfig"]["clusterSecurityGroupId"]
    assert aws.client("ec2").describe_security_groups(GroupIds=[own])["SecurityGroups"]
    subject.change(version="1.34").change(enabledClusterLogTypes=["api"]).change(
        upgradePolicy={"supportType": "EXTENDED"})
    network_before = subject.inputs["vpcConfig"]
    subject.change(vpcConfig={**network_before, "endpointPublicAccess": True, "publicAccessCidrs": ["203.0.113.0/24"]})
    subject.change(vpcConfig=network_before).change(tags={"a": "b"}).change(deletionProtection=True)
    with pytest.raises(ClientError, match="deletion protection"):
        subject.delete()
    subject.change(deletionProtection=False).delete_twice()
    with pytest.raises(ClientError, match="NotFound"):
        aws.client("ec2").describe_security_groups(GroupIds=[own])


def test_a_cluster_has_the_outputs_that_programs_use(aws: Any) -> None:
    outputs = cluster(aws).outputs
    assert outputs["endpoint"] == "https://127.0.0.1:16443"
    assert outputs["certificateAuthority"] == {"data": "Q0E="}
    assert outputs["status"] == "ACTIVE"
    assert outputs["identities"][0]["oidcs"][0]["issuer"].startswith("https://oidc.eks.us-east-1.amazonaws.com/id/")
    assert outputs["vpcConfig"]["vpcId"].startswith("vpc-")


def test_a_cluster_without_a_control_plane_fails_with_what_exists(
        aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eks, "CONTROL_PLANE_SECONDS", 0.1)
    _, subnets = network(aws)
    call = aws.call(CLUSTER)
    inputs = {"name": "lonely", "roleArn": role(aws, "control-plane", "eks.amazonaws.com"),
              "vpcConfig": {"subnetIds": subnets}}
    with pytest.raises(ProviderError, match="control plane of cluster lonely was not started") as failed:
        eks.Cluster().create(call, inputs)
    assert failed.value.partial is not None
    assert failed.value.partial[0] == "lonely"


def test_clusters_refuse_what_eks_refuses(aws: Any) -> None:
    _, subnets = network(aws)
    inputs = {"name": "bad", "vpcConfig": {"subnetIds": subnets}}
    with pytest.raises(ProviderError, match="trusted entity is not correct"):
        made(aws, CLUSTER, {**inputs, "roleArn": role(aws, "node", "ec2.amazonaws.com")})
    with pytest.raises(ProviderError, match="at least two different AZs"):
        made(aws, CLUSTER, {"name": "bad", "roleArn": role(aws, "other", "eks.amazonaws.com"),
                            "vpcConfig": {"subnetIds": subnets[:1]}})
    assert dangling(aws, CLUSTER, {"roleArn": f"arn:aws:iam::{aws.account}:role/none", "vpcConfig": {
        "subnetIds": ["subnet-12"], "securityGroupIds": ["sg-12"]}}) == [
        "vpcConfig.subnetIds", "vpcConfig.securityGroupIds", "roleArn"]


def test_a_node_group_lives_through_its_updates(aws: Any) -> None:
    of = cluster(aws)
    group = node_group(aws, of, diskSize=50)
    group.change(labels={"pool": "other", "x": "y"}).change(taints=[
        {"key": "spot", "value": "true", "effect": "NO_EXECUTE"}]).change(updateConfig={"maxUnavailable": 2})
    group.change(scalingConfig={"minSize": 1, "maxSize": 5, "desiredSize": 2}).change(tags={"a": "b"})
    of.change(version="1.34")
    group.change(version="1.34")
    with pytest.raises(ClientError, match="nodegroups attached: general"):
        of.delete()
    group.delete_twice()
    of.delete_twice()


def test_who_polls_a_node_group_sees_it_as_the_program_wrote_it(aws: Any) -> None:
    of = cluster(aws)
    node_group(aws, of)
    seen = aws.client("eks").describe_nodegroup(clusterName="main", nodegroupName="general")["nodegroup"]
    assert (seen["instanceTypes"], seen["capacityType"], seen["scalingConfig"]["desiredSize"]) == (
        ["t3.large"], "SPOT", 3)
    assert seen["taints"] == [{"key": "spot", "value": "true", "effect": "NO_SCHEDULE"}]
    assert (seen["labels"], seen["subnets"]) == ({"pool": "general"}, of.inputs["vpcConfig"]["subnetIds"])


def test_the_desired_size_that_somebody_else_has_set_survives_an_update(aws: Any) -> None:
    group = node_group(aws, cluster(aws))
    aws.client("eks").update_nodegroup_config(clusterName="main", nodegroupName="general", scalingConfig={
        "minSize": 2, "maxSize": 10, "desiredSize": 7})
    new = {**group.inputs, "scalingConfig": {"minSize": 1, "maxSize": 12, "desiredSize": 3}}
    group.handler.update(group.call, group.id, group.inputs, new, frozenset({"scalingConfig"}))
    now = group.read()
    assert now is not None
    assert now["scalingConfig"] == {"minSize": 1, "maxSize": 12, "desiredSize": 7}


def test_node_groups_refuse_what_eks_refuses(aws: Any) -> None:
    of = cluster(aws)
    assert dangling(aws, GROUP, {"clusterName": "none", "subnetIds": ["subnet-12"], "instanceTypes": [
        "t3.large", "t3.enormous"], "launchTemplate": {"id": "lt-12"}}) == [
        "clusterName", "subnetIds", "launchTemplate.id", "instanceTypes[1]"]
    with pytest.raises(ProviderError, match=r"ec2\.amazonaws\.com.*were not found in the trust"):
        node_group(aws, of, nodeRoleArn=of.inputs["roleArn"])
    with pytest.raises(ClientError, match="minimum 3, desired 2"):
        node_group(aws, of, scalingConfig={"minSize": 3, "maxSize": 4, "desiredSize": 2})


def test_add_ons_access_and_pod_identities_live_through_their_updates(aws: Any) -> None:
    of = cluster(aws)
    arn, other = of.inputs["roleArn"], role(aws, "other", "pods.eks.amazonaws.com")
    addon = made(aws, ADDON, {"clusterName": "main", "addonName": "vpc-cni", "addonVersion": "v1.20.4-eksbuild.2",
                              "configurationValues": '{"a": 1}', "resolveConflictsOnCreate": "OVERWRITE"})
    addon.change(configurationValues='{"a":2}').change(addonVersion="v1.20.3-eksbuild.1")
    addon.change(serviceAccountRoleArn=other).change(tags={"a": "b"})
    entry = made(aws, ENTRY, {"clusterName": "main", "principalArn": arn, "kubernetesGroups": ["z", "a"]})
    entry.change(kubernetesGroups=["b"]).change(tags={"a": "b"})
    policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    association = made(aws, ASSOCIATION, {"clusterName": "main", "principalArn": arn, "policyArn": policy,
                                          "accessScope": {"type": "cluster"}})
    association.change(accessScope={"type": "namespace", "namespaces": ["default"]})
    identity = made(aws, IDENTITY, {"clusterName": "main", "namespace": "n", "serviceAccount": "s", "roleArn": arn})
    identity.change(roleArn=other).change(tags={"a": "b"})
    for subject in (identity, association, entry, addon):
        subject.delete_twice()


def test_add_ons_and_access_refuse_what_does_not_exist(aws: Any) -> None:
    cluster(aws)
    with pytest.raises(ClientError, match="Addon specified is not supported"):
        made(aws, ADDON, {"clusterName": "main", "addonName": "no-such-addon"})
    assert dangling(aws, ADDON, {"clusterName": "none"}) == ["clusterName"]
    nobody = f"arn:aws:iam::{aws.account}:role/none"
    assert dangling(aws, ENTRY, {"clusterName": "main", "principalArn": nobody}) == ["principalArn"]
    assert dangling(aws, IDENTITY, {"clusterName": "main", "roleArn": nobody}) == ["roleArn"]
    assert dangling(aws, ASSOCIATION, {"policyArn": "arn:aws:eks::aws:cluster-access-policy/Nope"}) == ["policyArn"]


def test_the_data_sources_answer_as_the_provider_does(aws: Any) -> None:
    cluster(aws)
    call = aws.call("aws:eks/getCluster:getCluster")
    found = DATA_SOURCES["aws:eks/getCluster:getCluster"](call, {"name": "main"})
    assert found["certificateAuthorities"] == [{"data": "Q0E="}]
    token = DATA_SOURCES["aws:eks/getClusterAuth:getClusterAuth"](call, {"name": "main"})["token"]
    url = base64.urlsafe_b64decode(token.removeprefix("k8s-aws-v1.") + "==").decode()
    assert "Action=GetCallerIdentity" in url
    assert "x-k8s-aws-id" in url
    newest = {"addonName": "vpc-cni", "kubernetesVersion": "1.33", "mostRecent": True}
    version = DATA_SOURCES["aws:eks/getAddonVersion:getAddonVersion"]
    assert version(call, newest)["version"] > version(call, {**newest, "mostRecent": False})["version"]
    with pytest.raises(ProviderError, match="couldn't find resource"):
        version(call, {"addonName": "nope", "kubernetesVersion": "1.33"})


def test_an_interrupted_creation_of_a_cluster_that_is_taken_again_makes_nothing_twice(aws: Any) -> None:
    _, subnets = network(aws)
    aws.kept.put(aws.account, "us-east-1", eks.CONTROL_PLANE, "again",
                 {"endpoint": "https://127.0.0.1:16443", "certificateAuthority": "Q0E="})
    inputs = {"name": "again", "roleArn": role(aws, "control-plane", "eks.amazonaws.com"),
              "vpcConfig": {"subnetIds": subnets}}
    for _ in range(2):
        assert eks.Cluster().create(aws.call(CLUSTER, operation="same"), inputs) == "again"
    groups = aws.client("ec2").describe_security_groups(
        Filters=[{"Name": "tag:Name", "Values": ["eks-cluster-sg-again"]}])["SecurityGroups"]
    assert len(groups) == 1
