"""The commands: who may begin, what goes on, who is asked."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kube.client import Client, NotFound
from operations.rollout.bluegreen import SETTLE_SECONDS, BlueGreen
from operations.rollout.cluster import Cluster, image_of
from operations.rollout.events import Event, Happened, Tell, Teller, nobody
from operations.rollout.front import Front
from operations.rollout.journal import Journal
from operations.rollout.lease import Lease, Owned, identity
from operations.rollout.model import NotAcceptable, Phase, Record, Result, RolloutError, Target, Wish, other
from operations.rollout.waits import Waits
from operations.rollout.watch import Watch

PINNED = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")
TAGGED = re.compile(r"[^@\s]+:[\w][\w.-]{0,127}(@sha256:[0-9a-f]{64})?")
ASKED_SECONDS = 900.0  # how long `promote` and `abort` wait for the process at work


@dataclass
class Runner:
    """Of one service. hold_seconds: None for the settings'. tell: whom to tell what happens."""

    client: Client
    target: Target
    front: Front
    say: Callable[[str], None]
    hold_seconds: float | None = None
    door: str = ""
    settle_seconds: float = SETTLE_SECONDS
    tell: Tell = nobody

    def __post_init__(self) -> None:
        self.cluster = Cluster(self.client, self.target)
        self.journal = Journal(self.client, self.target)
        try:
            self.client.get("v1", "Namespace", self.target.namespace)
        except NotFound:
            raise RolloutError(
                f"the cluster of this kubeconfig has no namespace {self.target.namespace}; point KUBECONFIG (or "
                f"--kubeconfig, --context) at that of {self.target.stack}: aws eks update-kubeconfig, or "
                f'eval "$(candlefish rehearse env --stack {self.target.stack})"') from None

    def start(self, image: str) -> Record:
        self._acceptable(image)
        with Lease(self.client, self.target) as lease:
            current = self.journal.load().current
            if current is not None and not current.finished:
                if current.image != image:
                    raise RolloutError(
                        f"revision {current.revision} of {self.target.name} ({current.image}) is not finished: it "
                        f"stopped at {current.phase}; `candlefish rollout resume` goes on, `abort` goes back")
                self.say(f"going on with revision {current.revision}, which stopped at {current.phase}")
            else:
                live = str(self.cluster.read(self.cluster.selector))
                previous = image_of(self.cluster.deployment(live))
                self.journal.begin(Record(self.journal.book.next_revision, "blue-green", image, previous, live,
                                          other(live), began=time.time(), by=lease.holder))
            return self._work(lease)

    def resume(self) -> Record:
        with Lease(self.client, self.target) as lease:
            self._unfinished()
            return self._work(lease)

    def promote(self) -> Record:
        return self._ask(Wish.PROMOTE)

    def abort(self) -> Record:
        return self._ask(Wish.ABORT)

    def rollback(self, revision: int | None) -> Record:
        """To what ran before, or to the image of a revision. A rollout at work is aborted instead."""
        book = self.journal.load()
        if book.current is not None and not book.current.finished and revision is None:
            return self.abort()
        if revision is None:
            promoted = [record for record in book.all if record.result is Result.PROMOTED]
            if not promoted:
                raise RolloutError(f"nothing was rolled out of {self.target.name} yet; there is no way back")
            return self.start(promoted[-1].previous)
        for record in book.all:
            if record.revision == revision:
                return self.start(record.image)
        known = ", ".join(str(record.revision) for record in book.all) or "none"
        raise NotAcceptable(f"{self.target.name} has no revision {revision}; known are {known}")

    def status(self) -> dict[str, Any]:
        book, cluster = self.journal.load(), self.cluster
        live = cluster.read(cluster.selector)
        colours = {}
        for colour in (live, other(live)):
            item = cluster.deployment(colour)
            colours[colour] = {"image": image_of(item), "replicas": item["spec"]["replicas"],
                               "ready": item.get("status", {}).get("readyReplicas", 0)}
        return {"service": self.target.name, "live": live, "colours": colours,
                "weights": list(cluster.read(cluster.weights)) if self.target.fronted else None,
                "rollout": book.current.document() if book.current else None}

    def history(self) -> list[dict[str, Any]]:
        return [record.document() for record in self.journal.load().all]

    # How

    def _work(self, lease: Lease) -> Record:
        self.journal.note(replace(self._unfinished(), by=lease.holder))
        hold = self.hold_seconds
        seconds = hold if hold is not None else 60.0 * self.target.settings.rollout.hold_minutes
        watch = Watch(self.cluster, self.journal, lease)
        with Teller(self.tell, self.say) as tell:
            work = BlueGreen(self.cluster, self.journal, self.front, Waits(watch, self.say), self.say, seconds,
                             self.door, self.settle_seconds, tell=tell)
            name = f"{self.target.name} revision {work.record.revision}"
            tell(Event(Happened.STARTED, self.target, work.record, f"{name} ({work.record.image}) starts at "
                       f"{work.record.phase}"))
            try:
                return work.run()
            except RolloutError as error:
                tell(Event(Happened.STOPPED, self.target, work.record, f"{name} stops: {error}"))
                raise

    def _ask(self, wish: Wish) -> Record:
        self.journal.load()
        self._unfinished()
        self.journal.wish(wish)
        try:
            with Lease(self.client, self.target) as lease:
                record = self.journal.load().current
                assert record is not None  # it was there, and is never removed
                if record.finished:  # by the process that was asked
                    return record
                if wish is Wish.ABORT and not record.returning:
                    if record.phase is Phase.RETIRE:
                        raise RolloutError("the old colour is on its way out; `rollback` brings its image back")
                    self.journal.note(record.noted(f"{record.phase}: asked to go back by {identity()}",
                                                   phase=Phase.BACK, wish=Wish.NONE, reason="asked to go back"))
                return self._work(lease)
        except Owned as owned:
            self.say(f"asked: {owned}")
            return self._followed()

    def _followed(self) -> Record:
        until = time.monotonic() + ASKED_SECONDS
        while time.monotonic() < until:
            current = self.journal.load().current
            if current is not None and current.finished:
                return current
            time.sleep(0.5)
        raise RolloutError(f"the process at work did not finish within {ASKED_SECONDS:.0f} s; see `status`")

    def _unfinished(self) -> Record:
        current = (self.journal.book if self.journal.book.version else self.journal.load()).current
        if current is None or current.finished:
            raise RolloutError(f"no rollout of {self.target.name} is at work; `candlefish rollout start` begins one")
        return current

    def _acceptable(self, image: str) -> None:
        environment = self.target.settings.environment
        if environment == "development":
            if not TAGGED.fullmatch(image):
                raise NotAcceptable(f"--image {image!r} has no tag; write name:tag, best with its digest")
        elif not PINNED.fullmatch(image):
            raise NotAcceptable(f"--image {image!r} has no digest; {environment} takes name[:tag]@sha256:… only, so "
                               "that every pod runs the same")
