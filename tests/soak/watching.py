"""Capacity, at every change of it: what is ready behind the live Service and behind the front door's weights."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from infra.plans.kubernetes import COLOURS
from kube.client import Client, Object
from operations.rollout.cluster import Cluster
from operations.rollout.model import Target

SERVICE_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Change:
    """At a revision of the cluster's store. ready: of a slice (its Service, how many); None: something else."""

    version: int
    slice: str = ""
    service: str = ""
    ready: int = 0
    weights: tuple[int, int] | None = None


@dataclass
class Seen:
    """low: what was below the requirement, in words, each with the store's revision."""

    looks: int = 0
    least: int = 1_000_000
    low: list[str] = field(default_factory=list)


@dataclass
class Watching:
    """Of one service. The changes of both kinds are put in the order of the store's revisions before they are judged,
    so that each look is at a state that was really there."""

    target: Target
    required: int
    changes: list[Change] = field(default_factory=list)

    def seen(self) -> Seen:
        """required: pods behind the live Service, and behind a colour with all the weight; with a part of the weight
        that part of them, and one at least."""
        seen, slices, weights = Seen(), dict[str, Change](), (0, 0)
        name = self.target.name
        begun = False
        for change in sorted(self.changes, key=lambda each: each.version):
            if change.weights is not None:
                weights = change.weights
            else:
                slices[change.slice] = change
            ready = {service: sum(each.ready for each in slices.values() if each.service == service)
                     for service in (name, *(f"{name}-{colour}" for colour in COLOURS))}
            wanted = {name: self.required} | {
                f"{name}-{colour}": max(1, ceil(self.required * weight / sum(weights)))
                for colour, weight in zip(COLOURS, weights, strict=True) if weight}
            begun = begun or (sum(weights) > 0 and all(ready[service] >= count for service, count in wanted.items()))
            if not begun:
                continue  # the lists of the beginning are not complete yet
            seen.looks += 1
            seen.least = min(seen.least, ready[name])
            seen.low += [f"revision {change.version}: {ready[service]} ready behind {service}, not {count}"
                         for service, count in wanted.items() if ready[service] < count]
        return seen


@contextmanager
def watching(client: Client, target: Target, required: int) -> Iterator[Watching]:
    """Until the end of the block. client: one that nothing is done to."""
    found, stop = Watching(target, required), threading.Event()
    cluster = Cluster(client, target)
    slices = client.path("discovery.k8s.io/v1", "EndpointSlice", None, target.namespace)
    ingresses = client.path("networking.k8s.io/v1", "Ingress", None, target.namespace)

    def follow(path: str, read: Any) -> None:
        for event in client.watch(path, stopped=stop.is_set):
            change = read(event.object, event.type == "DELETED")
            if change is not None:
                found.changes.append(change)

    def slice_of(item: Object, gone: bool) -> Change | None:
        service = (item["metadata"].get("labels") or {}).get(SERVICE_LABEL, "")
        return Change(_version(item), item["metadata"]["name"], service, 0 if gone else _ready(item))

    def weights_of(item: Object, gone: bool) -> Change | None:
        return None if gone else Change(_version(item), weights=cluster.weights.read(item))

    threads = [threading.Thread(target=follow, args=args, daemon=True)
               for args in ((slices, slice_of), (ingresses, weights_of))]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=10)


def _version(item: Mapping[str, Any]) -> int:
    return int(item["metadata"]["resourceVersion"])


def _ready(item: Mapping[str, Any]) -> int:
    return sum(1 for each in item.get("endpoints") or () if (each.get("conditions") or {}).get("ready", True))
