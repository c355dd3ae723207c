"""The load balancers' metrics to CloudWatch, and their targets to ELBv2."""

from __future__ import annotations

import asyncio
import datetime
import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.kubernetes.controllers.aws import Aws
from rehearsal.kubernetes.loadbalancer.counters import Counts
from rehearsal.kubernetes.loadbalancer.dataplane import DataPlane
from rehearsal.kubernetes.loadbalancer.elbv2 import ElbV2
from rehearsal.kubernetes.loadbalancer.targets import Endpoint, Health
from rehearsal.kubernetes.node.groups import AwsUnavailable

log = logging.getLogger(__name__)

NAMESPACE = "AWS/ApplicationELB"
BATCH = 20
SYNC_SECONDS = 0.3


class Publisher:
    def __init__(self, plane: DataPlane, elb: ElbV2, aws: Aws, period_seconds: float) -> None:
        self._plane, self._elb, self._period = plane, elb, period_seconds
        self._cloudwatch = aws.client("cloudwatch")
        self._registered: dict[str, frozenset[Endpoint]] = {}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._metrics())
            tasks.create_task(self._targets())

    async def _targets(self) -> None:
        while True:
            for id, targets in list(self._plane.target_sets.items()):
                wanted = frozenset(targets.targets)
                if self._registered.get(id) == wanted:
                    continue
                try:
                    await asyncio.to_thread(self._elb.set_targets, id, wanted)
                    self._registered[id] = wanted
                except AwsUnavailable as error:
                    log.warning("%s", error)
            for id in self._registered.keys() - self._plane.target_sets.keys():
                del self._registered[id]
            await asyncio.sleep(SYNC_SECONDS)

    async def _metrics(self) -> None:
        while True:
            await asyncio.sleep(self._period)
            data = self.data(self._plane.counters.take())
            for start in range(0, len(data), BATCH):
                try:
                    await asyncio.to_thread(self._cloudwatch.put_metric_data, Namespace=NAMESPACE,
                                            MetricData=data[start:start + BATCH])
                except (BotoCoreError, ClientError) as error:
                    log.warning("metrics of this period are lost: %s", error)

    def data(self, counts: dict[tuple[str, str], Counts]) -> list[dict[str, Any]]:
        stamp = datetime.datetime.now(datetime.UTC)
        found: list[dict[str, Any]] = []
        for (balancer, group), each in counts.items():
            dimensions = self._dimensions(balancer, group)
            if dimensions is not None:
                found += _counted(each, bool(group), dimensions, stamp)
        for balancer, model in self._plane.balancers.items():
            for id in model.target_groups:
                dimensions, targets = self._dimensions(balancer, id), self._plane.target_sets.get(id)
                if dimensions is None or targets is None:
                    continue
                for name, health in (("HealthyHostCount", Health.HEALTHY), ("UnHealthyHostCount", Health.UNHEALTHY)):
                    found.append({"MetricName": name, "Dimensions": dimensions, "Timestamp": stamp, "Unit": "Count",
                                  "Value": float(targets.count(health))})
        return found

    def _dimensions(self, balancer: str, group: str) -> list[dict[str, str]] | None:
        """`app/name/id` and `targetgroup/name/id`, as CloudWatch has them; None for what is gone by now."""
        arn = self._elb.balancers.get(balancer)
        if arn is None or (group and group not in self._elb.groups):
            return None
        found = [{"Name": "LoadBalancer", "Value": arn.split(":loadbalancer/", 1)[1]}]
        if group:
            found.insert(0, {"Name": "TargetGroup", "Value": self._elb.groups[group].rsplit(":", 1)[1]})
        return found


def _counted(counts: Counts, of_target: bool, dimensions: list[dict[str, str]],
             stamp: datetime.datetime) -> list[dict[str, Any]]:
    base: dict[str, Any] = {"Dimensions": dimensions, "Timestamp": stamp}
    found = [{**base, "MetricName": "RequestCount", "Unit": "Count", "Value": float(counts.requests)}]
    if of_target:
        found += [{**base, "MetricName": f"HTTPCode_Target_{status}_Count", "Unit": "Count", "Value": float(count)}
                  for status, count in counts.statuses.items() if status in ("2XX", "3XX", "4XX", "5XX")]
        if counts.seconds:
            values = sorted(counts.seconds)[:150]
            found.append({**base, "MetricName": "TargetResponseTime", "Unit": "Seconds", "Values": values,
                          "Counts": [float(counts.seconds[value]) for value in values]})
        return found
    own = {status: count for status, count in counts.statuses.items() if status.isdigit()}
    if own:
        found.append({**base, "MetricName": "HTTPCode_ELB_5XX_Count", "Unit": "Count",
                      "Value": float(sum(own.values()))})
    return found + [{**base, "MetricName": f"HTTPCode_ELB_{status}_Count", "Unit": "Count", "Value": float(count)}
                    for status, count in own.items()]
