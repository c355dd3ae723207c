"""The Application Load Balancer of a cluster, as ELBv2 tells of it: what it does, not what the cluster asks it for.

The AWS Load Balancer Controller tags a target group with `{namespace}/{ingress}-{service}:{port}` (its documentation,
"How it works"), and ELBv2 tells the health of each target, the conditions of each rule and its weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from operations.aws import pages, tags

CLUSTER_TAG, RESOURCE_TAG = "elbv2.k8s.aws/cluster", "ingress.k8s.aws/resource"
TAGGED_AT_ONCE = 20  # the most that one DescribeTags takes


def target_groups(elb: Any, cluster: str) -> dict[str, str]:
    """`{namespace}/{ingress}-{service}:{port}` → ARN, of one cluster. elb: boto3's client of elbv2."""
    arns = [group["TargetGroupArn"] for group in pages(elb, "describe_target_groups", "TargetGroups")]
    found = {}
    for start in range(0, len(arns), TAGGED_AT_ONCE):
        for entry in elb.describe_tags(ResourceArns=arns[start:start + TAGGED_AT_ONCE])["TagDescriptions"]:
            of = tags(entry["Tags"])
            if of.get(CLUSTER_TAG) == cluster and RESOURCE_TAG in of:
                found[of[RESOURCE_TAG]] = str(entry["ResourceArn"])
    return found


def unhealthy(elb: Any, arn: str, addresses: Iterable[str]) -> str:
    """Why not all of these pods' addresses are healthy targets of the group; empty: they are."""
    states = {entry["Target"]["Id"]: entry["TargetHealth"]
              for entry in elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]}
    for address in addresses:
        state = states.get(address)
        if state is None:
            return f"{address} is not registered"
        if state["State"] != "healthy":
            why = f" ({state['Description']})" if state.get("Description") else ""
            return f"{address} is {state['State']}{why}"
    return ""


def of_group(elb: Any, arn: str) -> list[str]:
    """ARNs of the load balancers that the target group belongs to."""
    (group,) = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    return [str(balancer) for balancer in group["LoadBalancerArns"]]


def rules(elb: Any, arn: str) -> Iterator[Mapping[str, Any]]:
    """All rules of the load balancers that the target group belongs to."""
    for balancer in of_group(elb, arn):
        for listener in elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]:
            yield from pages(elb, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])


def forwarded(rule: Mapping[str, Any]) -> Iterator[dict[str, int]]:
    """Of each action that forwards: ARN of the target group → weight."""
    for action in rule["Actions"]:
        if action["Type"] == "forward" and "ForwardConfig" in action:
            yield {entry["TargetGroupArn"]: int(entry.get("Weight", 1))
                   for entry in action["ForwardConfig"]["TargetGroups"]}
