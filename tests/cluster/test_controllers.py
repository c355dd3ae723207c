"""Add-ons of the cluster: metrics for autoscalers, names inside the cluster, volumes."""

from __future__ import annotations

import pytest

from tests.cluster.agent_world import (
    World,
    condition,
    container,
    deployment,
    pod,
    service,
    world_fixture,  # noqa: F401  registers the fixture `world`
)
from tests.eventually import eventually

pytestmark = pytest.mark.cluster


def test_an_autoscaler_follows_the_load_that_the_pods_report(world: World, namespace: str) -> None:
    world.apply(
        deployment(namespace, "site", 1, container("example/site:1.0--cpu-millicores-20",
                                                   resources={"requests": {"cpu": "100m"}})),
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
         "metadata": {"name": "site", "namespace": namespace},
         "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "site"},
                  "minReplicas": 1, "maxReplicas": 3, "metrics": [{"type": "Resource", "resource": {
                      "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}]}})
    world.available(namespace, "site", 1)
    name = world.pods(namespace)[0]["metadata"]["name"]
    eventually("the autoscaler has metrics", lambda: condition(world.client.get(
        "autoscaling/v2", "HorizontalPodAutoscaler", "site", namespace), "ScalingActive") == "True", 60)
    world.http.put(f"{world.pod_url(namespace, name)}/-/behaviour", json={"cpu_millicores": 400.0})
    eventually("three replicas", lambda: world.client.get("apps/v1", "Deployment", "site", namespace)["status"].get(
        "availableReplicas") == 3, 60)


def check(namespace: str, name: str, url: str) -> dict[str, object]:
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": namespace},
            "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [
                {"name": "check", "image": "curlimages/curl:8", "command": ["curl", "-fsS", url]}]}}}}


def test_a_check_pod_reaches_a_service_by_its_name_and_follows_its_selector(world: World, namespace: str) -> None:
    for colour in ("blue", "green"):
        world.apply(deployment(namespace, f"site-{colour}", 1, container(), labels={"color": colour}))
        world.available(namespace, f"site-{colour}", 1)
    for at, colour in enumerate(("blue", "green")):
        world.apply(service(namespace, "site", {"color": colour}))
        eventually(f"the endpoints are {colour}", lambda colour=colour: {  # type: ignore[misc]
            address for each in world.client.list("discovery.k8s.io/v1", "EndpointSlice", namespace,
                                                  labels="kubernetes.io/service-name=site")
            for endpoint in each.get("endpoints") or () for address in endpoint["addresses"]}
            == {each["status"]["podIP"] for each in world.pods(namespace, f"color={colour}")})
        world.apply(check(namespace, f"check-{at}", f"http://site.{namespace}.svc/api/x"))
        eventually("the check is complete", lambda at=at: condition(world.client.get(  # type: ignore[misc]
            "batch/v1", "Job", f"check-{at}", namespace), "Complete") == "True")
        name = world.pods(namespace, f"job-name=check-{at}")[0]["metadata"]["name"]
        log = world.client.transport.request("GET", f"/api/v1/namespaces/{namespace}/pods/{name}/log").text
        assert f'"color": "{colour}"' in log


def test_a_check_against_a_service_without_ready_pods_fails(world: World, namespace: str) -> None:
    world.apply(deployment(namespace, "site", 1, container("example/site:1.0--fail-probes-readiness")),
                service(namespace, "site", {"app": "site"}), check(namespace, "check", "http://site/"))
    eventually("the check failed", lambda: condition(world.client.get("batch/v1", "Job", "check", namespace),
                                                     "Failed") == "True")


def test_an_ephemeral_volume_is_bound_in_the_zone_of_its_pod(world: World, namespace: str) -> None:
    world.apply({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": f"gp3-{namespace}"},
                 "provisioner": "ebs.csi.aws.com", "volumeBindingMode": "WaitForFirstConsumer"})
    claim = {"spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": f"gp3-{namespace}",
                      "resources": {"requests": {"storage": "20Gi"}}}}
    world.apply(pod(namespace, "disk", container(volumeMounts=[{"name": "data", "mountPath": "/data"}]),
                    volumes=[{"name": "data", "ephemeral": {"volumeClaimTemplate": claim}}]))
    try:
        eventually("the pod ready", lambda: condition(world.client.get("v1", "Pod", "disk", namespace),
                                                      "Ready") == "True")
        bound = world.client.get("v1", "PersistentVolumeClaim", "disk-data", namespace)
        volume = world.client.get("v1", "PersistentVolume", bound["spec"]["volumeName"])
        node = world.client.get("v1", "Node", world.client.get("v1", "Pod", "disk", namespace)["spec"]["nodeName"])
        terms = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]
        assert terms["values"] == [node["metadata"]["labels"]["topology.kubernetes.io/zone"]]
        world.client.delete("v1", "Pod", "disk", namespace)
        eventually("the volume reclaimed", lambda: not [
            each for each in world.client.list("v1", "PersistentVolume")
            if each["metadata"]["name"] == volume["metadata"]["name"]])
    finally:
        world.client.delete("storage.k8s.io/v1", "StorageClass", f"gp3-{namespace}")
