"""Blue/green (O1): the idle colour gets the release, all traffic moves at once, the old colour stays for the hold.

Each step looks first and writes only what is missing, so that a rollout that was killed anywhere is finished by
running its steps again from the one that the journal names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from infra.plans import kubernetes
from infra.plans.kubernetes import COLOURS
from kube.client import NotFound
from operations.rollout import checks
from operations.rollout.cluster import REVISION, Cluster, Weights, waiting
from operations.rollout.events import Event, Happened, Tell, nobody
from operations.rollout.front import Front
from operations.rollout.journal import Journal
from operations.rollout.model import Contested, Failed, Phase, Record, Result, RolloutError, Wish
from operations.rollout.waits import Waits

FORWARD = (Phase.PREPARE, Phase.MIGRATE, Phase.DEPLOY, Phase.CHECK, Phase.SWITCH, Phase.VERIFY, Phase.HOLD,
           Phase.RETIRE)
BACKWARD = (Phase.BACK, Phase.CLEAR)
PODS_SECONDS = 600.0  # O4: the time limit of a rollout
BACK_SECONDS = 300.0  # O4: of a rollback
DATA_PLANE_SECONDS = 120.0  # for target health, rules and EndpointSlices to follow
MIGRATION_SECONDS = 900.0
SETTLE_SECONDS = 10.0


class Aborted(Exception):
    """Somebody asked for the way back."""


@dataclass
class BlueGreen:
    """One rollout at work. hold_seconds: of the hold. door: base URL of the front door; empty: not asked.
    settle_seconds: how long the new pods must stay ready before they are trusted."""

    cluster: Cluster
    journal: Journal
    front: Front
    waits: Waits
    say: Callable[[str], None]
    hold_seconds: float
    door: str = ""
    settle_seconds: float = SETTLE_SECONDS
    now: Callable[[], float] = time.time
    tell: Tell = nobody

    @property
    def record(self) -> Record:
        current = self.journal.book.current
        assert current is not None
        return current

    def run(self) -> Record:
        """To the end: promoted or rolled back. Raises Contested and RolloutError with both colours in place."""
        steps: Mapping[Phase, Callable[[], None]] = {
            Phase.PREPARE: self.prepare, Phase.MIGRATE: self.migrate, Phase.DEPLOY: self.deploy,
            Phase.CHECK: self.check, Phase.SWITCH: self.switch, Phase.VERIFY: self.verify, Phase.HOLD: self.hold,
            Phase.RETIRE: self.retire, Phase.BACK: self.back, Phase.CLEAR: self.clear}
        while not self.record.finished:
            phase = self.record.phase
            self.say(f"{self.cluster.target.name} revision {self.record.revision}: {phase}")
            try:
                steps[phase]()
                self._enter(_after(phase))
            except (Failed, Aborted) as error:
                if self.record.returning:
                    raise RolloutError(f"the way back is not done: {error}; run the command again") from error
                if phase is Phase.RETIRE:
                    raise RolloutError(f"{error}; the new colour serves, run the command again to finish") from error
                self.say(str(error))
                self.journal.note(self.record.noted(f"{phase}: {error}", phase=Phase.BACK, reason=str(error),
                                                    wish=Wish.NONE))
                self.told()
        return self.record

    def _enter(self, phase: Phase) -> None:
        changes: dict[str, Any] = {"phase": phase}
        if phase is Phase.HOLD:
            changes["held"] = self.now()
        if phase is Phase.DONE:
            back = self.record.returning
            changes |= {"ended": self.now(), "result": Result.ROLLED_BACK if back else Result.PROMOTED}
        self.journal.note(replace(self.record, **changes))
        self.told()

    def told(self) -> None:
        record = self.record
        name = f"{self.cluster.target.name} revision {record.revision}"
        if record.finished:
            why = f" ({record.reason})" if record.reason else ""
            self.tell(Event(Happened.ENDED, self.cluster.target, record, f"{name} is {record.result}{why}"))
        else:
            self.tell(Event(Happened.STEP, self.cluster.target, record, f"{name} is at {record.phase}"))

    # Forward

    def prepare(self) -> None:
        record = self.record
        live = self.cluster.read(self.cluster.selector)
        if live != record.live:
            raise Contested(f"the live colour is {live}, and was {record.live} when this rollout began")
        busy = self.cluster.read(self.cluster.replicas(live))
        minimum = int(self.cluster.read(self.cluster.minimum(live)))
        if not busy:
            raise RolloutError(f"{live} is live and has no pods; bring it back first: candlefish scale")
        most = self.cluster.target.service.replicas.maximum
        self.journal.note(replace(record, replicas=min(max(int(busy), minimum), most), minimum=minimum))

    def migrate(self) -> None:
        service, record = self.cluster.target.service, self.record
        if not service.migration:
            return
        name, namespace = f"{service.name}-migration-{record.revision}", self.cluster.target.namespace
        try:
            self.cluster.get("batch/v1", "Job", name)
        except NotFound:
            template = self.cluster.get("batch/v1", "CronJob", f"{service.name}-migration")["spec"]["jobTemplate"]
            job: dict[str, Any] = {"apiVersion": "batch/v1", "kind": "Job", **template,
                                   "metadata": {**template.get("metadata", {}), "name": name, "namespace": namespace}}
            job["spec"]["template"]["spec"]["containers"][0]["image"] = record.image
            self.cluster.patiently(lambda: self.cluster.client.create(job))

        def ended() -> bool:
            status = self.cluster.get("batch/v1", "Job", name).get("status", {})
            if status.get("failed") and any(each["type"] == "Failed" and each["status"] == "True"
                                            for each in status.get("conditions") or ()):
                raise Failed(f"the migration {name} failed; its pods' logs say why. Nothing was switched")
            return bool(status.get("succeeded"))

        self.waits.until(f"the migration {name} ends", ended, MIGRATION_SECONDS)

    def deploy(self) -> None:
        record, idle = self.record, self.record.idle
        pods = kubernetes.coloured(self.cluster.wanted_pods(), idle)
        pods["spec"]["containers"][0]["image"] = record.image
        mark = str(record.revision)
        pods["metadata"]["annotations"] = {**pods["metadata"].get("annotations", {}), REVISION: mark}
        self.cluster.move(self.cluster.template(idle), pods, mark=mark)
        self.cluster.move(self.cluster.minimum(idle), record.replicas)
        if not self.cluster.read(self.cluster.replicas(idle)) >= record.replicas:
            self.cluster.move(self.cluster.replicas(idle), record.replicas)
        self.waits.until(f"{record.replicas} pods of {idle} are ready", self._ready, PODS_SECONDS, self._why)
        self._pinned()
        self.waits.hold(self.settle_seconds, self._restless)

    def _ready(self) -> bool:
        item = self.cluster.deployment(self.record.idle)
        status, wanted = item.get("status") or {}, self.record.replicas
        return bool(status.get("observedGeneration") == item["metadata"]["generation"]
                    and min(status.get("updatedReplicas", 0), status.get("availableReplicas", 0)) >= wanted)

    def _restless(self) -> bool:
        """Never true: a pod that is ready for a moment and ends is not fit, however ready it is at other moments."""
        for pod in self.cluster.pods(self.record.idle):
            restarts = [each.get("restartCount", 0) for each in pod["status"].get("containerStatuses") or ()]
            if any(restarts):
                raise Failed(f"{pod['metadata']['name']} of {self.record.idle} became ready and restarted "
                             f"{max(restarts)} times: {'; '.join(waiting(pod))}")
        status = self.cluster.deployment(self.record.idle).get("status") or {}
        if status.get("availableReplicas", 0) < self.record.replicas:  # more may be on their way: the autoscaler's
            raise Failed(f"pods of {self.record.idle} were ready and did not stay so"
                         + (f": {why}" if (why := self._why()) else ""))
        return False

    def _why(self) -> str:
        """Of the pods that are not ready; a crash loop ends the wait."""
        pods = [pod for pod in self.cluster.pods(self.record.idle) if not _is_ready(pod)]
        reasons = [reason for pod in pods for reason in waiting(pod)]
        for reason in reasons:
            if reason.startswith(("CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff", "InvalidImageName")):
                raise Failed(f"pods of {self.record.idle} do not start: {reason}")
        return "; ".join(dict.fromkeys(reasons))

    def _pinned(self) -> None:
        """What runs is what was asked for: the digest, as the node reports it."""
        _, _, digest = self.record.image.partition("@")
        for pod in self.cluster.pods(self.record.idle) if digest else ():
            found = str(pod["status"]["containerStatuses"][0].get("imageID") or "")
            if "@" in found and not found.endswith(digest):
                raise Failed(f"{pod['metadata']['name']} runs {found}, not {digest}")

    def check(self) -> None:
        checks.from_inside(self.cluster, self.record, self.record.idle, self.waits.until)

    def switch(self) -> None:
        self._turn(self.record.live, self.record.idle, DATA_PLANE_SECONDS)

    def _turn(self, away: str, towards: str, seconds: float, whatever: bool = False) -> None:
        """The front door's weights, then the selector, each once the data plane is ready for it and seen to follow."""
        target = self.cluster.target
        if target.fronted:
            self.waits.unhindered(f"{towards} is healthy at the load balancer",
                                  lambda: self._unhealthy(towards) or None, seconds)
            if self.cluster.move(self.cluster.weights, weights(towards), None if whatever else {weights(away)}):
                self.say(f"front door: {away} → {towards}")
        if self.cluster.move(self.cluster.selector, towards, None if whatever else {away}):
            self.say(f"inside the cluster: {away} → {towards}")
        if target.fronted:
            wanted = weights(towards)
            self.waits.unhindered("the load balancer has the weights", lambda: self.front.following(wanted) or None,
                                  seconds)
        self.waits.until(f"EndpointSlices hold pods of {towards} only", lambda: self._followed(towards), seconds)

    def _unhealthy(self, colour: str) -> str:
        ready = [pod["status"]["podIP"] for pod in self.cluster.pods(colour) if _is_ready(pod)]
        return self.front.waiting(colour, ready) if ready else f"{colour} has no ready pod"

    def _followed(self, colour: str) -> bool:
        found = self.cluster.endpoints(self.cluster.target.name)
        ours = {pod["metadata"]["name"] for pod in self.cluster.pods(colour)}
        return bool(found) and set(found) <= ours and any(found.values())

    def verify(self) -> None:
        if self.door and self.cluster.target.fronted:
            checks.through_the_door(self.cluster.target, self.door, self.record.idle)

    def hold(self) -> None:
        left = self.record.held + self.hold_seconds - self.now()
        self.say(f"both colours stay for {max(0.0, left):.0f} s: `promote` ends the hold, `abort` goes back")
        self.waits.hold(left, lambda: self.record.wish is Wish.PROMOTE)  # the waits' check keeps it up to date

    def retire(self) -> None:
        """The old pods go: nothing sends them requests any more, and each drains what it has."""
        record = self.record
        self._turn(record.live, record.idle, DATA_PLANE_SECONDS)  # still as it should be
        self.cluster.move(self.cluster.minimum(record.idle), record.minimum)
        self._empty(record.live)

    def _empty(self, colour: str) -> None:
        self.cluster.move(self.cluster.replicas(colour), 0)
        self.cluster.move(self.cluster.minimum(colour), self.cluster.target.service.replicas.minimum)
        self.waits.until(f"{colour} has no pods", lambda: not self.cluster.pods(colour), BACK_SECONDS)

    # Backward

    def back(self) -> None:
        """From whatever is there: the old colour was not touched, and is what everybody knows to work."""
        record = self.record
        if not self.cluster.read(self.cluster.replicas(record.live)):
            self.cluster.move(self.cluster.replicas(record.live), max(1, record.replicas))
        self._turn(record.idle, record.live, BACK_SECONDS, whatever=True)

    def clear(self) -> None:
        self._empty(self.record.idle)


def weights(colour: str) -> Weights:
    """All on one colour."""
    return (100, 0) if colour == COLOURS[0] else (0, 100)


def _after(phase: Phase) -> Phase:
    order = BACKWARD if phase in BACKWARD else FORWARD
    rest = order[order.index(phase) + 1:]
    return rest[0] if rest else Phase.DONE


def _is_ready(pod: Mapping[str, Any]) -> bool:
    return not pod["metadata"].get("deletionTimestamp") and any(
        each["type"] == "Ready" and each["status"] == "True" for each in pod.get("status", {}).get("conditions") or ())
