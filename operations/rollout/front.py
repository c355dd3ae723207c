"""What the load balancer has seen: its own target groups and rules, not what the cluster asks it for.

The AWS Load Balancer Controller tags a target group with `{namespace}/{ingress}-{service}:{port}` (its documentation,
"How it works"), and ELBv2 tells the health of each target and the weights of each rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from infra.plans.kubernetes import COLOURS, name_of, service_port
from operations import balancer
from operations.errors import OperationError
from operations.rollout.cluster import Weights
from operations.rollout.model import Target


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
        return balancer.unhealthy(self._elb, arn, addresses)

    def following(self, weights: Weights) -> str:
        groups = self._groups()
        if set(groups) != set(COLOURS):
            return "the load balancer has no target groups of both colours yet"
        wanted = {groups[colour]: weight for colour, weight in zip(COLOURS, weights, strict=True)}
        rules = balancer.rules(self._elb, groups[COLOURS[0]])
        seen = [found for rule in rules for found in balancer.forwarded(rule) if set(found) == set(wanted)]
        if not seen:
            return "the load balancer has no rule for the service yet"
        wrong = [found for found in seen if found != wanted]
        return f"{len(wrong)} of {len(seen)} rules have other weights" if wrong else ""

    def dimensions(self) -> tuple[str, dict[str, str]]:
        """What CloudWatch calls the load balancer and each colour's target group: `app/name/id`, `targetgroup/name/id`.
        Raises OperationError while it has none."""
        groups = self._groups()
        if set(groups) != set(COLOURS):
            raise OperationError(f"the load balancer has no target groups of both colours of {self._target.name} yet")
        found = balancer.of_group(self._elb, groups[COLOURS[0]])
        if not found:
            raise OperationError(f"no load balancer uses the target groups of {self._target.name} yet")
        return (found[0].split(":loadbalancer/", 1)[1],
                {colour: arn.rsplit(":", 1)[1] for colour, arn in groups.items()})

    def _groups(self) -> dict[str, str]:
        """Colour → ARN, of the Ingress that has the weights; kept once both are known."""
        if set(self._arns) != set(COLOURS):
            found = balancer.target_groups(self._elb, self._cluster)
            resources = {f"{self._target.namespace}/{self._target.name}-{name_of(self._target.service, colour)}:"
                         f"{service_port(self._target.service)}": colour for colour in COLOURS}
            self._arns = {colour: found[resource] for resource, colour in resources.items() if resource in found}
        return self._arns
