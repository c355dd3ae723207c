"""Secrets of a stack: how old they are, and their rotation (F6). Their values are never read."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from infra.plans.backup import owned_by
from infra.plans.names import Names
from infra.settings.model import Settings
from operations.aws import pages, tags
from operations.errors import NotAcceptable, OperationError

DATABASE = "database"
CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
ROTATED_SECONDS = 900.0  # a step of a function may take Lambda's most; RDS sets a password in a minute or two
POLL_SECONDS = 2.0
GRACE = timedelta(days=2)  # Secrets Manager rotates within a window of a day, and tries again after a failure
_SUFFIX = re.compile(r"-[0-9a-f]{7,}$")  # Pulumi's, or that of a name prefix
_OWNER = "aws:rds:primaryDBInstanceArn"


@dataclass(frozen=True)
class Secret:
    """name: as people call it: `jwt-key`, `cache-auth`, `database`, `slack`. every: days between rotations; None: it is
    filled by hand. pending: a rotation that has begun and not ended."""

    name: str
    arn: str
    physical: str
    changed: datetime
    rotated: datetime | None
    every: int | None
    function: str
    pending: str

    @property
    def rotates(self) -> bool:
        return self.every is not None

    @property
    def due(self) -> datetime | None:
        """When the next rotation is, counted from the last one or from when the value was written."""
        return None if self.every is None else (self.rotated or self.changed) + timedelta(days=self.every)

    def overdue(self, now: datetime) -> bool:
        return self.due is not None and now > self.due + GRACE


@dataclass
class Secrets:
    """Of one stack. manager, rds: boto3's clients. say: progress, a line each."""

    stack: str
    settings: Settings
    manager: Any
    rds: Any
    say: Callable[[str], None] = lambda _: None
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic

    def all(self) -> list[Secret]:
        """By name. RDS's own secret of the database among them."""
        wanted = owned_by(self.settings.ownership.project, self.stack)
        instance = f":db:{Names(self.settings.environment).resource('db')}"
        found = []
        for entry in pages(self.manager, "list_secrets", "SecretList"):
            marks = tags(entry.get("Tags") or ())
            if marks.get(_OWNER, "").endswith(instance):
                found.append(replace(_secret(entry, DATABASE), every=_days(entry) or RDS_DAYS))
            elif all(marks.get(key) == value for key, value in wanted.items()):
                found.append(_secret(entry, spoken(entry["Name"], Names(self.settings.environment))))
        return sorted(found, key=lambda each: each.name)

    def named(self, name: str) -> Secret:
        """Raises NotAcceptable for one that the stack does not have, or that is filled by hand."""
        there = self.all()
        found = [each for each in there if name in (each.name, each.physical, each.arn)]
        if not found:
            raise NotAcceptable(f"{self.stack} has no secret {name!r}; it has "
                                f"{', '.join(each.name for each in there) or 'none at all'}")
        if not found[0].rotates:
            raise NotAcceptable(
                f"{found[0].name} is filled by hand and has no rotation; rotated are "
                f"{', '.join(each.name for each in there if each.rotates)}. To fill it: aws secretsmanager "
                f"put-secret-value --secret-id {found[0].physical} --secret-string …")
        return found[0]

    def rotate(self, secret: Secret) -> dict[str, Any]:
        """Until the new value is the current one. Raises OperationError when a rotation is under way or does not end:
        the old value is the current one until then."""
        if secret.pending:
            raise OperationError(
                f"a rotation of {secret.name} has begun and not ended (version {secret.pending}). Read its log"
                f"{_log(secret)}, mend the cause, and Secrets Manager tries again; to give it up: aws secretsmanager "
                f"update-secret-version-stage --secret-id {secret.physical} --version-stage {PENDING} "
                f"--remove-from-version-id {secret.pending}")
        began, before = self.now(), self._current(secret)
        if secret.name == DATABASE:
            # RDS's master password is RDS's to rotate ("Rotating the secret immediately", RDS user guide).
            self.rds.modify_db_instance(DBInstanceIdentifier=Names(self.settings.environment).resource("db"),
                                        RotateMasterUserPassword=True, ApplyImmediately=True)
        else:
            self.manager.rotate_secret(SecretId=secret.arn)
        self.say(f"{secret.name}: a new value is being made")
        while (current := self._current(secret)) == before:
            if self.now() - began > ROTATED_SECONDS:
                raise OperationError(f"{secret.name} has no new value after {ROTATED_SECONDS:.0f} s; the old one is "
                                     f"the current one. Read its log{_log(secret)}")
            self.pause(POLL_SECONDS)
        seconds = self.now() - began
        self.say(f"{secret.name}: version {current} is current, after {seconds:.0f} s")
        return {"secret": secret.name, "version": current, "before": before, "seconds": round(seconds, 1)}

    def _current(self, secret: Secret) -> str:
        return _labelled(self.manager.describe_secret(SecretId=secret.arn).get("VersionIdsToStages") or {}, CURRENT)


RDS_DAYS = 7  # RDS rotates a managed master password every 7 days unless it is told otherwise (RDS user guide)


def spoken(name: str, names: Names) -> str:
    """`candlefish/jwt-key-production-0a1b2c3` → `jwt-key`, `candlefish-production/slack-0a1b2c3` → `slack`."""
    bare = _SUFFIX.sub("", name)
    if bare == names.jwt_secret:
        return bare.removeprefix("candlefish/").removesuffix(f"-{names.environment}")
    return bare.removeprefix(f"{names.secret_prefix}/")


def _secret(entry: Mapping[str, Any], name: str) -> Secret:
    stages = entry.get("SecretVersionsToStages") or {}
    pending, current = _labelled(stages, PENDING), _labelled(stages, CURRENT)
    return Secret(name, entry["ARN"], entry["Name"], entry.get("LastChangedDate") or entry["CreatedDate"],
                  entry.get("LastRotatedDate"), _days(entry), entry.get("RotationLambdaARN", ""),
                  pending if pending != current else "")


def _days(entry: Mapping[str, Any]) -> int | None:
    if not entry.get("RotationEnabled"):
        return None
    days = (entry.get("RotationRules") or {}).get("AutomaticallyAfterDays")
    return int(days) if days else None


def _labelled(stages: Mapping[str, Any], label: str) -> str:
    return next((version for version, labels in stages.items() if label in labels), "")


def _log(secret: Secret) -> str:
    return f" (aws logs tail /aws/lambda/{secret.function.rpartition(':')[2]})" if secret.function else ""
