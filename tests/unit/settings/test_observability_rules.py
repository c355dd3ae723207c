"""What observability asks of a stack's other settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.settings.load import load_file
from infra.settings.model import Settings
from infra.settings.rules_observability import RULES

pytestmark = pytest.mark.unit

STAGING = load_file(Path(__file__).parents[3] / "Pulumi.staging.yaml")


def problems(part: str, **changes: Any) -> list[str]:
    changed: Settings = STAGING.model_copy(update={part: getattr(STAGING, part).model_copy(update=changes)})
    return [str(problem) for rule in RULES for problem in rule(changed)]


def test_a_database_whose_memory_is_not_known_cannot_be_watched() -> None:
    (problem,) = problems("database", instance_class="db.x9.large")
    assert "candlefish:database.instanceClass is 'db.x9.large'" in problem
    assert "db.t4g.medium" in problem


def test_a_warning_comes_before_what_is_critical() -> None:
    thresholds = STAGING.observability.thresholds.model_copy(update={
        "memory_critical_mb": 40, "error_percent_abort": 4})
    assert [problem.split(" is ")[0] for problem in problems("observability", thresholds=thresholds)] == [
        "candlefish:observability.thresholds.memoryCriticalMb", "candlefish:observability.thresholds.errorPercentAbort"]


def test_the_stacks_meet_them() -> None:
    assert problems("database") == []
