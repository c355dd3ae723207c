"""WAF's samples: the embedded AWS has none, says so, and knows what is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

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

