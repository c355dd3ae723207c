"""What is asked of the account's watchers: the embedded AWS has judged nothing, says so, and knows what is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.rehearsal
NOW = datetime.now(UTC)
VISIBLE = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True}


@pytest.mark.parametrize("scope", ["CLOUDFRONT", "REGIONAL"])
def test_waf_has_sampled_nothing_of_a_rule_that_is_there(aws: Any, scope: str) -> None:
    waf = aws.client("wafv2")
    arn = waf.create_web_acl(
        Name="shield", Scope=scope, DefaultAction={"Allow": {}}, VisibilityConfig={**VISIBLE, "MetricName": "acl"},
        Rules=[{"Name": "RateLimitRule", "Priority": 1, "Action": {"Block": {}}, "Statement": {
            "RateBasedStatement": {"Limit": 100, "AggregateKeyType": "IP"}},
            "VisibilityConfig": {**VISIBLE, "MetricName": "rate"}}])["Summary"]["ARN"]

    def sampled(arn: str, metric: str) -> Any:
        return waf.get_sampled_requests(WebAclArn=arn, RuleMetricName=metric, Scope=scope, MaxItems=10,
                                        TimeWindow={"StartTime": NOW - timedelta(hours=1), "EndTime": NOW})

    found = sampled(arn, "rate")
    assert (found["SampledRequests"], found["PopulationSize"]) == ([], 0)
    for another in ((arn, "no-rule"), (f"{arn}x", "rate")):
        with pytest.raises(waf.exceptions.WAFNonexistentItemException):
            sampled(*another)


def test_config_has_evaluated_none_of_its_rules(aws: Any) -> None:
    config = aws.client("config")
    config.put_configuration_recorder(ConfigurationRecorder={
        "name": "default", "roleARN": f"arn:aws:iam::{aws.account}:role/config"})
    config.put_config_rule(ConfigRule={"ConfigRuleName": "no-open-ssh", "Source": {
        "Owner": "AWS", "SourceIdentifier": "INCOMING_SSH_DISABLED"}})
    assert config.describe_compliance_by_config_rule()["ComplianceByConfigRules"] == [
        {"ConfigRuleName": "no-open-ssh", "Compliance": {"ComplianceType": "INSUFFICIENT_DATA"}}]


def test_guardduty_has_found_nothing_and_knows_its_detectors(aws: Any) -> None:
    guard = aws.client("guardduty")
    detector = guard.create_detector(Enable=True)["DetectorId"]
    assert guard.list_findings(DetectorId=detector)["FindingIds"] == []
    assert guard.get_findings(DetectorId=detector, FindingIds=["x"])["Findings"] == []
    with pytest.raises(ClientError):
        guard.list_findings(DetectorId="0" * 32)


def test_a_canary_has_not_run(aws: Any) -> None:
    canaries = aws.client("synthetics")
    canaries.create_canary(
        Name="health", Code={"Handler": "canary.handle"}, ArtifactS3Location="s3://logs/canary",
        ExecutionRoleArn=f"arn:aws:iam::{aws.account}:role/canary", Schedule={"Expression": "rate(5 minutes)"},
        RuntimeVersion="syn-python-selenium-14.0")
    assert canaries.get_canary_runs(Name="health")["CanaryRuns"] == []
    with pytest.raises(ClientError):
        canaries.get_canary_runs(Name="another")
