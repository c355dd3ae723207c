"""Grafana's dashboards: complete, laid out, and on metrics that something emits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.plans.observability import documents, grafana
from infra.plans.observability.emitted import prometheus_names
from infra.plans.observability.prometheus import objective_groups
from tests import promql

pytestmark = pytest.mark.unit

TABLES = grafana.tables()
RECORDED = {rule["record"] for group in objective_groups("") for rule in group["rules"] if "record" in rule}


def test_the_dashboards_of_m3_are_there() -> None:
    assert {table["title"] for table in TABLES.values()} == {
        "System Overview", "Application Overview", "Infrastructure", "Business Metrics", "Cost Optimization",
        "Animation", "Alert Management"}


@pytest.mark.parametrize("name", TABLES)
def test_a_dashboard_asks_only_for_what_is_emitted_or_recorded(name: str) -> None:
    for panel in grafana.panels(TABLES[name]):
        for expression in panel.get("queries", {}).values():
            named = promql.metrics(expression)
            assert named, expression
            assert named <= prometheus_names() | RECORDED, expression


@pytest.mark.parametrize("name", TABLES)
def test_panels_fill_the_grid_without_overlap(name: str) -> None:
    made = grafana.dashboard(name, TABLES[name], "staging")
    taken: set[tuple[int, int]] = set()
    for panel in made["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < grafana.GRID
        taken |= cells
    assert [panel["id"] for panel in made["panels"]] == list(range(1, len(made["panels"]) + 1))
    assert len(made["uid"]) <= 40  # Grafana's limit


def test_a_limit_is_where_the_alarm_is() -> None:
    by_title = {panel["title"]: panel for panel in grafana.panels(TABLES["animation"])}
    alarms = {alarm.name: alarm.threshold for alarm in documents.defaults()}
    assert by_title["Frame rate"]["limit"] == alarms["animation-fps"]
    assert by_title["Memory of the animation"]["limit"] == alarms["animation-memory-critical"]
    assert by_title["Dropped frames"]["limit"] == alarms["animation-frame-drops"]


def test_all_dashboards_fit_into_one_config_map() -> None:
    files = grafana.config_map("staging")
    assert set(files) == {f"{name}.json" for name in TABLES}
    assert sum(map(len, files.values())) < 1024 ** 2  # of a ConfigMap (Kubernetes API reference)
    assert all(json.loads(text)["tags"] == ["candlefish", "staging"] for text in files.values())


@pytest.mark.parametrize(("panel", "message"), [
    ({"title": "a", "queries": {"x": "up"}, "colour": "red"}, "colour is none of"),
    ({"title": "a", "queries": {"x": "up"}, "kind": "pie"}, "kind is 'pie'"),
    ({"title": "a"}, "has `queries`"),
    ({"title": "a", "queries": {"x": "up"}, "width": 25}, "width is 25; 1 to 24"),
])
def test_a_table_that_says_something_unknown_is_refused(tmp_path: Path, panel: dict[str, Any], message: str) -> None:
    (tmp_path / "board.yaml").write_text(json.dumps({"title": "t", "description": "d", "rows": {"r": [panel]}}))
    with pytest.raises(ValueError, match=message):
        grafana.tables(tmp_path)
