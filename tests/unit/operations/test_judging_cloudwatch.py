"""Samples out of answers of GetMetricData, as boto3 gives them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from operations.rollout.judging import Sample
from operations.rollout.judging.sources import SourceError
from operations.rollout.judging.sources.cloudwatch import CloudWatch

pytestmark = pytest.mark.unit

SINCE = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
UNTIL = SINCE + timedelta(minutes=2)
BALANCER, GROUPS = "app/candlefish/50dc6c495c0c9188", {"blue": "targetgroup/blue/73e2d6bc24d8a067"}
GOOD: Mapping[str, tuple[float, ...]] = {
    "requests": (600.0, 400.0), "target_2xx": (590.0, 396.0), "target_4xx": (6.0, 2.0), "timed": (600.0, 400.0),
    "fast": (99.5, 100.0), "everything": (100.0, 100.0)}


def source(answers: list[Mapping[str, Any]], now: datetime = UNTIL + timedelta(minutes=5)) -> CloudWatch:
    client = boto3.client("cloudwatch", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stub = Stubber(client)
    for answer in answers:
        stub.add_response("get_metric_data", dict(answer), {
            "MetricDataQueries": ANY, "StartTime": SINCE, "EndTime": UNTIL, "ScanBy": "TimestampAscending",
            **({"NextToken": ANY} if answer is not answers[0] else {})})
    stub.activate()
    return CloudWatch(client, BALANCER, GROUPS, 2.0, now=lambda: now)


def answer(values: Mapping[str, tuple[float, ...]], **more: Any) -> dict[str, Any]:
    return {"MetricDataResults": [
        {"Id": id, "Label": id, "StatusCode": "Complete", "Values": list(each),
         "Timestamps": [SINCE + timedelta(minutes=n) for n in range(len(each))]}
        for id, each in values.items()], **more}


def read(values: Mapping[str, tuple[float, ...]]) -> Sample:
    return source([answer(values)]).read("blue", SINCE, UNTIL)


def test_requests_errors_and_slow_ones_of_the_periods_are_added_up() -> None:
    assert read({**GOOD, "target_5xx": (2.0, 1.0)}) == Sample(120, 1000, 3, 3)


def test_no_data_is_no_requests() -> None:
    assert read({}) == Sample(120)


def test_what_no_target_answered_counts_as_far_as_the_load_balancer_answered_for_it() -> None:
    """6 requests without an answer of a target: 4 errors of the load balancer, and 2 clients that went away."""
    some = {**GOOD, "requests": (606.0, 400.0)}
    assert read({**some, "balancer_502": (3.0, 0.0), "balancer_504": (1.0, 0.0)}).errors == 4
    assert read({**some, "balancer_502": (900.0, 0.0)}).errors == 6  # the others were another group's
    assert read(some).errors == 0


def test_switches_of_protocols_are_answers_though_they_have_no_metric() -> None:
    """6 of the requests in GOOD are neither 2xx nor 4xx, and timed."""
    assert read({**GOOD, "balancer_502": (900.0, 0.0)}).errors == 0


def test_refused_connections_are_errors_though_another_target_answered() -> None:
    assert read({**GOOD, "refused": (5.0, 0.0)}).errors == 5


def test_errors_are_never_more_than_requests() -> None:
    assert read({**GOOD, "refused": (5000.0, 0.0)}).errors == 1000


def test_a_service_that_answers_a_mean_for_a_percentile_rank_is_found_out() -> None:
    """0.2 would read as 99.8 % of slow requests."""
    with pytest.raises(SourceError, match=r"PR\(:2\) of TargetResponseTime .*percentile ranks are not served"):
        read({**GOOD, "fast": (0.2, 0.2), "everything": (0.2, 0.2)})
    with pytest.raises(SourceError, match="percentile ranks are not served"):
        read({**GOOD, "fast": ()})


def test_a_metric_that_cloudwatch_does_not_answer_for_is_an_error() -> None:
    failed = answer(GOOD)
    failed["MetricDataResults"][0] |= {"StatusCode": "InternalError", "Messages": [{"Code": "x", "Value": "try again"}]}
    with pytest.raises(SourceError, match="RequestCount: InternalError try again"):
        source([failed]).read("blue", SINCE, UNTIL)


def test_pages_are_put_together() -> None:
    pages = [answer({"requests": (600.0,)}, NextToken="more"),
             {"MetricDataResults": [{"Id": "requests", "StatusCode": "Complete", "Values": [400.0],
                                     "Timestamps": [SINCE + timedelta(minutes=1)]}]}]
    assert source(pages).read("blue", SINCE, UNTIL).requests == 1000


def test_only_whole_periods_that_are_old_enough_are_read() -> None:
    fresh = source([], now=UNTIL + timedelta(seconds=119))
    assert fresh.readable(UNTIL + timedelta(seconds=119)) == UNTIL - timedelta(minutes=1)
    assert fresh.readable(UNTIL + timedelta(seconds=120)) == UNTIL
    for since, until, words in ((SINCE, UNTIL, "newer than what CloudWatch has for certain"),
                                (SINCE, SINCE, "is empty"), (SINCE, SINCE + timedelta(seconds=90), "whole periods")):
        with pytest.raises(SourceError, match=words):
            fresh.read("blue", since, until)


def test_a_colour_without_a_target_group_is_an_error() -> None:
    with pytest.raises(SourceError, match="no target group of colour green; known: blue"):
        source([]).read("green", SINCE, UNTIL)
