"""Permissions of the AWS Load Balancer Controller, as its project publishes them (docs/install/iam_policy.json).

Changed from the publication: no Global Accelerator, no classic WAF, no customer-owned address pools (not
used), security-group rules and tags only in this account and region, and everything that can be is tied to this
cluster's tag instead of to any value of it.
"""

from __future__ import annotations

from infra.plans.policies import Document, allow, document

_TAG = "elbv2.k8s.aws/cluster"

_DESCRIBE = (
    "acm:DescribeCertificate", "acm:ListCertificates",
    "ec2:DescribeAccountAttributes", "ec2:DescribeAddresses", "ec2:DescribeAvailabilityZones", "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways", "ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeTags", "ec2:DescribeVpcPeeringConnections",
    "ec2:DescribeVpcs", "ec2:GetSecurityGroupsForVpc",
    "elasticloadbalancing:DescribeCapacityReservation", "elasticloadbalancing:DescribeListenerAttributes",
    "elasticloadbalancing:DescribeListenerCertificates", "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeSSLPolicies",
    "elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
    "elasticloadbalancing:DescribeTrustStores",
    "shield:DescribeProtection", "shield:GetSubscriptionState",
    "wafv2:GetWebACL", "wafv2:GetWebACLForResource",
)

_CHANGE = (
    "elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:ModifyCapacityReservation", "elasticloadbalancing:ModifyListenerAttributes",
    "elasticloadbalancing:ModifyLoadBalancerAttributes", "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:ModifyTargetGroupAttributes", "elasticloadbalancing:SetIpAddressType",
    "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets",
)

_RULES = (
    "elasticloadbalancing:AddListenerCertificates", "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateRule", "elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteRule",
    "elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule",
    "elasticloadbalancing:RemoveListenerCertificates", "elasticloadbalancing:SetRulePriorities",
)


def load_balancer_controller(account_id: str, region: str, cluster_name: str) -> Document:
    """What the controller does for one cluster. `*` only for actions that have no resource type or no tag to hold."""
    elb = f"arn:aws:elasticloadbalancing:{region}:{account_id}"
    ec2 = f"arn:aws:ec2:{region}:{account_id}"
    balancers = [f"{elb}:loadbalancer/app/*/*", f"{elb}:loadbalancer/net/*/*"]
    targets = f"{elb}:targetgroup/*/*"
    listeners = [f"{elb}:listener/app/*/*/*", f"{elb}:listener/net/*/*/*"]
    rules = [f"{elb}:listener-rule/app/*/*/*", f"{elb}:listener-rule/net/*/*/*"]
    groups = f"{ec2}:security-group/*"
    requested = {"StringEquals": {f"aws:RequestTag/{_TAG}": cluster_name}}
    owned = {"StringEquals": {f"aws:ResourceTag/{_TAG}": cluster_name}}
    retagged = {"Null": {f"aws:RequestTag/{_TAG}": "true"}, **owned}
    return document([
        allow("LinkedRole", ["iam:CreateServiceLinkedRole"],
              [f"arn:aws:iam::{account_id}:role/aws-service-role/elasticloadbalancing.amazonaws.com/*"],
              {"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}}),
        allow("Describe", _DESCRIBE, ["*"]),
        # The client's secret, which the listener's rules need and no annotation holds.
        allow("SignIn", ["cognito-idp:DescribeUserPoolClient"],
              [f"arn:aws:cognito-idp:{region}:{account_id}:userpool/*"]),
        allow("CreateGroup", ["ec2:CreateSecurityGroup"], [groups, f"{ec2}:vpc/*"]),
        allow("TagNewGroup", ["ec2:CreateTags"], [groups],
              {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup", f"aws:RequestTag/{_TAG}": cluster_name}}),
        allow("TagGroup", ["ec2:CreateTags", "ec2:DeleteTags"], [groups], retagged),
        allow("DeleteGroup", ["ec2:DeleteSecurityGroup"], [groups], owned),
        # Also the nodes' group, which EKS made and which has no tag of the controller.
        allow("GroupRules", ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"], [groups]),
        allow("Create", ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"],
              [*balancers, targets], requested),
        allow("TagNew", ["elasticloadbalancing:AddTags"], [*balancers, targets],
              {"StringEquals": {"elasticloadbalancing:CreateAction": ["CreateTargetGroup", "CreateLoadBalancer"],
                                f"aws:RequestTag/{_TAG}": cluster_name}}),
        allow("Tag", ["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"], [*balancers, targets],
              retagged),
        allow("TagListeners", ["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"],
              [*listeners, *rules]),
        allow("Change", _CHANGE, [*balancers, targets, *listeners], owned),
        allow("Targets", ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
              [targets], owned),
        allow("Rules", _RULES, [*balancers, *listeners, *rules]),
        allow("WebAcl", ["elasticloadbalancing:SetWebAcl"], [f"{elb}:loadbalancer/app/*/*"]),
        allow("Firewall", ["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL"],
              [f"arn:aws:wafv2:{region}:{account_id}:regional/webacl/*/*", f"{elb}:loadbalancer/app/*/*"]),
        allow("Shield", ["shield:CreateProtection", "shield:DeleteProtection"],
              [f"arn:aws:shield::{account_id}:protection/*", f"{elb}:loadbalancer/app/*/*"]),
    ])
