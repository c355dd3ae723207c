"""Permissions of the add-ons that are neither EKS's nor long enough for a module of their own."""

from __future__ import annotations

from collections.abc import Mapping

from infra.plans.policies import Document, allow, document


def autoscaler(account_id: str, region: str, cluster_name: str) -> Document:
    """The Cluster Autoscaler's, from its documentation for AWS, tied to the scaling groups of this cluster."""
    return document([
        # None of these has a resource type that could be named.
        allow("Describe", ["autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances",
                           "autoscaling:DescribeLaunchConfigurations", "autoscaling:DescribeScalingActivities",
                           "ec2:DescribeImages", "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplateVersions",
                           "ec2:GetInstanceTypesFromInstanceRequirements"], ["*"]),
        allow("NodeGroups", ["eks:DescribeNodegroup"],
              [f"arn:aws:eks:{region}:{account_id}:nodegroup/{cluster_name}/*/*"]),
        allow("Scale", ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
              [f"arn:aws:autoscaling:{region}:{account_id}:autoScalingGroup:*:autoScalingGroupName/*"],
              {"StringEquals": {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster_name}": "owned"}}),
    ])


def log_shipper(account_id: str, region: str, log_groups: Mapping[str, str]) -> Document:
    """Streams in the given log groups. Not the groups themselves: they would be without encryption and retention."""
    groups = [f"arn:aws:logs:{region}:{account_id}:log-group:{name}" for name in sorted(log_groups.values())]
    return document([
        allow("Streams", ["logs:CreateLogStream", "logs:DescribeLogStreams"], [f"{group}:*" for group in groups]),
        allow("Write", ["logs:PutLogEvents"], [f"{group}:log-stream:*" for group in groups]),
    ])
