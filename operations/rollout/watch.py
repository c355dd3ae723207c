"""Looks about once a second whether the rollout is still ours: lease, wishes, and no other hand on what it owns."""

from __future__ import annotations

import time
from collections.abc import Callable

from operations.rollout.bluegreen import Aborted, weights
from operations.rollout.cluster import Cluster, Field, last_writer
from operations.rollout.journal import Journal
from operations.rollout.lease import Lease
from operations.rollout.model import Contested, Phase, Wish

LOOK_SECONDS = 1.0  # a change by somebody else is seen within two of these
BEFORE = (Phase.PREPARE, Phase.MIGRATE, Phase.DEPLOY, Phase.CHECK)
AFTER = (Phase.VERIFY, Phase.HOLD, Phase.RETIRE)


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
        record = self._journal.book.current
        assert record is not None
        wish = self._journal.wished()
        if wish is Wish.ABORT and not record.returning and record.phase is not Phase.RETIRE:
            raise Aborted("asked to go back")
        if record.phase in BEFORE:
            self._is(record.live, record.live)
        elif record.phase in AFTER:
            self._is(record.idle, record.live if record.phase is not Phase.RETIRE else "")

    def _is(self, colour: str, kept: str) -> None:
        """Traffic is on `colour`, and `kept` has pods."""
        cluster = self._cluster
        self._expect(cluster.selector, colour)
        if cluster.target.fronted:
            self._expect(cluster.weights, weights(colour))
        if kept and not cluster.read(cluster.replicas(kept)):
            raise Contested(f"{kept} was scaled to 0 while it is the way back; this rollout stops")

    def _expect(self, field: Field, wanted: object) -> None:
        item = self._cluster.get(field.api_version, field.kind, field.name)
        found = field.read(item)
        if found != wanted:
            raise Contested(f"{field.what} ({field.kind} {field.name}) is {found}, not {wanted}: {last_writer(item)} "
                            "changed it during this rollout. Both colours stay as they are; `abort` goes back to the "
                            "old one, `resume` goes on once it is as it was")
