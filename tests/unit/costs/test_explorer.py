"""What was paid, by Cost Explorer, with botocore's own checks of requests and answers."""

from __future__ import annotations

from datetime import date
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.plans.estimate import Line, Part, priced
from infra.plans.prices import book
from operations.cost import explorer
from operations.errors import NotAcceptable, OperationError

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 21)
WHEN = explorer.period(TODAY, None)
TAGGED = {"Tags": {"Key": "Environment", "Values": ["staging"], "MatchOptions": ["EQUALS"]}}
USAGE = {"TimePeriod": {"Start": "2026-11-01", "End": "2026-11-21"}, "Granularity": "MONTHLY",
         "Metrics": ["UnblendedCost"], "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}], "Filter": TAGGED}
FORECAST = {"TimePeriod": {"Start": "2026-11-21", "End": "2026-12-01"}, "Metric": "UNBLENDED_COST",
            "Granularity": "MONTHLY", "Filter": TAGGED}


def client() -> Any:
    return boto3.client("ce", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


def answer(unit: str = "USD", page: str | None = None, **services: str) -> dict[str, Any]:
    groups = [{"Keys": [name.replace("_", " ")], "Metrics": {"UnblendedCost": {"Amount": usd, "Unit": unit}}}
              for name, usd in services.items()]
    found: dict[str, Any] = {"ResultsByTime": [{"TimePeriod": USAGE["TimePeriod"], "Total": {}, "Groups": groups,
                                                "Estimated": True}]}
    return {**found, "NextPageToken": page} if page else found


def test_what_was_spent_and_what_the_month_will_come_to() -> None:
    ce = client()
    with Stubber(ce) as aws:
        aws.add_response("get_cost_and_usage", answer(page="more", Amazon_ElastiCache="12.5"), USAGE)
        aws.add_response("get_cost_and_usage", answer(Amazon_ElastiCache="1", AmazonCloudWatch="20"),
                         {**USAGE, "NextPageToken": "more"})
        aws.add_response("get_cost_forecast", {"Total": {"Amount": "150", "Unit": "USD"}}, FORECAST)
        paid = explorer.spent(ce, "staging", WHEN)
        aws.assert_no_pending_responses()
    assert paid.services == {"Amazon ElastiCache": 13.5, "AmazonCloudWatch": 20.0}
    assert paid.forecast == 183.5
    assert paid.parts()[Part.CACHE] == 13.5
    assert paid.parts()[Part.REST] == 20.0


def test_a_month_that_is_over_has_no_forecast() -> None:
    ce = client()
    when = explorer.period(TODAY, "2026-10")
    with Stubber(ce) as aws:
        aws.add_response("get_cost_and_usage", answer(AWS_Lambda="3"),
                         {**USAGE, "TimePeriod": {"Start": "2026-10-01", "End": "2026-11-01"}})
        paid = explorer.spent(ce, "staging", when)
    assert (paid.total, paid.forecast, paid.why) == (3.0, None, "the month is over")


def test_too_few_days_to_forecast_from_are_told() -> None:
    ce = client()
    with Stubber(ce) as aws:
        aws.add_response("get_cost_and_usage", answer(), USAGE)
        aws.add_client_error("get_cost_forecast", "DataUnavailableException", expected_params=FORECAST)
        paid = explorer.spent(ce, "staging", WHEN)
    assert (paid.total, paid.forecast, paid.why) == (0, None, "AWS has too few days to forecast from")


@pytest.mark.parametrize("call", ["get_cost_and_usage", "get_cost_forecast"])
def test_a_refusal_of_aws_is_told_with_what_is_needed(call: str) -> None:
    ce = client()
    with Stubber(ce) as aws:
        if call == "get_cost_forecast":
            aws.add_response("get_cost_and_usage", answer(), USAGE)
        aws.add_client_error(call, "AccessDeniedException", "no")
        with pytest.raises(OperationError, match="It needs credentials with ce:GetCostAndUsage and ce:GetCostForecast"):
            explorer.spent(ce, "staging", WHEN)


def test_another_currency_is_not_added_up() -> None:
    ce = client()
    with Stubber(ce) as aws:
        aws.add_response("get_cost_and_usage", answer(unit="CNY", AWS_Lambda="3"), USAGE)
        with pytest.raises(OperationError, match="answers in CNY"):
            explorer.spent(ce, "staging", WHEN)


def test_the_estimate_is_compared_for_the_days_that_are_over() -> None:
    found = priced([Line(Part.CACHE, "cache", "nodes", 30, "waf.rule", "us-east-1")], book(), 0)
    document = explorer.document("staging", WHEN, explorer.Spent({"Amazon ElastiCache": 15.0}, 25.0), found, 24)
    cache = next(part for part in document["parts"] if part["part"] == "ElastiCache")
    assert cache == {"part": "ElastiCache", "actual": 15.0, "estimateSoFar": pytest.approx(30 * 20 / 30)}
    assert document["overBudget"] is True
    assert (document["from"], document["until"], document["estimate"]) == ("2026-11-01", "2026-11-21", 30)


@pytest.mark.parametrize(("today", "month", "first", "until", "share"), [
    (TODAY, None, date(2026, 11, 1), TODAY, 20 / 30), (TODAY, "2026-10", date(2026, 10, 1), date(2026, 11, 1), 1),
    (date(2027, 1, 15), "2026-12", date(2026, 12, 1), date(2027, 1, 1), 1)])
def test_periods_of_the_current_and_of_earlier_months(today: date, month: str | None, first: date, until: date,
                                                      share: float) -> None:
    found = explorer.period(today, month)
    assert (found.first, found.until) == (first, until)
    assert found.share == pytest.approx(share)


@pytest.mark.parametrize(("today", "month", "words"), [
    (TODAY, "2026-13", "--month is '2026-13'; a month such as 2026-11"), (TODAY, "october", "--month is 'october'"),
    (TODAY, "2026-12", "the month 2026-12 has no day that is over"),
    (date(2026, 11, 1), None, "the month 2026-11 has no day that is over")])
def test_a_month_that_cant_be_asked_for_is_refused(today: date, month: str | None, words: str) -> None:
    with pytest.raises(NotAcceptable, match=words):
        explorer.period(today, month)
