"""AWS Backup: what neither emulator has: vault locks, policies and notifications, restore tests."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, refused
from rehearsal.aws.services._kept import KeptObject
from rehearsal.aws.services.backup import GONE, vault
from rehearsal.engine.values import Properties

_TESTING_NAME = re.compile(r"[A-Za-z0-9_]{1,50}")


class _OfVault(KeptObject):
    """One object a vault; the id is the vault's name. It goes with the vault."""

    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield vault("backupVaultName", inputs["backupVaultName"])

    def identify(self, call: Call, inputs: Properties) -> str:
        return str(inputs["backupVaultName"])

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"backupVaultArn": call.arn("backup", f"backup-vault:{id}")}

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        exists = found(lambda: call.client("backup").describe_backup_vault(BackupVaultName=id), GONE)
        return None if exists is None else super().read(call, id, known)


@resource
class VaultLockConfiguration(_OfVault):
    """Without changeableForDays governance: who has the permission may take it away. With it compliance: after that
    many days nobody can, so that neither the lock nor, while it holds a recovery point, the vault is ever deleted."""

    type = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"

    def identify(self, call: Call, inputs: Properties) -> str:
        grace, least, most = (inputs.get(key) for key in ("changeableForDays", "minRetentionDays", "maxRetentionDays"))
        problems = []
        if grace is not None and not 3 <= grace <= 36500:
            problems.append(f"ChangeableForDays takes 3 days or more; it is {grace}")
        if least is not None and not 1 <= least <= 36500:
            problems.append(f"MinRetentionDays takes 1 day or more; it is {least}")
        if least is not None and most is not None and most < least:
            problems.append(f"MaxRetentionDays {most} is below MinRetentionDays {least}")
        if problems:
            raise refused("InvalidParameterValueException", "; ".join(problems), "PutBackupVaultLockConfiguration")
        return super().identify(call, inputs)


@resource
class VaultNotifications(_OfVault):
    type = "aws:backup/vaultNotifications:VaultNotifications"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from super().references(inputs)
        yield references.topic("snsTopicArn", inputs["snsTopicArn"])

    def identify(self, call: Call, inputs: Properties) -> str:
        known = call.client("backup").meta.service_model.shape_for("BackupVaultEvent").enum
        for event in inputs["backupVaultEvents"]:
            if event not in known:
                raise refused("InvalidParameterValueException", f"{event!r} is no BackupVaultEvent: one of "
                              f"{', '.join(known)}", "PutBackupVaultNotifications")
        return super().identify(call, inputs)


@resource
class VaultPolicy(_OfVault):
    type = "aws:backup/vaultPolicy:VaultPolicy"
    documents = ("policy",)


@resource
class RestoreTestingPlan(KeptObject):
    """Its name takes no hyphen, so the one that Pulumi would make is refused: the program gives one."""

    type = "aws:backup/restoreTestingPlan:RestoreTestingPlan"
    naming = Naming("name", maximum=50)
    defaults = {"scheduleExpressionTimezone": "Etc/UTC", "startWindowHours": 24}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        chosen = inputs["recoveryPointSelection"]
        for key in ("includeVaults", "excludeVaults"):
            for index, arn in enumerate(chosen.get(key) or ()):
                if arn != "*":
                    yield vault(f"recoveryPointSelection.{key}[{index}]", arn)

    def identify(self, call: Call, inputs: Properties) -> str:
        self._check(call, inputs)
        return str(inputs["name"])

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self._check(call, new)
        super().update(call, id, old, new, changed)

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"arn": call.arn("backup", f"restore-testing-plan:{id}"), "tags": dict(call.tags)}

    def _check(self, call: Call, inputs: Properties) -> None:
        _check_name(inputs["name"], "CreateRestoreTestingPlan")
        model = call.client("backup").meta.service_model
        chosen = inputs["recoveryPointSelection"]
        problems = [
            *_not_in(model, "RestoreTestingRecoveryPointSelectionAlgorithm", [chosen["algorithm"]]),
            *_not_in(model, "RestoreTestingRecoveryPointType", chosen["recoveryPointTypes"])]
        if not 1 <= (chosen.get("selectionWindowDays") or 30) <= 365:
            problems.append(f"selectionWindowDays takes 1 to 365; it is {chosen['selectionWindowDays']}")
        if not 1 <= (inputs.get("startWindowHours") or 24) <= 168:
            problems.append(f"startWindowHours takes 1 to 168; it is {inputs['startWindowHours']}")
        if not re.fullmatch(r"cron\(.+\)", inputs["scheduleExpression"]):
            problems.append(f"scheduleExpression {inputs['scheduleExpression']!r} is not cron(…)")
        if problems:
            raise refused("InvalidParameterValueException", "; ".join(problems), "CreateRestoreTestingPlan")


@resource
class RestoreTestingSelection(KeptObject):
    """Pulumi's id is `selection:plan`."""

    type = "aws:backup/restoreTestingSelection:RestoreTestingSelection"
    naming = Naming("name", maximum=50)
    tags_property = None
    _kinds = ("Aurora", "DocumentDB", "DynamoDB", "EBS", "EC2", "EFS", "FSx", "Neptune", "RDS", "S3")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield references.role("iamRoleArn", inputs["iamRoleArn"])
        yield Reference("restoreTestingPlanName", inputs["restoreTestingPlanName"], lambda call: call.kept.get(
            call.account, call.region, RestoreTestingPlan.type, inputs["restoreTestingPlanName"]) is not None)

    def identify(self, call: Call, inputs: Properties) -> str:
        _check_name(inputs["name"], "CreateRestoreTestingSelection")
        problems = []
        if bool(inputs.get("protectedResourceArns")) == bool(inputs.get("protectedResourceConditions")):
            problems.append("exactly one of protectedResourceArns and protectedResourceConditions is needed")
        if inputs["protectedResourceType"] not in self._kinds:
            problems.append(f"protectedResourceType {inputs['protectedResourceType']!r}: one of "
                            f"{', '.join(self._kinds)}")
        if not 1 <= (inputs.get("validationWindowHours") or 1) <= 168:
            problems.append(f"validationWindowHours takes 1 to 168; it is {inputs['validationWindowHours']}")
        if problems:
            raise refused("InvalidParameterValueException", "; ".join(problems), "CreateRestoreTestingSelection")
        return f"{inputs['name']}:{inputs['restoreTestingPlanName']}"


def _check_name(name: str, operation: str) -> None:
    if not _TESTING_NAME.fullmatch(name):
        raise refused("InvalidParameterValueException", f"name {name!r}: 1 to 50 letters, digits and underscores",
                      operation)


def _not_in(model: Any, shape: str, values: Iterable[str]) -> list[str]:
    known = model.shape_for(shape).enum
    return [f"{value!r} is no {shape}: one of {', '.join(known)}" for value in values if value not in known]
