"""Where a load balancer lives: the cluster's VPC, its subnets, the security group that the controller makes."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.kubernetes.controllers.aws import Aws
from rehearsal.kubernetes.loadbalancer import names
from rehearsal.kubernetes.loadbalancer.model import LoadBalancer
from rehearsal.kubernetes.node.groups import AwsUnavailable

ROLE_TAGS = {"internet-facing": "kubernetes.io/role/elb", "internal": "kubernetes.io/role/internal-elb"}
RELEASE_SECONDS = 10.0  # how long a deleted load balancer's interfaces may still use the group


class Network:
    def __init__(self, aws: Aws, cluster: str) -> None:
        self._ec2, self._eks, self._cluster = aws.client("ec2"), aws.client("eks"), cluster

    def vpc(self) -> str:
        """Of the cluster's subnets: the emulated EKS does not know EC2 and makes its own VPC id up."""
        subnets = self._eks.describe_cluster(name=self._cluster)["cluster"]["resourcesVpcConfig"]["subnetIds"]
        return str(self._ec2.describe_subnets(SubnetIds=subnets[:1])["Subnets"][0]["VpcId"])

    def subnets(self, vpc: str, scheme: str) -> list[str]:
        """One a zone, by the role tag. Raises AwsUnavailable, as the controller does, when fewer than two carry it."""
        tag = ROLE_TAGS[scheme]
        answer = self._ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
        zones: dict[str, str] = {}
        for subnet in sorted(answer, key=lambda each: str(each["SubnetId"])):
            if any(each["Key"] == tag for each in subnet.get("Tags") or ()):
                zones.setdefault(subnet["AvailabilityZone"], subnet["SubnetId"])
        if len(zones) < 2:
            raise AwsUnavailable(f"couldn't auto-discover subnets: {len(zones)} of {vpc} carry the tag {tag}; a load "
                                 f"balancer needs two zones")
        return [zones[zone] for zone in sorted(zones)]

    def security_group(self, balancer: LoadBalancer, vpc: str) -> str:
        """The controller's own group, open to the listeners' ports from `inbound_cidrs`."""
        found = self._owned(balancer.group)
        if found:
            return str(found[0]["GroupId"])
        tags = names.tags(self._cluster, balancer.group, "ManagedLBSecurityGroup")
        created = self._ec2.create_security_group(
            GroupName=names.security_group_name(self._cluster, balancer.group), VpcId=vpc,
            Description="[k8s] Managed SecurityGroup for LoadBalancer",
            TagSpecifications=[{"ResourceType": "security-group",
                                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}])
        self._ec2.authorize_security_group_ingress(GroupId=created["GroupId"], IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": listener.port, "ToPort": listener.port,
             "IpRanges": [{"CidrIp": cidr} for cidr in balancer.inbound_cidrs]} for listener in balancer.listeners])
        return str(created["GroupId"])

    def remove_security_group(self, group: str) -> None:
        for found in self._owned(group):
            deadline = time.monotonic() + RELEASE_SECONDS
            while True:
                try:
                    self._ec2.delete_security_group(GroupId=found["GroupId"])
                    break
                except ClientError as error:
                    if error.response["Error"]["Code"] != "DependencyViolation" or time.monotonic() > deadline:
                        raise
                time.sleep(0.2)

    def _owned(self, group: str) -> list[dict[str, Any]]:
        wanted = names.tags(self._cluster, group, "ManagedLBSecurityGroup")
        found: list[dict[str, Any]] = self._ec2.describe_security_groups(
            Filters=[{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted.items()])["SecurityGroups"]
        return found
