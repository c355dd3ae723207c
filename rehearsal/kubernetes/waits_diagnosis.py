"""Why an object is not ready, from what stands around it: its pods, their containers, the latest warnings."""

from __future__ import annotations

from collections.abc import Iterable

from kube.client import ApiError, Client, Object
from rehearsal.kubernetes.waits_rules import condition, pluck

LIMIT = 8  # lines; more would bury the first cause


def diagnose(client: Client, item: Object) -> list[str]:
    """Lines for an error message; empty when nothing is known. Never raises: it explains another failure."""
    try:
        namespace = pluck(item, "metadata", "namespace")
        lines = [*_conditions(item)]
        names = {str(item["metadata"]["name"])}
        if namespace:
            pods = _pods(client, item, namespace)
            names |= {str(pod["metadata"]["name"]) for pod in pods}
            names |= {str(each["name"]) for pod in pods for each in pod["metadata"].get("ownerReferences") or ()}
            for pod in pods:
                lines += _pod(pod)
            lines += _warnings(client, namespace, names)
        return list(dict.fromkeys(lines))[:LIMIT]
    except ApiError as error:
        return [f"(no details: {error})"]


def _conditions(item: Object) -> Iterable[str]:
    failure = condition(item, "ReplicaFailure")
    if failure.get("status") == "True":
        yield f"[{failure.get('reason')}] {failure.get('message')}"
    progressing = condition(item, "Progressing")
    if progressing.get("status") == "False":
        yield f"[{progressing.get('reason')}] {progressing.get('message')}"


def _pods(client: Client, item: Object, namespace: str) -> list[Object]:
    if item.get("kind") == "Pod":
        return [item]
    labels = pluck(item, "spec", "selector", "matchLabels")
    if item.get("kind") == "Service":
        labels = pluck(item, "spec", "selector")
    if not labels:
        return []
    return client.list("v1", "Pod", namespace, labels=",".join(f"{key}={value}" for key, value in labels.items()))


def _pod(pod: Object) -> Iterable[str]:
    name = pod["metadata"]["name"]
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        yield f"[Pod {name}]: {scheduled.get('reason')}: {scheduled.get('message')}"
    for status in pluck(pod, "status", "containerStatuses") or ():
        waiting = pluck(status, "state", "waiting") or {}
        ended = pluck(status, "state", "terminated") or pluck(status, "lastState", "terminated") or {}
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            yield f"[Pod {name}, container {status['name']}]: {waiting['reason']}: {waiting.get('message', '')}"
        if ended.get("exitCode"):
            yield (f"[Pod {name}, container {status['name']}]: exited with {ended['exitCode']} "
                   f"({ended.get('reason', '')}) {ended.get('message', '')}".rstrip())
        if not waiting and not ended and not status.get("ready"):
            yield f"[Pod {name}, container {status['name']}]: running, but not ready"


def _warnings(client: Client, namespace: str, names: set[str]) -> Iterable[str]:
    for event in client.list("v1", "Event", namespace, fields="type=Warning"):
        involved = event.get("involvedObject") or {}
        if involved.get("name") in names:
            yield f"[{involved.get('kind')} {involved.get('name')}]: {event.get('reason')}: {event.get('message')}"
