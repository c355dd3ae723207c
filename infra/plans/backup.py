"""When data is backed up and restores are tested, and of which resources: AWS Backup's plans as data."""

from __future__ import annotations

import json

# After RDS's own backup window (04:00–05:00 UTC) and well before the maintenance window (Sunday 06:00): RDS refuses a
# snapshot within an hour of either ("Amazon RDS backups", AWS Backup developer guide).
DAILY = "cron(0 9 * * ? *)"
START_WINDOW_MINUTES = 60
COMPLETION_WINDOW_MINUTES = 360
MONTHLY_TEST = "cron(0 13 1 * ? *)"  # the first of the month, when that day's backup is done
TEST_START_WINDOW_HOURS = 4
TEST_VALIDATION_HOURS = 4  # how long a restored copy is there to be looked at, and is paid for

DATABASES = "arn:aws:rds:*:*:db:*"
TABLES = "arn:aws:dynamodb:*:*:table/*"
TESTED = {"database": "RDS", "tables": "DynamoDB"}  # selection → protected resource type

_JOBS = ["Backup Job State Change", "Copy Job State Change", "Restore Job State Change"]
_BAD = ["ABORTED", "EXPIRED", "FAILED", "PARTIAL"]


def testing_name(environment: str) -> str:
    """Of a restore-testing plan: letters, digits and underscores only, so that Pulumi's own name would be refused."""
    return f"{environment}_candlefish_restore"


def selection_name(environment: str, part: str) -> str:
    """Within a restore-testing plan, under the same rule."""
    return f"{environment}_{part}"


def owned_by(project: str, stack: str) -> dict[str, str]:
    """Tags that tell this stack's resources from those of others in the account. Every resource carries them."""
    return {"Project": project, "Stack": stack}


def failures(vault_name: str) -> str:
    """EventBridge pattern: a job of the vault that didn't end well. Copies and backups say `state`, restores `status`;
    a restore names no vault, so those of all vaults of the account count."""
    return json.dumps({"source": ["aws.backup"], "detail-type": _JOBS, "detail": {"$or": [
        {"state": _BAD, "backupVaultName": [vault_name]},
        {"state": _BAD, "sourceBackupVaultArn": [{"suffix": f":backup-vault:{vault_name}"}]},
        {"status": _BAD}]}})
