"""The database comes back as a new instance, is checked, and what makes the stack take it over is said. What there is
of the old one stays as it is.

The instance is its own journal: its name follows from the point, its tags say to what it was restored and when it was
found good. So a command that was killed anywhere is finished by running it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operations.aws import tags
from operations.errors import Failed
from operations.recovery import databases
from operations.recovery.account import Account
from operations.recovery.checks import Checked, Verdict
from operations.recovery.restoration import CHECKED, Point, Restoration, Waiting
from operations.recovery.validate import Asks, examined

PURPOSE = "restore"


@dataclass(frozen=True)
class Restored:
    """checks: empty when an earlier run had found it good. settings: of `candlefish:database`; takeover: in order."""

    instance: str
    host: str
    point: Point
    checks: Sequence[Checked]
    settings: Mapping[str, Any]
    takeover: Sequence[str]

    def document(self) -> dict[str, Any]:
        return {"instance": self.instance, "host": self.host, "point": str(self.point),
                "checks": [{"check": each.name, "verdict": each.verdict.value, "text": each.text}
                           for each in self.checks],
                "settings": {"candlefish:database": dict(self.settings)}, "takeover": list(self.takeover)}


def name_of(account: Account, point: Point) -> str:
    """`production-candlefish-db-at-20261121t103000z`, or with the beginning of a snapshot's hash."""
    when = (hashlib.sha256(point.snapshot.encode()).hexdigest()[:12] if point.snapshot
            else str(point).replace("-", "").replace(":", "").lower())
    return account.names.resource(f"db-{'of' if point.snapshot else 'at'}-{when}")


def plan(account: Account, point: Point) -> list[str]:
    """What `restore` would do."""
    name = name_of(account, point)
    return [f"restore to {point} as the new instance {name}, private, beside {account.names.resource('db')}",
            f"check what {name} holds", "say how the stack takes it over"]


def restore(account: Account, point: Point, asks: Asks, waiting: Waiting) -> Restored:
    """Raises Failed when it is there and not good; it stays then, to be looked at."""
    restoration = Restoration(account, name_of(account, point), PURPOSE, waiting)
    waiting.say(f"restoring to {point} as {restoration.name}")
    restoration.begin(point, protected=account.settings.lifecycle.deletion_protection)
    made = restoration.await_available()
    original = databases.instance(restoration.rds, account.names.resource("db"))
    checks: list[Checked] = []
    if CHECKED not in tags(made.get("TagList") or ()):
        checks = examined(account, asks, made, point, None, original)
        bad = [f"{each.name}: {each.text}" for each in checks if each.verdict is Verdict.BAD]
        if bad:
            raise Failed(f"{restoration.name} is there, and not good: {'; '.join(bad)}. Look at it, remove it, and "
                         "restore to another point")
        restoration.note_checked(waiting.now())
    return Restored(restoration.name, str(made["Endpoint"]["Address"]), point, checks,
                    _settings(account, restoration.name, point, original is not None),
                    _takeover(account, made, original))


def _aside(name: str, new: str) -> str:
    return f"{name}-before-{new.removeprefix(f'{name}-')}"


def _settings(account: Account, restored: str, point: Point, there: bool) -> dict[str, Any]:
    """Where the stack's database has come from, for the stack's file: read when a database is made, and no more."""
    if not there:
        return {"restore": {"snapshotId": restored}}
    if point.snapshot:
        return {"restore": {"snapshotId": point.snapshot}}
    return {"restore": {"sourceInstanceId": _aside(account.names.resource("db"), restored), "at": str(point)}}


def _takeover(account: Account, made: Mapping[str, Any], original: Mapping[str, Any] | None) -> list[str]:
    """Where the original is there, it steps aside and keeps what it holds; the new one takes its name, so that the host
    name stays, and its place in Pulumi's state. Where it is gone, `up` makes the database from a snapshot of this one,
    as the state has nothing that could be taken over."""
    name, new = account.names.resource("db"), str(made["DBInstanceIdentifier"])
    region, stack = f"--region {account.home}", account.stack
    file = f"put the settings into Pulumi.{stack}.yaml"
    if original is None:
        return [f"aws rds create-db-snapshot {region} --db-instance-identifier {new} --db-snapshot-identifier {new}",
                f"aws rds wait db-snapshot-available {region} --db-snapshot-identifier {new}",
                file, f"pulumi refresh --stack {stack}", f"pulumi up --stack {stack}",
                f"candlefish recovery points --stack {stack}"]
    modify = f"aws rds modify-db-instance {region} --apply-immediately"
    wait = f"aws rds wait db-instance-available {region}"
    aside, key = _aside(name, new), (original.get("MasterUserSecret") or {}).get("KmsKeyId")
    secret = f" --master-user-secret-kms-key-id {key}" if key else ""
    return [
        f"candlefish switch read-only on --stack {stack}",
        f"{modify} --db-instance-identifier {name} --new-db-instance-identifier {aside}",
        f"{wait} --db-instance-identifier {aside}",
        f"{modify} --db-instance-identifier {new} --new-db-instance-identifier {name} "
        f"--manage-master-user-password{secret}",
        f"{wait} --db-instance-identifier {name}",
        f"pulumi stack export --stack {stack} | sed s/{original['DbiResourceId']}/{made['DbiResourceId']}/g | "
        f"pulumi stack import --stack {stack}",
        file, f"pulumi refresh --stack {stack}", f"pulumi up --stack {stack}",
        f"candlefish switch read-only off --stack {stack}"]
