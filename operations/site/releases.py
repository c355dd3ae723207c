"""Deploy and way back of the static site, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from operations.errors import Contested, Failed, OperationError
from operations.rollout.lease import identity
from operations.rollout.model import other
from operations.site.bucket import Bucket
from operations.site.content import Release
from operations.site.distribution import Distribution
from operations.site.front import Front
from operations.site.records import Record, Step


class Outcome(StrEnum):
    LIVE = "live"
    UNCHANGED = "unchanged"  # it was live, whole and checked: nothing was written
    ROLLED_BACK = "rolled-back"


class Way(StrEnum):
    """How far the way back was gone."""

    OPEN = "open"
    BEGUN = "begun"  # CloudFront leads there, and nobody has looked yet
    TAKEN = "taken"


@dataclass(frozen=True)
class Result:
    outcome: Outcome
    colour: str  # that is live now
    release: str  # of that colour; empty: what the environment began with
    written: int = 0
    deleted: int = 0
    reason: str = ""


@dataclass
class Releases:
    """Of one stack. buckets: by colour. say: progress, a line each."""

    distribution: Distribution
    buckets: Mapping[str, Bucket]
    front: Front
    say: Callable[[str], None]
    now: Callable[[], float] = time.time
    by: str = field(default_factory=identity)

    def status(self) -> dict[str, Any]:
        """`{"live", "colours": {colour: {"bucket", "release", "step", "files", "by", "at"}}}`."""
        colours = {}
        for colour, bucket in self.buckets.items():
            found = bucket.records.read()
            colours[colour] = {"bucket": bucket.name, "release": found.release, "files": len(found.files),
                               "step": found.step.value if found.version else "", "by": found.by, "at": found.at}
        return {"live": self.distribution.live(), "distribution": self.distribution.id, "colours": colours}

    def planned(self, release: Release) -> list[str]:
        """What `deploy` would write, in words."""
        live = self.distribution.live()
        if (found := self._records()[live]).release == release.id:
            if found.step is Step.SWITCHING:
                return [f"finish the switch to {live}: invalidation and checks"]
            if found.step is Step.LIVE and not self.buckets[live].difference(release.items):
                return []
        idle = other(live)
        difference = self.buckets[idle].difference(release.items)
        return [*(f"write s3://{self.buckets[idle].name}/{item.key} ({item.content_type}, {item.cache_control})"
                  for item in difference.write),
                *(f"delete s3://{self.buckets[idle].name}/{key}" for key in difference.delete),
                f"switch from {live} to {idle}", "invalidate"]

    def deploy(self, release: Release) -> Result:
        """Raises OperationError when nothing was switched, or the rest is to be run again."""
        live, records = self.distribution.live(), self._records()
        if records[live].step is Step.WITHDRAWN:
            raise OperationError(f"{live} is live and somebody began to go back from it; finish that first: "
                                 "candlefish site rollback")
        if records[live].step is Step.SWITCHING:
            self.say(f"going on: {live} was switched to, and not checked yet")
            if records[live].release == release.id:
                return self._finished(live)
            self._note(live, replace(records[live], step=Step.LIVE))
        elif records[live].release == release.id and not self.buckets[live].difference(release.items):
            return Result(Outcome.UNCHANGED, live, release.id)
        idle = other(live)
        written, deleted = self._filled(idle, release, records[idle])
        try:
            self._checked(idle)
        except Failed as error:
            raise OperationError(f"{error}; {live} stays live, nothing was switched") from error
        return replace(self._turned(idle), written=written, deleted=deleted)

    def rollback(self) -> Result:
        """To the other colour. Raises OperationError when there is nothing whole to go back to."""
        live, records = self.distribution.live(), self._records()
        back = other(live)
        match self._way(live, records):
            case Way.TAKEN:
                return Result(Outcome.UNCHANGED, live, records[live].release,
                              reason=f"{back} was gone back from before")
            case Way.BEGUN:
                self.say(f"going on: {live} was switched back to, and not checked yet")
                return self._finished(live, way_back=True)
            case Way.OPEN:
                if records[live].step is not Step.WITHDRAWN:
                    self._note(live, replace(records[live], step=Step.WITHDRAWN))
                return self._turned(back, way_back=True)

    def planned_rollback(self) -> list[str]:
        """What `rollback` would write, in words; refuses what it refuses."""
        live = self.distribution.live()
        return {Way.TAKEN: [], Way.BEGUN: [f"finish the switch to {live}: invalidation and checks"],
                Way.OPEN: [f"switch from {live} to {other(live)}", "invalidate"]}[self._way(live, self._records())]

    def _way(self, live: str, records: Mapping[str, Record]) -> Way:
        back = other(live)
        now, then = records[live].step, records[back].step
        if then is Step.WITHDRAWN:
            return Way.BEGUN if now is Step.SWITCHING else Way.TAKEN
        begun = now is Step.WITHDRAWN and then is Step.SWITCHING
        if records[back].version and then is not Step.LIVE and not begun:
            raise OperationError(f"{back} is no way back: its release {records[back].release} is {then} and was never "
                                 "live. Bring the one that you want: candlefish site deploy DIR")
        wrong = self.buckets[back].wrong(records[back].files)
        if wrong:
            raise OperationError(f"{back} is no way back: {len(wrong)} files of its release are gone or changed, such "
                                 f"as {wrong[0]}. Bring the one that you want: candlefish site deploy DIR")
        return Way.OPEN

    # Steps

    def _filled(self, colour: str, release: Release, record: Record) -> tuple[int, int]:
        """The colour's bucket has the release and nothing else; (written, deleted) objects."""
        bucket = self.buckets[colour]
        files = {key: item.sha256 for key, item in release.items.items()}
        difference = bucket.difference(release.items)
        if record.release == release.id and record.step in (Step.READY, Step.SWITCHING) and not difference:
            self.say(f"{colour} has release {release.id} already")
            return 0, 0
        if record.step is Step.UPLOADING and record.release != release.id:
            self.say(f"{record.by} did not finish release {record.release} in {colour}; this one takes its place")
        mine = self._note(colour, replace(record, release=release.id, step=Step.UPLOADING, files=files))
        self.say(f"{colour}: {len(difference.write)} objects to write, {len(difference.delete)} to delete")
        bucket.apply(difference, lambda: bucket.records.expect(mine))
        if bucket.difference(release.items):
            raise Contested(f"{bucket.name} has other files than those that were written: somebody else writes there; "
                            "nothing was switched, run the command again")
        self._note(colour, replace(mine, step=Step.READY))
        return len(difference.write), len(difference.delete)

    def _checked(self, colour: str) -> None:
        """Before the switch: viewers get what only this colour has by failover. Raises Failed."""
        record = self.buckets[colour].records.read()
        self.say(f"checking {colour}, which is idle, through {self.front.base}")
        self.front.expect_own(record.release)
        self.front.expect_all(record.files)

    def _turned(self, colour: str, way_back: bool = False) -> Result:
        records = self._records()
        number = 1 + max(record.number for record in records.values())
        if records[colour].step is not Step.SWITCHING:
            self._note(colour, replace(records[colour], step=Step.SWITCHING, number=number))
        if self.distribution.turn(colour):
            self.say(f"CloudFront: {other(colour)} → {colour}")
        return self._finished(colour, way_back)

    def _finished(self, colour: str, way_back: bool = False) -> Result:
        """After the switch: everywhere, nothing old kept, and seen. What fails is taken back, if it was the way
        forward."""
        record = self.buckets[colour].records.read()
        try:
            self.say("until every edge has it, minutes on AWS; then they forget what they kept")
            self.distribution.expect_deployed(colour)
            self.distribution.invalidate(f"candlefish-{record.number}-{colour}-{record.at:.0f}")
            if record.release:
                self.front.expect_answering(record.release)
            self.front.expect_all(record.files)
        except Failed as error:
            if way_back:
                raise OperationError(f"{colour} is live again, and not as it should be: {error}") from error
            self.say(f"{error}: going back")
            self._note(colour, replace(record, step=Step.WITHDRAWN))
            return replace(self._turned(other(colour), way_back=True), reason=str(error))
        self._note(colour, replace(record, step=Step.LIVE))
        return Result(Outcome.ROLLED_BACK if way_back else Outcome.LIVE, colour, record.release)

    def _records(self) -> dict[str, Record]:
        return {colour: bucket.records.read() for colour, bucket in self.buckets.items()}

    def _note(self, colour: str, record: Record) -> Record:
        return self.buckets[colour].records.write(replace(record, by=self.by, at=round(self.now(), 1)))
