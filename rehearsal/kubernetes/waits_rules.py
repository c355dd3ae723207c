"""When an object counts as ready: pure functions over the live object, by the rules of pulumi-kubernetes' await logic
(https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/, source: provider/pkg/await).

Each rule returns None when the object is ready, else what is still missing; it raises `Failed` when it never will be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Object: TypeAlias = Mapping[str, Any]
Rule: TypeAlias = Callable[[Object], str | None]

SKIP_AWAIT = "pulumi.com/skipAwait"
WAIT_FOR = "pulumi.com/waitFor"
TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds"


class Failed(Exception):
    """Waiting longer is of no use."""


def pluck(item: Any, *path: str) -> Any:
    """The value at `path`, None when any step is missing."""
    for key in path:
        if not isinstance(item, Mapping):
            return None
        item = item.get(key)
    return item


def annotation(item: Object, name: str) -> str | None:
    value = pluck(item, "metadata", "annotations", name)
    return None if value is None else str(value)


def condition(item: Object, kind: str) -> Mapping[str, Any]:
    for each in pluck(item, "status", "conditions") or ():
        if each.get("type") == kind:
            found: Mapping[str, Any] = each
            return found
    return {}


def _observed(item: Object) -> bool:
    return int(pluck(item, "status", "observedGeneration") or 0) >= int(pluck(item, "metadata", "generation") or 0)


def deployment(item: Object) -> str | None:
    if not _observed(item) or annotation(item, "deployment.kubernetes.io/revision") is None:
        return "the Deployment controller has not seen this generation yet"
    wanted = pluck(item, "spec", "replicas")
    wanted = 1 if wanted is None else int(wanted)
    updated = int(pluck(item, "status", "updatedReplicas") or 0)
    available = int(pluck(item, "status", "availableReplicas") or 0)
    if updated < wanted:
        return f"{updated} of {wanted} pods are of the new revision"
    if min(updated, available) < wanted:
        return f"{available} of {wanted} new pods are available"
    if condition(item, "Available").get("status") != "True":
        return "the Deployment is not available"
    progressing = condition(item, "Progressing")
    if progressing and progressing.get("reason") != "NewReplicaSetAvailable":
        return str(progressing.get("message") or "the new ReplicaSet is not available yet")
    return None


def stateful_set(item: Object) -> str | None:
    if not _observed(item):
        return "the StatefulSet controller has not seen this generation yet"
    wanted = pluck(item, "spec", "replicas")
    wanted = 1 if wanted is None else int(wanted)
    status: Mapping[str, Any] = item.get("status") or {}
    ready = int(status.get("readyReplicas") or 0)
    if ready < wanted:
        return f"{ready} of {wanted} pods are ready"
    partition = pluck(item, "spec", "updateStrategy", "rollingUpdate", "partition") or 0
    rolling = pluck(item, "spec", "updateStrategy", "type") != "OnDelete"
    if rolling and not partition and status.get("currentRevision") != status.get("updateRevision"):
        return f"{status.get('updatedReplicas') or 0} of {wanted} pods are of the new revision"
    return None


def daemon_set(item: Object) -> str | None:
    if not _observed(item):
        return "the DaemonSet controller has not seen this generation yet"
    if pluck(item, "spec", "updateStrategy", "type") == "OnDelete":
        return None
    status: Mapping[str, Any] = item.get("status") or {}
    wanted = int(status.get("desiredNumberScheduled") or 0)
    updated, available = int(status.get("updatedNumberScheduled") or 0), int(status.get("numberAvailable") or 0)
    if min(updated, available) < wanted:
        return f"{updated} of {wanted} pods are updated, {available} are available"
    return None


def job(item: Object) -> str | None:
    failed = condition(item, "Failed")
    if failed.get("status") == "True":
        raise Failed(f"the Job failed: {failed.get('reason', '')}: {failed.get('message', '')}")
    if condition(item, "Complete").get("status") == "True":
        return None
    return f"{pluck(item, 'status', 'succeeded') or 0} of {pluck(item, 'spec', 'completions') or 1} pods completed"


def pod(item: Object) -> str | None:
    phase = pluck(item, "status", "phase")
    if phase == "Succeeded" or condition(item, "Ready").get("status") == "True":
        return None
    if phase == "Failed":
        raise Failed(f"the Pod failed: {pluck(item, 'status', 'reason') or pluck(item, 'status', 'message') or ''}")
    ready = condition(item, "Ready")
    scheduled = condition(item, "PodScheduled")
    if scheduled.get("status") == "False":
        return f"{scheduled.get('reason')}: {scheduled.get('message')}"
    return str(ready.get("message") or f"the Pod is {phase or 'not seen by a node yet'}")


def persistent_volume(item: Object) -> str | None:
    phase = pluck(item, "status", "phase")
    return None if phase in ("Available", "Bound") else f"the volume is {phase or 'new'}"


def claim(binding_mode: str | None) -> Rule:
    """A claim whose class binds at the first consumer is ready while Pending; any other when Bound."""
    expected = ("Pending", "Bound") if binding_mode == "WaitForFirstConsumer" else ("Bound",)

    def rule(item: Object) -> str | None:
        phase = pluck(item, "status", "phase")
        return None if phase in expected else f"the claim is {phase or 'new'}"

    return rule


def resource_quota(item: Object) -> str | None:
    if pluck(item, "status", "hard") == pluck(item, "spec", "hard"):
        return None
    return "the quota controller has not counted yet"


def secret(item: Object) -> str | None:
    if item.get("type") != "kubernetes.io/service-account-token" or item.get("data"):
        return None
    return "the token controller has not filled it yet"


def service(item: Object) -> str | None:
    if pluck(item, "spec", "type") != "LoadBalancer" or pluck(item, "status", "loadBalancer", "ingress"):
        return None
    return "Service was not allocated an IP address; does your cloud provider support this?"


def needs_endpoints(item: Object) -> bool:
    """A Service without selector is waited for too, as by the real provider: somebody must add its endpoints."""
    return bool(pluck(item, "spec", "type") != "ExternalName" and pluck(item, "spec", "clusterIP") != "None")


def has_ready_endpoint(slice_: Object) -> bool:
    return any(pluck(each, "conditions", "ready") is not False for each in slice_.get("endpoints") or ())


def ingress(item: Object) -> str | None:
    if pluck(item, "status", "loadBalancer", "ingress"):
        return None
    return "Ingress .status.loadBalancer field was not updated with a hostname/IP address"


def backends(item: Object) -> list[tuple[str, str]]:
    """(path, Service name) of every rule of an Ingress."""
    return [(f"{rule.get('host') or ''}{path.get('path') or ''}", str(name))
            for rule in pluck(item, "spec", "rules") or () for path in pluck(rule, "http", "paths") or ()
            for name in [pluck(path, "backend", "service", "name")] if name]


def custom_resource_definition(item: Object) -> str | None:
    if condition(item, "NamesAccepted").get("status") == "False":
        raise Failed(f"the names are taken: {condition(item, 'NamesAccepted').get('message')}")
    return None if condition(item, "Established").get("status") == "True" else "it is not established yet"


def wait_for(expression: str) -> Rule:
    """The rule of a `pulumi.com/waitFor` annotation: `condition=Type[=Status]`, `jsonpath={.path}[=value]`, or a JSON
    array of these, which must all hold. Raises ValueError for anything else."""
    if expression.lstrip().startswith("["):
        rules = [wait_for(str(each)) for each in json.loads(expression)]
        return lambda item: next((missing for rule in rules for missing in [rule(item)] if missing), None)
    if expression.startswith("condition="):
        kind, _, status = expression.removeprefix("condition=").partition("=")
        return lambda item: (None if str(condition(item, kind).get("status", "")).lower() == (status or "True").lower()
                             else f"condition {kind} is {condition(item, kind).get('status', 'absent')}")
    match = re.fullmatch(r"jsonpath=\{?\.?([^}=]+)\}?(?:=(.*))?", expression)
    if match is None:
        raise ValueError(f"{WAIT_FOR}: {expression!r} is neither condition=…, jsonpath=… nor a JSON array of these")
    path, value = match.group(1).split("."), match.group(2)
    return lambda item: (None if _holds(pluck(item, *path), value) else f"{match.group(1)} is {pluck(item, *path)!r}")


def _holds(found: Any, expected: str | None) -> bool:
    if expected is None:
        return found is not None
    text = str(found)
    return text.lower() == expected.lower() if isinstance(found, bool) else text == expected


# (apiVersion, kind) → rule, and the seconds it may take without customTimeouts.
RULES: Mapping[tuple[str, str], tuple[Rule, float]] = {
    ("apps/v1", "Deployment"): (deployment, 600), ("apps/v1", "StatefulSet"): (stateful_set, 600),
    ("apps/v1", "DaemonSet"): (daemon_set, 600), ("batch/v1", "Job"): (job, 600), ("v1", "Pod"): (pod, 600),
    ("v1", "PersistentVolume"): (persistent_volume, 300), ("v1", "PersistentVolumeClaim"): (claim(None), 300),
    ("v1", "ResourceQuota"): (resource_quota, 60), ("v1", "Secret"): (secret, 5), ("v1", "Service"): (service, 600),
    ("networking.k8s.io/v1", "Ingress"): (ingress, 600),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): (custom_resource_definition, 60)}
