"""Alertmanager: who is woken by what, and that no credential is in its configuration."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.plans.observability import alertmanager
from infra.plans.observability.documents import defaults
from infra.plans.observability.prometheus import alarm_groups, objective_groups

pytestmark = pytest.mark.unit

CONFIGURED = alertmanager.configuration("staging", "#ops-alerts")


def test_what_pages_goes_to_both_receivers_and_the_rest_to_slack() -> None:
    routes = {route["matchers"][0]: route for route in CONFIGURED["route"]["routes"]}
    found = [routes[f'severity="{severity}"'] for severity in ("P0", "P1", "P2", "P3")]
    assert [(route["receiver"], route["repeat_interval"]) for route in found] == [
        ("page", "15m"), ("page", "30m"), ("slack", "2h"), ("slack", "24h")]
    receivers = {receiver["name"]: set(receiver) - {"name"} for receiver in CONFIGURED["receivers"]}
    assert receivers == {"none": set(), "slack": {"slack_configs"}, "page": {"slack_configs", "pagerduty_configs"}}


def test_inhibitions_name_alerts_that_exist() -> None:
    rules = [rule for group in (*alarm_groups(defaults(), ""), *objective_groups("")) for rule in group["rules"]]
    names = {rule["alert"] for rule in rules if "alert" in rule}
    for text in ("CandlefishLatency", "CandlefishLatencyP95", "CandlefishErrorRate", "CandlefishAnimationMemory",
                 "CandlefishAnimationMemoryCritical", "CandlefishAvailabilityBurn14_4x"):
        assert text in names


def test_credentials_are_files_and_their_templates_are_the_secrets() -> None:
    made: dict[str, Any] = alertmanager.external_secret(
        "alertmanager-candlefish", "monitoring", "aws-secrets-manager", CONFIGURED, "arn:slack", "arn:pagerduty")
    data = made["spec"]["target"]["template"]["data"]
    assert data["slack-url"] == "{{ .slack }}"
    assert {entry["remoteRef"]["key"]: entry["remoteRef"]["property"] for entry in made["spec"]["data"]} == {
        "arn:slack": "alerts", "arn:pagerduty": "routingKey"}
    text = data["alertmanager.yaml"]
    assert "/etc/alertmanager/config/slack-url" in text
    assert "hooks.slack.com" not in text


def test_alertmanagers_placeholders_survive_the_template_of_the_secret() -> None:
    text = json.dumps(CONFIGURED, sort_keys=True)
    escaped = alertmanager.verbatim(text)
    rendered = escaped.replace('{{ "{{" }}', "\0").replace('{{ "}}" }}', "\1")
    assert "{{" not in rendered
    assert rendered.replace("\0", "{{").replace("\1", "}}") == text
