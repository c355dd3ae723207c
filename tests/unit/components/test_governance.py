"""What watches the money and the account."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from infra.components.governance.costs import Costs, CostsArgs
from tests.unit.components.recording import ACCOUNT, Registrations, record

pytestmark = pytest.mark.unit

TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"


@pytest.fixture(scope="module")
def costs() -> Registrations:
    return record(lambda: SimpleNamespace(costs=Costs("costs", CostsArgs(
        "production-candlefish", "production", 1500, TOPIC))))


def test_the_budget_counts_what_carries_the_environments_tag(costs: Registrations) -> None:
    budget = costs.one("aws:budgets/budget:Budget", "costs").inputs
    assert (budget["name"], budget["limitAmount"], budget["timeUnit"]) == ("production-candlefish", "1500", "MONTHLY")
    assert budget["costFilters"] == [{"name": "TagKeyValue", "values": ["user:Environment$production"]}]


def test_the_topic_hears_of_80_and_100_percent_spent_and_of_100_percent_forecast(costs: Registrations) -> None:
    notifications = costs.one("aws:budgets/budget:Budget", "costs").inputs["notifications"]
    assert [(each["notificationType"], each["threshold"]) for each in notifications] == [
        ("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
    assert all(each["subscriberSnsTopicArns"] == [TOPIC] for each in notifications)


def test_anomalies_of_the_environment_are_told_at_once_from_a_twentieth_of_the_budget_on(costs: Registrations) -> None:
    monitor = costs.one("aws:costexplorer/anomalyMonitor:AnomalyMonitor", "costs").inputs
    assert json.loads(monitor["monitorSpecification"])["Tags"]["Values"] == ["production"]
    subscription = costs.one("aws:costexplorer/anomalySubscription:AnomalySubscription", "costs").inputs
    assert subscription["frequency"] == "IMMEDIATE"
    assert subscription["subscribers"] == [{"type": "SNS", "address": TOPIC}]
    assert subscription["thresholdExpression"]["dimension"]["values"] == ["75"]
