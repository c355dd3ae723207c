"""A whole environment in the other region from the newest points (O7, D6):

    build     the program's `up`, with the database from its point and the images of an export
    tables    items of each table, from AWS Backup
    assets    objects, from the lost stack's replica
    verify    pods are ready, names answer

What is decided is decided once, at the beginning, and is in the journal; each step can be taken twice. Nothing that is
there is taken away: a build that would is refused before it begins.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.plans.hosts import hosts
from infra.plans.recovery import ENVIRONMENT_WITHIN
from infra.settings.model import Settings
from kube.client import Client
from operations.errors import NotAcceptable, OperationError
from operations.preview.data import PROTECTED
from operations.recovery import assets, health
from operations.recovery.account import Account
from operations.recovery.choice import choose
from operations.recovery.export import resources, secrets
from operations.recovery.journal import Journal, Record, author, stamp
from operations.recovery.model import spelled
from operations.recovery.points import look
from operations.recovery.runner import Runner
from operations.recovery.table_restore import TableRestore

BUILD, TABLES, ASSETS, VERIFY = "build", "tables", "assets", "verify"
FILLED = "Filled by operators"  # of a secret's description: infra/components/secrets.py


@dataclass(frozen=True)
class Parts:
    """lost: the account as the stack that is stood in for; its region may not answer. cluster: of the new stack.
    images: service → image of an export; empty: those of the stack's file."""

    lost: Account
    settings: Settings
    runner: Runner
    cluster: Callable[[], Client]
    journal: Journal
    say: Callable[[str], None]
    images: Mapping[str, str]
    ask: health.Ask = health.ask
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Result:
    """seconds: from the beginning of the first run to the end of the last, the time between them included. to_fill:
    names of secrets."""

    record: Record
    seconds: float
    steps: Mapping[str, float]
    to_fill: tuple[str, ...]

    @property
    def inside(self) -> bool:
        return self.seconds <= ENVIRONMENT_WITHIN.total_seconds()


class Rebuild:
    def __init__(self, parts: Parts) -> None:
        self._of, self._region = parts, parts.settings.region
        expect_fit(parts.settings, parts.lost.settings)

    def planned(self) -> list[str]:
        """What `run` would do, in words; refuses what it refuses. Changes nothing."""
        old = self._of.journal.read()
        record = self._going_on(old) or self._decided(old)
        changes = self._previewed(record)
        counts = ", ".join(f"{count} {operation}" for operation, count in changes.items() if count)
        steps = {
            BUILD: f"up of {self._of.runner.stack} in {self._region}: {counts}; " + ", ".join(
                f"{path} = {value}" for path, value in record.plan["settings"].items()),
            TABLES: "items of " + (", ".join(record.plan["tables"]) or "no table: there is no copy of one"),
            ASSETS: "assets from the replica", VERIFY: "pods and names"}
        return [f"{name}: {words}" for name, words in steps.items() if name not in record.steps]

    def run(self) -> Result:
        """Raises OperationError; run again it goes on."""
        old = self._of.journal.read()
        record = self._going_on(old)
        if record is None:
            record = self._of.journal.write(self._decided(old))
            self._of.say(f"begun: the database is {spelled(self._age(record))} old")
        elif record.finished:
            self._of.say(f"{self._of.runner.stack} was rebuilt before, until {record.finished}; looking at it again")
            self._verify(record)
            return self._result(record)
        else:
            self._of.say(f"going on with what {record.by} began at {record.started}")
        for name, work in {BUILD: self._build, TABLES: self._tables, ASSETS: self._assets,
                           VERIFY: self._verify}.items():
            if name in record.steps:
                continue
            self._of.say(f"{name} …")
            record = work(record)
            record = self._of.journal.write(record.done(name, self._of.now()))
        return self._result(self._of.journal.write(replace(record, finished=stamp(self._of.now()))))

    # Decisions

    def _going_on(self, record: Record | None) -> Record | None:
        """The record of before, unless what it tells of is gone: a stack without resources is begun anew."""
        if record is None or (BUILD in record.steps and not resources(self._of.runner.export())):
            return None
        if self._of.images and not record.finished and not self._images().items() <= record.plan["settings"].items():
            raise NotAcceptable(f"the rebuild that {record.by} began has other images than this export; go on without "
                                "--from, or with the same")
        return record

    def _decided(self, old: Record | None) -> Record:
        lost, now = self._of.lost, self._of.now()
        chosen = choose(look(lost, now, gone=True), self._region, lost.names.prefix)
        assert chosen.database.newest is not None
        return Record(
            self._of.journal.operation, self._of.runner.stack, stamp(now), author(), version=old.version if old else 0,
            plan={"settings": {**chosen.settings, **self._images()}, "databaseAt": stamp(chosen.database.newest),
                  "tables": {word: point.source for word, point in chosen.tables.items()},
                  "tablesAt": {word: stamp(point.newest) for word, point in chosen.tables.items() if point.newest}})

    def _images(self) -> dict[str, str]:
        return {f"services.{name}.image": image for name, image in self._of.images.items()}

    def _previewed(self, record: Record) -> Mapping[str, int]:
        changes = self._of.runner.preview(record.plan["settings"])
        lost = [urn for urn in changes.lost if any(f"{kind}::" in urn for kind in PROTECTED)]
        if lost:
            raise OperationError("this build would delete or make anew what holds data: " + ", ".join(
                urn.partition("::")[2] for urn in lost) + f". Nothing was changed. See `pulumi preview --stack "
                f"{self._of.runner.stack}` for why, and mend the stack's file or its state")
        return changes.counts

    # Steps

    def _build(self, record: Record) -> Record:
        self._previewed(record)
        self._of.runner.up(record.plan["settings"])
        return record

    def _tables(self, record: Record) -> Record:
        """Each is a step of its own in the journal: a restore takes an hour, and is not made again for another's."""
        outputs = self._of.runner.outputs()
        clients = self._of.lost.clients
        restore = TableRestore(clients("backup", self._region), clients("dynamodb", self._region),
                               str(outputs["backupRestoreRoleArn"]), self._of.say, self._of.pause)
        for word, table in outputs["tables"].items():
            point = record.plan["tables"].get(word)
            if point is None:
                self._of.say(f"{table}: {self._region} has no recovery point of it; it stays as it is")
                continue
            if (step := f"{TABLES}/{word}") not in record.steps:
                self._of.say(f"{table}: {restore.run(point, table)} items")
                record = self._of.journal.write(record.done(step, self._of.now()))
            restore.clear(point, table)
        return record

    def _assets(self, record: Record) -> Record:
        source = assets.replica(self._of.lost, self._region)
        target = str(self._of.runner.outputs()["assetsBucket"])
        count = assets.copied(self._of.lost.clients("s3", self._region), source, target, self._of.say)
        self._of.say(f"{target}: {count} objects")
        return record

    def _verify(self, record: Record) -> Record:
        names, runner = hosts(self._of.settings.domain), self._of.runner
        with self._of.cluster() as client:
            health.expect(lambda: health.unready(client, self._of.settings)
                          or health.silent(names, runner.reach, self._of.ask), self._of.say, self._of.pause)
        return record

    # Words

    def _age(self, record: Record) -> timedelta:
        made = datetime.fromisoformat(record.plan["databaseAt"])
        return max(datetime.fromisoformat(record.started) - made, timedelta(0))

    def _result(self, record: Record) -> Result:
        at = datetime.fromisoformat(record.started)
        steps = {}
        for name in (name for name in (BUILD, TABLES, ASSETS, VERIFY) if name in record.steps):
            ended = datetime.fromisoformat(record.steps[name])
            steps[name], at = (ended - at).total_seconds(), ended
        whole = datetime.fromisoformat(record.finished) - datetime.fromisoformat(record.started)
        return Result(record, whole.total_seconds(), steps, to_fill(self._of.lost.clients, self._of))


def to_fill(clients: Callable[[str, str], Any], of: Parts) -> tuple[str, ...]:
    """Names of the new stack's secrets that only a person can fill: the lost stack's values are not copied."""
    new = Account(of.runner.stack, of.settings, clients)
    return tuple(str(each["name"]) for each in secrets(new) if str(each["description"]).startswith(FILLED))


def expect_fit(settings: Settings, lost: Settings) -> None:
    """Raises NotAcceptable when the one stack's region is not where the other keeps its copies."""
    if not lost.backup.cross_region or lost.recovery_region != settings.region:
        raise NotAcceptable(
            f"{settings.environment} is in {settings.region}, and {lost.environment} keeps its copies in "
            f"{lost.recovery_region if lost.backup.cross_region else 'no other region'}; set `region` and "
            "`recoveryRegion` of the two stack files alike")
