"""All of observability in AWS: log groups, alarms, the dashboard, checks from outside, traces (M1, M2, M6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.bucket import Bucket
from infra.components.observability.alarms import Alarms, AlarmsArgs, Topics
from infra.components.observability.datadog import Datadog
from infra.components.observability.logs import Logs, LogsArgs
from infra.components.observability.synthetics import Synthetics, SyntheticsArgs
from infra.components.observability.tracing import Tracing, TracingArgs
from infra.plans.observability.alarm import Each, Place
from infra.plans.observability.alarm_specs import Places, wanted
from infra.plans.observability.alarm_table import Sizes, table
from infra.plans.observability.board import body
from infra.settings.observability import Observability as Settings


@dataclass(frozen=True)
class ObservabilityArgs:
    """What is watched.

    dashboard_name: `{environment}-candlefish-animation`. edge_region, edge_provider: us-east-1.
    topics, edge_topics: where alarms go, in the stack's region and in us-east-1.
    target_groups: fronted service → colour → ARN. cache_nodes: ids of the cache's nodes.
    functions: names; dead_letter_queue: ARNs. api: name and stage of the REST API. log_key_arn: key of the log groups.
    """

    environment: str
    settings: Settings
    sizes: Sizes
    dashboard_name: str
    dashboard_url: str
    region: str
    edge_region: str
    edge_provider: aws.Provider
    log_groups: Mapping[str, str]  # of the log shipper: purpose → name
    log_key_arn: pulumi.Input[str]
    log_retention_days: int
    load_balancer_arn: pulumi.Input[str]
    target_groups: pulumi.Input[Mapping[str, Mapping[str, str]]]
    services: Sequence[str]  # of target_groups
    database_id: pulumi.Input[str]
    cache_nodes: Sequence[pulumi.Input[str]]
    distribution_id: pulumi.Input[str]
    certificate_arn: pulumi.Input[str]  # the load balancer's
    cdn_certificate_arn: pulumi.Input[str]
    account_id: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    canary_name: str
    checks: Mapping[str, str]
    logs_bucket: Bucket
    status_bucket: Bucket
    status_key: str
    functions: Sequence[pulumi.Input[str]] = ()
    dead_letter_queues: Sequence[pulumi.Input[str]] = ()
    api: tuple[pulumi.Input[str], pulumi.Input[str]] | None = None
    topics: Topics = field(default_factory=Topics)
    edge_topics: Topics = field(default_factory=Topics)


class Observability(Component):
    """`dashboards`: name → address in the console."""

    module = "observability"

    log_groups: dict[str, pulumi.Output[str]]
    alarm_names: dict[str, pulumi.Output[str]]
    dashboards: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        logs = Logs(f"{name}-logs", LogsArgs(
            environment=args.environment, groups=args.log_groups, key_arn=args.log_key_arn,
            retention_days=args.log_retention_days),
            opts=self.child())
        if args.settings.datadog.external_id:
            Datadog(f"{name}-datadog", args.settings.datadog, self.child())
        places = self._places(self._synthetics())
        Tracing(f"{name}-tracing", TracingArgs(
            environment=args.environment, functions=args.functions, percent=args.settings.trace_percent),
            opts=self.child())
        rows = wanted(table(args.settings.thresholds, args.sizes), args.settings.alarms)
        alarms = Alarms(f"{name}-alarms", AlarmsArgs(
            environment=args.environment, alarms=rows, places=places, edge_provider=args.edge_provider,
            topics=args.topics, edge_topics=args.edge_topics), opts=self.child())
        board = aws.cloudwatch.Dashboard(
            f"{name}-animation", dashboard_name=args.dashboard_name,
            dashboard_body=pulumi.Output.json_dumps(
                pulumi.Output.all(places=dict(places.of), arns=[*alarms.arns.values()]).apply(
                    lambda known: body(args.environment, args.region, args.edge_region, rows, known["arns"],
                                       known["places"]))),
            opts=self.child())
        self.log_groups = logs.group_names
        self.alarm_names = alarms.names
        self.dashboards = {"animation": board.dashboard_name.apply(lambda _: args.dashboard_url)}
        self.register_outputs({"logGroups": self.log_groups, "alarmNames": self.alarm_names,
                               "dashboards": self.dashboards})

    def _synthetics(self) -> list[pulumi.Output[str]]:
        """Names of the canaries."""
        args = self._args
        if not args.settings.synthetics.enabled:
            return []
        made = Synthetics(f"{self._name}-checks", SyntheticsArgs(
            canary_name=args.canary_name, settings=args.settings.synthetics, checks=args.checks,
            account_id=args.account_id, region=args.region, logs_bucket=args.logs_bucket.name,
            logs_bucket_arn=args.logs_bucket.arn, status_bucket=args.status_bucket.name,
            status_bucket_arn=args.status_bucket.arn, status_key=args.status_key, key_arn=args.data_key_arn),
            opts=self.child())
        return [made.canary_name]

    def _places(self, canaries: Sequence[pulumi.Output[str]]) -> Places:
        args = self._args
        of: dict[Place, Sequence[Any]] = {
            Place.ENVIRONMENT: [args.environment], Place.DATABASE: [args.database_id],
            Place.LOAD_BALANCER: [pulumi.Output.from_input(args.load_balancer_arn).apply(dimension)],
            Place.CACHE_NODE: args.cache_nodes, Place.DISTRIBUTION: [args.distribution_id],
            Place.CERTIFICATE: [args.certificate_arn], Place.CDN_CERTIFICATE: [args.cdn_certificate_arn],
            Place.CANARY: canaries, Place.FUNCTION: args.functions,
            Place.QUEUE: [_last(arn) for arn in args.dead_letter_queues],
            **({Place.API: [args.api[0]], Place.STAGE: [args.api[1]]} if args.api else {})}
        groups: pulumi.Output[Any] = pulumi.Output.from_input(args.target_groups)

        def group(service: str, colour: str) -> pulumi.Output[str]:
            return groups.apply(lambda known: dimension(known[service][colour]))

        return Places(of, {
            Each.SERVICE: {service: {Place.BLUE: [group(service, "blue")], Place.GREEN: [group(service, "green")]}
                           for service in args.services}})


def dimension(arn: str) -> str:
    """`app/…` of a load balancer's ARN, `targetgroup/…` of a target group's: what CloudWatch calls them."""
    resource = arn.rpartition(":")[2]
    return resource.removeprefix("loadbalancer/")


def _last(arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """A queue's name."""
    return pulumi.Output.from_input(arn).apply(lambda known: known.rpartition(":")[2])
