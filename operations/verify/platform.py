"""The cluster and the data behind it: pods, load balancer, database, recovery points (K4, D1, D6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.plans import kubernetes
from infra.plans.recovery import How
from infra.settings.model import Service
from operations import balancer
from operations.cluster import Objects
from operations.recovery.account import Account
from operations.recovery.model import Judged, spelled
from operations.recovery.model import State as Point
from operations.recovery.points import look
from operations.rollout.cluster import waiting
from operations.rollout.pods import is_ready
from operations.verify.model import Skipped, Unfit
from operations.verify.scene import Scene

SHOWN = 5
AVAILABLE = "available"
STOPPED = ("stopped", "stopping", "starting")


def pods(scene: Scene) -> str:
    """Each service has as many ready pods of its live colour as its autoscaler's minimum, and none that is unready."""
    objects = Objects(scene.kubernetes, scene.settings.cluster.namespace)
    wrong, number = [], 0
    for service in scene.settings.services:
        colour = live(objects, service)
        found = _pods(objects, service, colour)
        ready = [pod for pod in found if is_ready(pod)]
        scaler = objects.get("autoscaling/v2", "HorizontalPodAutoscaler", kubernetes.name_of(service, colour))
        least = int(scaler["spec"].get("minReplicas", 1))
        number += len(ready)
        if len(ready) < max(least, 1) or len(ready) < len(found):
            why = "; ".join(dict.fromkeys(reason for pod in found if not is_ready(pod) for reason in waiting(pod)))
            wrong.append(f"{service.name}-{colour} has {len(ready)} of {max(least, len(found))} pods ready"
                         + (f" ({why})" if why else ""))
    if wrong:
        raise Unfit("; ".join(wrong))
    return f"{number} pods of {len(scene.settings.services)} services are ready"


def targets(scene: Scene) -> str:
    """The load balancer finds every ready pod of each live colour healthy."""
    objects, elb = Objects(scene.kubernetes, scene.settings.cluster.namespace), scene.aws("elbv2")
    groups, number = scene.outputs.table("targetGroups"), 0
    for service in scene.settings.services:
        if service.name not in groups:
            continue
        colour = live(objects, service)
        addresses = [pod["status"]["podIP"] for pod in _pods(objects, service, colour) if is_ready(pod)]
        if not addresses:
            raise Unfit(f"{service.name}-{colour} has no ready pod for the load balancer")
        arn = scene.outputs.text("targetGroups", service.name, colour)
        wrong = balancer.unhealthy(elb, arn, addresses)
        if wrong:
            raise Unfit(f"target group of {service.name}-{colour}: {wrong}")
        number += len(addresses)
    return f"{number} pods of {len(groups)} services are healthy targets"


def database(scene: Scene) -> str:
    """The instance is there, in as many zones as the settings say, encrypted and not public."""
    name = scene.outputs.text("databaseInstanceId")
    (found,) = scene.aws("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    status = found["DBInstanceStatus"]
    if status in STOPPED and scene.settings.operations.off_hours.stop_database and scene.asleep():
        raise Skipped(f"{name} is {status}: off-hours (operations.offHours.stopDatabase)")
    if status != AVAILABLE:
        raise Unfit(f"database {name} is {status}")
    wanted: Mapping[str, Any] = {"MultiAZ": scene.settings.database.multi_az, "StorageEncrypted": True,
                                 "PubliclyAccessible": False}
    wrong = [f"{key} is {found.get(key)}, not {value}" for key, value in wanted.items() if found.get(key) != value]
    if wrong:
        raise Unfit(f"database {name}: {'; '.join(wrong)}")
    return f"{name} is available"


def backups(scene: Scene) -> str:
    """No recovery point is older than D6 allows, open, broken or missing. A rehearsal replicates no objects."""
    found = [each for each in look(Account(scene.stack, scene.settings, scene.aws), scene.now())
             if not (scene.rehearsed and each.point.how is How.REPLICA)]
    bad = [each for each in found if each.state is Point.BAD]
    if bad:
        more = f", and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
        raise Unfit("; ".join(_fault(each) for each in bad[:SHOWN]) + more
                    + f"; `candlefish recovery points --stack {scene.stack}` has all")
    due = sum(each.state is Point.DUE for each in found)
    oldest = max((each.age for each in found if each.age is not None), default=None)
    if oldest is None:
        raise Unfit("there is no recovery point at all")
    return f"{len(found) - due} recovery points, the oldest {spelled(oldest)} old" + (
        f"; {due} are due" if due else "")


def live(objects: Objects, service: Service) -> str:
    """The colour that the service's own Service selects."""
    found = objects.get("v1", "Service", service.name)["spec"]["selector"].get(kubernetes.COLOUR_LABEL)
    if found not in kubernetes.COLOURS:
        raise Unfit(f"Service {service.name} selects colour {found!r}")
    return str(found)


def _pods(objects: Objects, service: Service, colour: str) -> list[Any]:
    """Those that are to stay."""
    return [pod for pod in objects.labelled("Pod", kubernetes.selector(service, colour))
            if not pod["metadata"].get("deletionTimestamp")
            and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")]


def _fault(judged: Judged) -> str:
    point = judged.point
    return f"{point.kept} {point.resource}, {point.how} in {point.region}: {'; '.join(judged.faults)}"
