"""The commands: who may begin, what goes on, who is asked."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from infra.plans.kubernetes import COLOURS
from kube.client import Client
from operations.cluster import expect_namespace
from operations.errors import NotAcceptable, OperationError
from operations.rollout.assess import Assessor
from operations.rollout.bluegreen import BlueGreen
from operations.rollout.canary import Canary
from operations.rollout.choice import Choice
from operations.rollout.cluster import Cluster, image_of
from operations.rollout.dry_run import Recorder, Unhurried
from operations.rollout.events import Event, Happened, Tell, Teller, nobody
from operations.rollout.front import Front
from operations.rollout.gates import Kept, Open
from operations.rollout.journal import Journal
from operations.rollout.judging import Thresholds
from operations.rollout.lease import Lease, Owned, identity
from operations.rollout.model import OnHold, Phase, Readings, Record, Result, Strategy, Target, Wish, other
from operations.rollout.readings import Sources
from operations.rollout.rolling import Rolling
from operations.rollout.steps import SETTLE_SECONDS, Steps
from operations.rollout.waits import Waits
from operations.rollout.watch import Watch

PINNED = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")
TAGGED = re.compile(r"[^@\s]+:[\w][\w.-]{0,127}(@sha256:[0-9a-f]{64})?")
ASKED_SECONDS = 900.0  # how long `promote` and `abort` wait for the process at work
STRATEGIES: Mapping[Strategy, type[Steps]] = {
    Strategy.BLUE_GREEN: BlueGreen, Strategy.CANARY: Canary, Strategy.ROLLING: Rolling}


@dataclass
class Runner:
    """Of one service. hold_seconds: None for the settings'. tell: whom to tell what happens. sources: None: nothing is
    judged. With a Recorder as its client nothing is written, and nothing is waited for."""

    client: Client
    target: Target
    front: Front
    say: Callable[[str], None]
    hold_seconds: float | None = None
    door: str = ""
    settle_seconds: float = SETTLE_SECONDS
    tell: Tell = nobody
    sources: Sources | None = None

    def __post_init__(self) -> None:
        self.cluster = Cluster(self.client, self.target)
        self.journal = Journal(self.client, self.target)
        expect_namespace(self.client, self.target.stack, self.target.namespace)

    def start(self, image: str, choice: Choice | None = None) -> Record:
        self._acceptable(image)
        settled = (choice or Choice()).settled(self.target, self.sources is not None)
        with Lease(self.client, self.target) as lease:
            current = self.journal.load().current
            if current is not None and not current.finished:
                asked = choice.strategy if choice else None
                if current.image != image or asked not in (None, current.strategy):
                    raise OperationError(
                        f"revision {current.revision} of {self.target.name} ({current.image}, {current.strategy}) is "
                        f"not finished: it stopped at {current.phase}; `candlefish rollout resume` goes on, `abort` "
                        "goes back")
                self.say(f"going on with revision {current.revision}, which stopped at {current.phase}")
            else:
                live = str(self.cluster.read(self.cluster.selector))
                previous = image_of(self.cluster.deployment(live))
                self.journal.begin(Record(
                    revision=self.journal.book.next_revision, image=image, previous=previous, live=live,
                    idle=other(live), began=time.time(), by=lease.holder, **settled))
            return self._work(lease)

    def resume(self, on_hold: OnHold | None = None) -> Record:
        with Lease(self.client, self.target) as lease:
            record = self._unfinished()
            if on_hold is not None:
                self.journal.note(replace(record, on_hold=on_hold))
            return self._work(lease)

    def promote(self) -> Record:
        """Ends the hold, or passes the stage at work."""
        return self._ask(Wish.PROMOTE)

    def abort(self) -> Record:
        return self._ask(Wish.ABORT)

    def rollback(self, revision: int | None) -> Record:
        """To what ran before, or to the image of a revision, all at once. A rollout at work is aborted instead."""
        book = self.journal.load()
        if book.current is not None and not book.current.finished and revision is None:
            return self.abort()
        if revision is None:
            promoted = [record for record in book.all if record.result is Result.PROMOTED]
            if not promoted:
                raise OperationError(f"nothing was rolled out of {self.target.name} yet; there is no way back")
            return self.start(promoted[-1].previous, AT_ONCE)
        for record in book.all:
            if record.revision == revision:
                return self.start(record.image, AT_ONCE)
        known = ", ".join(str(record.revision) for record in book.all) or "none"
        raise NotAcceptable(f"{self.target.name} has no revision {revision}; known are {known}")

    def weights(self) -> dict[str, int] | None:
        """Of the front door, by colour; None: it does not reach the service."""
        if not self.target.fronted:
            return None
        return dict(zip(COLOURS, self.cluster.read(self.cluster.weights), strict=True))

    def status(self) -> dict[str, Any]:
        book, cluster = self.journal.load(), self.cluster
        live = cluster.read(cluster.selector)
        colours = {}
        for colour in (live, other(live)):
            item = cluster.deployment(colour)
            colours[colour] = {"image": image_of(item), "replicas": item["spec"]["replicas"],
                               "ready": item.get("status", {}).get("readyReplicas", 0)}
        return {"service": self.target.name, "live": live, "colours": colours, "weights": self.weights(),
                "rollout": book.current.document() if book.current else None}

    def history(self) -> list[dict[str, Any]]:
        return [record.document() for record in self.journal.load().all]

    # How

    def _work(self, lease: Lease) -> Record:
        record = self._unfinished()
        if record.result is Result.HELD:
            record = replace(record, result=Result.RUNNING, reason="")
        self.journal.note(replace(record, by=lease.holder))
        hold = self.hold_seconds
        seconds = hold if hold is not None else 60.0 * self.target.settings.rollout.hold_minutes
        strategy = STRATEGIES[Strategy(record.strategy)]
        if isinstance(self.client, Recorder):
            return strategy(self.cluster, self.journal, self.front, Unhurried(self._would), Open(), self._would,
                            seconds, "", self.settle_seconds).run()
        waits = Waits(Watch(self.cluster, self.journal, lease), self.say)
        assessor = self._assessor(record)
        limit = 60.0 * self.target.settings.rollout.stage_limit_minutes
        try:
            with Teller(self.tell, self.say) as tell:
                return self._told(strategy(
                    self.cluster, self.journal, self.front, waits,
                    Kept(self.journal, waits, assessor, self.say, limit), self.say, seconds, self.door,
                    self.settle_seconds, tell=tell))
        finally:
            if assessor is not None:
                assessor.close()

    def _would(self, line: str) -> None:
        self.say(f"would: {line}")

    def _assessor(self, record: Record) -> Assessor | None:
        if record.readings is Readings.NONE or record.returning:
            return None
        if self.sources is None:
            raise OperationError(f"revision {record.revision} is judged by {record.readings}, which can't be read here")
        return Assessor(self.journal, self.sources(record.readings, record.prometheus),
                        Thresholds.of(self.target.settings), self.say)

    def _told(self, work: Steps) -> Record:
        record = work.record
        name = f"{self.target.name} revision {record.revision}"
        work.tell(Event(Happened.STARTED, self.target, record, f"{name} ({record.image}) starts at {record.phase}"))
        try:
            return work.run()
        except OperationError as error:
            work.tell(Event(Happened.STOPPED, self.target, work.record, f"{name} stops: {error}"))
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
                        raise OperationError("the old colour is on its way out; `rollback` brings its image back")
                    self.journal.note(record.noted(
                        f"{record.phase}: asked to go back by {identity()}", phase=Phase.BACK, wish=Wish.NONE,
                        reason="asked to go back", asked=True, decided=time.time(), result=Result.RUNNING))
                return self._work(lease)
        except Owned as owned:
            self.say(f"asked: {owned}")
            return self._followed(wish)

    def _followed(self, wish: Wish) -> Record:
        """Until the process at work has done it. A stage is promoted when the next one begins."""
        until = time.monotonic() + ASKED_SECONDS
        while time.monotonic() < until:
            current = self.journal.load().current
            if current is not None:
                taken = wish is Wish.PROMOTE and current.phase is Phase.STAGES and current.wish is Wish.NONE
                if current.finished or taken:
                    return current
                if current.result is Result.HELD:  # it ended just before it could be asked
                    return self._ask(wish)
            time.sleep(0.5)
        raise OperationError(f"the process at work did not finish within {ASKED_SECONDS:.0f} s; see `status`")

    def _unfinished(self) -> Record:
        current = (self.journal.book if self.journal.book.version else self.journal.load()).current
        if current is None or current.finished:
            raise OperationError(f"no rollout of {self.target.name} is at work; `candlefish rollout start` begins one")
        return current

    def _acceptable(self, image: str) -> None:
        environment = self.target.settings.environment
        if environment == "development":
            if not TAGGED.fullmatch(image):
                raise NotAcceptable(f"--image {image!r} has no tag; write name:tag, best with its digest")
        elif not PINNED.fullmatch(image):
            raise NotAcceptable(f"--image {image!r} has no digest; {environment} takes name[:tag]@sha256:… only, so "
                               "that every pod runs the same")


AT_ONCE = Choice(strategy=Strategy.BLUE_GREEN)
