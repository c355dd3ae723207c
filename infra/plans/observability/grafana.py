"""Grafana's dashboards (M3) from the tables in dashboards/*.yaml.

A table: `title`, `description`, and `rows`: title → panels. A panel: `title`, `queries` (legend → PromQL), and of
`kind` (timeseries), `unit`, `width` (8 of 24), `limits` (value at which the colour turns red; `below: true` turns it
the other way), `description`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.settings.yaml import read_yaml

FOLDER = Path(__file__).parents[3] / "dashboards"
SOURCE = {"type": "prometheus", "uid": "prometheus"}  # kube-prometheus-stack's name of its own Prometheus
GRID, WIDTH, HEIGHT = 24, 8, 8
KINDS = frozenset({"timeseries", "stat", "gauge", "bargauge", "table", "alertlist"})
SCHEMA = 39  # of Grafana 11; later versions migrate it
_KEYS = frozenset({"title", "queries", "kind", "unit", "width", "limit", "below", "description"})
Panel = Mapping[str, Any]


def tables(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """File's stem → table. Raises ValueError for what a table may not say."""
    found = {path.stem: read_yaml(path) for path in sorted(folder.glob("*.yaml"))}
    for name, table in found.items():
        for panel in panels(table):
            _check(f"dashboards/{name}.yaml, {panel.get('title')}", panel)
    return found


def panels(table: Mapping[str, Any]) -> Iterator[Panel]:
    for row in table["rows"].values():
        yield from row


def config_map(environment: str) -> dict[str, str]:
    """File → JSON, as the sidecar of Grafana takes them from a ConfigMap."""
    return {f"{name}.json": json.dumps(dashboard(name, table, environment), sort_keys=True)
            for name, table in tables().items()}


def dashboard(name: str, table: Mapping[str, Any], environment: str) -> dict[str, Any]:
    return {
        "uid": f"candlefish-{name}", "title": table["title"], "description": table["description"],
        "tags": ["candlefish", environment], "schemaVersion": SCHEMA, "version": 1, "editable": False,
        "refresh": "1m", "time": {"from": "now-6h", "to": "now"}, "timezone": "utc",
        "links": [{"type": "dashboards", "tags": ["candlefish"], "title": "Candlefish", "asDropdown": True}],
        "panels": list(_laid_out(table))}


def _laid_out(table: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    y, id = 0, 0
    for title, row in table["rows"].items():
        id += 1
        yield {"id": id, "type": "row", "title": title, "collapsed": False, "panels": [],
               "gridPos": {"x": 0, "y": y, "w": GRID, "h": 1}}
        y, x = y + 1, 0
        for panel in row:
            width = panel.get("width", WIDTH)
            if x + width > GRID:
                x, y = 0, y + HEIGHT
            id += 1
            yield _panel(id, panel, {"x": x, "y": y, "w": width, "h": HEIGHT})
            x += width
        y += HEIGHT


def _panel(id: int, panel: Panel, place: Mapping[str, int]) -> dict[str, Any]:
    kind = panel.get("kind", "timeseries")
    made: dict[str, Any] = {"id": id, "type": kind, "title": panel["title"], "gridPos": dict(place),
                            "description": panel.get("description", ""), "datasource": SOURCE}
    if kind == "alertlist":
        return made | {"options": {"alertListOptions": {"showOptions": "current", "maxItems": 50, "sortOrder": 3}}}
    instant = kind in ("table", "stat", "gauge", "bargauge")
    return made | {
        "targets": [{"refId": chr(ord("A") + index), "expr": expression, "legendFormat": legend,
                     "datasource": SOURCE, "instant": instant, "range": not instant,
                     "format": "table" if kind == "table" else "time_series"}
                    for index, (legend, expression) in enumerate(panel["queries"].items())],
        "fieldConfig": {"defaults": {"unit": panel.get("unit", "short"), **_limits(panel)}, "overrides": []}}


def _limits(panel: Panel) -> dict[str, Any]:
    if "limit" not in panel:
        return {}
    good, bad = ("red", "green") if panel.get("below") else ("green", "red")
    return {"thresholds": {"mode": "absolute", "steps": [
        {"color": good, "value": None}, {"color": bad, "value": panel["limit"]}]},
        "custom": {"thresholdsStyle": {"mode": "line"}}}


def _check(where: str, panel: Panel) -> None:
    kind = panel.get("kind", "timeseries")
    if unknown := set(panel) - _KEYS:
        raise ValueError(f"{where}: {', '.join(sorted(unknown))} is none of {', '.join(sorted(_KEYS))}")
    if kind not in KINDS:
        raise ValueError(f"{where}: kind is {kind!r}; one of {', '.join(sorted(KINDS))}")
    if (kind != "alertlist") != bool(panel.get("queries")):
        raise ValueError(f"{where}: every kind but alertlist has `queries`, legend → PromQL")
    if not 1 <= panel.get("width", WIDTH) <= GRID:
        raise ValueError(f"{where}: width is {panel['width']}; 1 to {GRID}")
