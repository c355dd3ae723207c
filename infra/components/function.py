"""A Python function with what belongs to it: role, log group, dead-letter queue, and who may invoke it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.plans import policies

RUNTIME = "python3.13"
DEAD_LETTER_SECONDS = 14 * 86_400  # the most that SQS keeps
# Creates, describes and deletes network interfaces, which the service can only be allowed on all of them.
_INTERFACES_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaENIManagementAccess"


@dataclass(frozen=True)
class Grant:
    """What a function may do on which ARNs, as one statement of its policy."""

    actions: Sequence[str]
    resources: Sequence[pulumi.Input[str]]
    condition: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Vpc:
    """Only for a function that must reach the database or the cache: network interfaces slow a teardown down."""

    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_ids: Sequence[pulumi.Input[str]]


@dataclass(frozen=True)
class FunctionArgs:
    """code: a Python package, relative to the project, that is packaged with the packages of `shared` beside it.
    handler: module and function inside the package of `code`.
    role_name: None where the outside world needs no fixed name.
    data_key_arn: the environment and the data; logs_key_arn: log group and queue.
    reserved_concurrency: None for what a schedule or an operator invokes; the account's pool is enough for that.
    grants: what the function may do beside its own logs, queue and traces, by statement id.
    """

    function_name: str
    description: str
    code: str
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    memory_mib: int  # 128 to 10,240
    timeout_seconds: int  # 1 to 900
    log_retention_days: int
    handler: str = "handler.handle"
    shared: Sequence[str] = ()
    role_name: str | None = None
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    grants: Mapping[str, Grant] = field(default_factory=dict)
    reserved_concurrency: int | None = None
    vpc: Vpc | None = None
    architecture: str = "arm64"


class Function(Component):
    """Traced, with encrypted environment, and a queue for what failed for good."""

    module = "functions"

    function_name: pulumi.Output[str]
    function_arn: pulumi.Output[str]
    invoke_arn: pulumi.Output[str]  # for API Gateway
    role_arn: pulumi.Output[str]
    dead_letter_queue_arn: pulumi.Output[str]
    dead_letter_queue_name: pulumi.Output[str]
    log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name = name
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs", name=f"/aws/lambda/{args.function_name}", kms_key_id=args.logs_key_arn,
            retention_in_days=args.log_retention_days, opts=self.child())
        queue = aws.sqs.Queue(
            f"{name}-dead-letters", kms_master_key_id=args.logs_key_arn,
            message_retention_seconds=DEAD_LETTER_SECONDS, opts=self.child())
        role = aws.iam.Role(
            f"{name}-role", name=args.role_name, description=args.description,
            assume_role_policy=json.dumps(policies.service_trust("lambda.amazonaws.com")), opts=self.child())
        permissions: list[pulumi.Resource] = [aws.iam.RolePolicy(
            f"{name}-permissions", role=role.name, policy=rendered(
                lambda *, log_group, queue_arn, data_key, logs_key, resources: function_permissions(
                    log_group, queue_arn, data_key, logs_key, args.grants, resources),
                log_group=logs.arn, queue_arn=queue.arn, data_key=args.data_key_arn, logs_key=args.logs_key_arn,
                resources={id: list(grant.resources) for id, grant in args.grants.items()}),
            opts=self.child())]
        if args.vpc is not None:
            permissions.append(aws.iam.RolePolicyAttachment(
                f"{name}-interfaces", role=role.name, policy_arn=_INTERFACES_POLICY, opts=self.child()))
        function = aws.lambda_.Function(
            f"{name}-function", name=args.function_name, description=args.description, role=role.arn,
            runtime=RUNTIME, architectures=[args.architecture], handler=f"{Path(args.code).name}.{args.handler}",
            code=package(args.code, *args.shared), memory_size=args.memory_mib, timeout=args.timeout_seconds,
            reserved_concurrent_executions=args.reserved_concurrency, kms_key_arn=args.data_key_arn,
            environment={"variables": dict(args.environment)} if args.environment else None,
            tracing_config={"mode": "Active"}, dead_letter_config={"target_arn": queue.arn},
            logging_config={"log_format": "Text", "log_group": logs.name},
            vpc_config=None if args.vpc is None else {
                "subnet_ids": list(args.vpc.subnet_ids), "security_group_ids": list(args.vpc.security_group_ids)},
            # Without its permissions Lambda refuses the queue; without the group it would make one of its own.
            opts=self.child(depends_on=[*permissions, logs]))
        self.function_name = function.name
        self.function_arn = function.arn
        self.invoke_arn = function.invoke_arn
        self.role_arn = role.arn
        self.dead_letter_queue_arn = queue.arn
        self.dead_letter_queue_name = queue.name
        self.log_group_name = logs.name
        self.register_outputs({"functionName": self.function_name, "functionArn": self.function_arn,
                               "invokeArn": self.invoke_arn, "roleArn": self.role_arn,
                               "deadLetterQueueArn": self.dead_letter_queue_arn, "logGroupName": self.log_group_name})

    def invoked_by(self, trigger: str, service: str, source_arn: pulumi.Input[str],
                   source_account: pulumi.Input[str] | None = None) -> aws.lambda_.Permission:
        """Lets one resource of an AWS service invoke the function (CKV_AWS_364); no other account's can.

        `trigger`: what the source is, part of the logical name. `service`: `sns.amazonaws.com`.
        `source_account`: for sources whose ARN names no account (S3), or that can be deleted and made by another.
        """
        return aws.lambda_.Permission(
            f"{self._name}-{trigger}", action="lambda:InvokeFunction", function=self.function_name, principal=service,
            source_arn=source_arn, source_account=source_account, opts=self.child())


def package(code: str, *shared: str) -> pulumi.AssetArchive:
    """The Python files of packages, each under its own name, and nothing else: compiled files would change the archive
    with every test run. Raises ValueError for a folder without any."""
    files: dict[str, pulumi.Asset | pulumi.Archive] = {}
    for folder in map(Path, (code, *shared)):
        found = sorted(folder.rglob("*.py"))
        if not found:
            raise ValueError(f"{folder} has no Python file; it must be a function's package, relative to the project "
                             f"({Path.cwd()})")
        files |= {str(file.relative_to(folder.parent)): pulumi.FileAsset(str(file)) for file in found}
    return pulumi.AssetArchive(files)


def function_permissions(log_group_arn: str, queue_arn: str, data_key_arn: str, logs_key_arn: str,
                         grants: Mapping[str, Grant], resources: Mapping[str, Sequence[str]]) -> policies.Document:
    """Least privilege of a function; `resources` are the grants' ARNs, resolved. X-Ray's actions know no resource
    (Service Authorization Reference, X-Ray)."""
    own: list[dict[str, Any]] = [
        policies.allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_group_arn}:*"]),
        policies.allow("DeadLetters", ["sqs:SendMessage"], [queue_arn]),
        policies.allow("Keys", ["kms:Decrypt", "kms:GenerateDataKey"], sorted({data_key_arn, logs_key_arn})),
        policies.allow("Traces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"]),
    ]
    return policies.document([*own, *(policies.allow(id, list(grant.actions), list(resources[id]), grant.condition)
                                      for id, grant in grants.items())])
