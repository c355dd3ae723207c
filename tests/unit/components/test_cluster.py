"""The cluster: what the packaged component is told, what its nodes are, and in which order things come."""

from __future__ import annotations

from ipaddress import IPv4Network
from types import SimpleNamespace

import pytest

from infra.components.cluster import Cluster, ClusterArgs
from infra.plans import managed_addons
from tests.unit.components.recording import ACCOUNT, Registrations, cluster_settings, foundation, record

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def cluster() -> Registrations:
    return foundation()


def test_the_control_plane_is_private_logs_everything_and_encrypts_its_secrets(cluster: Registrations) -> None:
    inputs = cluster.one("eks:index:Cluster", "cluster").inputs
    assert inputs["name"] == "candlefish-test"
    assert (inputs["endpointPrivateAccess"], inputs["endpointPublicAccess"]) == (True, False)
    assert "publicAccessCidrs" not in inputs
    assert inputs["enabledClusterLogTypes"] == ["api", "audit", "authenticator", "controllerManager", "scheduler"]
    assert inputs["encryptionConfigKeyArn"] == "arn:aws:kms:::keys-cluster"
    assert inputs["deletionProtection"] is True


def test_a_public_endpoint_is_limited_to_the_given_ranges() -> None:
    def program() -> SimpleNamespace:
        settings = cluster_settings(public_access_cidrs=(IPv4Network("198.51.100.0/24"),))
        return SimpleNamespace(cluster=Cluster("open", ClusterArgs(
            name="candlefish-open", settings=settings, vpc_id="vpc", private_subnet_ids=["a", "b"],
            control_plane_subnet_ids=["a", "b"],
            cluster_key_arn="key", logs_key_arn="logs-key", instance_tags={})))

    inputs = record(program).one("eks:index:Cluster", "open").inputs
    assert inputs["endpointPublicAccess"] is True
    assert inputs["publicAccessCidrs"] == ["198.51.100.0/24"]


def test_access_is_by_access_entries_only(cluster: Registrations) -> None:
    inputs = cluster.one("eks:index:Cluster", "cluster").inputs
    assert inputs["authenticationMode"] == "API"
    entry = inputs["accessEntries"]["operators"]
    assert entry["principalArn"] == f"arn:aws:iam::{ACCOUNT}:role/operators"
    assert entry["accessPolicies"]["administrator"]["policyArn"].endswith("/AmazonEKSClusterAdminPolicy")


def test_the_component_makes_no_nodes_no_security_groups_and_no_addons(cluster: Registrations) -> None:
    inputs = cluster.one("eks:index:Cluster", "cluster").inputs
    assert inputs["skipDefaultNodeGroup"] is True
    assert inputs["skipDefaultSecurityGroups"] is True
    assert inputs["useDefaultVpcCni"] is True
    assert inputs["bootstrapSelfManagedAddons"] is False
    assert inputs["kubeProxyAddonOptions"]["enabled"] is False
    assert inputs["corednsAddonOptions"]["enabled"] is False


def test_the_log_group_exists_before_the_cluster_that_would_make_it_without_encryption(cluster: Registrations) -> None:
    group = cluster.one("aws:cloudwatch/logGroup:LogGroup", "cluster-control-plane")
    assert group.inputs["name"] == "/aws/eks/candlefish-test/cluster"
    assert group.inputs["kmsKeyId"] == "arn:aws:kms:::keys-logs"
    assert group.urn in cluster.one("eks:index:Cluster", "cluster").dependencies


def test_nodes_answer_metadata_version_2_to_the_host_only_and_have_encrypted_disks(cluster: Registrations) -> None:
    templates = cluster.of("aws:ec2/launchTemplate:LaunchTemplate")
    assert len(templates) == 2
    for template in templates:
        metadata = template.inputs["metadataOptions"]
        assert (metadata["httpTokens"], metadata["httpPutResponseHopLimit"]) == ("required", 1)
        disk = template.inputs["blockDeviceMappings"][0]["ebs"]
        assert (disk["encrypted"], disk["volumeType"]) == ("true", "gp3")
        assert "networkInterfaces" not in template.inputs
        assert all(kind["tags"]["Component"] == "cluster" for kind in template.inputs["tagSpecifications"])


def test_the_desired_size_of_a_node_group_belongs_to_operations(cluster: Registrations) -> None:
    groups = cluster.of("aws:eks/nodeGroup:NodeGroup")
    assert {group.inputs["capacityType"] for group in groups} == {"ON_DEMAND", "SPOT"}
    for group in groups:
        assert group.ignored == ("scalingConfig.desiredSize",)
        assert group.inputs["scalingConfig"] == {"minSize": 2, "maxSize": 10, "desiredSize": 2}


def test_the_nodes_role_cannot_change_network_interfaces(cluster: Registrations) -> None:
    policies = {attachment.inputs["policyArn"].rpartition("/")[2] for attachment in
                cluster.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment") if "-nodes-" in attachment.name}
    assert policies == {"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly",
                        "AmazonSSMManagedInstanceCore"}


def test_networking_comes_before_the_nodes_and_what_runs_on_them_after(cluster: Registrations) -> None:
    groups = cluster.of("aws:eks/nodeGroup:NodeGroup")
    cni = cluster.one("aws:eks/addon:Addon", "cluster-base-vpc-cni")
    dns = cluster.one("aws:eks/addon:Addon", "cluster-addons-coredns")
    provider = cluster.one("pulumi:providers:kubernetes", "cluster-kubernetes")
    for group in groups:
        assert cni.urn in group.dependencies
        assert group.urn in dns.dependencies
        assert group.urn in provider.dependencies
    assert dns.urn in provider.dependencies


def test_what_takes_longest_waits_for_no_nat_gateway_and_roles_for_no_nodes(cluster: Registrations) -> None:
    route = cluster.one("aws:ec2/route:Route", "network-private-a")
    control_plane = cluster.one("eks:index:Cluster", "cluster")
    assert route.urn not in control_plane.dependencies
    assert cluster.one("aws:ec2/subnet:Subnet", "network-private-a").urn in control_plane.dependencies
    for group in cluster.of("aws:eks/nodeGroup:NodeGroup"):
        assert route.urn in group.dependencies
    roles = {role.name: role for role in cluster.of("aws:iam/role:Role")}
    addons = {addon.urn for addon in cluster.of("aws:eks/addon:Addon")}
    assert not addons & {*roles["cluster-nodes"].dependencies}
    groups = {group.urn for group in cluster.of("aws:eks/nodeGroup:NodeGroup")}
    assert not groups & {*roles["cluster-addons-aws-ebs-csi-driver"].dependencies}


def test_the_cni_enforces_network_policies_with_a_role_of_its_own(cluster: Registrations) -> None:
    cni = cluster.one("aws:eks/addon:Addon", "cluster-base-vpc-cni").inputs
    assert cni["configurationValues"] == '{"enableNetworkPolicy": "true"}'
    assert cni["podIdentityAssociations"] == [
        {"roleArn": "arn:aws:iam:::cluster-base-vpc-cni", "serviceAccount": "aws-node"}]


def test_every_addon_is_pinned_to_a_release_for_the_kubernetes_version(cluster: Registrations) -> None:
    addons = cluster.of("aws:eks/addon:Addon")
    assert {addon.inputs["addonName"] for addon in addons} == {addon.name for addon in managed_addons.ADDONS}
    for addon in addons:
        assert addon.inputs["addonVersion"] == managed_addons.VERSIONS["1.34"][addon.inputs["addonName"]]


def test_every_kubernetes_version_has_a_release_of_every_addon() -> None:
    names = {addon.name for addon in managed_addons.ADDONS}
    for version, releases in managed_addons.VERSIONS.items():
        assert releases.keys() == names
        assert releases["kube-proxy"].startswith(f"v{version}.")


def test_a_cluster_without_features_has_only_the_addons_that_none_can_do_without() -> None:
    names = {addon.name for before in (True, False) for addon in managed_addons.wanted((), before_nodes=before)}
    assert names == {"eks-pod-identity-agent", "vpc-cni", "kube-proxy", "coredns", "aws-ebs-csi-driver",
                     "metrics-server"}


def test_the_kubeconfig_is_a_secret_and_changing_it_does_not_replace_the_provider(cluster: Registrations) -> None:
    provider = cluster.one("pulumi:providers:kubernetes", "cluster-kubernetes")
    assert "kubeconfig" in provider.secrets
    assert provider.inputs["clusterIdentifier"].endswith(":cluster/candlefish-test")
