"""What watches the money and the account."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from infra.components.governance.account import AccountAudit, AccountAuditArgs
from infra.components.governance.costs import Costs, CostsArgs
from infra.components.governance.records import AccountRecordsArgs
from infra.plans import audit as plan
from tests.unit.components.recording import ACCOUNT, KEPT, Registrations, record

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


@pytest.fixture(scope="module")
def audit() -> Registrations:
    return record(lambda: SimpleNamespace(audit=AccountAudit("audit", AccountAuditArgs(
        "production-candlefish-audit", "us-east-1", TOPIC, AccountRecordsArgs(
            "production-candlefish-audit", ACCOUNT, "us-east-1", "logs-key", "logs-bucket", 365, KEPT)))))


def test_one_validated_encrypted_trail_covers_all_regions_and_goes_to_cloudwatch(audit: Registrations) -> None:
    trail = audit.one("aws:cloudtrail/trail:Trail", "audit-trail").inputs
    assert (trail["isMultiRegionTrail"], trail["enableLogFileValidation"]) == (True, True)
    assert {"kmsKeyId", "cloudWatchLogsRoleArn"} <= set(trail)
    assert trail["cloudWatchLogsGroupArn"].endswith(":*")


def test_only_the_trail_and_config_of_this_account_write_to_the_bucket() -> None:
    trail = plan.trail_arn(ACCOUNT, "us-east-1", "t")
    statements = plan.audit_bucket("arn:aws:s3:::b", ACCOUNT, trail)["Statement"]
    allowed = [each for each in statements if each["Effect"] == "Allow"]
    assert {each["Principal"]["Service"] for each in allowed} == {"cloudtrail.amazonaws.com", "config.amazonaws.com"}
    sources = [{"aws:SourceArn": trail}, {"aws:SourceAccount": ACCOUNT}]
    assert all(any(source.items() <= each["Condition"]["StringEquals"].items() for source in sources)
               for each in allowed)


def test_config_records_everything_and_runs_with_the_rules_of_the_table(audit: Registrations) -> None:
    recorder = audit.one("aws:cfg/recorder:Recorder", "audit-config").inputs
    assert recorder["recordingGroup"] == {"allSupported": True, "includeGlobalResourceTypes": True}
    assert audit.one("aws:cfg/recorderStatus:RecorderStatus", "audit-config").inputs["isEnabled"] is True
    rule = audit.one("aws:cfg/rule:Rule", "audit-required-tags").inputs
    assert rule["source"] == {"owner": "AWS", "sourceIdentifier": "REQUIRED_TAGS"}
    assert json.loads(rule["inputParameters"])["tag1Key"] == "Project"


def test_the_topic_hears_of_findings_and_of_none_twice(audit: Registrations) -> None:
    assert audit.one("aws:cloudwatch/eventTarget:EventTarget", "audit").inputs["arn"] == TOPIC
    pattern = json.loads(audit.one("aws:cloudwatch/eventRule:EventRule", "audit").inputs["eventPattern"])
    detector, hub = pattern["$or"]
    assert detector["detail"]["severity"] == [{"numeric": [">=", 4]}]
    assert hub["detail"]["findings"]["ProductName"] == [{"anything-but": ["GuardDuty"]}]


def test_the_accounts_defaults_are_safe(audit: Registrations) -> None:
    assert audit.one("aws:ebs/encryptionByDefault:EncryptionByDefault", "audit").inputs["enabled"] is True
    block = audit.one("aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", "audit").inputs
    assert [block[key] for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls",
                                   "restrictPublicBuckets")] == [True] * 4
