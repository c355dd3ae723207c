"""The restore test: the newest point of the database becomes a throw-away instance, is compared with the source, and
goes. Killed anywhere, the next run removes what was left and begins again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from operations.errors import OperationError
from operations.recovery import databases
from operations.recovery.account import Account
from operations.recovery.checks import Checked, Evidence, Measured, Verdict, check
from operations.recovery.probe import Refused
from operations.recovery.restoration import (
    LIMIT,
    Point,
    Restoration,
    Waiting,
    at_time,
    await_later,
    of_snapshot,
    stamp,
)

PURPOSE = "validation"


class Asks(Protocol):
    """`probe.Probe`: measures the stack's own database, or the instance at a host."""

    def measure(self, host: str | None = None) -> Measured: ...

    def remove(self) -> None: ...


@dataclass(frozen=True)
class Validation:
    """What the monthly test is kept as. seconds: by what was waited for."""

    stack: str
    begun: datetime
    ended: datetime
    point: Point
    instance: str
    checks: Sequence[Checked]
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        return all(each.verdict is not Verdict.BAD for each in self.checks)

    def document(self) -> dict[str, Any]:
        return {
            "stack": self.stack, "begun": stamp(self.begun), "ended": stamp(self.ended), "point": str(self.point),
            "instance": self.instance, "good": self.good,
            "checks": [{"check": each.name, "verdict": each.verdict.value, "text": each.text} for each in self.checks],
            "seconds": {what: round(seconds, 1) for what, seconds in self.seconds.items()}}

    def markdown(self) -> str:
        took = round((self.ended - self.begun).total_seconds() / 60, 1)
        rows = "\n".join(f"| {each.name} | {each.verdict} | {_cell(each.text)} |" for each in self.checks)
        waits = "\n".join(f"* {seconds:.0f} s until {what}" for what, seconds in self.seconds.items())
        return (f"# Restore test of {self.stack}: {'good' if self.good else 'BAD'}\n\n"
                f"Restored to {self.point} as {self.instance}; {stamp(self.begun)} to {stamp(self.ended)}, {took} min "
                f"of the {LIMIT.total_seconds() / 60:.0f} that D6 allows.\n\n| check | verdict | what was found |\n"
                f"|---|---|---|\n{rows}\n\n{waits}\n")


def validate(account: Account, asks: Asks, waiting: Waiting) -> Validation:
    """Raises OperationError where a check could not be made; a check that fails is in the result."""
    begun = waiting.now()
    restoration = Restoration(account, account.names.resource(f"db-{PURPOSE}"), PURPOSE, waiting)
    asks.remove()
    restoration.remove()  # what a run that was killed has left
    source = databases.instance(restoration.rds, account.names.resource("db"))
    before = None if source is None else asks.measure()
    point = _newest(account, before, waiting)
    try:
        waiting.say(f"restoring to {point} as {restoration.name}")
        restoration.begin(point, protected=False)
        made = restoration.await_available()
        checks = examined(account, asks, made, point, before, source)
    finally:
        restoration.remove()
    return Validation(account.stack, begun, waiting.now(), point, restoration.name, checks, dict(waiting.seconds))


def _newest(account: Account, before: Measured | None, waiting: Waiting) -> Point:
    """Later than the look at the source, so that what stood still can be compared. Of a database that is gone: what its
    backups left, else its newest snapshot."""
    if before is not None:
        return await_later(account, before.at, waiting)
    rds, name = account.clients("rds", account.home), account.names.resource("db")
    if databases.retained(rds, name) is not None:
        return at_time(account, None, waiting.now())
    snapshot = databases.newest_snapshot(rds, name)
    if snapshot is None:
        raise OperationError(f"there is neither an instance {name} nor backups nor a snapshot of it in {account.home}; "
                             "`candlefish recovery points` lists what there is")
    return of_snapshot(account, snapshot)


def examined(account: Account, asks: Asks, made: Mapping[str, Any], point: Point, before: Measured | None,
             source: Mapping[str, Any] | None) -> list[Checked]:
    """before: the source before the point, if it was asked then."""
    host = str(made["Endpoint"]["Address"])
    try:
        restored = asks.measure(host)
    except Refused as error:
        raise OperationError(f"{made['DBInstanceIdentifier']} does not take the master password that the cluster has: "
                             f"it was rotated after {point}. Restore to a later point, or give it that password with "
                             "`aws rds modify-db-instance --master-user-password` and run the command again") from error
    after = asks.measure() if before is not None else None
    at = point.at or restored.at
    return [_placed(account, made, source), *check(Evidence(restored, at, before, after))]


def _placed(account: Account, made: Mapping[str, Any], source: Mapping[str, Any] | None) -> Checked:
    """Whether it is as closed as the original."""
    wrong = [text for text, bad in (
        ("it is public", bool(made.get("PubliclyAccessible"))),
        ("it is not encrypted", not made.get("StorageEncrypted")),
        ("its key can't be used", not account.usable(made.get("KmsKeyId"), account.home)),
        ("it has another key than its source", source is not None and made.get("KmsKeyId") != source.get("KmsKeyId")),
        ("it is in other subnets than its source", source is not None and _subnets(made) != _subnets(source)),
    ) if bad]
    return Checked("placement", Verdict.BAD if wrong else Verdict.GOOD,
                   "; ".join(wrong) or "private, encrypted with the source's key, in its subnets")


def _subnets(instance: Mapping[str, Any]) -> Any:
    return (instance.get("DBSubnetGroup") or {}).get("DBSubnetGroupName")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
