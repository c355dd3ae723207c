"""Backups that a stack may not be configured without, or in contradiction to themselves."""

from __future__ import annotations

from typing import Any

import pytest

from infra.settings.errors import SettingsError
from infra.settings.load import load
from tests.unit.settings.test_settings import put, values

pytestmark = pytest.mark.unit

REFUSALS: list[tuple[str, dict[str, Any], str, str]] = [
    # stack, settings, path in the message, words of what is allowed
    ("staging", {"backup.lockMinimumDays": 20}, "backup.retentionDays", "at least lockMinimumDays, 20"),
    ("staging", {"backup.copyRetentionDays": 3}, "backup.copyRetentionDays", "at least lockMinimumDays, 7"),
    ("staging", {"backup.lock": "compliance", "lifecycle.rehearsedTeardown": True}, "backup.lock",
     "governance or none"),
    ("staging", {"backup.lock": "legal"}, "backup.lock", "'none', 'governance' or 'compliance'"),
    ("staging", {"backup.complianceGraceDays": 2}, "backup.complianceGraceDays", "3 or more"),
    ("staging", {"database.passwordRotationDays": 91}, "database.passwordRotationDays", "90 or less"),
    ("production", {"backup.crossRegion": False}, "backup.crossRegion", "true in production"),
    ("recovery", {"backup.restoreTest": False}, "backup.restoreTest", "true in recovery"),
    ("production", {"backup.lock": "none"}, "backup.lock", "governance or compliance in production"),
]


@pytest.mark.parametrize(("stack", "settings", "path", "words"), REFUSALS, ids=[r[2] + " " + r[0] for r in REFUSALS])
def test_is_refused(stack: str, settings: dict[str, Any], path: str, words: str) -> None:
    document = values(stack)
    for setting, value in settings.items():
        put(document, setting, value)
    with pytest.raises(SettingsError) as refused:
        load(document, f"Pulumi.{stack}.yaml")
    assert any(words in problem.allowed for problem in refused.value.problems if problem.setting == path)


def test_the_twin_can_be_built_while_the_other_region_is_lost() -> None:
    document = values("recovery")
    put(document, "backup.crossRegion", False)
    assert not load(document, "Pulumi.recovery.yaml").backup.cross_region


def test_a_rehearsed_teardown_may_do_without() -> None:
    document = values("production")
    for setting, value in (("lifecycle.rehearsedTeardown", True), ("backup.lock", "none"),
                           ("backup.crossRegion", False), ("backup.restoreTest", False)):
        put(document, setting, value)
    assert load(document, "Pulumi.production.yaml").backup.lock == "none"
