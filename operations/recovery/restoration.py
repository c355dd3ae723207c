"""Databases that come back: a restored instance of its own name beside what there is, found again by that name and by
its tags when a command was killed. Nothing of the stack's own is ever changed or removed here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from botocore.exceptions import ClientError

from infra.plans.tags import default_tags
from operations.aws import code, pages, tags
from operations.errors import NotAcceptable, OperationError
from operations.recovery import databases
from operations.recovery.account import Account

PURPOSE, POINT, CHECKED = "candlefish:purpose", "candlefish:restored-to", "candlefish:validated"
LIMIT = timedelta(hours=2)  # D6: the database is back by then
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 15.0
_EVERY_MINUTES = 5  # the log is put away that often ("Restoring to a specified time", RDS user guide)
_GROUP = "PostgreSQL database"  # how the program describes the database's security group
_ENDED = ("failed", "inaccessible-encryption-credentials", "incompatible-parameters", "incompatible-restore",
          "incompatible-network", "insufficient-capacity", "storage-full", "restore-error")


@dataclass(frozen=True)
class Point:
    """Exactly one of snapshot and at. source: the instance whose log is replayed; resource: of one that is gone, whose
    automated backups were kept."""

    snapshot: str | None = None
    at: datetime | None = None
    source: str | None = None
    resource: str | None = None

    def __str__(self) -> str:
        return f"snapshot {self.snapshot}" if self.snapshot else stamp(self.at)


@dataclass
class Waiting:
    """Time, for the commands and for their tests."""

    pause: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    say: Callable[[str], None] = lambda text: None
    seconds: dict[str, float] = field(default_factory=dict)  # by what was waited for

    def until(self, what: str, true: Callable[[], bool], limit: timedelta = LIMIT) -> None:
        """Raises OperationError after `limit`."""
        begun, wait = self.now(), FIRST_PAUSE_SECONDS
        self.say(f"waiting until {what}")
        while not true():
            if self.now() - begun > limit:
                raise OperationError(f"gave up after {limit} to wait until {what}; run the command again to go on")
            self.pause(wait)
            wait = min(2 * wait, LONGEST_PAUSE_SECONDS)
        self.seconds[what] = (self.now() - begun).total_seconds()


def stamp(at: datetime | None) -> str:
    assert at is not None
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Restoration:
    """One instance that is restored to be looked at (`purpose` "validation") or to be kept ("restore")."""

    def __init__(self, account: Account, name: str, purpose: str, waiting: Waiting) -> None:
        self.account, self.name, self.purpose, self.waiting = account, name, purpose, waiting
        self.rds = account.clients("rds", account.home)

    def found(self) -> dict[str, Any] | None:
        """The instance of this name. Raises OperationError for one that no restoration made."""
        instance = databases.instance(self.rds, self.name)
        if instance is not None and tags(instance.get("TagList") or ()).get(PURPOSE) != self.purpose:
            raise OperationError(f"there is an instance {self.name} that was not made by a {self.purpose} (tag "
                                 f"{PURPOSE}); it is left alone. Rename or remove it, and run the command again")
        return instance

    def begin(self, point: Point, protected: bool) -> None:
        """Asks for it; or finds that it was asked for before, to the same point."""
        instance = self.found()
        if instance is not None:
            restored = tags(instance.get("TagList") or ()).get(POINT)
            if restored != str(point):
                raise OperationError(f"{self.name} was restored to {restored}, not to {point}; remove it first")
            return
        common = {
            **self._place(), "DBInstanceClass": self.account.settings.database.instance_class,
            "PubliclyAccessible": False, "MultiAZ": False, "CopyTagsToSnapshot": True, "DeletionProtection": protected,
            "EnableIAMDatabaseAuthentication": True,
            # With backups on, RDS makes the first one before the instance counts as available: hours have been seen.
            "BackupRetentionPeriod": 0, "Tags": self._tags(point)}
        try:
            if point.snapshot:
                self.rds.restore_db_instance_from_db_snapshot(
                    DBInstanceIdentifier=self.name, DBSnapshotIdentifier=point.snapshot, **common)
            else:
                source = ({"SourceDBInstanceIdentifier": point.source} if point.source
                          else {"SourceDbiResourceId": point.resource})
                self.rds.restore_db_instance_to_point_in_time(
                    TargetDBInstanceIdentifier=self.name, RestoreTime=point.at, **source, **common)
        except ClientError as error:
            raise OperationError(f"RDS does not restore to {point}: {error}") from error

    def await_available(self) -> dict[str, Any]:
        def available() -> bool:
            status = self._existing().get("DBInstanceStatus")
            if status in _ENDED:
                raise OperationError(f"{self.name} is {status}; RDS's events of the instance say why")
            return bool(status == "available")

        self.waiting.until(f"{self.name} is available", available)
        return self._existing()

    def remove(self) -> None:
        """With everything that it holds, and returns when it is gone. Only ever a restoration's own."""
        if self.found() is not None:
            self.waiting.until(f"{self.name} is removed", self._removed)

    def _removed(self) -> bool:
        instance = self.found()
        if instance is not None and instance.get("DBInstanceStatus") != "deleting":
            try:
                self.rds.delete_db_instance(DBInstanceIdentifier=self.name, SkipFinalSnapshot=True,
                                            DeleteAutomatedBackups=True)
            except ClientError as error:  # while it is being made, RDS refuses
                if code(error) not in ("DBInstanceNotFound", "InvalidDBInstanceState"):
                    raise
        return self.found() is None

    def note_checked(self, at: datetime) -> None:
        self.rds.add_tags_to_resource(ResourceName=self._existing()["DBInstanceArn"],
                                      Tags=[{"Key": CHECKED, "Value": stamp(at)}])

    def _existing(self) -> dict[str, Any]:
        instance = self.found()
        if instance is None:
            raise OperationError(f"{self.name} is gone: somebody removed it meanwhile; run the command again")
        return instance

    def _tags(self, point: Point) -> list[dict[str, str]]:
        """Not under the stack's own tag `Stack`: the daily backup plan goes by it."""
        settings = self.account.settings
        own = default_tags(project=settings.ownership.project, environment=settings.environment,
                           owner=settings.ownership.owner, cost_center=settings.ownership.cost_center,
                           stack=f"{self.account.stack}-{self.purpose}")
        values = {**own, "ManagedBy": "candlefish", "Component": "recovery", PURPOSE: self.purpose, POINT: str(point)}
        return [{"Key": key, "Value": value} for key, value in values.items()]

    def _place(self) -> Mapping[str, Any]:
        """Where the stack's database is, or was: subnets, security groups, parameters."""
        original = databases.instance(self.rds, self.account.names.resource("db"))
        if original is not None:
            return {"DBSubnetGroupName": original["DBSubnetGroup"]["DBSubnetGroupName"],
                    "DBParameterGroupName": original["DBParameterGroups"][0]["DBParameterGroupName"],
                    "VpcSecurityGroupIds": [each["VpcSecurityGroupId"] for each in original["VpcSecurityGroups"]]}
        ec2 = self.account.clients("ec2", self.account.home)
        groups = [each for each in pages(ec2, "describe_security_groups", "SecurityGroups", Filters=[
            {"Name": "description", "Values": [_GROUP]}]) if self.account.owns(tags(each.get("Tags") or ()))]
        return {
            "DBSubnetGroupName": self._own("describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroup"),
            "DBParameterGroupName": self._own("describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroup"),
            "VpcSecurityGroupIds": [each["GroupId"] for each in groups] or self._missing("security group")}

    def _own(self, operation: str, key: str, kind: str) -> str:
        for found in pages(self.rds, operation, key):
            held = self.rds.list_tags_for_resource(ResourceName=found[f"{kind}Arn"])["TagList"]
            if self.account.owns(tags(held)):
                return str(found[f"{kind}Name"])
        return self._missing(kind)

    def _missing(self, kind: str) -> NoReturn:
        raise OperationError(f"stack {self.account.stack} has no {kind} of a database in {self.account.home}: there is "
                             "nowhere to restore to. Bring its network back with `pulumi up` first")


def at_time(account: Account, at: datetime | None, now: datetime) -> Point:
    """To a second; None: the latest there is. Raises NotAcceptable for one that can't be restored, with the bounds."""
    rds, name = account.clients("rds", account.home), account.names.resource("db")
    instance = databases.instance(rds, name)
    if instance is not None:
        if not instance.get("BackupRetentionPeriod"):
            raise OperationError(f"{name} keeps no backups (BackupRetentionPeriod 0): there is no point in time")
        latest = instance.get("LatestRestorableTime")
        oldest = max(instance["InstanceCreateTime"], now - timedelta(days=instance["BackupRetentionPeriod"]))
        source, resource = name, None
    else:
        kept = databases.retained(rds, name)
        if kept is None:
            raise OperationError(f"there is neither an instance {name} nor what its backups left in {account.home}; "
                                 "`candlefish recovery points` lists what there is")
        latest, oldest = kept["RestoreWindow"].get("LatestTime"), kept["RestoreWindow"].get("EarliestTime", now)
        source, resource = None, kept["DbiResourceId"]
    if latest is None:
        raise OperationError(f"{name} has no restorable time yet: its first backup is being made")
    if at is not None and not oldest <= at <= latest:
        raise NotAcceptable(f"--at {stamp(at)}: {name} can be restored from {stamp(oldest)} to {stamp(latest)}")
    return Point(at=(at or latest).replace(microsecond=0), source=source, resource=resource)


def of_snapshot(account: Account, snapshot: str) -> Point:
    """Raises NotAcceptable for one that is not there, not whole, or of another database."""
    rds, name = account.clients("rds", account.home), account.names.resource("db")
    try:
        found = rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"][0]
    except ClientError as error:
        if code(error) not in ("DBSnapshotNotFound", "DBSnapshotNotFoundFault", "InvalidParameterValue"):
            raise
        raise NotAcceptable(f"--snapshot {snapshot}: {account.home} has none of that name; `aws rds "
                            f"describe-db-snapshots --db-instance-identifier {name}` lists them") from error
    if found["DBInstanceIdentifier"] != name or found["Status"] != "available":
        raise NotAcceptable(f"--snapshot {snapshot} is of {found['DBInstanceIdentifier']} and {found['Status']}; one "
                            f"of {name} that is available can be restored")
    return Point(snapshot=snapshot)


def await_later(account: Account, than: datetime, waiting: Waiting) -> Point:
    """The latest point, once it is later than a moment."""
    rds, name = account.clients("rds", account.home), account.names.resource("db")

    def latest() -> datetime | None:
        instance = databases.instance(rds, name)
        return None if instance is None else instance.get("LatestRestorableTime")

    # A point is a whole second, and must not lie before the moment.
    waiting.until(f"the log of {name} up to {stamp(than)} is put away",
                  lambda: (latest() or than) >= than + timedelta(seconds=1), 3 * timedelta(minutes=_EVERY_MINUTES))
    return at_time(account, None, waiting.now())
