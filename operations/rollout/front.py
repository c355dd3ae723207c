"""What the load balancer has seen: its own target groups and rules, not what the cluster asks it for.

The AWS Load Balancer Controller tags a target group with `{namespace}/{ingress}-{service}:{port}` (its documentation,
"How it works"), and ELBv2 tells the health of each target and the weights of each rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from infra.plans.kubernetes import COLOURS, name_of, service_port
from operations.rollout.cluster import Weights
from operations.rollout.model import RolloutError, Target

CLUSTER_TAG, RESOURCE_TAG = "elbv2.k8s.aws/cluster", "ingress.k8s.aws/resource"
TAGGED_AT_ONCE = 20  # the most that one DescribeTags takes


class Front(Protocol):
    def waiting(self, colour: str, addresses: Iterable[str]) -> str:
        """Why not all of these pods' addresses are healthy targets of the colour; empty: they are."""
        ...

    def following(self, weights: Weights) -> str:
        """Why not every rule for the service has the weights yet; empty: they do."""
        ...


class Nowhere:
    """Of a service that no load balancer knows."""

    def waiting(self, colour: str, addresses: Iterable[str]) -> str:
        return ""

    def following(self, weights: Weights) -> str:
        return ""


class Balancer:
    """An Application Load Balancer. `elb`: boto3's client of elbv2; `cluster`: the EKS cluster's name."""

    def __init__(self, elb: Any, cluster: str, target: Target) -> None:
        self._elb, self._cluster, self._target = elb, cluster, target
        self._arns: dict[str, str] = {}

    def waiting(self, colour: str, addresses: Iterable[str]) -> str:
        arn = self._groups().get(colour)
        if arn is None:
            return f"the load balancer has no target group of {colour} yet"
        states = {entry["Target"]["Id"]: entry["TargetHealth"] for entry in
                  self._elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]}
        for address in addresses:
            state = states.get(address)
            if state is None:
                return f"{address} is not registered"
            if state["State"] != "healthy":
                why = f" ({state['Description']})" if state.get("Description") else ""
                return f"{address} is {state['State']}{why}"
        return ""

    def following(self, weights: Weights) -> str:
        groups = self._groups()
        if set(groups) != set(COLOURS):
            return "the load balancer has no target groups of both colours yet"
        wanted = {groups[colour]: weight for colour, weight in zip(COLOURS, weights, strict=True)}
        seen = [found for found in self._rules() if set(found) == set(wanted)]
        if not seen:
            return "the load balancer has no rule for the service yet"
        wrong = [found for found in seen if found != wanted]
        return f"{len(wrong)} of {len(seen)} rules have other weights" if wrong else ""

    def dimensions(self) -> tuple[str, dict[str, str]]:
        """What CloudWatch calls the load balancer and each colour's target group: `app/name/id`, `targetgroup/name/id`.
        Raises RolloutError while it has none."""
        groups = self._groups()
        if set(groups) != set(COLOURS):
            raise RolloutError(f"the load balancer has no target groups of both colours of {self._target.name} yet")
        (group,) = self._elb.describe_target_groups(TargetGroupArns=[groups[COLOURS[0]]])["TargetGroups"]
        if not group["LoadBalancerArns"]:
            raise RolloutError(f"no load balancer uses the target groups of {self._target.name} yet")
        return (group["LoadBalancerArns"][0].split(":loadbalancer/", 1)[1],
                {colour: arn.rsplit(":", 1)[1] for colour, arn in groups.items()})

    def _groups(self) -> dict[str, str]:
        """Colour → ARN, of the Ingress that has the weights; kept once both are known."""
        if set(self._arns) != set(COLOURS):
            resources = {f"{self._target.namespace}/{self._target.name}-{name_of(self._target.service, colour)}:"
                         f"{service_port(self._target.service)}": colour for colour in COLOURS}
            arns = [group["TargetGroupArn"] for page in self._elb.get_paginator("describe_target_groups").paginate()
                    for group in page["TargetGroups"]]
            for start in range(0, len(arns), TAGGED_AT_ONCE):
                some = arns[start:start + TAGGED_AT_ONCE]
                for entry in self._elb.describe_tags(ResourceArns=some)["TagDescriptions"]:
                    tags = {tag["Key"]: tag["Value"] for tag in entry["Tags"]}
                    colour = resources.get(tags.get(RESOURCE_TAG, ""))
                    if colour is not None and tags.get(CLUSTER_TAG) == self._cluster:
                        self._arns[colour] = entry["ResourceArn"]
        return self._arns

    def _rules(self) -> Iterable[Mapping[str, int]]:
        """Of each rule that forwards: ARN of the target group → weight."""
        arn = next(iter(self._arns.values()))
        (group,) = self._elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
        for balancer in group["LoadBalancerArns"]:
            for listener in self._elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]:
                for page in self._elb.get_paginator("describe_rules").paginate(ListenerArn=listener["ListenerArn"]):
                    for rule in page["Rules"]:
                        for action in rule["Actions"]:
                            if action["Type"] == "forward" and "ForwardConfig" in action:
                                yield {entry["TargetGroupArn"]: int(entry.get("Weight", 1))
                                       for entry in action["ForwardConfig"]["TargetGroups"]}
