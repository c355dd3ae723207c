"""Waits against a real API server; the test plays the node and the load balancer by writing status."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from kube.client import Client, Event, Object
from rehearsal.kubernetes.waits import REMINDED, NotReady, Waiter

pytestmark = pytest.mark.cluster


class Background:
    """Runs a wait in a thread and hands out what it returned or raised."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(call,))
        self._thread.start()

    def _run(self, call: Callable[[], Any]) -> None:
        try:
            self.result = call()
        except (NotReady, AssertionError) as error:
            self.error = error

    @property
    def waiting(self) -> bool:
        return self._thread.is_alive()

    def end(self) -> Any:
        self._thread.join(timeout=15)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.result


def await_event(client: Client, path: str, check: Callable[[Event], bool]) -> Event:
    deadline = time.monotonic() + 15
    return next(event for event in client.watch(path, stopped=lambda: time.monotonic() > deadline) if check(event))


def service(namespace: str, **spec: Any) -> Object:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": namespace},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}}


def pod(namespace: str, **spec: Any) -> Object:
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web", "namespace": namespace, "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}], "terminationGracePeriodSeconds": 0, **spec}}


@pytest.fixture
def node(client: Client, namespace: str) -> Iterator[str]:
    """A node without an agent; EndpointSlices only take pods whose node exists. The taint keeps others' pods off."""
    client.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": namespace},
                   "spec": {"taints": [{"key": "test", "effect": "NoSchedule"}]}})
    yield namespace
    client.delete("v1", "Node", namespace)


def ready(client: Client, namespace: str) -> None:
    live = client.get("v1", "Pod", "web", namespace)
    live["status"] = {"phase": "Running", "podIP": "100.64.0.9", "podIPs": [{"ip": "100.64.0.9"}],
                      "conditions": [{"type": "Ready", "status": "True"}]}
    client.update_status(live)


def test_a_service_is_ready_when_a_pod_behind_it_is(client: Client, namespace: str, node: str) -> None:
    made = client.create(service(namespace)), client.create(pod(namespace, nodeName=node))
    waits = [Background(partial(Waiter(client, 10).ready, live)) for live in made]
    assert all(wait.waiting for wait in waits)
    ready(client, namespace)
    assert [wait.end()["kind"] for wait in waits] == ["Service", "Pod"]


def test_a_service_without_pods_fails_with_the_providers_words(client: Client, namespace: str) -> None:
    live = client.create(service(namespace))
    with pytest.raises(NotReady, match="Service does not target any Pods"):
        Waiter(client, 1).ready(live)


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"type": "ExternalName", "externalName": "x.example"}])
def test_a_headless_or_external_service_needs_no_pods(client: Client, namespace: str, spec: Object) -> None:
    assert Waiter(client, 5).ready(client.create(service(namespace, **spec)))


def test_an_ingress_waits_for_its_address_and_names_services_that_do_not_exist(client: Client,
                                                                               namespace: str) -> None:
    backends = [("/a", "absent"), ("/b", "split")]
    paths = [{"path": path, "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"name": "x"}}}}
             for path, name in backends]
    live = client.create({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "web", "namespace": namespace,
                     "annotations": {"alb.ingress.kubernetes.io/actions.split": "{}"}},
        "spec": {"rules": [{"http": {"paths": paths}}]}})
    reports: list[str] = []
    wait = Background(lambda: Waiter(client, 30, report=reports.append).ready(live))
    client.update_status({**live, "status": {"loadBalancer": {"ingress": [{"hostname": "alb.example"}]}}})
    assert wait.end()["status"]["loadBalancer"]["ingress"] == [{"hostname": "alb.example"}]
    assert reports == ["warning: no matching service found for ingress rule '/a' -> 'absent'"]


def test_a_failed_job_ends_the_wait_at_once(client: Client, namespace: str) -> None:
    template = pod(namespace)["spec"] | {"restartPolicy": "Never"}
    live = client.create({"apiVersion": "batch/v1", "kind": "Job",
                          "metadata": {"name": "migrate", "namespace": namespace},
                          "spec": {"backoffLimit": 0, "template": {"spec": template}}})
    wait = Background(lambda: Waiter(client, 30).ready(live))
    pods = client.path("v1", "Pod", None, namespace)
    made = await_event(client, pods, lambda event: event.object["metadata"]["name"].startswith("migrate-")).object
    # A patch: the scheduler writes the pod's status too, and a replacement would meet its version.
    client.patch("v1", "Pod", made["metadata"]["name"], namespace, {"status": {"phase": "Failed"}},
                 subresource="status")
    with pytest.raises(NotReady, match="the Job failed: BackoffLimitExceeded"):
        wait.end()


def test_a_claim_that_binds_at_first_use_is_ready_while_pending(client: Client, namespace: str) -> None:
    client.apply({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "late"},
                  "provisioner": "ebs.csi.aws.com", "volumeBindingMode": "WaitForFirstConsumer"},
                 field_manager="test")
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
             "metadata": {"name": "data", "namespace": namespace},
             "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "late",
                      "resources": {"requests": {"storage": "1Gi"}}}}
    assert Waiter(client, 10).ready(client.create(claim))
    client.delete("storage.k8s.io/v1", "StorageClass", "late")


def test_an_object_names_its_own_condition_or_no_wait_at_all(client: Client, namespace: str) -> None:
    asked = service(namespace)
    asked["metadata"]["annotations"] = {"pulumi.com/waitFor": "jsonpath={.metadata.labels.ready}=yes"}
    live = client.create(asked)
    wait = Background(lambda: Waiter(client, 30).ready(live))
    client.patch("v1", "Service", "web", namespace, {"metadata": {"labels": {"ready": "yes"}}})
    assert wait.end()["metadata"]["labels"] == {"ready": "yes"}
    skipped = client.patch("v1", "Service", "web", namespace,
                           {"metadata": {"annotations": {"pulumi.com/waitFor": None,
                                                         "pulumi.com/skipAwait": "true"}}})
    assert Waiter(client, 0).ready(skipped) == skipped


def test_waiting_for_the_end_sees_the_deletion_or_names_the_finalizer(client: Client, namespace: str) -> None:
    body: Object = {"apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": "kept", "namespace": namespace, "finalizers": ["example.com/hold"]}}
    client.create(body)
    live = client.delete("v1", "ConfigMap", "kept", namespace)
    with pytest.raises(NotReady, match=r"still exists.*finalizers: example\.com/hold.*timed out"):
        Waiter(client, 1).gone(live)
    wait = Background(lambda: Waiter(client, 30).gone(live))
    client.patch("v1", "ConfigMap", "kept", namespace, {"metadata": {"finalizers": None}})
    wait.end()
    Waiter(client, 1).gone(live)


def test_a_definition_whose_deletion_the_server_forgot_is_deleted_again(client: Client) -> None:
    """The server's own race, staged: it sets this condition when it could not list the objects of a fresh kind."""
    name, version = "parcels.waits.example.com", "apiextensions.k8s.io/v1"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    client.create({"apiVersion": version, "kind": "CustomResourceDefinition",
                   "metadata": {"name": name, "finalizers": ["example.com/hold"]},
                   "spec": {"group": "waits.example.com", "scope": "Cluster",
                            "names": {"plural": "parcels", "singular": "parcel", "kind": "Parcel"},
                            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}]}})
    going = client.delete(version, "CustomResourceDefinition", name)
    path = client.path(version, "CustomResourceDefinition")
    for event in client.watch(path, fields=f"metadata.name={name}"):
        if event.object["metadata"].get("finalizers") == ["example.com/hold"]:
            break  # the server has done its part and won't touch the condition any more
    client.patch(version, "CustomResourceDefinition", name, None, {"status": {"conditions": [
        {"type": "Terminating", "status": "True", "reason": "InstanceDeletionFailed", "message": "initializing",
         "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}, subresource="status")
    wait = Background(lambda: Waiter(client, 60).gone(going))
    for event in client.watch(path, fields=f"metadata.name={name}"):
        if REMINDED in (event.object["metadata"].get("annotations") or {}):
            break
    client.patch(version, "CustomResourceDefinition", name, None, {"metadata": {"finalizers": None}})
    wait.end()
