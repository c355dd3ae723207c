"""Reading from AWS: every page, tags in one shape, sums of metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

Tags = Mapping[str, str]
_DENIED = ("AccessDenied", "AccessDeniedException")
_QUERIES = 500  # GetMetricData takes as many in a call


@dataclass(frozen=True)
class Look:
    """What the checks see. `client` gives boto3's client of a service."""

    client: Callable[[str], Any]
    environment: str
    exempt_tag: str
    idle_days: int
    snapshot_days: int
    now: datetime

    @cached_property
    def idle_since(self) -> datetime:
        return self.now - timedelta(days=self.idle_days)

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        for page in self.client(service).get_paginator(operation).paginate(**arguments):
            yield from page.get(key) or ()

    def ours(self, tags: Tags) -> bool:
        """Of this environment or of nobody's, and not exempt. An exemption that is a date ends with that day."""
        if tags.get("Environment", self.environment) != self.environment:
            return False
        exemption = tags.get(self.exempt_tag)
        if exemption is None or exemption.lower() in ("", "false", "no"):
            return True
        try:
            return date.fromisoformat(exemption) < self.now.date()
        except ValueError:
            return False

    def tags(self, service: str, key: str, **resource: str) -> Tags:
        """Of ListTagsForResource, whose answer has them at `key`. A resource whose tags are explicitly denied to this
        role is another environment's: the boundary of all roles keeps the environments of an account apart."""
        try:
            found = self.client(service).list_tags_for_resource(**resource).get(key) or {}
        except Exception as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
            if code in _DENIED and "explicit deny" in str(error):
                return {"Environment": "another"}
            raise
        return dict(found) if isinstance(found, Mapping) else tags_of(found)

    def sums(self, queries: Sequence[Metric]) -> list[float | None]:
        """What each metric comes to since `idle_since`; None: it has no value at all."""
        found: dict[str, float] = {}
        for start in range(0, len(queries), _QUERIES):
            asked = [query.asked(f"m{start + index}", self.idle_days)
                     for index, query in enumerate(queries[start:start + _QUERIES])]
            for result in self.pages("cloudwatch", "get_metric_data", "MetricDataResults", MetricDataQueries=asked,
                                     StartTime=self.idle_since, EndTime=self.now):
                for value in result["Values"]:
                    before = found.get(result["Id"])
                    kind = asked[int(result["Id"][1:]) - start]["MetricStat"]["Stat"]
                    found[result["Id"]] = (value if before is None else max(before, value) if kind == "Maximum"
                                           else before + value)
        return [found.get(f"m{index}") for index in range(len(queries))]


@dataclass(frozen=True)
class Metric:
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str = "Sum"  # or Maximum

    def asked(self, id: str, days: int) -> dict[str, Any]:
        return {"Id": id, "MetricStat": {
            "Metric": {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": [
                {"Name": key, "Value": value} for key, value in self.dimensions.items()]},
            "Period": 86_400, "Stat": self.statistic}}


def tags_of(items: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    return {str(item["Key"]): str(item.get("Value", "")) for item in items or ()}


def utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start:start + size]
