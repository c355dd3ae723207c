"""Functions that are called by the clock (EventBridge Scheduler)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.components.function import Function
from infra.plans import policies

_RETRIES = 5  # of the delivery; what the function itself refuses ends in its own dead letters
_MAXIMUM_AGE_SECONDS = 3600  # a scale-down that comes later would come at the wrong time


@dataclass(frozen=True)
class Entry:
    """`expression`: `cron(…)` or `rate(…)` of Scheduler, in `time_zone` (IANA). `input`: what the function is given."""

    function: Function
    expression: str
    time_zone: str = "UTC"
    input: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SchedulesArgs:
    """`entries`: by the last part of the schedules' logical names. `logs_key_arn`: key of the dead letters."""

    account_id: pulumi.Input[str]
    region: str
    logs_key_arn: pulumi.Input[str]
    entries: Mapping[str, Entry]


class Schedules(Component):
    """One schedule an entry, and one role that may call their functions and nothing else."""

    module = "operations"

    schedule_names: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: SchedulesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        functions = list({id(entry.function): entry.function for entry in args.entries.values()}.values())
        role = aws.iam.Role(
            name, description="Calls functions by the clock", opts=self.child(), assume_role_policy=rendered(
                lambda *, account: policies.service_trust("scheduler.amazonaws.com", account),
                account=args.account_id))
        permissions = aws.iam.RolePolicy(name, role=role.name, opts=self.child(), policy=rendered(
            lambda *, called, letters, key: permissions_of(called, letters, key, args.region),
            called=[function.function_arn for function in functions],
            letters=[function.dead_letter_queue_arn for function in functions], key=args.logs_key_arn))
        self.schedule_names = {
            part: aws.scheduler.Schedule(
                f"{name}-{part}", schedule_expression=entry.expression, schedule_expression_timezone=entry.time_zone,
                flexible_time_window={"mode": "OFF"}, description=f"Calls the function for: {part}",
                target={"arn": entry.function.function_arn, "role_arn": role.arn, "input": json.dumps(entry.input),
                        "dead_letter_config": {"arn": entry.function.dead_letter_queue_arn},
                        "retry_policy": {"maximum_retry_attempts": _RETRIES,
                                         "maximum_event_age_in_seconds": _MAXIMUM_AGE_SECONDS}},
                opts=self.child(depends_on=[permissions])).name
            for part, entry in args.entries.items()}
        self.register_outputs({"scheduleNames": self.schedule_names})


def permissions_of(function_arns: list[str], queue_arns: list[str], key_arn: str, region: str) -> policies.Document:
    return policies.document([
        policies.allow("Call", ["lambda:InvokeFunction"], sorted(function_arns)),
        policies.allow("DeadLetters", ["sqs:SendMessage"], sorted(queue_arns)),
        policies.allow("DeadLettersKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key_arn],
                       policies.via("sqs", region)),
    ])
