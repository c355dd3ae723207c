"""What a colour must answer before and after the switch (O1)."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress

from infra.plans.guards import CHECKER_LABELS
from infra.plans.hosts import hosts
from infra.plans.ingress import host_name
from infra.plans.kubernetes import name_of, service_port
from infra.plans.pods import container, metadata, restricted
from infra.settings.model import Resources
from kube.client import NotFound, Object
from operations.errors import Failed
from operations.rollout.cluster import Cluster, waiting
from operations.rollout.model import Record, Target

SIZE = Resources(cpu_millis=10, memory_mib=32, cpu_limit_millis=100, memory_limit_mib=64)
SECONDS = 90.0  # for the pod to be scheduled, to pull and to ask
ATTEMPT_SECONDS = 5
ATTEMPTS = 3  # a single answer that is late is no reason to take a release back
Wait = Callable[[str, Callable[[], bool], float], None]


def paths(target: Target) -> tuple[str, ...]:
    """The probe's, and the others that say how the service is."""
    return tuple(dict.fromkeys((target.service.probe.path, *target.service.health_paths)))


def checker(target: Target, colour: str, revision: int) -> Object:
    """A pod that asks each path of the colour's own Service until it answers below 400, ATTEMPTS times at most, and
    ends: 0 when all did.

    Its image is the maintenance page's: pinned like the services' own, small, and with a wget.
    """
    host = f"{name_of(target.service, colour)}.{target.namespace}.svc.cluster.local"
    base = f"http://{host}:{service_port(target.service)}"
    asked = "; ".join(" || ".join([f"wget -q -T {ATTEMPT_SECONDS} -O /dev/null {base}{path}"] * ATTEMPTS + ["exit 1"])
                      for path in paths(target))
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": metadata(f"{target.name}-check-{revision}-{colour}", target.namespace, CHECKER_LABELS),
            "spec": {**restricted([container("check", target.settings.workloads.maintenance_image, SIZE,
                                             command=["sh", "-c", asked])], account="default"),
                     "restartPolicy": "Never", "activeDeadlineSeconds": int(SECONDS)}}


def from_inside(cluster: Cluster, record: Record, colour: str, wait: Wait) -> None:
    """Runs the checker. Raises Failed with what it said."""
    target, pod = cluster.target, checker(cluster.target, colour, record.revision)
    name = pod["metadata"]["name"]

    def phase() -> str:
        return str(cluster.get("v1", "Pod", name).get("status", {}).get("phase", ""))

    def remove() -> None:
        with suppress(NotFound):
            cluster.patiently(lambda: cluster.client.delete("v1", "Pod", name, target.namespace, grace_seconds=0))

    remove()  # of a run that was killed
    wait(f"the last health check of {colour} is gone", lambda: _gone(cluster, name), 30.0)
    cluster.create(pod)
    try:
        wait(f"the health check of {colour} ends", lambda: phase() in ("Succeeded", "Failed"), SECONDS)
        if phase() == "Failed":
            said = cluster.log(name) or "; ".join(waiting(cluster.get("v1", "Pod", name)))
            raise Failed(f"the health check from inside the cluster failed on {colour}: one of "
                         f"{', '.join(paths(target))} did not answer below 400 ({said})")
    finally:
        remove()


def _gone(cluster: Cluster, name: str) -> bool:
    try:
        cluster.get("v1", "Pod", name)
    except NotFound:
        return True
    return False


def urls(target: Target, base: str) -> Iterator[tuple[str, str]]:
    """(URL, host) of what is asked through the front door. base: where it answers, such as https://candlefish.ai."""
    names = hosts(target.settings.domain)
    for role in target.service.hosts or ("apex",):
        for path in target.service.health_paths or target.service.paths:
            yield f"{base}{path}", host_name(role, names, target.service)


def through_the_door(target: Target, base: str, colour: str, attempts: int = 5,
                     pause: Callable[[float], None] = time.sleep) -> None:
    """Every address of the service answers below 500. Raises Failed."""
    for url, host in urls(target, base):
        said = ""
        for _ in range(attempts):
            request = urllib.request.Request(url, headers={"Host": host, "User-Agent": "candlefish-rollout"})
            try:
                with urllib.request.urlopen(request, timeout=ATTEMPT_SECONDS):
                    said = ""
            except urllib.error.HTTPError as error:
                said = "" if error.code < 500 else f"answered {error.code}"
            except OSError as error:
                said = str(error)
            if not said:
                break
            pause(1.0)
        if said:
            raise Failed(f"through the front door {host}{url.removeprefix(base)} {said} after the switch to {colour}")
