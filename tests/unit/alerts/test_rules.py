"""Prometheus' rules under promtool: they parse, their unit tests pass, and so does every query of every dashboard.

promtool is a short-lived process, no server. A machine that has none and can't get one fails here and says so.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from infra.plans.observability import grafana
from tests import promtool

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
TESTS = sorted((ROOT / "alerts" / "tests").glob("*.test.yaml"))


def test_the_rules_parse() -> None:
    done = promtool.run("check", "rules", str(ROOT / "alerts" / "candlefish.rules.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name.removesuffix(".test.yaml"))
def test_rules_fire_when_they_should_and_only_then(file: Path) -> None:
    done = promtool.run("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_unit_tests_for_alarms_and_objectives() -> None:
    assert {"alarms.test.yaml", "objectives.test.yaml", "objectives-days.test.yaml"} <= {file.name for file in TESTS}


def test_every_query_of_a_dashboard_parses(tmp_path: Path) -> None:
    """Each as a recording rule: promtool has no other way to a parser that old releases know."""
    rules = [{"record": f"dashboard:query:{index}", "expr": expression}
             for index, expression in enumerate(
                 expression for table in grafana.tables().values() for panel in grafana.panels(table)
                 for expression in panel.get("queries", {}).values())]
    assert len(rules) > 60
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = promtool.run("check", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_query_that_does_not_parse_is_found(tmp_path: Path) -> None:
    file = tmp_path / "queries.yaml"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": [{"record": "a:b:c", "expr": "sum(up"}]}]}))
    assert promtool.run("check", "rules", str(file)).returncode != 0
