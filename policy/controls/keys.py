"""Secrets, keys, topics, queues, log groups."""

from __future__ import annotations

from typing import Any

from policy.model import DEVELOPMENT, Resource, World, control, given, listed, says

SECRET = "aws:secretsmanager/secret:Secret"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
KEY = "aws:kms/key:Key"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
MOST_DAYS = 90


def _rotated(secret: Resource, world: World) -> object:
    """A rotation may name a version: then it waits for the first one."""
    versions = world.users(secret, "aws:secretsmanager/secretVersion:SecretVersion", "secretId")
    return any(world.users(each, ROTATION, "secretId") for each in (secret, *versions))


def _often_enough(rotation: Resource) -> object:
    rules = rotation.at("rotationRules") or {}
    if days := rules.get("automaticallyAfterDays"):
        return int(days) <= MOST_DAYS
    schedule = str(rules.get("scheduleExpression", ""))
    if schedule.startswith("rate("):
        number, unit = schedule[5:-1].split()
        return int(number) <= MOST_DAYS * (24 if unit.startswith("hour") else 1)
    return schedule.startswith("cron(")  # once a month at least, unless it names months


def _names_principals(key: Resource) -> object:
    return not any(statement["Effect"] == "Allow" and "*" in _principals(statement) and not statement.get("Condition")
                   for statement in key.statements())


def _principals(statement: dict[str, Any]) -> list[Any]:
    principal = statement.get("Principal")
    return [each for value in principal.values() for each in listed(value)] if isinstance(principal, dict) \
        else listed(principal)


CONTROLS = (
    control("CKV_AWS_149", "secrets under a key of our own", SECRET, given("kmsKeyId"), "give kms_key_id"),
    control("CKV2_AWS_57 SecretsManager.1", "secrets rotated", SECRET, _rotated,
            "add an aws.secretsmanager.SecretRotation"),
    control("CKV_AWS_304", f"rotation at least every {MOST_DAYS} days", ROTATION, _often_enough,
            f"set rotation_rules.automatically_after_days to {MOST_DAYS} or less"),
    control("CKV_AWS_7 KMS.4", "key material rotated", KEY, says("enableKeyRotation"), "set enable_key_rotation=True"),
    control("CKV_AWS_33", "key policies name their principals", KEY, _names_principals,
            "replace the principal * by accounts, roles or services", frozenset()),
    control("CKV_AWS_26", "topics encrypted", "aws:sns/topic:Topic", given("kmsMasterKeyId"), "give kms_master_key_id"),
    control("CKV_AWS_27", "queues encrypted", "aws:sqs/queue:Queue", given("kmsMasterKeyId"),
            "give kms_master_key_id"),
    control("CKV_AWS_158", "log groups under a key of our own", LOG_GROUP, given("kmsKeyId"), "give kms_key_id"),
    control("CKV_AWS_338", "logs kept for a year", LOG_GROUP,
            lambda group: int(group.at("retentionInDays") or 0) >= 365, "set storage.logRetentionDays",
            DEVELOPMENT),
)
