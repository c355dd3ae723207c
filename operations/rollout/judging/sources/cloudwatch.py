"""Samples out of the load balancer's metrics, a target group a colour.

Sources: "CloudWatch metrics for your Application Load Balancer" (Elastic Load Balancing User Guide): sent in 60-second
intervals, only while requests flow; HTTPCode_ELB_* are the load balancer's alone, without a target group. "CloudWatch
statistics definitions" (CloudWatch User Guide): PR(:x) is the percentage of values up to x, x included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.rollout.judging.sample import Sample
from operations.rollout.judging.sources import SourceError

NAMESPACE = "AWS/ApplicationELB"
PERIOD_SECONDS = 60
DELAY_SECONDS = 120.0
_EVERYTHING = 86_400  # seconds; no request takes that long, so its rank is 100


@dataclass(frozen=True)
class _Query:
    """group: of the target group, else of the load balancer as a whole."""

    metric: str
    statistic: str = "Sum"
    group: bool = True


_QUERIES: Mapping[str, _Query] = {
    "requests": _Query("RequestCount"),
    **{f"target_{n}xx": _Query(f"HTTPCode_Target_{n}XX_Count") for n in (2, 3, 4, 5)},
    "refused": _Query("TargetConnectionErrorCount"),
    **{f"balancer_{code}": _Query(f"HTTPCode_ELB_{code}_Count", group=False) for code in (502, 503, 504)},
    "timed": _Query("TargetResponseTime", "SampleCount"),
    "everything": _Query("TargetResponseTime", f"PR(:{_EVERYTHING})"),
}
_FAST = "fast"  # its statistic has the threshold
Series = Mapping[datetime, float]


class CloudWatch:
    """client: boto3's `cloudwatch`. balancer: `app/name/id`. target_groups: colour → `targetgroup/name/id`.

    What each metric is asked for goes into one GetMetricData; 12 metrics a reading and colour.
    """

    interval_seconds: float = PERIOD_SECONDS

    def __init__(self, client: Any, balancer: str, target_groups: Mapping[str, str], latency_seconds: float,
                 now: Callable[[], datetime] = lambda: datetime.now(UTC), delay_seconds: float = DELAY_SECONDS) -> None:
        self._client, self._balancer, self._groups, self._now = client, balancer, target_groups, now
        self._queries = {**_QUERIES, _FAST: _Query("TargetResponseTime", f"PR(:{latency_seconds:g})")}
        self.delay_seconds = delay_seconds

    def readable(self, now: datetime) -> datetime:
        """The end of the newest whole period that is old enough."""
        seconds = int(now.timestamp() - self.delay_seconds)
        return datetime.fromtimestamp(seconds - seconds % PERIOD_SECONDS, UTC)

    def read(self, colour: str, since: datetime, until: datetime) -> Sample:
        if colour not in self._groups:
            raise SourceError(f"no target group of colour {colour}; known: {', '.join(sorted(self._groups))}")
        for name, at in (("since", since), ("until", until)):
            if at.timestamp() % PERIOD_SECONDS:
                raise SourceError(f"{name} is {at.isoformat()}; CloudWatch has whole periods of {PERIOD_SECONDS} s")
        if not since < until <= self.readable(self._now()):
            raise SourceError(f"{since.isoformat()} to {until.isoformat()} is empty, or newer than what CloudWatch has "
                              f"for certain: {self.readable(self._now()).isoformat()}")
        return self._sample(colour, self._asked(colour, since, until), (until - since).total_seconds())

    def _asked(self, colour: str, since: datetime, until: datetime) -> dict[str, Series]:
        group = [{"Name": "TargetGroup", "Value": self._groups[colour]}]
        balancer = [{"Name": "LoadBalancer", "Value": self._balancer}]
        asked = [{"Id": id, "MetricStat": {
            "Metric": {"Namespace": NAMESPACE, "MetricName": query.metric,
                       "Dimensions": [*(group if query.group else ()), *balancer]},
            "Period": PERIOD_SECONDS, "Stat": query.statistic}} for id, query in self._queries.items()]
        found: dict[str, dict[datetime, float]] = {id: {} for id in self._queries}
        token: Mapping[str, str] = {}
        while True:
            try:
                answer = self._client.get_metric_data(MetricDataQueries=asked, StartTime=since, EndTime=until,
                                                      ScanBy="TimestampAscending", **token)
            except (BotoCoreError, ClientError) as error:
                raise SourceError(f"CloudWatch does not answer: {error}") from error
            for result in answer["MetricDataResults"]:
                if result.get("StatusCode") not in ("Complete", "PartialData"):
                    said = "; ".join(message["Value"] for message in result.get("Messages", ()))
                    raise SourceError(f"CloudWatch does not answer for {self._queries[result['Id']].metric}: "
                                      f"{result.get('StatusCode')} {said}".rstrip())
                found[result["Id"]].update(zip(result["Timestamps"], result["Values"], strict=True))
            if not answer.get("NextToken"):
                return {id: {at: value for at, value in series.items() if since <= at < until}
                        for id, series in found.items()}
            token = {"NextToken": answer["NextToken"]}

    def _sample(self, colour: str, found: Mapping[str, Series], seconds: float) -> Sample:
        """A metric without data counted nothing: the load balancer sends no zeros."""
        sums = {id: round(sum(series.values())) for id, series in found.items()}
        # A switch of protocols (101) is timed, but has no metric of its own.
        answered = max(sum(sums[f"target_{n}xx"] for n in (2, 3, 4, 5)), sums["timed"])
        requests = max(sums["requests"], answered)
        # What no target answered failed, or its client went away (460): the load balancer's own errors, of whichever
        # group, are the most that failed.
        own = sum(sums[f"balancer_{code}"] for code in (502, 503, 504))
        unanswered = min(requests - answered, own)
        errors = min(requests, sums["target_5xx"] + max(unanswered, sums["refused"]))
        return Sample(seconds=seconds, requests=requests, errors=errors, slow=min(requests, self._slow(colour, found)))

    def _slow(self, colour: str, found: Mapping[str, Series]) -> int:
        slow = 0.0
        for at, count in found["timed"].items():
            fast, everything = found[_FAST].get(at), found["everything"].get(at)
            if fast is None or everything is None or abs(everything - 100) > 1e-6 or not 0 <= fast <= 100:
                raise SourceError(
                    f"CloudWatch says for {self._queries[_FAST].statistic} of TargetResponseTime ({colour}, {at}): "
                    f"{fast}, and for {self._queries['everything'].statistic}: {everything} (100 is right); "
                    "percentile ranks are not served here")
            slow += count * (100 - fast) / 100
        return round(slow)
