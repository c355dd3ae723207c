"""Production's public names go to the stack that stands in for it, and back (decision 43):

    serving   the stack that takes over answers under its own names
    data      its database has what the other's has, or the loss is accepted
    api       the API's name: the secondary record, then the health check of the primary
    aliases   each name of the site and of the static pages: from one distribution to the other
    records   their records
    reached   every edge has it, and the names answer

A step looks first and writes what is missing; what it wrote is seen before the next begins. All of them are taken again
when the command is run again: there is no step that a second time does harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from infra.plans.hosts import Hosts, also, hosts
from operations.errors import NotAcceptable, OperationError
from operations.recovery import health
from operations.recovery.direction import Side, lacking
from operations.recovery.journal import Journal, Record, author, stamp
from operations.recovery.public_names import SECONDARY, Door, PublicNames

OVER, BACK = "failover", "failback"
SERVING, DATA, API, ALIASES, RECORDS, REACHED = "serving", "data", "api", "aliases", "records", "reached"


@dataclass(frozen=True)
class Move:
    """lost: whose names they are; standing: who stands in for it. reach: name → URL from here, of each of the two."""

    lost: Side
    standing: Side
    names: PublicNames
    journal: Journal
    reach: Callable[[str], str]
    say: Callable[[str], None]
    accept_data_loss: bool = False
    ask: health.Ask = health.ask
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True)
class Result:
    """seconds: from the first run of this move to its end. changed: what was written by this run, in words."""

    operation: str
    record: Record
    changed: tuple[str, ...]

    @property
    def seconds(self) -> float:
        return (datetime.fromisoformat(self.record.finished)
                - datetime.fromisoformat(self.record.started)).total_seconds()


class Failover:
    """Of one pair, in one direction: `operation` is OVER or BACK. The journal is one for both directions: it has the
    distributions' ids from before their names were moved."""

    def __init__(self, move: Move, operation: str) -> None:
        self._of, self.operation = move, operation
        theirs = also(move.standing.settings.domain)
        if theirs is None or theirs != hosts(move.lost.settings.domain):
            raise NotAcceptable(
                f"{move.standing.account.stack} is not ready for the names of {move.lost.account.stack}: its "
                f"`domain.alsoServes` is {move.standing.settings.domain.also_serves!r}, not "
                f"{hosts(move.lost.settings.domain).apex!r}")
        self._names: Hosts = theirs
        over = operation == OVER
        self._source, self._target = (move.lost, move.standing) if over else (move.standing, move.lost)

    def planned(self) -> list[str]:
        """What `run` would write, in words; refuses what it refuses. Changes nothing."""
        plan = self._doors(self._of.journal.read())
        self._expect_fit()
        steps = [f"api: {words}" for words in self._api_wrong()]
        for name, door in self._wanted(plan).items():
            found = self._of.names.door_of(name)
            if found is None or found.id != door.id:
                steps.append(f"aliases: {name} from {found.id if found else 'no distribution'} to {door.id}")
            if not self._of.names.leads(name, door.domain):
                steps.append(f"records: {name} → {door.domain}")
        return steps

    def run(self) -> Result:
        """Raises OperationError; run again it goes on."""
        old = self._of.journal.read()
        plan = self._doors(old)
        self._expect_fit()
        record = self._begun(old, plan)
        changed: list[str] = []
        for name, work in {API: self._api, ALIASES: self._aliases, RECORDS: self._records}.items():
            for words in work(plan):
                self._of.say(f"{name}: {words}")
                changed.append(f"{name}: {words}")
            record = self._of.journal.write(record.done(name, self._of.now()))
        self._reached(plan)
        record = record.done(REACHED, self._of.now())
        record = self._of.journal.write(replace(record, finished=record.finished or stamp(self._of.now())))
        return Result(self.operation, record, tuple(changed))

    def _begun(self, old: Record | None, plan: Mapping[str, str]) -> Record:
        """A move that is not finished goes on; after one in the other direction, or a finished one, another begins."""
        if old is not None and old.plan["operation"] == self.operation and not old.finished:
            self._of.say(f"going on with what {old.by} began at {old.started}")
            return old
        return self._of.journal.write(Record(
            self._of.journal.operation, self._of.journal.stack, stamp(self._of.now()), author(),
            {"operation": self.operation, **plan}, version=old.version if old else 0))

    # What must be so beforehand

    def _expect_fit(self) -> None:
        silent = health.silent(hosts(self._target.settings.domain), self._of.reach, self._of.ask) \
            if self.operation == OVER else self._silent_at_home()
        if silent:
            raise OperationError(f"{self._target.account.stack} does not serve: " + "; ".join(silent)
                                 + ". Nothing was changed; bring it up first: candlefish recovery rebuild, or `up`")
        missing = lacking(self._source, self._target, gone=self.operation == OVER)
        if missing and not self._of.accept_data_loss:
            raise OperationError("; ".join(missing) + ". Nothing was changed. --accept-data-loss goes on all the same, "
                                 "and what is not there is lost")
        for words in missing:
            self._of.say(f"accepted: {words}")

    def _silent_at_home(self) -> list[str]:
        """The names of the stack that they come home to lead elsewhere: `direct` is always its own load balancer."""
        url = f"{self._of.reach(self._names.direct)}{health.PATHS['api']}"
        status = self._of.ask(url)
        return [] if status == 200 else [f"{self._names.direct} ({url}) answers {status or 'nothing'}"]

    # Steps

    def _doors(self, record: Record | None) -> dict[str, str]:
        """Ids and domains of the four distributions. Those that the names come from are known by the names as long as
        they are there, and from then on by the journal."""
        own, known = hosts(self._of.standing.settings.domain), dict(record.plan) if record else {}
        found: dict[str, str] = {}
        for key, name in {"site": own.apex, "static": own.assets}.items():
            door = self._of.names.door_of(name)
            if door is None:
                raise OperationError(f"no distribution of this account has the alias {name}: `up` of "
                                     f"{self._of.standing.account.stack} makes one")
            found |= {key: door.id, f"{key}Domain": door.domain}
        for key, name in {"lostSite": self._names.apex, "lostStatic": self._names.assets}.items():
            door = self._of.names.door_of(name)
            if door is not None and door.id not in found.values():
                found |= {key: door.id, f"{key}Domain": door.domain}
            elif key in known:
                found |= {key: known[key], f"{key}Domain": known[f"{key}Domain"]}
            elif self.operation == BACK:
                raise OperationError(f"nothing tells which distribution {name} came from: it is no alias of another "
                                     f"one, and there is no journal {self._of.journal.name}")
        return found

    def _wanted(self, plan: Mapping[str, str]) -> dict[str, Door]:
        site, static = ("site", "static") if self.operation == OVER else ("lostSite", "lostStatic")
        doors = {key: Door(plan[key], plan[f"{key}Domain"]) for key in (site, static)}
        return {**dict.fromkeys(self._names.site, doors[site]), **dict.fromkeys(self._names.static, doors[static])}

    def _api_wrong(self) -> list[str]:
        target, name = self._secondary(), self._names.api
        out = self._of.names.is_out(self._of.names.check_of(name))
        found = [] if self._of.names.leads(name, target["DNSName"], SECONDARY) \
            else [f"{name}, secondary → {target['DNSName']}"]
        wanted = self.operation == OVER
        return found + ([] if out is wanted else [f"{name}, primary {'out of' if wanted else 'back in'} use"])

    def _secondary(self) -> Mapping[str, str]:
        """Where the secondary leads: to whoever takes over, and at home to the stack itself, as in a new one."""
        direct = hosts(self._target.settings.domain).direct
        found = self._of.names.target(direct)
        if found is None:
            raise OperationError(f"there is no record {direct}; `up` of {self._target.account.stack} makes it")
        return found

    def _api(self, plan: Mapping[str, str]) -> Iterator[str]:
        name, target, over = self._names.api, self._secondary(), self.operation == OVER
        check = self._of.names.check_of(name)
        # On the way back the primary first: a secondary that leads home is then not asked any more.
        if not over and self._of.names.take_out(check, False):
            yield f"{name}, primary back in use"
        if self._of.names.point(name, target["DNSName"], target["HostedZoneId"], role=SECONDARY):
            yield f"{name}, secondary → {target['DNSName']}"
        if over and self._of.names.take_out(check, True):
            yield f"{name}, primary out of use"

    def _aliases(self, plan: Mapping[str, str]) -> Iterator[str]:
        for name, door in self._wanted(plan).items():
            if self._of.names.move_alias(name, door):
                yield f"{name} → {door.id}"

    def _records(self, plan: Mapping[str, str]) -> Iterator[str]:
        for name, door in self._wanted(plan).items():
            if self._of.names.point(name, door.domain):
                yield f"{name} → {door.domain}"

    def _reached(self, plan: Mapping[str, str]) -> None:
        for door in dict.fromkeys(self._wanted(plan).values()):
            self._of.names.expect_deployed(door)
        left = self._api_wrong()
        if left:
            raise OperationError("somebody changed it meanwhile: " + "; ".join(left) + ". Run the command again")
        health.expect(lambda: health.silent(self._names, self._of.reach, self._of.ask), self._of.say)
