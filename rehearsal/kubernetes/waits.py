"""Waits for an object to be ready or gone, by watching it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kube.client import Client, NotFound, Object
from rehearsal.kubernetes import waits_rules as rules
from rehearsal.kubernetes.waits_diagnosis import diagnose

DELETE_SECONDS = {"Deployment": 600.0, "StatefulSet": 600.0, "DaemonSet": 600.0}
DELETE_SECONDS_OTHERWISE = 300.0
LOOK_SECONDS = 2.0
REMINDED = "candlefish.ai/deletion-taken-up-again-at"


class NotReady(Exception):
    """It exists but did not become ready (or did not go away). `object` is the live object as last seen."""

    def __init__(self, message: str, object: Object) -> None:
        super().__init__(message)
        self.object = object


@dataclass
class Waiter:
    """One wait. `timeout_seconds`: None for the kind's own default; `report` gets each new reason once."""

    client: Client
    timeout_seconds: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    report: Callable[[str], None] = lambda message: None
    _deadline: float = 0.0
    _seconds: float = 0.0

    def ready(self, item: Object) -> Object:
        """The live object once it is ready; at once when its kind has no rule or says skipAwait. Raises NotReady
        with reasons from pods and events, NotFound when it is deleted meanwhile."""
        if (rules.annotation(item, rules.SKIP_AWAIT) or "").lower() == "true":
            return item
        expression = rules.annotation(item, rules.WAIT_FOR)
        rule, default = rules.RULES.get((item["apiVersion"], item["kind"]), (None, 600.0))
        if expression is not None:
            rule = rules.wait_for(expression)
        if rule is None:
            return item
        if item["kind"] == "PersistentVolumeClaim" and expression is None:
            rule = rules.claim(self._binding_mode(item))
        self._start(item, default)
        live = self._until(item, rule)
        if expression is None and item["kind"] == "Service" and rules.needs_endpoints(live):
            self._endpoints(live)
        if expression is None and item["kind"] == "Ingress":
            self._name_missing_services(live)
        return live

    def gone(self, item: Object) -> None:
        """Returns when the object with this uid no longer exists. `item`: as the deletion's answer showed it."""
        self._start(item, DELETE_SECONDS.get(item["kind"], DELETE_SECONDS_OTHERWISE))
        metadata = item["metadata"]
        next_look = time.monotonic() + LOOK_SECONDS

        def vanished() -> bool:
            """A deletion that the watch missed is found all the same."""
            nonlocal next_look
            if self._over():
                return True
            if time.monotonic() < next_look:
                return False
            next_look = time.monotonic() + LOOK_SECONDS
            live = self._live(item)
            if live is not None and _is_forgotten(live):
                self._remind(live)
            return live is None

        try:
            path = self.client.path(item["apiVersion"], item["kind"], None, metadata.get("namespace"))
            for event in self.client.watch(path, metadata["resourceVersion"],
                                           fields=f"metadata.name={metadata['name']}", stopped=vanished):
                if event.type == "DELETED":
                    return
            live = self._live(item)
        except NotFound:
            return  # the kind itself went, with its definition
        if live is not None:
            finalizers = ", ".join(live["metadata"].get("finalizers") or ()) or "none"
            raise NotReady(f"{_name(live)} still exists after its deletion was asked for "
                           f"(finalizers: {finalizers}){_hindrances(live)}{self._why_over()}", live)

    def _remind(self, live: Object) -> None:
        """Any change of the definition but of its own condition makes the API server take its deletion up again."""
        annotations = {REMINDED: str(live["metadata"]["resourceVersion"])}
        with contextlib.suppress(NotFound):
            self.client.patch(live["apiVersion"], live["kind"], live["metadata"]["name"], None,
                              {"metadata": {"annotations": annotations}})

    def _live(self, item: Object) -> Object | None:
        """The object as it is; None when it is gone or another one has its name."""
        metadata = item["metadata"]
        try:
            live = self.client.get(item["apiVersion"], item["kind"], metadata["name"], metadata.get("namespace"))
        except NotFound:
            return None
        return live if live["metadata"]["uid"] == metadata.get("uid") else None

    def _start(self, item: Object, default: float) -> None:
        stated = rules.annotation(item, rules.TIMEOUT_SECONDS)
        seconds = self.timeout_seconds if self.timeout_seconds is not None else float(stated or default)
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds

    def _over(self) -> bool:
        return self.cancelled.is_set() or time.monotonic() >= self._deadline

    def _why_over(self) -> str:
        return "; the operation was cancelled" if self.cancelled.is_set() else f"; timed out after {self._seconds:g} s"

    def _until(self, item: Object, rule: rules.Rule) -> Object:
        last, missing = item, self._judge(item, rule)
        if missing is None:
            return item
        metadata = item["metadata"]
        path = self.client.path(item["apiVersion"], item["kind"], None, metadata.get("namespace"))
        for event in self.client.watch(path, fields=f"metadata.name={metadata['name']}", stopped=self._over):
            if event.type == "DELETED":
                raise NotFound(f"{_name(item)} was deleted while it was waited for", code=404)
            last, now = event.object, self._judge(event.object, rule)
            if now is None:
                return last
            if now != missing:
                self.report(now)
            missing = now
        raise self._not_ready(last, str(missing))

    def _judge(self, item: Object, rule: rules.Rule) -> str | None:
        try:
            return rule(item)
        except rules.Failed as failed:
            raise NotReady("\n".join([f"{_name(item)}: {failed}", *_bullets(diagnose(self.client, item))]),
                           item) from failed

    def _endpoints(self, service: Object) -> None:
        metadata = service["metadata"]
        path = self.client.path("discovery.k8s.io/v1", "EndpointSlice", None, metadata["namespace"])
        labels = f"kubernetes.io/service-name={metadata['name']}"
        self.report("finding Pods to direct traffic to")
        for event in self.client.watch(path, labels=labels, stopped=self._over):
            if event.type != "DELETED" and rules.has_ready_endpoint(event.object):
                return
        raise self._not_ready(service, "Service does not target any Pods. Selected Pods may not be ready, or field "
                                       "'.spec.selector' may not match labels on any Pods")

    def _name_missing_services(self, ingress: Object) -> None:
        namespace = ingress["metadata"]["namespace"]
        present = {each["metadata"]["name"] for each in self.client.list("v1", "Service", namespace)}
        actions = {key.rpartition("/")[2].removeprefix("actions.")
                   for key in rules.pluck(ingress, "metadata", "annotations") or () if "/actions." in key}
        for path, name in rules.backends(ingress):
            if name not in present | actions:
                self.report(f"warning: no matching service found for ingress rule {path!r} -> {name!r}")

    def _binding_mode(self, claim: Object) -> str | None:
        name = rules.pluck(claim, "spec", "storageClassName")
        if not name:
            return None
        try:
            return str(self.client.get("storage.k8s.io/v1", "StorageClass", name).get("volumeBindingMode"))
        except NotFound:
            return None

    def _not_ready(self, item: Object, missing: str) -> NotReady:
        lines = [f"{_name(item)}: {missing}{self._why_over()}", *_bullets(diagnose(self.client, item))]
        return NotReady("\n".join(lines), item)


def _bullets(lines: Iterable[str]) -> Iterable[str]:
    return (f"  - {line}" for line in lines)


def _is_forgotten(live: Object) -> bool:
    """A definition whose storage was only beginning when it was deleted: the API server fails once to list its
    objects, loses the retry to a conflict, and does not come back before minutes (apiextensions' crd_finalizer.go)."""
    conditions = (live.get("status") or {}).get("conditions") or ()
    return live["kind"] == "CustomResourceDefinition" and any(
        each["type"] == "Terminating" and each.get("reason") == "InstanceDeletionFailed" for each in conditions)


def _hindrances(live: Object) -> str:
    """What a namespace says of why it is still there."""
    conditions = (live.get("status") or {}).get("conditions") or () if live["kind"] == "Namespace" else ()
    said = [f"{each['type']}: {each.get('message') or each.get('reason')}" for each in conditions
            if each["status"] == "True"]
    return f"; {'; '.join(said)}" if said else ""


def _name(item: Object) -> str:
    namespace = item["metadata"].get("namespace")
    return f"{item['kind']} {namespace + '/' if namespace else ''}{item['metadata']['name']}"
