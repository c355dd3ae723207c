"""The table of animation events with the function that fills it (D4, F1)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.function import Function, FunctionArgs, Grant
from infra.settings import model


@dataclass(frozen=True)
class AnalyticsArgs:
    """Names (E4) and sizes.

    table_name: `{environment}-candlefish-analytics-events`
    function_name: `{environment}-candlefish-analytics-processor`
    role_name: `{environment}-candlefish-lambda-role`
    key_arn: key for the table and the function's environment.
    logs_key_arn: key for queue and log group; its policy must let `logs.{region}.amazonaws.com` use it.
    code: folder of the function, relative to the project.
    """

    table_name: str
    function_name: str
    role_name: str
    environment: str  # dimension of the metrics
    analytics: model.Analytics
    lifecycle: model.Lifecycle
    key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    log_retention_days: int = 365
    code: str = "functions/analytics_processor"


class Analytics(Component):
    """Table, function, its role, log group and dead-letter queue."""

    module = "analytics"

    table_name: pulumi.Output[str]
    table_arn: pulumi.Output[str]
    table_stream_arn: pulumi.Output[str]
    function_name: pulumi.Output[str]
    function_arn: pulumi.Output[str]
    role_arn: pulumi.Output[str]
    dead_letter_queue_arn: pulumi.Output[str]
    log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: AnalyticsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        table = aws.dynamodb.Table(
            f"{name}-events", name=args.table_name, billing_mode="PAY_PER_REQUEST", hash_key="eventId",
            attributes=[{"name": "eventId", "type": "S"}], ttl={"attribute_name": "expiresAt", "enabled": True},
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": args.key_arn},
            stream_enabled=True, stream_view_type="NEW_IMAGE",
            deletion_protection_enabled=args.lifecycle.deletion_protection,
            opts=self.child(protect=args.lifecycle.protect))
        processor = Function(f"{name}-processor", FunctionArgs(
            function_name=args.function_name, role_name=args.role_name,
            description="Keeps animation events and turns them into metrics", code=args.code,
            environment={"TABLE_NAME": table.name, "ENVIRONMENT": args.environment,
                         "RETENTION_DAYS": str(args.analytics.event_retention_days)},
            data_key_arn=args.key_arn, logs_key_arn=args.logs_key_arn,
            memory_mib=args.analytics.function_memory_mib, timeout_seconds=args.analytics.function_timeout_seconds,
            reserved_concurrency=args.analytics.reserved_concurrency, log_retention_days=args.log_retention_days,
            grants={"Events": Grant(["dynamodb:PutItem"], [table.arn])}), opts=self.child())

        self.table_name = table.name
        self.table_arn = table.arn
        self.table_stream_arn = table.stream_arn
        self.function_name = processor.function_name
        self.function_arn = processor.function_arn
        self.role_arn = processor.role_arn
        self.dead_letter_queue_arn = processor.dead_letter_queue_arn
        self.log_group_name = processor.log_group_name
        self.register_outputs({
            "tableName": self.table_name, "tableArn": self.table_arn, "tableStreamArn": self.table_stream_arn,
            "functionName": self.function_name, "functionArn": self.function_arn, "roleArn": self.role_arn,
            "deadLetterQueueArn": self.dead_letter_queue_arn, "logGroupName": self.log_group_name})
