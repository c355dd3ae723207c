"""What a stack has cost and will, by Cost Explorer, beside the estimate.

Cost Explorer counts what carries the tag `Environment` of the stack, once that tag is activated for cost allocation.
Each question costs 0.01 USD (AWS Cost Management pricing).
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.plans.estimate import Estimate, Part
from operations.aws import code
from operations.errors import NotAcceptable, OperationError

_METRIC = "UnblendedCost"
# Cost Explorer's names of services (dimension SERVICE) and the part of the estimate that each belongs to; the others
# are the rest.
SERVICES: Mapping[str, Part] = {
    "Amazon Elastic Container Service for Kubernetes": Part.EKS,
    "Amazon Elastic Compute Cloud - Compute": Part.EC2,
    "EC2 - Other": Part.TRANSFER,  # NAT gateways, traffic, and the nodes' disks, which nothing tells apart here
    "Amazon Virtual Private Cloud": Part.TRANSFER,
    "Amazon Relational Database Service": Part.RDS,
    "Amazon ElastiCache": Part.CACHE,
    "Amazon Elastic Load Balancing": Part.BALANCER,
    "Amazon Simple Storage Service": Part.STORAGE,
    "Amazon EC2 Container Registry (ECR)": Part.STORAGE,
    "AWS Lambda": Part.FUNCTIONS,
    "Amazon API Gateway": Part.FUNCTIONS,
    "Amazon DynamoDB": Part.TABLES,
    "Amazon CloudFront": Part.CLOUDFRONT,
    "AWS X-Ray": Part.MONITORING,
}


@dataclass(frozen=True)
class Period:
    """Days from `first` until before `until`, of the month that ends before `end`."""

    first: date
    until: date
    end: date

    @property
    def share(self) -> float:
        """Of the month that is over."""
        return (self.until - self.first) / (self.end - self.first)


@dataclass(frozen=True)
class Spent:
    """USD. forecast: of the whole month, what was spent included; None, and why, where there is none."""

    services: Mapping[str, float]
    forecast: float | None
    why: str = ""

    @property
    def total(self) -> float:
        return sum(self.services.values())

    def parts(self) -> dict[Part, float]:
        found = dict.fromkeys(Part, 0.0)
        for service, usd in self.services.items():
            found[SERVICES.get(service, Part.REST)] += usd
        return found


def period(today: date, month: str | None) -> Period:
    """`month`: 2026-10; None: the current one until today. Raises NotAcceptable without a day that is over."""
    if month is None:
        first = today.replace(day=1)
    else:
        try:
            first = date.fromisoformat(f"{month}-01")
        except ValueError:
            raise NotAcceptable(f"--month is {month!r}; a month such as {today:%Y-%m}") from None
    end = first + timedelta(days=calendar.monthrange(first.year, first.month)[1])
    until = min(today, end)
    if until <= first:
        raise NotAcceptable(f"the month {first:%Y-%m} has no day that is over; take an earlier one with --month")
    return Period(first, until, end)


def spent(ce: Any, environment: str, when: Period) -> Spent:
    """`ce`: boto3's client. Raises OperationError."""
    tagged = {"Tags": {"Key": "Environment", "Values": [environment], "MatchOptions": ["EQUALS"]}}
    try:
        services = _services(ce, tagged, when)
        if when.until == when.end:
            return Spent(services, None, "the month is over")
        try:
            answer = ce.get_cost_forecast(
                TimePeriod={"Start": when.until.isoformat(), "End": when.end.isoformat()}, Metric="UNBLENDED_COST",
                Granularity="MONTHLY", Filter=tagged)
        except ClientError as error:
            if code(error) != "DataUnavailableException":
                raise
            return Spent(services, None, "AWS has too few days to forecast from")
    except (ClientError, BotoCoreError) as error:
        raise OperationError(f"Cost Explorer did not answer: {error}. It needs credentials with ce:GetCostAndUsage and "
                             "ce:GetCostForecast, and Cost Explorer enabled in the account") from error
    return Spent(services, sum(services.values()) + float(answer["Total"]["Amount"]))


def _services(ce: Any, tagged: Mapping[str, Any], when: Period) -> dict[str, float]:
    found: dict[str, float] = {}
    page: dict[str, str] = {}
    while True:
        answer = ce.get_cost_and_usage(
            TimePeriod={"Start": when.first.isoformat(), "End": when.until.isoformat()}, Granularity="MONTHLY",
            Metrics=[_METRIC], GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}], Filter=tagged, **page)
        for result in answer["ResultsByTime"]:
            for group in result["Groups"]:
                metric = group["Metrics"][_METRIC]
                if metric["Unit"] != "USD":
                    raise OperationError(f"Cost Explorer answers in {metric['Unit']}; the price book is in USD")
                found[group["Keys"][0]] = found.get(group["Keys"][0], 0.0) + float(metric["Amount"])
        if not answer.get("NextPageToken"):
            return found
        page = {"NextPageToken": answer["NextPageToken"]}


def document(stack: str, when: Period, paid: Spent, found: Estimate, budget: float) -> dict[str, Any]:
    """Actual against the estimate's share of the same days; USD."""
    expected = {part: found.of(part) * when.share for part in Part}
    actual = paid.parts()
    return {
        "stack": stack, "currency": "USD", "from": when.first.isoformat(), "until": when.until.isoformat(),
        "actual": paid.total, "forecast": paid.forecast, "noForecast": paid.why, "budget": budget,
        "estimate": found.platform + found.serverless, "estimateSoFar": sum(expected.values()),
        "overBudget": (paid.forecast if paid.forecast is not None else paid.total) > budget,
        "parts": [{"part": part.value, "actual": actual[part], "estimateSoFar": expected[part]} for part in Part],
        "services": dict(sorted(paid.services.items(), key=lambda entry: -entry[1]))}
