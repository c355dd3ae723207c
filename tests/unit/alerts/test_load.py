"""The load test asks for the objectives that the alarms hold the platform to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.plans.observability.objectives import SHARES
from infra.settings.load import load_file

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]


def test_thresholds_are_the_objectives() -> None:
    script = (ROOT / "tests" / "load" / "journey.js").read_text()
    thresholds = dict(re.findall(r"^    (\w+): \[\"([^\"]+)\"\]", script, re.MULTILINE))
    assert thresholds == {
        "candlefish_failed": "rate<0.001", "http_req_duration": "p(95)<2000", "candlefish_api_ms": "p(95)<100"}
    assert {share.name: share.budget for share in SHARES} == {
        "availability": 0.001, "latency": 0.05, "api-latency": 0.05}


def test_its_events_are_of_the_schema_that_the_processor_takes() -> None:
    script = (ROOT / "tests" / "load" / "journey.js").read_text()
    fields = re.findall(r"(\w+): ", re.search(r"const event = \{(.*?)\};", script, re.DOTALL)[1])  # type: ignore[index]
    schema = (ROOT / "functions" / "common" / "schema.py").read_text()
    assert {"id", "type", "timestamp"} < set(fields)
    assert all(f'"{field}": Number(' in schema for field in set(fields) - {"id", "type", "timestamp"})


def test_each_stack_knows_how_many_users_it_must_carry() -> None:
    users = {stack: load_file(ROOT / f"Pulumi.{stack}.yaml").observability.concurrent_users
             for stack in ("staging", "production", "recovery")}
    assert users == {"staging": 1_000, "production": 10_000, "recovery": 10_000}
