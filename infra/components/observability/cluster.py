"""What Prometheus, Alertmanager and Grafana of the cluster are told (M3, M4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes import apiextensions, core

from infra.components.base import Component
from infra.plans.guards import OWNER
from infra.plans.kubernetes import metadata
from infra.plans.observability import alertmanager, grafana
from infra.plans.observability.alarm_specs import wanted
from infra.plans.observability.alarm_table import Sizes, table
from infra.plans.observability.prometheus import alarm_groups, objective_groups
from infra.settings.observability import Observability as Settings
from infra.settings.operations import Notifications

NAME = "candlefish"
DASHBOARDS = "candlefish-dashboards"
GRAFANA_FOLDER = "Candlefish"


@dataclass(frozen=True)
class ClusterMonitoringArgs:
    """`namespace`: Prometheus', where its operator looks. `alertmanager_secret`: the Secret that Alertmanager reads its
    configuration from. secrets: names or ARNs in Secrets Manager of `slack` and `pagerduty`, which `secret_store` (a
    ClusterSecretStore) may read."""

    environment: str
    settings: Settings
    sizes: Sizes
    namespace: str
    alertmanager_secret: str
    secret_store: str
    secrets: Mapping[str, pulumi.Input[str]]
    notifications: Notifications


class ClusterMonitoring(Component):
    """A PrometheusRule, Alertmanager's configuration and Grafana's dashboards. Takes the cluster's provider through its
    options; the charts that define the kinds must be there before."""

    module = "observability"

    dashboards: list[str]  # their names; Grafana's address of each is /d/candlefish-{name}

    def __init__(self, name: str, args: ClusterMonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        alarms = wanted(table(args.settings.thresholds, args.sizes), args.settings.alarms)
        runbooks = args.notifications.runbooks_url
        groups = [*alarm_groups(alarms, runbooks), *objective_groups(runbooks)]
        apiextensions.CustomResource(
            f"{name}-rules", api_version="monitoring.coreos.com/v1", kind="PrometheusRule",
            metadata=metadata(NAME, args.namespace, OWNER), spec={"groups": groups}, opts=self.child())
        secret: dict[str, Any] = alertmanager.external_secret(
            args.alertmanager_secret, args.namespace, args.secret_store,
            alertmanager.configuration(args.environment, args.notifications.alerts_channel),
            args.secrets["slack"], args.secrets["pagerduty"])
        apiextensions.CustomResource(
            f"{name}-alertmanager", api_version="external-secrets.io/v1", kind="ExternalSecret",
            metadata=secret["metadata"], spec=secret["spec"], opts=self.child())
        labelled: Any = metadata(DASHBOARDS, args.namespace, {**OWNER, "grafana_dashboard": "1"},
                                 {"grafana_folder": GRAFANA_FOLDER})
        boards = grafana.config_map(args.environment)
        core.v1.ConfigMap(f"{name}-dashboards", metadata=labelled, data=boards, opts=self.child())
        self.dashboards = sorted(file.removesuffix(".json") for file in boards)
        self.register_outputs({"dashboards": self.dashboards})
