"""The analytics component: encrypted, traced, with least privilege, and packaged reproducibly."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from infra.components.analytics.analytics import Analytics, AnalyticsArgs
from infra.settings import model
from tests.unit.components.answering import DISPOSABLE, KEPT, Registrations, record

pytestmark = pytest.mark.unit

TABLE = "aws:dynamodb/table:Table"
FUNCTION = "aws:lambda/function:Function"


def analytics(**changes: Any) -> Registrations:
    values: dict[str, Any] = {
        "table_name": "test-candlefish-analytics-events", "function_name": "test-candlefish-analytics-processor",
        "role_name": "test-candlefish-lambda-role", "environment": "test", "analytics": model.Analytics(),
        "lifecycle": KEPT, "key_arn": "data-key", "logs_key_arn": "logs-key"}

    def program() -> SimpleNamespace:
        made = Analytics("analytics", AnalyticsArgs(**(values | changes)))
        return SimpleNamespace(table=made.table_name, function=made.function_name, stream=made.table_stream_arn)

    return record(program)


@pytest.fixture(scope="module")
def kept() -> Registrations:
    return analytics()


def test_the_table_is_recoverable_encrypted_expiring_and_protected(kept: Registrations) -> None:
    found = kept.of(TABLE)[0]
    table = found.inputs
    assert (table["billingMode"], table["hashKey"]) == ("PAY_PER_REQUEST", "eventId")
    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert table["serverSideEncryption"] == {"enabled": True, "kmsKeyArn": "data-key"}
    assert table["ttl"] == {"attributeName": "expiresAt", "enabled": True}
    assert table["deletionProtectionEnabled"] is found.protect is True


def test_a_stack_for_rehearsing_teardown_does_not_protect_its_table() -> None:
    found = analytics(lifecycle=DISPOSABLE).of(TABLE)[0]
    assert found.inputs["deletionProtectionEnabled"] is found.protect is False


def test_the_function_is_traced_bounded_encrypted_and_keeps_what_failed(kept: Registrations) -> None:
    function = kept.of(FUNCTION)[0].inputs
    assert (function["runtime"], function["architectures"]) == ("python3.13", ["arm64"])
    assert function["tracingConfig"] == {"mode": "Active"}
    assert function["kmsKeyArn"] == "data-key"
    assert function["reservedConcurrentExecutions"] == 50
    assert function["deadLetterConfig"] == {"targetArn": "arn:aws:sqs:::analytics-processor-dead-letters"}
    assert function["environment"]["variables"] == {
        "TABLE_NAME": "test-candlefish-analytics-events", "ENVIRONMENT": "test", "RETENTION_DAYS": "90"}


def test_the_function_logs_only_to_its_own_encrypted_group(kept: Registrations) -> None:
    group = kept.of("aws:cloudwatch/logGroup:LogGroup")[0].inputs
    assert group["name"] == "/aws/lambda/test-candlefish-analytics-processor"
    assert (group["kmsKeyId"], group["retentionInDays"]) == ("logs-key", 365)
    assert kept.of("aws:sqs/queue:Queue")[0].inputs["kmsMasterKeyId"] == "logs-key"


def test_the_role_may_put_events_and_touch_nothing_else(kept: Registrations) -> None:
    role = kept.of("aws:iam/role:Role")[0].inputs
    assert role["name"] == "test-candlefish-lambda-role"
    policy = json.loads(kept.of("aws:iam/rolePolicy:RolePolicy")[0].inputs["policy"])
    allowed = {action: statement["Resource"] for statement in policy["Statement"] for action in statement["Action"]}
    assert allowed["dynamodb:PutItem"] == ["arn:aws:dynamodb:::analytics-events"]
    assert {action for action, resources in allowed.items() if resources == ["*"]} == {
        "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    assert not any("*" in action for action in allowed)
