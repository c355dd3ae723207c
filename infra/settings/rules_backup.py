"""Rules of backups and of what leaves the region."""

from __future__ import annotations

from collections.abc import Iterator

from infra.settings.errors import Problem
from infra.settings.model import Environment, Settings


def backups(settings: Settings) -> Iterator[Problem]:
    backup = settings.backup
    if backup.lock != "none":
        for name, days in (("retentionDays", backup.retention_days), ("copyRetentionDays", backup.copy_retention_days)):
            if days < backup.lock_minimum_days:
                yield Problem(f"backup.{name}", days, f"at least lockMinimumDays, {backup.lock_minimum_days}: a locked "
                              "vault refuses what would go earlier")
    if backup.lock == "compliance" and settings.lifecycle.rehearsed_teardown:
        yield Problem("backup.lock", "compliance", "governance or none with lifecycle.rehearsedTeardown: nobody can "
                      "delete a vault under compliance")


def recoverable(settings: Settings) -> Iterator[Problem]:
    """What production and its twin may not do without (D5, D6). The twin may keep nothing in the other region: when
    it is needed, that region may be what is lost."""
    if settings.environment not in (Environment.PRODUCTION, Environment.RECOVERY):
        return
    if settings.lifecycle.rehearsed_teardown:
        return
    backup, where = settings.backup, f"in {settings.environment}, unless lifecycle.rehearsedTeardown is set"
    if not backup.cross_region and settings.environment is Environment.PRODUCTION:
        yield Problem("backup.crossRegion", False, f"true {where}")
    if not backup.restore_test:
        yield Problem("backup.restoreTest", False, f"true {where}")
    if backup.lock == "none":
        yield Problem("backup.lock", "none", f"governance or compliance {where}")
