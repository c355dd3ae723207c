"""The ways that are swept, and what must be at the end of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kube.client import NotFound
from operations.rollout.cluster import Cluster
from operations.rollout.judging import Sample
from operations.rollout.model import Record, Result, Strategy, other
from operations.rollout.shares import weights

STAGES: dict[str, Any] = {"stages_percent": (50, 100), "batch_percent": 50, "stage_minutes": 0.0,
                          "batch_minutes": 0.0}
WAYS = {"forward": Strategy.BLUE_GREEN, "back": Strategy.BLUE_GREEN, "canary": Strategy.CANARY,
        "rolling": Strategy.ROLLING}


class Fine:
    """Readings that pass each stage at once: what is swept is the writes, not the judge."""

    interval_seconds, delay_seconds = 1.0, 0.0

    def readable(self, now: datetime) -> datetime:
        return now

    def read(self, colour: str, since: datetime, until: datetime) -> Sample:
        return Sample((until - since).total_seconds(), 5_000)


def wrong(cluster: Cluster, record: Record, image: str, result: Result, count: int) -> list[str]:
    """What is not as it has to be. count: pods of the colour that serves."""
    live = record.idle if record.result is Result.PROMOTED else record.live
    rest = other(live)
    wanted: dict[str, tuple[Any, Any]] = {
        "selector": (cluster.read(cluster.selector), live), "weights": (cluster.read(cluster.weights), weights(live)),
        "replicas": (cluster.read(cluster.replicas(live)), count),
        "idle replicas": (cluster.read(cluster.replicas(rest)), 0), "idle pods": (len(cluster.pods(rest)), 0),
        "minimum": (cluster.read(cluster.minimum(live)), count),
        "idle minimum": (cluster.read(cluster.minimum(rest)), count),
        "result": (record.result, result), "image": (record.image, image)}
    found = [f"{name} is {there}, not {right} ({record.reason})" for name, (there, right) in wanted.items()
             if there != right]
    try:
        cluster.get("v1", "Pod", f"{cluster.target.name}-check-{record.revision}-{record.idle}")
    except NotFound:
        return found
    return [*found, "the health check's pod is left over"]
