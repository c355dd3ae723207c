"""Alertmanager's routes: whom an alert of which severity reaches, and what is not said twice (M3)."""

from __future__ import annotations

import json
import re
from typing import Any

from infra.plans.guards import OWNER
from infra.plans.kubernetes import SKIP_AWAIT, metadata
from infra.plans.observability.severity import Severity

# Where the operator mounts what else is in the Secret of the configuration (pkg/alertmanager/operator.go).
MOUNTED = "/etc/alertmanager/config"
CONFIGURATION, SLACK, PAGERDUTY = "alertmanager.yaml", "slack-url", "pagerduty-key"
# Group interval and repetition by severity: said again when its response time is over.
_REPEAT = {Severity.P0: "15m", Severity.P1: "30m", Severity.P2: "2h", Severity.P3: "24h"}
_TITLE = "[{{ .CommonLabels.severity }}] {{ .CommonAnnotations.summary }} ({{ .Status }})"
_TEXT = ("{{ range .Alerts }}{{ .Annotations.description }}: {{ .Annotations.value }}\n"
         "Answer within {{ .Annotations.respond_within }}. Runbook: {{ .Annotations.runbook_url }}\n{{ end }}")


def configuration(environment: str, channel: str) -> dict[str, Any]:
    """channel: such as `#ops-alerts`. The files hold the credentials; nothing here is secret."""
    slack = {"api_url_file": f"{MOUNTED}/{SLACK}", "channel": channel, "send_resolved": True, "title": _TITLE,
             "text": _TEXT}
    page = {"routing_key_file": f"{MOUNTED}/{PAGERDUTY}", "send_resolved": True, "severity": "critical",
            "description": _TITLE, "details": {"environment": environment,
                                               "runbook": "{{ .CommonAnnotations.runbook_url }}"}}
    return {
        "route": {
            "receiver": "slack", "group_by": ["alertname", "slo"], "group_wait": "30s", "group_interval": "5m",
            "repeat_interval": "4h",
            "routes": [{"receiver": "none", "matchers": ['alertname=~"Watchdog|InfoInhibitor"']},
                       *(_route(severity) for severity in Severity)]},
        "receivers": [{"name": "none"}, {"name": "slack", "slack_configs": [slack]},
                      {"name": "page", "slack_configs": [slack], "pagerduty_configs": [page]}],
        "inhibit_rules": _inhibitions(),
    }


def external_secret(name: str, namespace: str, store: str, configured: dict[str, Any], slack: Any,
                    pagerduty: Any) -> dict[str, Any]:
    """The Secret of the configuration, with the credentials as files beside it. slack, pagerduty: names or ARNs in
    Secrets Manager, with the keys `alerts` and `routingKey`."""
    def value(key: str, secret: Any, property: str) -> dict[str, Any]:
        return {"secretKey": key, "remoteRef": {"key": secret, "property": property}}

    text = json.dumps(configured, sort_keys=True)  # JSON is YAML
    return {"metadata": metadata(name, namespace, OWNER, SKIP_AWAIT), "spec": {
        "refreshInterval": "1h", "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
        "target": {"name": name, "creationPolicy": "Owner", "template": {"engineVersion": "v2", "data": {
            CONFIGURATION: verbatim(text), SLACK: "{{ .slack }}", PAGERDUTY: "{{ .pagerduty }}"}}},
        "data": [value("slack", slack, "alerts"), value("pagerduty", pagerduty, "routingKey")]}}


def verbatim(text: str) -> str:
    """Alertmanager's own placeholders, as text that the template of External Secrets leaves alone."""
    return re.sub(r"\{\{|\}\}", lambda braces: '{{ "' + braces[0] + '" }}', text)


def _route(severity: Severity) -> dict[str, Any]:
    return {"receiver": "page" if severity.pages else "slack", "matchers": [f'severity="{severity}"'],
            "group_wait": "10s" if severity is Severity.P0 else "30s", "repeat_interval": _REPEAT[severity]}


def _inhibitions() -> list[dict[str, Any]]:
    """An outage explains what is slow or stutters; a fast burn the slow one; critical memory the warning."""
    def hides(source: str, target: str, *equal: str) -> dict[str, Any]:
        return {"source_matchers": [source], "target_matchers": [target], "equal": list(equal)}

    return [
        hides('severity="P0"', 'alertname=~"Candlefish(Latency|LatencyP95|ErrorRate|Animation.*)"'),
        hides('severity="P1"', 'severity=~"P2|P3"', "alertname"),
        hides('alertname=~"Candlefish.*Burn14_4x"', 'alertname=~"Candlefish.*Burn(6|3|1)x"', "slo"),
        hides('alertname=~"Candlefish.*Burn6x"', 'alertname=~"Candlefish.*Burn(3|1)x"', "slo"),
        hides('alertname="CandlefishAnimationMemoryCritical"', 'alertname="CandlefishAnimationMemory"'),
    ]
