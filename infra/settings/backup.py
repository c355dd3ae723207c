"""What is kept of the data beside the data itself: daily recovery points, and their place in another region."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infra.settings.base import Model


class Backup(Model):
    """AWS Backup (D5), and whether anything leaves the region (D3, D6).

    `lock`: "governance" keeps recovery points from being deleted early by all but those who may take the lock away;
    "compliance" by everybody, AWS included, once `compliance_grace_days` are over: such a stack can't be torn down
    before its last recovery point has aged out.
    """

    cross_region: bool = True  # replicated buckets, database backups and recovery points in `recoveryRegion`
    retention_days: int = Field(default=35, ge=1, le=36500)
    copy_retention_days: int = Field(default=35, ge=1, le=36500)  # of what is in the other region
    lock: Literal["none", "governance", "compliance"] = "governance"
    lock_minimum_days: int = Field(default=7, ge=1, le=36500)  # what a recovery point may at least live
    compliance_grace_days: int = Field(default=14, ge=3, le=36500)
    restore_test: bool = True  # monthly
