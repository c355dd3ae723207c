"""What the clock calls: schedules of EventBridge Scheduler, rules of EventBridge with a schedule, rotations of secrets.

And what it does not, with the reason: nothing that has a schedule is left out in silence.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rehearsal.aws.clock import occurrences
from rehearsal.aws.clock.cron import ExpressionError
from rehearsal.aws.clock.deliveries import SERVED, Clients, Delivery, Sender, stamp
from rehearsal.aws.clock.occurrences import Occurrences
from rehearsal.aws.handler import KeptObjects

ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
CANARY = "aws:synthetics/canary:Canary"
RESTORE_TEST = "aws:backup/restoreTestingPlan:RestoreTestingPlan"
# A target's own defaults, where it says nothing (RetryPolicy in the API references of Scheduler and of EventBridge).
_RETRIES, _AGE_SECONDS = 185, 86_400
_DEFAULT_ZONE = "UTC"
_ALL = 100_000  # MiniStack answers one page, as long as it is asked for, and has no token for a second one


@dataclass(frozen=True)
class Rotation:
    """The four steps for a secret, by a function."""

    secret: str
    function: str
    region: str


@dataclass(frozen=True)
class Source:
    """One thing that the clock calls. `key`: what it is to the clock; a schedule that was made anew or whose expression
    changed is another one. `act`: what is to be done for a due time. `spent`: takes it away once it is over."""

    key: str
    arn: str
    name: str
    kind: str
    expression: str
    target: str
    occurrences: Occurrences
    act: Callable[[datetime], Delivery | Rotation]
    enabled: bool = True
    spent: Callable[[], None] | None = None


@dataclass(frozen=True)
class Unmoved:
    """Has a schedule, and the clock does not move it."""

    name: str
    kind: str
    expression: str
    why: str


@dataclass(frozen=True)
class Found:
    sources: list[Source]
    unmoved: list[Unmoved]


class Finder:
    """Looks at one account and region. `elsewhere`: ARNs that belong to other stacks of the account."""

    def __init__(self, clients: Clients, kept: KeptObjects, account: str, region: str,
                 elsewhere: Container[str] = ()) -> None:
        self._clients, self._kept = clients, kept
        self._account, self._region, self._elsewhere = account, region, elsewhere
        self._known: dict[tuple[str, datetime], dict[str, Any]] = {}

    def find(self) -> Found:
        found = [*self._schedules(), *self._rules(), *self._rotations()]
        return Found([each for each in found if isinstance(each, Source)],
                     [each for each in found if isinstance(each, Unmoved)])

    def others(self) -> list[Unmoved]:
        """Of services that the rehearsal does not run at all."""
        backup = self._clients("backup", self._region)
        rules = [(plan["BackupPlanName"], rule) for plan in backup.list_backup_plans()["BackupPlansList"]
                 for rule in backup.get_backup_plan(BackupPlanId=plan["BackupPlanId"])["BackupPlan"]["Rules"]]
        return [
            *(Unmoved(f"{plan}/{rule['RuleName']}", "backup plan", rule.get("ScheduleExpression", ""),
                      "nothing is backed up here") for plan, rule in rules),
            *(Unmoved(name, "restore test", kept["scheduleExpression"], "nothing is restored here")
              for name, kept in self._kept.list(self._account, self._region, RESTORE_TEST)),
            *(Unmoved(name, "canary", kept["schedule"]["expression"], "nothing runs canaries here")
              for name, kept in self._kept.list(self._account, self._region, CANARY))]

    def _schedules(self) -> Iterator[Source | Unmoved]:
        client = self._clients("scheduler", self._region)
        for listed in client.list_schedules(MaxResults=_ALL)["Schedules"]:
            if listed["Arn"] in self._elsewhere:
                continue
            version = listed["Arn"], listed["LastModificationDate"]
            if version not in self._known:
                self._known[version] = client.get_schedule(Name=listed["Name"], GroupName=listed["GroupName"])
            yield _schedule(self._known[version], client)

    def _rules(self) -> Iterator[Source | Unmoved]:
        client = self._clients("events", self._region)
        for bus in client.list_event_buses()["EventBuses"]:
            for page in client.get_paginator("list_rules").paginate(EventBusName=bus["Name"]):
                for rule in page["Rules"]:
                    if rule.get("ScheduleExpression") and rule["Arn"] not in self._elsewhere:
                        targets = client.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus["Name"])["Targets"]
                        yield from (_rule(rule, target) for target in targets)

    def _rotations(self) -> Iterator[Source | Unmoved]:
        for secret, kept in self._kept.list(self._account, self._region, ROTATION):
            if secret not in self._elsewhere and kept.get("rotationEnabled") is not False:
                yield _rotation(secret, kept, self._region)


def _schedule(schedule: dict[str, Any], client: Any) -> Source | Unmoved:
    zone = schedule.get("ScheduleExpressionTimezone") or _DEFAULT_ZONE
    expression, target = f"{schedule['ScheduleExpression']} {zone}", schedule["Target"]
    name, kind = schedule["Name"], "schedule"
    try:
        times = occurrences.of_schedule(schedule["ScheduleExpression"], zone, schedule.get("StartDate"),
                                        schedule.get("EndDate"))
    except ExpressionError as error:
        return Unmoved(name, kind, expression, str(error))
    if target["Arn"].split(":")[2] not in SERVED:
        return Unmoved(name, kind, expression, f"its target {target['Arn']} is neither a function, queue nor topic")
    policy = target.get("RetryPolicy") or {}

    def act(due: datetime) -> Delivery:
        return Delivery(
            Sender.SCHEDULER, schedule["Arn"], target["Arn"],
            target.get("Input") or _event("aws.scheduler", schedule["Arn"], due, json.dumps({})),
            policy.get("MaximumRetryAttempts", _RETRIES), policy.get("MaximumEventAgeInSeconds", _AGE_SECONDS),
            (target.get("DeadLetterConfig") or {}).get("Arn", ""),
            (target.get("SqsParameters") or {}).get("MessageGroupId", ""))

    def delete() -> None:
        client.delete_schedule(Name=name, GroupName=schedule["GroupName"])

    return Source(
        f"{schedule['Arn']} {schedule['CreationDate'].timestamp()} {expression}", schedule["Arn"], name, kind,
        expression, target["Arn"], times, act, schedule["State"] == "ENABLED",
        delete if schedule.get("ActionAfterCompletion") == "DELETE" else None)


def _rule(rule: dict[str, Any], target: dict[str, Any]) -> Source | Unmoved:
    expression, name, kind = rule["ScheduleExpression"], f"{rule['Name']}/{target['Id']}", "rule"
    try:
        times = occurrences.of_rule(expression)
    except ExpressionError as error:
        return Unmoved(name, kind, expression, str(error))
    if target["Arn"].split(":")[2] not in SERVED:
        return Unmoved(name, kind, expression, f"its target {target['Arn']} is neither a function, queue nor topic")
    if target.get("InputTransformer") or target.get("InputPath"):
        return Unmoved(name, kind, expression, "its target takes a part of the event or transforms it")
    policy = target.get("RetryPolicy") or {}

    def act(due: datetime) -> Delivery:
        return Delivery(
            Sender.RULE, rule["Arn"], target["Arn"],
            target.get("Input") or _event("aws.events", rule["Arn"], due, {}),
            policy.get("MaximumRetryAttempts", _RETRIES), policy.get("MaximumEventAgeInSeconds", _AGE_SECONDS),
            (target.get("DeadLetterConfig") or {}).get("Arn", ""),
            (target.get("SqsParameters") or {}).get("MessageGroupId", ""))

    return Source(f"{rule['Arn']}/{target['Id']} {expression}", rule["Arn"], name, kind, expression, target["Arn"],
                  times, act, rule["State"] != "DISABLED")


def _rotation(secret: str, kept: dict[str, Any], region: str) -> Source | Unmoved:
    rules, function = kept.get("rotationRules") or {}, kept.get("rotationLambdaArn")
    days, name, kind = rules.get("automaticallyAfterDays"), secret.split(":")[-1], "rotation"
    expression = f"rate({days} days)" if days is not None else rules.get("scheduleExpression", "")
    if not function:
        return Unmoved(name, kind, expression, "the service that owns the secret rotates it, without a function")
    at_once = bool(kept.get("rotateImmediately", True))
    try:
        times = occurrences.of_rotation(expression, at_once)
    except ExpressionError as error:
        return Unmoved(name, kind, expression, str(error))
    return Source(f"{secret} {function} {expression}", secret, name, kind, expression, function, times,
                  lambda due: Rotation(secret, function, region))


def _event(sender: str, source: str, due: datetime, detail: Any) -> str:
    """What a target is given that asks for nothing else ("Scheduled events", EventBridge user guide; "Input" of Target,
    Scheduler's API reference: "a default notification", whose detail is a text)."""
    _, _, _, region, account, _ = source.split(":", 5)
    return json.dumps({"version": "0", "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{source}/{due.isoformat()}")),
                       "detail-type": "Scheduled Event", "source": sender, "account": account, "time": stamp(due),
                       "region": region, "resources": [source], "detail": detail})
