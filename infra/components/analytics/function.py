"""A Python function with what belongs to it: role, log group, dead-letter queue."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.plans import policies

RUNTIME = "python3.13"
DEAD_LETTER_SECONDS = 14 * 86_400  # the most that SQS keeps


@dataclass(frozen=True)
class FunctionArgs:
    """code: a Python package, relative to the project; its module `handler` has `handle`.
    data_key_arn: the environment and the data; logs_key_arn: log group and queue.
    actions, resources: what the function may do beside its own logs, queue and traces, by statement id.
    """

    function_name: str
    role_name: str
    description: str
    code: str
    environment: Mapping[str, pulumi.Input[str]]
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    memory_mib: int
    timeout_seconds: int
    reserved_concurrency: int
    log_retention_days: int
    actions: Mapping[str, Sequence[str]]
    resources: Mapping[str, pulumi.Input[str]]  # one ARN each


class Function(Component):
    """Traced, with encrypted environment, its own concurrency, and a queue for what failed for good."""

    module = "analytics"

    function_name: pulumi.Output[str]
    function_arn: pulumi.Output[str]
    role_arn: pulumi.Output[str]
    dead_letter_queue_arn: pulumi.Output[str]
    log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs", name=f"/aws/lambda/{args.function_name}", kms_key_id=args.logs_key_arn,
            retention_in_days=args.log_retention_days, opts=self.child())
        queue = aws.sqs.Queue(
            f"{name}-dead-letters", kms_master_key_id=args.logs_key_arn,
            message_retention_seconds=DEAD_LETTER_SECONDS, opts=self.child())
        role = aws.iam.Role(
            f"{name}-role", name=args.role_name, description=args.description,
            assume_role_policy=json.dumps(policies.service_trust("lambda.amazonaws.com")), opts=self.child())
        permissions = aws.iam.RolePolicy(
            f"{name}-permissions", role=role.name, policy=rendered(
                lambda *, log_group, queue_arn, data_key, logs_key, resources: function_permissions(
                    log_group, queue_arn, data_key, logs_key, args.actions, resources),
                log_group=logs.arn, queue_arn=queue.arn, data_key=args.data_key_arn, logs_key=args.logs_key_arn,
                resources=dict(args.resources)),
            opts=self.child())
        function = aws.lambda_.Function(
            f"{name}-function", name=args.function_name, description=args.description, role=role.arn,
            runtime=RUNTIME, architectures=["arm64"], handler=f"{Path(args.code).name}.handler.handle",
            code=package(args.code), memory_size=args.memory_mib, timeout=args.timeout_seconds,
            reserved_concurrent_executions=args.reserved_concurrency, kms_key_arn=args.data_key_arn,
            environment={"variables": dict(args.environment)}, tracing_config={"mode": "Active"},
            dead_letter_config={"target_arn": queue.arn},
            logging_config={"log_format": "Text", "log_group": logs.name},
            # Without its permissions Lambda refuses the queue; without the group it would make one of its own.
            opts=self.child(depends_on=[permissions, logs]))
        self.function_name = function.name
        self.function_arn = function.arn
        self.role_arn = role.arn
        self.dead_letter_queue_arn = queue.arn
        self.log_group_name = logs.name
        self.register_outputs({"functionName": self.function_name, "functionArn": self.function_arn,
                               "roleArn": self.role_arn, "deadLetterQueueArn": self.dead_letter_queue_arn,
                               "logGroupName": self.log_group_name})


def package(code: str) -> pulumi.AssetArchive:
    """The package's Python files under its own name, and nothing else: compiled files would change the archive with
    every test run."""
    folder = Path(code)
    files = sorted(folder.rglob("*.py"))
    if not files:
        raise ValueError(f"{folder} has no Python file; it must be a function's package, relative to the project "
                         f"({Path.cwd()})")
    return pulumi.AssetArchive({str(file.relative_to(folder.parent)): pulumi.FileAsset(str(file)) for file in files})


def function_permissions(log_group_arn: str, queue_arn: str, data_key_arn: str, logs_key_arn: str,
                         actions: Mapping[str, Sequence[str]], resources: Mapping[str, str]) -> policies.Document:
    """Least privilege of a function. X-Ray's actions know no resource (Service Authorization Reference, X-Ray)."""
    own: list[dict[str, Any]] = [
        policies.allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_group_arn}:*"]),
        policies.allow("DeadLetters", ["sqs:SendMessage"], [queue_arn]),
        policies.allow("Keys", ["kms:Decrypt", "kms:GenerateDataKey"], sorted({data_key_arn, logs_key_arn})),
        policies.allow("Traces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"]),
    ]
    return policies.document([*own, *(policies.allow(id, list(actions[id]), [resources[id]]) for id in actions)])
