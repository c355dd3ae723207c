"""Looks about once a second whether the rollout is still ours: lease, wishes, and no other hand on what it owns."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from operations.cluster import Field, either, last_writer
from operations.errors import Contested
from operations.rollout.cluster import Cluster, Weights
from operations.rollout.journal import Journal
from operations.rollout.lease import Lease
from operations.rollout.model import Phase, Record, Wish
from operations.rollout.shares import weights
from operations.rollout.steps import Aborted

LOOK_SECONDS = 1.0  # a change by somebody else is seen within two of these
BEFORE = (Phase.PREPARE, Phase.MIGRATE, Phase.DEPLOY, Phase.CHECK)
AFTER = (Phase.VERIFY, Phase.HOLD, Phase.RETIRE)
SERVING = (Phase.SWITCH, Phase.STAGES, Phase.VERIFY, Phase.HOLD)  # both colours may have traffic, or get it back


@dataclass(frozen=True)
class Expected:
    """What may be found. Of what is on its way, both. pods: colour → fewest."""

    colours: Collection[str]
    weights: Collection[Weights]
    pods: dict[str, int]


def expected(record: Record) -> Expected | None:
    """None: nothing is certain at this step."""
    live, idle = record.live, record.idle
    pods = {live: max(1, record.least)} if record.phase is not Phase.RETIRE else {}
    if record.phase in SERVING:
        pods[idle] = max(1, record.grown)
    if record.phase in BEFORE:
        return Expected((live,), (weights(live),), pods)
    if record.phase is Phase.SWITCH:
        return Expected((live, idle), (weights(live), weights(idle)), pods)
    if record.phase is Phase.STAGES:
        shares = [record.percent] if record.entered else [record.percent_before, record.percent]
        colours = [idle] if record.last_stage else [live]
        return Expected(colours if record.entered or not record.last_stage else [live, idle],
                        [weights(idle, share) for share in shares], pods)
    if record.phase in AFTER:
        return Expected((idle,), (weights(idle),), pods)
    return None


class Watch:
    def __init__(self, cluster: Cluster, journal: Journal, lease: Lease,
                 now: Callable[[], float] = time.monotonic) -> None:
        self._cluster, self._journal, self._lease, self._now = cluster, journal, lease, now
        self._next = 0.0

    def __call__(self) -> None:
        """Raises Owned, Contested or Aborted. Cheap when it was asked just before."""
        self._lease.check()
        if self._now() < self._next:
            return
        self._next = self._now() + LOOK_SECONDS
        record = self._journal.record
        wish = self._journal.wished()
        if wish is Wish.ABORT and not record.returning and record.phase is not Phase.RETIRE:
            raise Aborted("asked to go back")
        found = expected(record)
        if found is None:
            return
        cluster = self._cluster
        self._expect(cluster.selector, found.colours)
        if cluster.target.fronted:
            self._expect(cluster.weights, found.weights)
        for colour, fewest in found.pods.items():
            self._count(cluster.replicas(colour), fewest)

    def _expect(self, field: Field, wanted: Collection[Any]) -> None:
        item = self._cluster.get(field.api_version, field.kind, field.name)
        found = field.read(item)
        if found not in wanted:
            raise Contested(f"{field.what} ({field.kind} {field.name}) is {found}, not "
                            f"{either(wanted)}: {_whose(item)}")

    def _count(self, field: Field, fewest: int) -> None:
        item = self._cluster.get(field.api_version, field.kind, field.name)
        found = field.read(item)
        if found < fewest:  # its autoscaler has a minimum and does not do it
            raise Contested(f"{field.what} ({field.kind} {field.name}) are {found}, fewer than {fewest}: "
                            f"{_whose(item)}")


def _whose(item: dict[str, Any]) -> str:
    return (f"{last_writer(item)} changed it during this rollout. Both colours stay as they are; `abort` goes back to "
            "the old one, `resume` goes on once it is as it was")
