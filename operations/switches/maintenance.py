"""The maintenance page (O6): pods first, then the front door; on the way back the front door first, then the pods."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from infra.plans.ingress import (
    MAINTENANCE,
    MAINTENANCE_HEADER,
    MAINTENANCE_OFF,
    MAINTENANCE_ON,
    MAINTENANCE_PORT,
    MAINTENANCE_SWITCH,
    fronted,
)
from infra.plans.maintenance import REPLICAS
from infra.settings.model import Settings
from kube.client import Client, Object
from operations import balancer
from operations.cluster import Field, Objects
from operations.errors import OperationError
from operations.rollout.cluster import waiting
from operations.rollout.pods import is_ready
from operations.rollout.waits import Waits

PODS_SECONDS = 300.0  # to be scheduled, pulled and ready
DATA_PLANE_SECONDS = 120.0  # for target health and rules to follow, as in a rollout
SELECTOR = {"app.kubernetes.io/name": MAINTENANCE}


class Door(Protocol):
    def waiting(self, addresses: Iterable[str]) -> str:
        """Why not all of the page's pods are healthy targets of the load balancer; empty: they are."""
        ...

    def following(self, on: bool) -> str:
        """Why not every rule of the page is as asked yet; empty: they are."""
        ...


class BalancerDoor:
    """An Application Load Balancer. elb: boto3's client of elbv2; cluster: the EKS cluster's name."""

    def __init__(self, elb: Any, cluster: str, namespace: str) -> None:
        self._elb, self._cluster = elb, cluster
        self._found = ""
        self._resource = f"{namespace}/{MAINTENANCE}-{MAINTENANCE}:{MAINTENANCE_PORT}"

    def waiting(self, addresses: Iterable[str]) -> str:
        arn = self._arn()
        return balancer.unhealthy(self._elb, arn, addresses) if arn else "the load balancer has no target group of it"

    def following(self, on: bool) -> str:
        arn = self._arn()
        if not arn:
            return "the load balancer has no target group of it"
        ours = [rule for rule in balancer.rules(self._elb, arn)
                if any(arn in groups for groups in balancer.forwarded(rule))]
        if not ours:
            return "the load balancer has no rule for it"
        wrong = [rule for rule in ours if for_everybody(rule["Conditions"]) is not on]
        return f"{len(wrong)} of {len(ours)} rules do not follow yet" if wrong else ""

    def _arn(self) -> str:
        """Of the page's target group; kept once it is known. Empty: there is none yet."""
        self._found = self._found or balancer.target_groups(self._elb, self._cluster).get(self._resource, "")
        return self._found


def for_everybody(conditions: Iterable[Object]) -> bool:
    """Whether a listener's rule asks for no header by which the page is looked at before it is up."""
    return not any(each["Field"] == "http-header" and
                   each["HttpHeaderConfig"]["HttpHeaderName"].lower() == MAINTENANCE_HEADER for each in conditions)


SWITCH = Field("networking.k8s.io/v1", "Ingress", MAINTENANCE,
               lambda item: json.loads(item["metadata"]["annotations"][MAINTENANCE_SWITCH]) == [],
               lambda _, on: {"metadata": {"annotations": {
                   MAINTENANCE_SWITCH: MAINTENANCE_ON if on else MAINTENANCE_OFF}}}, "the maintenance page's condition")
PODS = Field("apps/v1", "Deployment", MAINTENANCE, lambda item: item["spec"]["replicas"],
             lambda _, count: {"spec": {"replicas": count}}, "the maintenance page's pods")


@dataclass
class Maintenance:
    """Of one stack. say: progress, a line each."""

    client: Client
    settings: Settings
    door: Door
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self._objects = Objects(self.client, self.settings.cluster.namespace)
        self._waits = Waits(lambda: None, self.say)

    def status(self) -> dict[str, Any]:
        item = self._objects.get(PODS.api_version, PODS.kind, PODS.name)
        return {"maintenance": "on" if self._objects.read(SWITCH) else "off", "pods": item["spec"]["replicas"],
                "ready": item.get("status", {}).get("readyReplicas", 0),
                "retryAfterSeconds": self.settings.workloads.retry_after_seconds}

    def on(self) -> dict[str, Any]:
        """Every request but health checks gets the page. Raises OperationError; the site then serves as before."""
        if self._objects.move(PODS, REPLICAS):
            self.say(f"{REPLICAS} pods of the maintenance page start")
        self._waits.unhindered("the maintenance page's pods are ready", self._unready, PODS_SECONDS)
        self._waits.unhindered("they are healthy at the load balancer",
                               lambda: self.door.waiting(self._addresses()) or None, DATA_PLANE_SECONDS)
        if self._objects.move(SWITCH, True):
            self.say("front door: services → maintenance page")
        self._waits.unhindered("the load balancer sends visitors to the page",
                               lambda: self.door.following(True) or None, DATA_PLANE_SECONDS)
        return self.status()

    def off(self, whatever: bool = False) -> dict[str, Any]:
        """Requests go to the services again, then the page's pods go. whatever: also to services without a pod.
        Raises OperationError; run again."""
        silent = [] if whatever or not self._objects.read(SWITCH) else self._silent()
        if silent:
            raise OperationError(
                f"{', '.join(silent)} {'has' if len(silent) == 1 else 'have'} no ready pod: visitors would get errors "
                "in place of the page, which stays up. Bring the pods back (candlefish scale), or add --whatever")
        if self._objects.move(SWITCH, False):
            self.say("front door: maintenance page → services")
        self._waits.unhindered("the load balancer sends visitors to the services",
                               lambda: self.door.following(False) or None, DATA_PLANE_SECONDS)
        self._objects.move(PODS, 0)
        self._waits.until("the maintenance page's pods are gone", lambda: not self._pods(), PODS_SECONDS)
        return self.status()

    def planned(self, on: bool) -> list[str]:
        """What `on` or `off` would write, in words."""
        count, up = self._objects.read(PODS), self._objects.read(SWITCH)
        wanted = REPLICAS if on else 0
        steps = [f"pods of the maintenance page: {count} → {wanted}"] if count != wanted else []
        door = [f"front door: {'services → maintenance page' if on else 'maintenance page → services'}"]
        return [*steps, *door] if on and not up else [*door, *steps] if up and not on else steps

    def _silent(self) -> list[str]:
        """Services at the front door without a ready pod."""
        return [service.name for service in fronted(self.settings.services)
                if not any(self._objects.endpoints(service.name).values())]

    def _pods(self) -> list[Object]:
        return self._objects.labelled("Pod", SELECTOR)

    def _addresses(self) -> list[str]:
        return [pod["status"]["podIP"] for pod in self._pods() if is_ready(pod)]

    def _unready(self) -> str | None:
        pods = self._pods()
        if len([pod for pod in pods if is_ready(pod)]) >= REPLICAS:
            return None
        return "; ".join(dict.fromkeys(reason for pod in pods if not is_ready(pod) for reason in waiting(pod)))
