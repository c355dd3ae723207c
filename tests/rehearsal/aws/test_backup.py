"""AWS Backup through the provider, on the embedded AWS."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycles import Inputs, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

VAULT = "aws:backup/vault:Vault"
LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
NOTIFICATIONS = "aws:backup/vaultNotifications:VaultNotifications"
POLICY = "aws:backup/vaultPolicy:VaultPolicy"
PLAN = "aws:backup/plan:Plan"
SELECTION = "aws:backup/selection:Selection"
TESTING = "aws:backup/restoreTestingPlan:RestoreTestingPlan"
TESTED = "aws:backup/restoreTestingSelection:RestoreTestingSelection"


def _rule(**more: Any) -> Inputs:
    return {"ruleName": "daily", "targetVaultName": "vault", "schedule": "cron(0 5 ? * * *)",
            "lifecycle": {"deleteAfter": 35}, **more}


def _restore_test(vault: str, **more: Any) -> Inputs:
    return {"name": "monthly", "scheduleExpression": "cron(0 7 1 * ? *)", "recoveryPointSelection": {
        "algorithm": "LATEST_WITHIN_WINDOW", "includeVaults": [vault], "recoveryPointTypes": ["SNAPSHOT"],
        "selectionWindowDays": 7}, **more}


def test_a_vault_lives_with_its_lock_policy_and_notifications(aws: Any) -> None:
    place = world(aws)
    lives(aws, VAULT, {"name": "vault", "kmsKeyArn": place.key})
    refused(aws, VAULT, {"name": "a.b"}, "Invalid vault name")
    refused(aws, VAULT, {"name": "x", "kmsKeyArn": place.key[:-1]}, "`kmsKeyArn`.*does not exist")
    made(aws, VAULT, {"name": "vault"})
    lives(aws, LOCK, {"backupVaultName": "vault", "minRetentionDays": 7})
    lives(aws, POLICY, {"backupVaultName": "vault", "policy": '{"Version":"2012-10-17","Statement":[]}'})
    lives(aws, NOTIFICATIONS, {"backupVaultName": "vault", "snsTopicArn": place.topic,
                               "backupVaultEvents": ["COPY_JOB_FAILED"]})
    refused(aws, LOCK, {"backupVaultName": "vault", "changeableForDays": 2}, "3 days or more")
    refused(aws, LOCK, {"backupVaultName": "vault", "minRetentionDays": 9, "maxRetentionDays": 8}, "below MinRetention")
    refused(aws, LOCK, {"backupVaultName": "no", "minRetentionDays": 7}, "`backupVaultName`.*does not exist")
    refused(aws, NOTIFICATIONS, {"backupVaultName": "vault", "snsTopicArn": place.topic,
                                 "backupVaultEvents": ["JOB_LOST"]}, "no BackupVaultEvent")


def test_a_plan_copies_to_another_region_and_selects_what_it_protects(aws: Any) -> None:
    place = world(aws)
    made(aws, VAULT, {"name": "vault"})
    _, copies = made(aws, VAULT, {"name": "copies"}, region="us-west-2")
    copied = _rule(copyActions=[{"destinationVaultArn": copies["arn"], "lifecycle": {"deleteAfter": 14}}])
    lives(aws, PLAN, {"name": "p", "rules": [_rule()]}, {"rules": [copied]},
          {"rules": [_rule(startWindow=90, completionWindow=300, recoveryPointTags={"a": "1"})]})
    for wrong, why in ((_rule(targetVaultName="no"), "targetVaultName.*does not exist"),
                       (_rule(copyActions=[{"destinationVaultArn": f"{copies['arn']}x"}]), "VaultArn.*does not exist"),
                       (_rule(schedule="daily"), "neither cron"),
                       (_rule(startWindow=30), "60 minutes or more"),
                       (_rule(lifecycle={"coldStorageAfter": 30, "deleteAfter": 60}), "90 days greater"),
                       (_rule(enableContinuousBackup=True, lifecycle={"deleteAfter": 40}), "1 to 35 days")):
        refused(aws, PLAN, {"name": "p", "rules": [wrong]}, why)
    plan, outputs = made(aws, PLAN, {"name": "p", "rules": [copied]})
    chosen = {"name": "s", "planId": plan, "iamRoleArn": place.role, "resources": ["arn:aws:rds:*:*:db:*"],
              "conditions": [{"stringEquals": [{"key": "aws:ResourceTag/Stack", "value": "production"}]}]}
    lives(aws, SELECTION, chosen, imports=lambda id: f"{plan}|{id}")
    refused(aws, SELECTION, {**chosen, "planId": "no"}, "`planId`.*does not exist")
    refused(aws, SELECTION, {"name": "s", "planId": plan, "iamRoleArn": place.role}, "needs resources")
    made(aws, SELECTION, chosen)
    with pytest.raises(ProviderError, match="must be deleted prior"):
        aws.provider.delete(aws.context(PLAN), plan, {}, outputs)


def test_a_restore_test_has_a_name_without_hyphens_and_one_way_to_choose(aws: Any) -> None:
    place = world(aws)
    _, vault = made(aws, VAULT, {"name": "vault"})
    lives(aws, TESTING, _restore_test(vault["arn"]), {"startWindowHours": 4}, {"scheduleExpressionTimezone": "UTC"})
    refused(aws, TESTING, _restore_test(vault["arn"], name="a-b"), "letters, digits and underscores")
    refused(aws, TESTING, _restore_test(vault["arn"], scheduleExpression="rate(1 day)"), "is not cron")
    refused(aws, TESTING, _restore_test(vault["arn"] + "x"), "includeVaults.*does not exist")
    made(aws, TESTING, _restore_test(vault["arn"]))
    tested = {"name": "database", "restoreTestingPlanName": "monthly", "protectedResourceType": "RDS",
              "iamRoleArn": place.role, "protectedResourceArns": ["*"], "validationWindowHours": 4}
    lives(aws, TESTED, tested, {"validationWindowHours": 8})
    refused(aws, TESTED, {**tested, "restoreTestingPlanName": "no"}, "restoreTestingPlanName.*does not exist")
    refused(aws, TESTED, {**tested, "protectedResourceType": "Postgres"}, "one of Aurora")
    refused(aws, TESTED, {**tested, "protectedResourceConditions": {
        "stringEquals": [{"key": "aws:ResourceTag/Stack", "value": "x"}]}}, "exactly one of")
