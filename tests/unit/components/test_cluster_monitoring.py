"""What the cluster's Prometheus, Alertmanager and Grafana are told."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from infra.components.observability.cluster import ClusterMonitoring, ClusterMonitoringArgs
from infra.plans.observability.alarm_table import Sizes
from infra.settings.observability import Observability, Thresholds
from infra.settings.operations import Notifications
from tests.unit.components.recording import Registrations, record

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def made() -> Registrations:
    return record(lambda: SimpleNamespace(made=ClusterMonitoring("cluster-monitoring", ClusterMonitoringArgs(
        environment="staging", settings=Observability(thresholds=Thresholds(fps_minimum=25)),
        sizes=Sizes("db.t4g.small", 30), namespace="monitoring", alertmanager_secret="alertmanager-candlefish",
        secret_store="store", secrets={"slack": "arn:slack", "pagerduty": "arn:pagerduty"},
        notifications=Notifications(alerts_channel="#staging-alerts", runbooks_url="https://runbooks")))))


def test_rules_have_the_thresholds_of_the_settings_and_the_runbooks_address(made: Registrations) -> None:
    rule = made.one("kubernetes:monitoring.coreos.com/v1:PrometheusRule", "cluster-monitoring-rules").inputs
    assert rule["metadata"]["namespace"] == "monitoring"
    alerts = {entry["alert"]: entry for group in rule["spec"]["groups"] for entry in group["rules"] if "alert" in entry}
    assert alerts["CandlefishAnimationFps"]["expr"].endswith("< 25")
    assert alerts["CandlefishAnimationFps"]["annotations"]["runbook_url"] == (
        "https://runbooks/performance.md#frame-rate")


def test_alertmanagers_secret_comes_from_secrets_manager_and_holds_no_credential_here(made: Registrations) -> None:
    secret = made.one("kubernetes:external-secrets.io/v1:ExternalSecret", "cluster-monitoring-alertmanager").inputs
    assert secret["spec"]["target"]["name"] == "alertmanager-candlefish"
    assert [entry["remoteRef"]["key"] for entry in secret["spec"]["data"]] == ["arn:slack", "arn:pagerduty"]
    assert "#staging-alerts" in secret["spec"]["target"]["template"]["data"]["alertmanager.yaml"]


def test_dashboards_carry_the_label_that_grafanas_sidecar_looks_for(made: Registrations) -> None:
    config = made.one("kubernetes:core/v1:ConfigMap", "cluster-monitoring-dashboards").inputs
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert config["metadata"]["annotations"] == {"grafana_folder": "Candlefish"}
    assert len(config["data"]) == 7
    assert all(json.loads(text)["uid"].startswith("candlefish-") for text in config["data"].values())
