"""What a rollout reads and writes in the cluster: every write says what it expects to find there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

from infra.plans import ingress, kubernetes
from infra.plans.kubernetes import COLOURS
from kube.client import Client, Object
from operations.cluster import Field, Objects, Patch
from operations.rollout.model import Target

Weights = tuple[int, int]  # of blue and green


class Cluster(Objects):
    """Of one service."""

    def __init__(self, client: Client, target: Target, pause: Callable[[float], None] = time.sleep,
                 now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(client, target.namespace, pause, now)
        self.target = target

    # What is there

    def deployment(self, colour: str) -> Object:
        return self.get("apps/v1", "Deployment", f"{self.target.name}-{colour}")

    def autoscaler(self, colour: str) -> Object:
        return self.get("autoscaling/v2", "HorizontalPodAutoscaler", f"{self.target.name}-{colour}")

    def pods(self, colour: str) -> list[Object]:
        return self.labelled("Pod", kubernetes.selector(self.target.service, colour))

    def log(self, pod: str, lines: int = 5) -> str:
        """The last lines of a pod's only container, on one line; empty when there are none."""
        path = self.client.path("v1", "Pod", pod, self.target.namespace, "log")
        text = self.patiently(lambda: self.client.transport.request("GET", path, query={"tailLines": str(lines)})).text
        return " | ".join(line.strip() for line in text.splitlines() if line.strip())

    def wanted_pods(self) -> Object:
        """What the settings want the service's pods to be."""
        return dict(self.get("v1", "PodTemplate", self.target.name)["template"])

    # What is written

    @property
    def selector(self) -> Field:
        return Field("v1", "Service", self.target.name,
                     lambda item: item["spec"]["selector"].get(kubernetes.COLOUR_LABEL),
                     lambda _, colour: {"spec": {"selector": kubernetes.selector(self.target.service, colour)}},
                     "the live Service's colour")

    @property
    def weights(self) -> Field:
        """Of the front door; only of a service that it reaches."""
        annotation = ingress.action_annotation(self.target.name)

        def patch(item: Object, weights: Weights) -> Object:
            action = json.loads(item["metadata"]["annotations"][annotation])
            for group in action["forwardConfig"]["targetGroups"]:
                group["weight"] = weights[self._colour_of(group)]
            return {"metadata": {"annotations": {annotation: json.dumps(action)}}}

        def read(item: Object) -> Weights:
            groups = json.loads(item["metadata"]["annotations"][annotation])["forwardConfig"]["targetGroups"]
            found = {self._colour_of(group): int(group.get("weight", 1)) for group in groups}
            return found.get(0, 0), found.get(1, 0)

        return Field("networking.k8s.io/v1", "Ingress", self.target.name, read, patch, "the front door's weights")

    def _colour_of(self, group: Object) -> int:
        return COLOURS.index(str(group["serviceName"]).removeprefix(f"{self.target.name}-"))

    def minimum(self, colour: str) -> Field:
        return Field("autoscaling/v2", "HorizontalPodAutoscaler", f"{self.target.name}-{colour}",
                     lambda item: item["spec"]["minReplicas"], lambda _, count: {"spec": {"minReplicas": count}},
                     f"the autoscaler's minimum of {colour}")

    def replicas(self, colour: str) -> Field:
        return Field("apps/v1", "Deployment", f"{self.target.name}-{colour}",
                     lambda item: item["spec"]["replicas"], lambda _, count: {"spec": {"replicas": count}},
                     f"the replicas of {colour}")

    def template(self, colour: str) -> Field:
        def patch(_: Object, template: Object) -> Patch:
            return [{"op": "replace", "path": "/spec/template", "value": template}]

        return Field("apps/v1", "Deployment", f"{self.target.name}-{colour}",
                     lambda item: item["spec"]["template"]["metadata"].get("annotations", {}).get(REVISION),
                     patch, f"the pods of {colour}")


REVISION = "candlefish.ai/revision"  # annotation of the pods' template: the rollout that wrote it


def image_of(deployment: Object) -> str:
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def waiting(item: Object) -> Iterator[str]:
    """Why a pod is not ready, in Kubernetes' own words."""
    status = item.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] != "True":
            yield condition.get("message") or "not scheduled"
    for container in status.get("containerStatuses") or ():
        state = container.get("state") or {}
        for kind in ("waiting", "terminated"):
            if kind in state:
                yield " ".join(filter(None, (state[kind].get("reason", kind), state[kind].get("message", ""))))
        if container.get("restartCount"):
            yield f"restarted {container['restartCount']} times"
