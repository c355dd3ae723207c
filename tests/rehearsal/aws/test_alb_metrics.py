"""The load balancer's metrics in the emulated CloudWatch, as the rehearsal publishes them and the judge reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from operations.rollout.judging import Sample
from operations.rollout.judging.sources.cloudwatch import CloudWatch
from rehearsal.kubernetes.loadbalancer.counters import Counters
from rehearsal.kubernetes.loadbalancer.publisher import NAMESPACE, _counted

pytestmark = pytest.mark.rehearsal

BALANCER, GROUPS = "app/candlefish/50dc6c495c0c9188", {"blue": "targetgroup/b/1", "green": "targetgroup/g/2"}
NOW = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=10)


def published(aws: Any, counters: Counters, at: datetime) -> None:
    """As `Publisher.data` does, with the names of this test's groups."""
    for (_, group), counts in counters.take().items():
        dimensions = [{"Name": "LoadBalancer", "Value": BALANCER}]
        if group:
            dimensions.insert(0, {"Name": "TargetGroup", "Value": GROUPS[group]})
        aws.client("cloudwatch").put_metric_data(Namespace=NAMESPACE,
                                                 MetricData=_counted(counts, bool(group), dimensions, at))


def test_the_judge_reads_back_what_the_load_balancer_counted(aws: Any) -> None:
    counters, source = Counters(), CloudWatch(aws.client("cloudwatch"), BALANCER, GROUPS, 2.0)
    for minute in range(3):
        for n in range(200):
            counters.target_answered("b", "blue", 500 if n < minute else 200, 2.5 if n < 3 else 2.0 if n < 50 else 0.04)
            counters.target_answered("b", "green", 404 if n else 101, 0.1)
        counters.target_failed("b", "blue", 502)
        published(aws, counters, NOW + timedelta(minutes=minute, seconds=20))
    # The last minute is not asked for. 2 s sharp is not slow; two 502, and one 500 of the second minute.
    assert source.read("blue", NOW, NOW + timedelta(minutes=2)) == Sample(120, 402, 3, 6)
    assert source.read("green", NOW, NOW + timedelta(minutes=2)) == Sample(120, 400)
    assert source.read("green", NOW - timedelta(minutes=2), NOW) == Sample(120)


def test_ranks_and_counts_exclude_the_lower_bound_and_include_the_upper(aws: Any) -> None:
    aws.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[{
        "MetricName": "TargetResponseTime", "Timestamp": NOW, "Values": [0.5, 2.0, 3.0], "Counts": [5.0, 3.0, 2.0]}])
    for statistic, value in (("PR(:2)", 80), ("PR(0.5:2)", 30), ("PR(2:)", 20), ("TC(2:)", 2), ("TC(:0.4)", 0)):
        [found] = aws.client("cloudwatch").get_metric_data(
            StartTime=NOW, EndTime=NOW + timedelta(minutes=1), MetricDataQueries=[{"Id": "m", "MetricStat": {
                "Metric": {"Namespace": NAMESPACE, "MetricName": "TargetResponseTime"}, "Period": 60,
                "Stat": statistic}}])["MetricDataResults"]
        assert found["Values"] == [value], statistic
