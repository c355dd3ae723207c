"""Managed node groups and what their instances need."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans import policies
from infra.plans.instances import INSTANCE_TYPES
from infra.settings import model

# The CNI's permissions are not here: the add-on has its own role.
_NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonSSMManagedInstanceCore")
_AMI_TYPES = {"amd64": "AL2023_x86_64_STANDARD", "arm64": "AL2023_ARM_64_STANDARD"}
_ROOT_DEVICE = "/dev/xvda"  # of Amazon Linux 2023
_OWNED_BY_OPERATIONS = {False: ["scalingConfig.desiredSize"],
                        True: ["scalingConfig.desiredSize", "scalingConfig.minSize"]}
_TAGGED = ("instance", "volume", "network-interface")  # made by the scaling group, which default tags don't reach


@dataclass(frozen=True)
class NodeGroupsArgs:
    """`version`: the Kubernetes version, so that nodes are upgraded after the control plane.

    `instance_tags`: on what the scaling groups create. `scheduled`: the groups go to 0 at night (F8), so that the
    minimum is operations' as well. `after`: what nodes wait for; their role and launch templates don't.
    """

    cluster_name: pulumi.Input[str]
    version: pulumi.Input[str]
    subnet_ids: pulumi.Input[Sequence[str]]
    node_groups: Mapping[str, model.NodeGroup]
    instance_tags: Mapping[str, str]
    scheduled: bool = False
    after: Sequence[pulumi.Resource] = ()


class NodeGroups(Component):
    """One managed node group per entry, all with the same role, in EKS's own cluster security group.

    The desired size belongs to operations: it is given at creation and ignored afterwards.
    """

    module = "cluster"

    role_arn: pulumi.Output[str]
    names: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: NodeGroupsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        role = aws.iam.Role(
            name, description="Nodes of the Kubernetes cluster",
            assume_role_policy=json.dumps(policies.service_trust("ec2.amazonaws.com")), opts=self.child())
        attachments = [
            aws.iam.RolePolicyAttachment(f"{name}-{policy}", role=role.name,
                                         policy_arn=f"arn:aws:iam::aws:policy/{policy}", opts=self.child())
            for policy in _NODE_POLICIES]
        groups = {key: self._group(f"{name}-{key}", group, args, role, attachments)
                  for key, group in args.node_groups.items()}
        self.role_arn = role.arn
        self.names = {key: group.node_group_name for key, group in groups.items()}
        self.register_outputs({"roleArn": self.role_arn, "names": self.names})

    def _group(self, name: str, group: model.NodeGroup, args: NodeGroupsArgs, role: aws.iam.Role,
               attachments: Sequence[pulumi.Resource]) -> aws.eks.NodeGroup:
        template = aws.ec2.LaunchTemplate(
            name, description="Nodes of the Kubernetes cluster", update_default_version=True,
            # Hop limit 1 keeps pods from the node's role. The CNI and the identity agent are on the host network, the
            # CSI driver reads the node's labels instead, and the controllers are given region and VPC.
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1),
            block_device_mappings=[aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
                device_name=_ROOT_DEVICE,
                # Under the account's EBS key: one of ours would have to name the scaling service's linked role,
                # which a new account doesn't have yet.
                ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                    encrypted="true", volume_type="gp3", volume_size=group.disk_gib, delete_on_termination="true"))],
            monitoring=aws.ec2.LaunchTemplateMonitoringArgs(enabled=True),
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(
                    resource_type=kind, tags={**args.instance_tags, "Name": name}) for kind in _TAGGED],
            opts=self.child())
        return aws.eks.NodeGroup(
            name, cluster_name=args.cluster_name, node_role_arn=role.arn, subnet_ids=args.subnet_ids,
            version=args.version, ami_type=_ami_type(group), capacity_type=group.capacity.value,
            instance_types=list(group.instance_types), labels={**group.labels},
            launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)),
            scaling_config=aws.eks.NodeGroupScalingConfigArgs(
                min_size=group.minimum, max_size=group.maximum, desired_size=group.desired),
            update_config=aws.eks.NodeGroupUpdateConfigArgs(max_unavailable_percentage=33),
            node_repair_config=aws.eks.NodeGroupNodeRepairConfigArgs(enabled=True),
            opts=self.child(depends_on=[*attachments, *args.after],
                            ignore_changes=_OWNED_BY_OPERATIONS[args.scheduled]))


def _ami_type(group: model.NodeGroup) -> str:
    """Amazon Linux 2023 for the group's processors; the settings refuse a group of two architectures."""
    return _AMI_TYPES[INSTANCE_TYPES[group.instance_types[0]].architecture]
