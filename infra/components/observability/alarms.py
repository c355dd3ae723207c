"""CloudWatch's alarms from the table, and the composite alarms that notify instead of them (M2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans.observability.alarm import Alarm, Composite
from infra.plans.observability.alarm_specs import Places, Spec, prefix, rule, specs
from infra.plans.observability.alarm_table import COMPOSITES
from infra.plans.observability.severity import Severity


@dataclass(frozen=True)
class Topics:
    """Where alarms go: `alerts` all of them, `incidents` those that open one. Both in the alarms' region; None: an
    alarm is seen on dashboards only."""

    alerts: pulumi.Input[str] | None = None
    incidents: pulumi.Input[str] | None = None

    def of(self, severity: Severity) -> list[pulumi.Input[str]]:
        wanted = [self.alerts, *([self.incidents] if severity is Severity.P0 else [])]
        return [topic for topic in wanted if topic is not None]


@dataclass(frozen=True)
class AlarmsArgs:
    """edge_provider: in us-east-1, where CloudFront's metrics are; edge_topics: topics in that region."""

    environment: str
    alarms: Sequence[Alarm]
    places: Places
    edge_provider: aws.Provider
    topics: Topics = field(default_factory=Topics)
    edge_topics: Topics = field(default_factory=Topics)


class Alarms(Component):
    """An alarm that belongs to a composite one has no action of its own: one trouble, one notification."""

    module = "observability"

    names: dict[str, pulumi.Output[str]]  # row (and member) → name
    arns: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        made = {spec.name: (spec, self._alarm(spec))
                for spec in specs(args.alarms, args.environment, args.places)}
        self.names = {key: alarm.name for key, (_, alarm) in made.items()}
        self.arns = {key: alarm.arn for key, (_, alarm) in made.items()}
        members: dict[str, list[pulumi.Output[str]]] = {}
        for spec, alarm in made.values():
            if spec.alarm.composite:
                members.setdefault(spec.alarm.composite, []).append(alarm.name)
        for composite in COMPOSITES:
            if composite.name in members:
                self.names[composite.name] = self._composite(composite, members[composite.name])
        self.register_outputs({"names": self.names})

    def _alarm(self, spec: Spec) -> aws.cloudwatch.MetricAlarm:
        alarm, edge = spec.alarm, spec.alarm.edge
        topics = self._args.edge_topics if edge else self._args.topics
        actions = [] if alarm.composite else topics.of(alarm.severity)
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-{spec.name}", name=spec.physical_name, **spec.arguments,
            alarm_actions=actions, ok_actions=actions,
            opts=self.child(**_silenced(alarm.scheduled), **({"provider": self._args.edge_provider} if edge else {})))

    def _composite(self, composite: Composite, members: Sequence[pulumi.Output[str]]) -> pulumi.Output[str]:
        actions = self._args.topics.of(composite.severity)
        excuse = self.names.get(composite.unless or "")
        made = aws.cloudwatch.CompositeAlarm(
            f"{self._name}-{composite.name}", alarm_description=composite.description,
            alarm_name=prefix(self._args.environment, scheduled=composite.scheduled) + composite.name,
            alarm_rule=pulumi.Output.all(members=members, excuse=excuse).apply(
                lambda known: rule(known["members"], known["excuse"])),
            alarm_actions=actions, ok_actions=actions, opts=self.child(**_silenced(composite.scheduled)))
        return made.alarm_name


def _silenced(scheduled: bool) -> dict[str, list[str]]:
    """The scheduled scaling switches actions off and on again."""
    return {"ignore_changes": ["actionsEnabled"]} if scheduled else {}
