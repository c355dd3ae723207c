"""AWS Backup: vaults, plans and selections, by MiniStack. Locks, notifications and restore tests: `backup_kept`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import Names, found, input_shape, output_shape, present, refused, retag, unless
from rehearsal.engine.values import Properties

GONE = "ResourceNotFoundException"
_VAULT_NAME = re.compile(r"[A-Za-z0-9_-]{2,50}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,50}")
_COLD_DAYS = 90  # what stays in cold storage at least: AWS Backup, "Lifecycle" of a backup rule
_NAMES = Names({
    "completionWindow": "CompletionWindowMinutes", "startWindow": "StartWindowMinutes",
    "schedule": "ScheduleExpression", "targetVaultName": "TargetBackupVaultName",
    "destinationVaultArn": "DestinationBackupVaultArn", "deleteAfter": "DeleteAfterDays",
    "coldStorageAfter": "MoveToColdStorageAfterDays",
    "targetLogicallyAirGappedBackupVaultArn": "TargetLogicallyAirGappedBackupVaultArn",
    "ConditionParameter.key": "ConditionKey", "ConditionParameter.value": "ConditionValue",
    "Condition.key": "ConditionKey", "Condition.value": "ConditionValue", "Condition.type": "ConditionType",
    "stringLikes": "StringLike", "stringNotLikes": "StringNotLike",
}, hidden=("RuleId",))


def vault(property: str, value: str) -> Reference:
    """By name or ARN, in the ARN's region."""
    parts = value.split(":")
    region = parts[3] if len(parts) > 6 else None
    return Reference(property, value, lambda call: found(
        lambda: call.client("backup", region).describe_backup_vault(BackupVaultName=parts[-1]), GONE) is not None)


def retag_backup(call: Call, arn: str) -> None:
    backup = call.client("backup")
    retag(call, _tags(call, arn),
          lambda tags: backup.tag_resource(ResourceArn=arn, Tags=tags),
          lambda keys: backup.untag_resource(ResourceArn=arn, TagKeyList=keys))


def _tags(call: Call, arn: str) -> dict[str, str]:
    tags: dict[str, str] = call.client("backup").list_tags(ResourceArn=arn)["Tags"]
    return tags


@resource
class Vault(Handler):
    """A vault that holds recovery points isn't deleted, unless forceDestroy takes them away first."""

    type = "aws:backup/vault:Vault"
    naming = Naming("name", maximum=50)
    defaults = {"forceDestroy": False}
    kept = ("forceDestroy",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"kmsKeyArn": references.kms_key})

    def create(self, call: Call, inputs: Properties) -> str:
        if not _VAULT_NAME.fullmatch(inputs["name"]):
            raise refused("InvalidParameterValueException", f"Invalid vault name {inputs['name']!r}: 2 to 50 letters, "
                          "digits, hyphens and underscores", "CreateBackupVault")
        answer = call.client("backup").create_backup_vault(
            BackupVaultName=inputs["name"], BackupVaultTags=call.tags,
            **present(EncryptionKeyArn=inputs.get("kmsKeyArn")))
        return str(answer["BackupVaultName"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        got = found(lambda: call.client("backup").describe_backup_vault(BackupVaultName=id), GONE)
        return None if got is None else {
            "arn": got["BackupVaultArn"], "name": got["BackupVaultName"],
            "kmsKeyArn": got.get("EncryptionKeyArn") or call.arn("kms", "alias/aws/backup"),
            "recoveryPoints": got["NumberOfRecoveryPoints"], "tags": _tags(call, got["BackupVaultArn"])}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if "tags" in changed:
            retag_backup(call, old["arn"])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        backup = call.client("backup")
        got = found(lambda: backup.describe_backup_vault(BackupVaultName=id), GONE)
        if got is None:
            return
        if known.get("forceDestroy"):
            for point in backup.list_recovery_points_by_backup_vault(BackupVaultName=id)["RecoveryPoints"]:
                backup.delete_recovery_point(BackupVaultName=id, RecoveryPointArn=point["RecoveryPointArn"])
        elif got["NumberOfRecoveryPoints"]:
            raise refused("InvalidRequestException", f"Backup vault cannot be deleted because it contains recovery "
                          f"points: {got['NumberOfRecoveryPoints']} in {id}", "DeleteBackupVault")
        with unless(GONE):
            backup.delete_backup_vault(BackupVaultName=id)


@resource
class Plan(Handler):
    type = "aws:backup/plan:Plan"
    naming = Naming("name", maximum=50)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        for index, rule in enumerate(inputs["rules"]):
            yield vault(f"rules[{index}].targetVaultName", rule["targetVaultName"])
            for number, copy in enumerate(rule.get("copyActions") or ()):
                yield vault(f"rules[{index}].copyActions[{number}].destinationVaultArn", copy["destinationVaultArn"])

    def create(self, call: Call, inputs: Properties) -> str:
        answer = call.client("backup").create_backup_plan(
            BackupPlan=self._sent(call, inputs), BackupPlanTags=call.tags)
        return str(answer["BackupPlanId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        backup = call.client("backup")
        got = found(lambda: backup.get_backup_plan(BackupPlanId=id), GONE)
        if got is None:
            return None
        shown = _NAMES.response(output_shape(backup, "GetBackupPlan").members["BackupPlan"], got["BackupPlan"])
        return {"arn": got["BackupPlanArn"], "name": shown["backupPlanName"], "version": got["VersionId"],
                "rules": shown["rules"], "advancedBackupSettings": shown.get("advancedBackupSettings") or None,
                "scanSettings": shown.get("scanSettings") or None, "tags": _tags(call, got["BackupPlanArn"])}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if changed - {"tags", "tagsAll"}:
            call.client("backup").update_backup_plan(BackupPlanId=id, BackupPlan=self._sent(call, new))
        if "tags" in changed:
            retag_backup(call, old["arn"])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        backup = call.client("backup")
        if found(lambda: backup.get_backup_plan(BackupPlanId=id), GONE) is None:
            return
        if backup.list_backup_selections(BackupPlanId=id)["BackupSelectionsList"]:
            raise refused("InvalidRequestException", "Related backup plan selections must be deleted prior to backup "
                          f"plan {id}", "DeleteBackupPlan")
        with unless(GONE):
            backup.delete_backup_plan(BackupPlanId=id)

    def _sent(self, call: Call, inputs: Properties) -> dict[str, Any]:
        for problem in _plan_problems(call, inputs):
            raise refused("InvalidParameterValueException", problem, "CreateBackupPlan")
        rules = [{"completionWindow": 180, "startWindow": 60, "enableContinuousBackup": False,
                  "scheduleExpressionTimezone": "Etc/UTC", **rule} for rule in inputs["rules"]]
        shape = input_shape(call.client("backup"), "CreateBackupPlan").members["BackupPlan"]
        sent: dict[str, Any] = _NAMES.request(shape, present(
            backupPlanName=inputs["name"], rules=rules, advancedBackupSettings=inputs.get("advancedBackupSettings"),
            scanSettings=inputs.get("scanSettings")))
        return sent


def _plan_problems(call: Call, inputs: Properties) -> Iterator[str]:
    for rule in inputs["rules"]:
        name = rule["ruleName"]
        if not _NAME.fullmatch(name):
            yield f"rule name {name!r}: 1 to 50 letters, digits, hyphens, underscores and periods"
        if rule.get("startWindow", 60) < 60 or rule.get("completionWindow", 180) < rule.get("startWindow", 60) + 60:
            yield f"rule {name}: startWindow takes 60 minutes or more, and completionWindow 60 more than it"
        if not re.fullmatch(r"(cron|rate)\(.+\)", rule.get("schedule") or "cron(x)"):
            yield f"rule {name}: schedule {rule['schedule']!r} is neither cron(…) nor rate(…)"
        for lifecycle in (rule.get("lifecycle"), *(copy.get("lifecycle") for copy in rule.get("copyActions") or ())):
            cold, gone = (lifecycle or {}).get("coldStorageAfter"), (lifecycle or {}).get("deleteAfter")
            if cold and gone and gone < cold + _COLD_DAYS:
                yield f"rule {name}: deleteAfter must be {_COLD_DAYS} days greater than coldStorageAfter"
        kept_days = (rule.get("lifecycle") or {}).get("deleteAfter") or 0
        if rule.get("enableContinuousBackup") and not 1 <= kept_days <= 35:
            yield f"rule {name}: continuous backups are kept 1 to 35 days"


@resource
class Selection(Handler):
    """Nothing of it can be changed. Pulumi's import takes `plan|selection`."""

    type = "aws:backup/selection:Selection"
    naming = Naming("name", maximum=50)
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield references.role("iamRoleArn", inputs["iamRoleArn"])
        yield Reference("planId", inputs["planId"], lambda call: found(
            lambda: call.client("backup").get_backup_plan(BackupPlanId=inputs["planId"]), GONE) is not None)

    def create(self, call: Call, inputs: Properties) -> str:
        if not _NAME.fullmatch(inputs["name"]):
            raise refused("InvalidParameterValueException", f"Invalid selection name {inputs['name']!r}",
                          "CreateBackupSelection")
        if not any(inputs.get(key) for key in ("resources", "notResources", "selectionTags", "conditions")):
            raise refused("InvalidParameterValueException", "a selection needs resources, conditions or tags",
                          "CreateBackupSelection")
        shape = input_shape(call.client("backup"), "CreateBackupSelection").members["BackupSelection"]
        conditions: dict[str, Any] = {}
        for each in inputs.get("conditions") or ():
            conditions.update({key: value for key, value in each.items() if value})
        sent = _NAMES.request(shape, present(
            selectionName=inputs["name"], iamRoleArn=inputs["iamRoleArn"], resources=inputs.get("resources"),
            notResources=inputs.get("notResources"), listOfTags=inputs.get("selectionTags"),
            conditions=conditions or None))
        answer = call.client("backup").create_backup_selection(BackupPlanId=inputs["planId"], BackupSelection=sent)
        return str(answer["SelectionId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        plan, _, selection = id.rpartition("|")
        plan = plan or known.get("planId", "")
        backup = call.client("backup")
        got = found(lambda: backup.get_backup_selection(BackupPlanId=plan, SelectionId=selection), GONE)
        if got is None:
            return None
        shown = _NAMES.response(output_shape(backup, "GetBackupSelection").members["BackupSelection"],
                                got["BackupSelection"])
        conditions = {key: value for key, value in (shown.get("conditions") or {}).items() if value}
        return {"planId": plan, "name": shown["selectionName"], "iamRoleArn": shown["iamRoleArn"],
                "resources": shown.get("resources") or None, "notResources": shown.get("notResources") or None,
                "selectionTags": shown.get("listOfTags") or None, "conditions": [conditions] if conditions else None}

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE, "InvalidParameterValueException"):
            call.client("backup").delete_backup_selection(BackupPlanId=known["planId"], SelectionId=id)
