"""What a rollout reads and writes in the cluster: every write says what it expects to find there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from infra.plans import ingress, kubernetes
from infra.plans.kubernetes import COLOURS
from kube.client import Client, Conflict, Object
from operations.rollout.model import FIELD_MANAGER, Contested, RolloutError, Target
from operations.rollout.patience import FIRST_PAUSE, PASSING, PATIENCE_SECONDS, patiently

T = TypeVar("T")
Weights = tuple[int, int]  # of blue and green
Patch: TypeAlias = Object | list[Object]  # a merge patch, or the operations of a JSON patch


@dataclass(frozen=True)
class Field:
    """One value that operations own: where it is, how it is read from the object, and the patch that sets it."""

    api_version: str
    kind: str
    name: str
    read: Callable[[Object], Any]
    patch: Callable[[Object, Any], Patch]
    what: str


class Cluster:
    """Of one service. Calls are repeated while the API server is away, up to PATIENCE_SECONDS."""

    def __init__(self, client: Client, target: Target, pause: Callable[[float], None] = time.sleep,
                 now: Callable[[], float] = time.monotonic) -> None:
        self.client, self.target, self._pause, self._now = client, target, pause, now

    # What is there

    def get(self, api_version: str, kind: str, name: str) -> Object:
        return self.patiently(lambda: self.client.get(api_version, kind, name, self.target.namespace))

    def deployment(self, colour: str) -> Object:
        return self.get("apps/v1", "Deployment", f"{self.target.name}-{colour}")

    def autoscaler(self, colour: str) -> Object:
        return self.get("autoscaling/v2", "HorizontalPodAutoscaler", f"{self.target.name}-{colour}")

    def pods(self, colour: str) -> list[Object]:
        labels = ",".join(f"{key}={value}" for key, value in kubernetes.selector(self.target.service, colour).items())
        return self.patiently(lambda: self.client.list("v1", "Pod", self.target.namespace, labels=labels))

    def endpoints(self, service: str) -> dict[str, bool]:
        """Pod → whether it is ready, of all slices of a Service."""
        slices = self.patiently(lambda: self.client.list(
            "discovery.k8s.io/v1", "EndpointSlice", self.target.namespace,
            labels=f"kubernetes.io/service-name={service}"))
        return {endpoint.get("targetRef", {}).get("name", ""): bool(endpoint.get("conditions", {}).get("ready", True))
                for each in slices for endpoint in each.get("endpoints") or ()}

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

    def read(self, field: Field) -> Any:
        return field.read(self.get(field.api_version, field.kind, field.name))

    def move(self, field: Field, wanted: Any, expected: Collection[Any] | None = None, mark: Any = None) -> bool:
        """Sets the field; whether a write was needed. Only from a value in `expected` (None: from any), only if the
        object is still the one that was looked at, and once, whatever answers get lost.

        mark: what `field.read` gives when it is done, where that is not `wanted` itself. Raises Contested.
        """
        done = wanted if mark is None else mark
        written, until = False, self._now() + PATIENCE_SECONDS
        while True:
            item = self.get(field.api_version, field.kind, field.name)
            found = field.read(item)
            if found == done:
                return written
            if expected is not None and found not in expected:
                raise Contested(f"{field.what} ({field.kind} {field.name}) is {found}, not {_either(expected)}: "
                                f"{last_writer(item)} changed it during this rollout; both colours stay as they are")
            try:
                self._patch(field, item, wanted)
                written = True
            except Conflict:
                continue  # looked at again: a status, or somebody else's value
            except PASSING as error:
                written = True  # it may have taken effect
                if self._now() > until:
                    raise RolloutError(f"{field.what} can't be written ({error}); run the command again") from error
                self._pause(FIRST_PAUSE)

    def _patch(self, field: Field, item: Object, wanted: Any) -> None:
        body = field.patch(item, wanted)
        version = item["metadata"]["resourceVersion"]
        if isinstance(body, list):  # a JSON patch
            # Set, not tested: a test that fails is answered 422, as what is malformed is; this is a conflict.
            body = [{"op": "replace", "path": "/metadata/resourceVersion", "value": version}, *body]
            content = "application/json-patch+json"
        else:
            body.setdefault("metadata", {})["resourceVersion"] = version
            content = "application/merge-patch+json"
        self.client.patch(field.api_version, field.kind, field.name, self.target.namespace, body,
                          content_type=content, field_manager=FIELD_MANAGER)

    def create(self, body: Object) -> None:
        """Of a name that nobody else uses: one that is there already is ours, whose answer was lost."""
        def attempt() -> None:
            try:
                self.client.create(body, field_manager=FIELD_MANAGER)
            except Conflict as error:
                if error.reason != "AlreadyExists":
                    raise

        self.patiently(attempt)

    def patiently(self, call: Callable[[], T]) -> T:
        """Raises RolloutError when the API server is away for too long."""
        return patiently(call, self._pause, self._now)


REVISION = "candlefish.ai/revision"  # annotation of the pods' template: the rollout that wrote it


def image_of(deployment: Object) -> str:
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def last_writer(item: Object) -> str:
    """`kubectl-edit at 2026-…`: who wrote to the object last, but for ourselves and its status."""
    entries = [entry for entry in item["metadata"].get("managedFields") or ()
               if entry.get("manager") != FIELD_MANAGER and entry.get("subresource") != "status"]
    latest = max(entries, key=lambda entry: str(entry.get("time") or ""), default=None)
    return f"{latest['manager']} (at {latest.get('time')})" if latest else "somebody"


def _either(values: Collection[Any]) -> str:
    return " or ".join(str(value) for value in values)


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
