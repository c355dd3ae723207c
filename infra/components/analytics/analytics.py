"""The table of animation events with the function that fills it (D4, F1)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra.components.base import Component
from infra.settings import model


@dataclass(frozen=True)
class AnalyticsArgs:
    """Names (E4) and sizes.

    table_name: `{environment}-candlefish-analytics-events`; function_name: `{environment}-candlefish-analytics-processor`;
    role_name: `{environment}-candlefish-lambda-role`.
    key_arn: key for table, queue, log group and the function's environment; its policy must let
        `logs.{region}.amazonaws.com` use it.
    code: folder of the function, relative to the project.
    """

    table_name: str
    function_name: str
    role_name: str
    analytics: model.Analytics
    lifecycle: model.Lifecycle
    key_arn: pulumi.Input[str]
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
        raise NotImplementedError
