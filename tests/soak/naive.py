"""The positive control: a release as a hurried script does it. A harness in which it loses nothing proves nothing."""

from __future__ import annotations

import time
from typing import Any

from infra.plans import kubernetes
from kube.client import JSON_PATCH, Client
from operations.rollout.cluster import Cluster
from operations.rollout.model import Target, other
from operations.rollout.shares import weights
from tests.eventually import eventually

SECONDS = 4.0  # of load afterwards: as long as a lagging node may take


def patch_then_delete(client: Client, aim: Target, image: str) -> None:
    """The new pods are ready, selector and weights are patched, the old pods deleted at once: no look at the load
    balancer, no drain."""
    cluster = Cluster(client, aim)
    live = str(cluster.read(cluster.selector))
    idle = other(live)
    pods = kubernetes.coloured(cluster.wanted_pods(), idle)
    pods["spec"]["containers"][0]["image"] = image

    def patch(api_version: str, kind: str, name: str, body: dict[str, Any]) -> None:
        client.patch(api_version, kind, name, aim.namespace, body)

    count = cluster.read(cluster.replicas(live))
    patch("apps/v1", "Deployment", f"{aim.name}-{idle}", {"spec": {"replicas": count}})
    client.patch("apps/v1", "Deployment", f"{aim.name}-{idle}", aim.namespace,
                 [{"op": "replace", "path": "/spec/template", "value": pods}], content_type=JSON_PATCH)
    eventually("the new pods",
               lambda: (cluster.deployment(idle).get("status") or {}).get("availableReplicas", 0) >= count,
               60)
    item = cluster.get("networking.k8s.io/v1", "Ingress", aim.name)
    patch("networking.k8s.io/v1", "Ingress", aim.name, cluster.weights.patch(item, weights(idle)))  # type: ignore[arg-type]
    patch("v1", "Service", aim.name, cluster.selector.patch({}, idle))  # type: ignore[arg-type]
    patch("apps/v1", "Deployment", f"{aim.name}-{live}", {"spec": {"replicas": 0}})
    for pod in cluster.pods(live):
        client.delete("v1", "Pod", pod["metadata"]["name"], aim.namespace, grace_seconds=0)
    time.sleep(SECONDS)  # load, not a wait
