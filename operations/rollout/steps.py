"""The steps that rollouts of every strategy are made of, and their order.

Each step looks first and writes only what is missing, so that a rollout that was killed anywhere is finished by
running its steps again from the one that the journal names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from infra.plans import kubernetes
from kube.client import NotFound
from operations.errors import Contested, Failed, OperationError
from operations.rollout import checks
from operations.rollout.cluster import REVISION, Cluster, Weights
from operations.rollout.events import Event, Happened, Tell, nobody
from operations.rollout.front import Front
from operations.rollout.gates import Gates
from operations.rollout.journal import Journal
from operations.rollout.model import Held, Phase, Record, Result, Wish
from operations.rollout.pods import Fitness, is_ready
from operations.rollout.shares import weights
from operations.rollout.waits import Waits

PODS_SECONDS = 600.0  # O4: the time limit of a rollout
BACK_SECONDS = 300.0  # O4: of a rollback
DATA_PLANE_SECONDS = 120.0  # for target health, rules and EndpointSlices to follow
MIGRATION_SECONDS = 900.0
SETTLE_SECONDS = 10.0
BACKWARD = (Phase.BACK, Phase.CLEAR)


class Aborted(Exception):
    """Somebody asked for the way back."""


@dataclass
class Steps:
    """One rollout at work. hold_seconds: of the hold. door: base URL of the front door; empty: not asked.
    settle_seconds: how long new pods must stay ready before they are trusted."""

    FORWARD: ClassVar[tuple[Phase, ...]]

    cluster: Cluster
    journal: Journal
    front: Front
    waits: Waits
    gates: Gates
    say: Callable[[str], None]
    hold_seconds: float
    door: str = ""
    settle_seconds: float = SETTLE_SECONDS
    now: Callable[[], float] = time.time
    tell: Tell = nobody

    @property
    def record(self) -> Record:
        return self.journal.record

    @property
    def fitness(self) -> Fitness:
        return Fitness(self.cluster, self.record.idle)

    def steps(self) -> Mapping[Phase, Callable[[], None]]:
        return {Phase.PREPARE: self.prepare, Phase.MIGRATE: self.migrate, Phase.DEPLOY: self.deploy,
                Phase.CHECK: self.check, Phase.RETIRE: self.retire, Phase.BACK: self.back, Phase.CLEAR: self.clear}

    def run(self) -> Record:
        """To the end, or until it is held. Raises Contested and OperationError with both colours in place."""
        steps = self.steps()
        while not self.record.finished:
            phase = self.record.phase
            self.say(f"{self.cluster.target.name} revision {self.record.revision}: {phase}")
            try:
                steps[phase]()
                self._enter(self._after(phase))
            except Held as held:
                self.say(str(held))
                self.journal.note(self.record.noted(f"{phase}: {held}", result=Result.HELD, reason=str(held)))
                self.told(Happened.STOPPED)
                return self.record
            except (Failed, Aborted) as error:
                decided = self.now()
                if self.record.returning:
                    raise OperationError(f"the way back is not done: {error}; run the command again") from error
                if phase is Phase.RETIRE:
                    raise OperationError(f"{error}; the new colour serves, run the command again to finish") from error
                self.say(str(error))
                self.journal.note(self.record.noted(
                    f"{phase}: {error}", phase=Phase.BACK, reason=str(error), wish=Wish.NONE, decided=decided,
                    asked=isinstance(error, Aborted)))
                self.told()
        return self.record

    def _after(self, phase: Phase) -> Phase:
        order = BACKWARD if phase in BACKWARD else self.FORWARD
        rest = order[order.index(phase) + 1:]
        return rest[0] if rest else Phase.DONE

    def _enter(self, phase: Phase) -> None:
        record = self.record
        changes: dict[str, Any] = {"phase": phase}
        if phase is Phase.HOLD:
            changes["held"] = self.now()
        if phase is Phase.DONE:
            back = Result.ABORTED if record.asked else Result.ROLLED_BACK
            changes |= {"ended": self.now(), "result": back if record.returning else Result.PROMOTED}
        self.journal.note(replace(record, **changes))
        self.told()

    def told(self, happened: Happened = Happened.STEP) -> None:
        record = self.record
        where = f"at {record.percent:g} %" if record.phase is Phase.STAGES else f"at {record.phase}"
        why = f" ({record.reason})" if record.reason else ""
        self.tell(Event(Happened.ENDED if record.finished else happened, self.cluster.target, record,
                        f"{self.cluster.target.name} revision {record.revision} is "
                        f"{record.result if record.finished else where}{why}"))

    # Forward

    def prepare(self) -> None:
        record = self.record
        live = self.cluster.read(self.cluster.selector)
        if live != record.live:
            raise Contested(f"the live colour is {live}, and was {record.live} when this rollout began")
        busy = int(self.cluster.read(self.cluster.replicas(live)))
        minimum = int(self.cluster.read(self.cluster.minimum(live)))
        if not busy:
            raise OperationError(f"{live} is live and has no pods; bring it back first: candlefish scale")
        most = self.cluster.target.service.replicas.maximum
        self.journal.note(replace(record, replicas=min(max(busy, minimum), most), minimum=minimum,
                                  least=min(busy, minimum)))

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
            self.cluster.create(job)

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
        self.grow()

    def wanted(self) -> int:
        """Pods of the new colour at the present step."""
        return self.record.replicas

    def grow(self) -> None:
        """The new colour has as many pods as it is to have, and they are ready and stay so."""
        idle, count = self.record.idle, self.wanted()
        self.cluster.move(self.cluster.minimum(idle), count)
        if not self.cluster.read(self.cluster.replicas(idle)) >= count:
            self.cluster.move(self.cluster.replicas(idle), count)
        elif self.record.grown >= count and self.fitness.ready(count):
            return
        self.waits.until(f"{count} pods of {idle} are ready", lambda: self.fitness.ready(count), PODS_SECONDS,
                         self.fitness.why)
        self.fitness.pinned(self.record.image)
        self.waits.hold(self.settle_seconds, lambda: self.fitness.settle(count))
        self.journal.note(replace(self.record, grown=count))

    def room(self) -> None:
        """The live colour's autoscaler may have added pods meanwhile: the new colour gets as many."""
        busy = int(self.cluster.read(self.cluster.replicas(self.record.live)))
        most = self.cluster.target.service.replicas.maximum
        if min(busy, most) > self.record.replicas:
            self.journal.note(replace(self.record, replicas=min(busy, most)))
        self.grow()

    def check(self) -> None:
        """Once the colour's Service has the pods: that they are ready is known before that they can be reached."""
        idle = kubernetes.name_of(self.cluster.target.service, self.record.idle)
        self.waits.until(f"EndpointSlices of {idle} hold ready pods",
                         lambda: any(self.cluster.endpoints(idle).values()), DATA_PLANE_SECONDS)
        checks.from_inside(self.cluster, self.record, self.record.idle, self.waits.until)

    def healthy(self, colour: str, seconds: float) -> None:
        if self.cluster.target.fronted:
            self.waits.unhindered(f"{colour} is healthy at the load balancer", lambda: self._unhealthy(colour) or None,
                                  seconds)

    def _unhealthy(self, colour: str) -> str:
        ready = [pod["status"]["podIP"] for pod in self.cluster.pods(colour) if is_ready(pod)]
        return self.front.waiting(colour, ready) if ready else f"{colour} has no ready pod"

    def point(self, wanted: Weights, colour: str, *, weights_from: tuple[Weights, ...] | None = None,
              colour_from: tuple[str, ...] | None = None) -> None:
        """Writes the front door's weights, then the live Service's selector; *_from: None for from any."""
        if self.cluster.target.fronted and self.cluster.move(self.cluster.weights, wanted, weights_from):
            self.say(f"front door: blue {wanted[0]}, green {wanted[1]}")
        if self.cluster.move(self.cluster.selector, colour, colour_from):
            self.say(f"inside the cluster: {colour}")

    def followed(self, wanted: Weights, colour: str, seconds: float) -> None:
        """The data plane is seen to have both."""
        if self.cluster.target.fronted:
            self.waits.unhindered("the load balancer has the weights", lambda: self.front.following(wanted) or None,
                                  seconds)
        self.waits.until(f"EndpointSlices hold pods of {colour} only", lambda: self._endpoints(colour), seconds)

    def _endpoints(self, colour: str) -> bool:
        found = self.cluster.endpoints(self.cluster.target.name)
        ours = {pod["metadata"]["name"] for pod in self.cluster.pods(colour)}
        return bool(found) and set(found) <= ours and any(found.values())

    def turn(self, away: str, towards: str) -> None:
        """All traffic, once the data plane is ready for it, until it is seen to follow."""
        self.healthy(towards, DATA_PLANE_SECONDS)
        self.point(weights(towards), towards, weights_from=(weights(away),), colour_from=(away,))
        self.followed(weights(towards), towards, DATA_PLANE_SECONDS)

    def verify(self) -> None:
        if self.door and self.cluster.target.fronted:
            checks.through_the_door(self.cluster.target, self.door, self.record.idle)

    def retire(self) -> None:
        """The old pods go: nothing sends them requests any more, and each drains what it has."""
        record = self.record
        self.turn(record.live, record.idle)  # still as it should be
        self.cluster.move(self.cluster.minimum(record.idle), record.minimum)
        self._empty(record.live)

    def _empty(self, colour: str) -> None:
        self.cluster.move(self.cluster.replicas(colour), 0)
        self.cluster.move(self.cluster.minimum(colour), self.cluster.target.service.replicas.minimum)
        self.waits.until(f"{colour} has no pods", lambda: not self.cluster.pods(colour), BACK_SECONDS)

    # Backward

    def back(self) -> None:
        """From whatever is there: the old colour was not touched, and is what everybody knows to work. While it has a
        ready pod nothing is waited for before weights and selector are written."""
        record = self.record
        if not any(map(is_ready, self.cluster.pods(record.live))):
            self._revive()
            self.healthy(record.live, BACK_SECONDS)
        self.point(weights(record.live), record.live)
        if not record.returned:
            moved = self.now()
            took = 1000 * (moved - record.decided)
            self.journal.note(record.noted(f"back: {record.live} has all traffic, {took:.0f} ms after the decision",
                                           returned=moved))
        self._revive()
        self.followed(weights(record.live), record.live, BACK_SECONDS)

    def _revive(self) -> None:
        """Somebody may have scaled the old colour to 0."""
        live = self.record.live
        if not self.cluster.read(self.cluster.replicas(live)):
            self.cluster.move(self.cluster.replicas(live), max(1, self.record.replicas))

    def clear(self) -> None:
        self._empty(self.record.idle)
