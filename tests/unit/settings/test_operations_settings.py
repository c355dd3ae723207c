"""The settings of operations: what is refused, and where the nights are off."""

from __future__ import annotations

from typing import Any

import pytest

from infra.settings.errors import SettingsError
from infra.settings.load import load, load_file
from tests.unit.settings.test_settings import ROOT, STACKS, put, values

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("stack", "setting", "value", "allowed"), [
    ("production", "offHours.enabled", True, "false in production"),
    ("recovery", "offHours.enabled", True, "false in recovery"),
    ("production", "offHours.stopDatabase", True, "only together with enabled"),
    ("staging", "offHours.timeZone", "Denver", "an IANA name"),
    ("staging", "offHours.down", "6pm", "text that matches"),
    ("staging", "offHours.up", "18:00", "another time than down"), ("staging", "rotation.days", 120, "90 or less"),
    ("staging", "rotation.tokenHours", 720, "less than rotation.days"),
    ("staging", "rotation.cacheOverlapHours", 1, "2 or more"),
    ("staging", "notifications.alertsChannel", "ops-alerts", "text that matches"),
    ("staging", "notifications.paged", ["P9"], "'P0'"),
    ("staging", "costFindings.schedule", "weekly", "text that matches")])
def test_a_setting_that_can_not_work_is_refused(stack: str, setting: str, value: Any, allowed: str) -> None:
    document = values(stack)
    put(document, f"operations.{setting}", value)
    with pytest.raises(SettingsError) as caught:
        load(document, "f")
    assert allowed in str(caught.value)
    assert f"candlefish:operations.{setting}" in str(caught.value)


def test_nights_are_off_outside_production_and_developments_database_sleeps_too() -> None:
    hours = {stack: load_file(ROOT / f"Pulumi.{stack}.yaml").operations.off_hours for stack in STACKS}
    assert {stack: (each.enabled, each.stop_database) for stack, each in hours.items()} == {
        "development": (True, True), "staging": (True, False), "production": (False, False), "recovery": (False, False)}
