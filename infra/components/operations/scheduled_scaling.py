"""Takes an environment down for the night and the weekend (F8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.function import Function, FunctionArgs, Grant
from infra.settings import model
from infra.settings.operations import OffHours

_MEMORY_MIB = 256
_TIMEOUT_SECONDS = 900  # a database takes minutes to start; the function waits before it wakes the alarms


@dataclass(frozen=True)
class ScheduledScalingArgs:
    """`node_group_names`: physical names by the settings' names. `database_arn` None: the database runs through.
    `alarm_prefix`: of the names of the alarms that an environment which is down would fire."""

    function_name: str
    environment: str
    account_id: pulumi.Input[str]
    region: str
    settings: OffHours
    cluster_name: pulumi.Input[str]
    cluster_arn: pulumi.Input[str]
    node_groups: Mapping[str, model.NodeGroup]
    node_group_names: Mapping[str, pulumi.Input[str]]
    database_id: pulumi.Input[str] | None
    database_arn: pulumi.Input[str] | None
    alarm_prefix: str
    topic_arn: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    log_retention_days: int


class ScheduledScaling(Component):
    """The function and the parameter in which it keeps the sizes of the evening. Two schedules call it.

    The node groups' sizes are operations' own while this is there: `NodeGroups` ignores them.
    """

    module = "operations"

    function: Function
    state_parameter: pulumi.Output[str]

    def __init__(self, name: str, args: ScheduledScalingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        state = aws.ssm.Parameter(
            name, type="String", insecure_value="{}", description="Sizes and alarms of the evening, for the morning",
            opts=self.child(ignore_changes=["insecureValue"]))
        alarms = pulumi.Output.concat(f"arn:aws:cloudwatch:{args.region}:", args.account_id, ":alarm:")
        database = {"Database": Grant(
            ["rds:DescribeDBInstances", "rds:StartDBInstance", "rds:StopDBInstance"], [args.database_arn])
        } if args.database_arn is not None else {}
        self.function = Function(f"{name}-function", FunctionArgs(
            function_name=args.function_name, description="Takes the environment down at night",
            code="functions/scheduled_scaling", data_key_arn=args.data_key_arn, logs_key_arn=args.logs_key_arn,
            memory_mib=_MEMORY_MIB, timeout_seconds=_TIMEOUT_SECONDS, log_retention_days=args.log_retention_days,
            reserved_concurrency=1,
            environment={
                "CLUSTER_NAME": args.cluster_name, "NODE_GROUPS": self._sizes(args),
                "DATABASE_ID": "" if args.database_id is None else args.database_id,
                "ALARM_PREFIX": args.alarm_prefix, "STATE_PARAMETER": state.name, "KEEP_TAG": args.settings.keep_tag,
                "TOPIC_ARN": args.topic_arn, "ENVIRONMENT": args.environment},
            grants={
                "Cluster": Grant(["eks:DescribeCluster"], [args.cluster_arn]),
                "NodeGroups": Grant(["eks:DescribeNodegroup", "eks:UpdateNodegroupConfig"], [
                    pulumi.Output.concat(f"arn:aws:eks:{args.region}:", args.account_id, ":nodegroup/",
                                         args.cluster_name, "/", group, "/*")
                    for group in args.node_group_names.values()]),
                **database,
                "ListAlarms": Grant(["cloudwatch:DescribeAlarms"], [alarms.apply("{}*".format)]),
                "Alarms": Grant(["cloudwatch:DisableAlarmActions", "cloudwatch:EnableAlarmActions"],
                                [alarms.apply(lambda start: f"{start}{args.alarm_prefix}*")]),
                "State": Grant(["ssm:GetParameter", "ssm:PutParameter"], [state.arn]),
                "Tell": Grant(["sns:Publish"], [args.topic_arn])}), self.child())
        self.state_parameter = state.name
        self.register_outputs({"functionName": self.function.function_name, "stateParameter": self.state_parameter})

    @staticmethod
    def _sizes(args: ScheduledScalingArgs) -> pulumi.Output[str]:
        """What a group gets whose sizes nobody has seen."""
        physical = pulumi.Output.all(**args.node_group_names)
        return pulumi.Output.json_dumps(physical.apply(lambda names: {
            names[key]: {"minSize": group.minimum, "desiredSize": group.desired}
            for key, group in args.node_groups.items()}))
