"""Everything that runs beside the platform by the clock: rotations, cost findings, scheduled scaling (F6, F7, F8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.components.base import Component
from infra.components.operations.cost_optimizer import CostOptimizer, CostOptimizerArgs
from infra.components.operations.rotation import Rotation, RotationArgs
from infra.components.operations.scheduled_scaling import ScheduledScaling, ScheduledScalingArgs
from infra.components.operations.schedules import Entry, Schedules, SchedulesArgs
from infra.plans.clock import weekdays_at
from infra.plans.names import Names
from infra.settings import model
from infra.settings.operations import Operations as Settings

_SETTLE = "rate(1 day)"


@dataclass(frozen=True)
class OperationsArgs:
    """`topic_arn`: of the automated alerts. `alarm_prefix`: see ScheduledScalingArgs."""

    names: Names
    account_id: pulumi.Input[str]
    region: str
    settings: Settings
    topic_arn: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    log_retention_days: int
    jwt_secret_arn: pulumi.Input[str]
    cache_secret_arn: pulumi.Input[str]
    replication_group_id: pulumi.Input[str]
    replication_group_arn: pulumi.Input[str]
    cluster_name: pulumi.Input[str]
    cluster_arn: pulumi.Input[str]
    node_groups: Mapping[str, model.NodeGroup]
    node_group_names: Mapping[str, pulumi.Input[str]]
    database_id: pulumi.Input[str]
    database_arn: pulumi.Input[str]
    alarm_prefix: str


class Operations(Component):
    """The functions and the schedules that call them. Names and queues are by purpose, for the alarms on them."""

    module = "operations"

    function_names: Mapping[str, pulumi.Output[str]]
    dead_letter_queue_arns: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: OperationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        settings = args.settings
        rotation = Rotation(f"{name}-rotation", RotationArgs(
            keys_function=args.names.resource("key-rotation"),
            cache_function=args.names.resource("cache-rotation"),
            account_id=args.account_id, settings=settings.rotation,
            jwt_secret_arn=args.jwt_secret_arn, cache_secret_arn=args.cache_secret_arn,
            replication_group_id=args.replication_group_id, replication_group_arn=args.replication_group_arn,
            data_key_arn=args.data_key_arn, logs_key_arn=args.logs_key_arn,
            log_retention_days=args.log_retention_days), self.child())
        cost = CostOptimizer(f"{name}-cost", CostOptimizerArgs(
            function_name=args.names.resource("cost-optimizer"), environment=args.names.environment,
            region=args.region, account_id=args.account_id, settings=settings.cost_findings,
            topic_arn=args.topic_arn, data_key_arn=args.data_key_arn, logs_key_arn=args.logs_key_arn,
            log_retention_days=args.log_retention_days), self.child())
        functions = {"keyRotation": rotation.keys, "cacheRotation": rotation.cache, "costOptimizer": cost.function}
        entries = {"settle": Entry(rotation.cache, _SETTLE, input={"action": "settle"}),
                   "cost": Entry(cost.function, settings.cost_findings.schedule)}
        hours = settings.off_hours
        if hours.enabled:
            scaling = ScheduledScaling(f"{name}-scaling", self._scaling(args), self.child())
            functions["scheduledScaling"] = scaling.function
            entries |= {action: Entry(scaling.function, weekdays_at(time), hours.time_zone, {"action": action})
                        for action, time in (("down", hours.down), ("up", hours.up))}
        Schedules(f"{name}-schedules", SchedulesArgs(
            account_id=args.account_id, region=args.region, logs_key_arn=args.logs_key_arn, entries=entries),
            self.child())
        self.function_names = {purpose: function.function_name for purpose, function in functions.items()}
        self.dead_letter_queue_arns = {
            purpose: function.dead_letter_queue_arn for purpose, function in functions.items()}
        self.register_outputs({"functionNames": self.function_names,
                               "deadLetterQueueArns": self.dead_letter_queue_arns})

    @staticmethod
    def _scaling(args: OperationsArgs) -> ScheduledScalingArgs:
        stops = args.settings.off_hours.stop_database
        return ScheduledScalingArgs(
            function_name=args.names.resource("scheduled-scaling"), environment=args.names.environment,
            account_id=args.account_id, region=args.region, settings=args.settings.off_hours,
            cluster_name=args.cluster_name, cluster_arn=args.cluster_arn, node_groups=args.node_groups,
            node_group_names=args.node_group_names, database_id=args.database_id if stops else None,
            database_arn=args.database_arn if stops else None, alarm_prefix=args.alarm_prefix,
            topic_arn=args.topic_arn, data_key_arn=args.data_key_arn, logs_key_arn=args.logs_key_arn,
            log_retention_days=args.log_retention_days)
