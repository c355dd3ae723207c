"""Services of charts that other people know by name, made from a release's values, as the chart would name them.

Stand-ins: they have no pods behind them. Sources: the charts' own templates (`service.yaml`, `_helpers.tpl`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kube.client import Object
from rehearsal.kubernetes.crds import RELEASE_LABEL

Values = Mapping[str, Any]
Ports = dict[str, int]


def services(chart: str, release: str, namespace: str, values: Values) -> list[Object]:
    """`chart`: a name, `repository/name` or an OCI reference. Empty for charts that nobody calls by name."""
    known = _CHARTS.get(chart.rstrip("/").rpartition("/")[2].partition(":")[0])
    found = known(release, values) if known else {}
    return [{"apiVersion": "v1", "kind": "Service",
             "metadata": {"name": name, "namespace": namespace, "labels": {
                 RELEASE_LABEL: f"{namespace}.{release}", "app.kubernetes.io/managed-by": "Helm"}},
             "spec": {"ports": [{"name": port, "port": number} for port, number in ports.items()]}}
            for name, ports in found.items()]


def _at(values: Values, *path: str, default: Any) -> Any:
    node: Any = values
    for key in path:
        node = node.get(key) if isinstance(node, Mapping) else None
    return default if node is None else node


def _prometheus_stack(release: str, values: Values) -> dict[str, Ports]:
    name = str(_at(values, "nameOverride", default="kube-prometheus-stack"))
    full = str(_at(values, "fullnameOverride", default=release if name in release else f"{release}-{name}"))
    full = full[:26].rstrip("-")
    found: dict[str, Ports] = {}
    if _at(values, "prometheus", "enabled", default=True):
        found[f"{full}-prometheus"] = {
            "http-web": _at(values, "prometheus", "service", "port", default=9090), "reloader-web": 8080}
    if _at(values, "alertmanager", "enabled", default=True):
        found[f"{full}-alertmanager"] = {
            "http-web": _at(values, "alertmanager", "service", "port", default=9093), "reloader-web": 8080}
    if _at(values, "grafana", "enabled", default=True):
        grafana = str(_at(values, "grafana", "fullnameOverride", default=f"{release}-grafana"))
        found[grafana] = {_at(values, "grafana", "service", "portName", default="http-web"):
                          _at(values, "grafana", "service", "port", default=80)}
    return found


def _jaeger(release: str, values: Values) -> dict[str, Ports]:
    if not _at(values, "jaeger", "enabled", default=True):
        return {}
    full = release if "jaeger" in release else f"{release}-jaeger"
    return {str(_at(values, "fullnameOverride", default=full)): {
        "http-query": 16686, "grpc-query": 16685, "otlp-grpc": 4317, "otlp-http": 4318}}


_CHARTS: Mapping[str, Callable[[str, Values], dict[str, Ports]]] = {
    "jaeger": _jaeger, "kube-prometheus-stack": _prometheus_stack}
STAND_INS = tuple(sorted(_CHARTS))  # charts whose Services exist without pods
