"""The serverless side: tables, functions with the rights of their rows, and the API before them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from infra.components.analytics import publisher
from infra.components.analytics.analytics import Analytics, AnalyticsArgs
from infra.components.analytics.custom_domain import CustomDomain
from infra.components.analytics.functions import FUNCTIONS, PUBLISHER
from infra.components.analytics.tables import TABLES
from infra.settings.analytics import Analytics as Settings
from infra.settings.experiments import Experiment, Variant
from tests.unit.components.answering import ACCOUNT, DISPOSABLE, KEPT, Registrations, record

pytestmark = pytest.mark.unit

TABLE = "aws:dynamodb/table:Table"
FUNCTION = "aws:lambda/function:Function"
PREFIX = "test-candlefish"
EXPERIMENT = Experiment(variants={"on": Variant(percent=50), "off": Variant(percent=50)})


def analytics(**changes: Any) -> Registrations:
    values: dict[str, Any] = {
        "prefix": PREFIX, "environment": "test", "account_id": ACCOUNT, "region": "us-east-1",
        "settings": Settings(),
        "experiments": {"glow": EXPERIMENT}, "lifecycle": KEPT,
        "origins": ("https://site.test", "https://www.site.test"), "rest_domain": CustomDomain("rest.site.test", "c"),
        "websocket_domain": CustomDomain("ws.site.test", "c"), "web_acl_arn": "web-acl",
        "data_key_arn": "data-key", "logs_key_arn": "logs-key"}

    def program() -> SimpleNamespace:
        made = Analytics("analytics", AnalyticsArgs(**(values | changes)))
        return SimpleNamespace(websocket=made.websocket_alias.domain, rest=made.rest_api_alias.domain)

    return record(program)


@pytest.fixture(scope="module")
def kept() -> Registrations:
    return analytics()


def test_every_table_is_recoverable_encrypted_expiring_backed_up_and_protected(kept: Registrations) -> None:
    tables = {found.inputs["name"]: found for found in kept.of(TABLE)}
    assert tables.keys() == {f"{PREFIX}-{word}" for word in TABLES}
    for found in tables.values():
        table = found.inputs
        assert table["billingMode"] == "PAY_PER_REQUEST"
        assert table["pointInTimeRecovery"] == {"enabled": True}
        assert table["serverSideEncryption"] == {"enabled": True, "kmsKeyArn": "data-key"}
        assert table["ttl"] == {"attributeName": "expiresAt", "enabled": True}
        assert table["tags"]["Backup"] == "daily"
        assert table["deletionProtectionEnabled"] is found.protect is True


def test_keys_and_indexes_are_those_that_the_functions_ask_by(kept: Registrations) -> None:
    found = {each.name.removeprefix("analytics-tables-"): each.inputs for each in kept.of(TABLE)}
    events, connections = found["analytics-events"], found["websocket-connections"]
    assert (events["hashKey"], events["streamViewType"]) == ("eventId", "NEW_IMAGE")
    assert [key["attributeName"] for key in events["globalSecondaryIndexes"][0]["keySchemas"]] == [
        "visitorHash", "occurredAt"]
    assert (connections["hashKey"], connections["rangeKey"]) == ("metric", "connectionId")
    assert "streamEnabled" not in connections
    for table in found.values():
        named = [table["hashKey"], table.get("rangeKey"), *(
            key["attributeName"] for index in table.get("globalSecondaryIndexes", ()) for key in index["keySchemas"])]
        assert {each["name"] for each in table["attributes"]} == set(filter(None, named))


def test_a_stack_for_rehearsing_teardown_does_not_protect_its_tables() -> None:
    assert not any(found.inputs["deletionProtectionEnabled"] or found.protect
                   for found in analytics(lifecycle=DISPOSABLE).of(TABLE))


ROWS = {**{word: (f"analytics-functions-{word}", row) for word, row in FUNCTIONS.items()},
        "stream-publisher": ("analytics-publisher-function", PUBLISHER)}


@pytest.mark.parametrize("word", ROWS)
def test_a_function_is_traced_bounded_encrypted_and_keeps_what_failed(kept: Registrations, word: str) -> None:
    name, row = ROWS[word]
    function = kept.one(FUNCTION, f"{name}-function").inputs
    assert (function["runtime"], function["architectures"]) == ("python3.13", ["arm64"])
    assert function["tracingConfig"] == {"mode": "Active"}
    assert function["kmsKeyArn"] == "data-key"
    assert function["reservedConcurrentExecutions"] == Settings().concurrency.model_dump()[row.limit]
    assert function["deadLetterConfig"]["targetArn"].endswith(f"{name}-dead-letters")
    group = kept.one("aws:cloudwatch/logGroup:LogGroup", f"{name}-logs").inputs
    assert group == {"name": f"/aws/lambda/{PREFIX}-{word}", "kmsKeyId": "logs-key", "retentionInDays": 365}


@pytest.mark.parametrize("word", ROWS)
def test_a_role_allows_what_its_row_says_and_nothing_else(kept: Registrations, word: str) -> None:
    name, row = ROWS[word]
    policy = json.loads(kept.one("aws:iam/rolePolicy:RolePolicy", f"{name}-permissions").inputs["policy"])
    allowed: dict[str, set[str]] = {}
    for statement in policy["Statement"]:
        for action in statement["Action"]:
            allowed.setdefault(action, set()).update(statement["Resource"])
    data = {action: {arn.rpartition("analytics-tables-")[2] for arn in arns} for action, arns in allowed.items()
            if action.startswith("dynamodb:") and "Stream" not in action and action not in publisher.READ_STREAM}
    wanted: dict[str, set[str]] = {}
    for use in row.uses:
        for action in use.actions:
            wanted.setdefault(f"dynamodb:{action}", set()).update(
                {use.table, *([f"{use.table}/index/*"] if use.indexes else [])})
    assert data == wanted
    assert {action for action, arns in allowed.items() if "*" in arns} == {
        "xray:PutTraceSegments", "xray:PutTelemetryRecords",
        *(["dynamodb:ListStreams"] if word == "stream-publisher" else [])}
    assert not any("*" in action for action in allowed)


def test_the_role_that_the_outside_knows_has_its_name(kept: Registrations) -> None:
    names = {found.inputs.get("name") for found in kept.of("aws:iam/role:Role")}
    assert names == {f"{PREFIX}-lambda-role", *([None] if len(FUNCTIONS) > 1 else [])}


def test_the_hash_key_is_a_secret_that_can_be_rotated(kept: Registrations) -> None:
    version = kept.of("aws:secretsmanager/secretVersion:SecretVersion")[0]
    assert json.loads(version.inputs["secretString"]) == {"current": "not-a-secret", "previous": ""}
    assert version.ignored == ("secretString",)
    assert kept.of("aws:secretsmanager/secret:Secret")[0].inputs["kmsKeyId"] == "data-key"


def test_the_api_is_regional_traced_logged_throttled_and_behind_the_firewall(kept: Registrations) -> None:
    stage = kept.of("aws:apigateway/stage:Stage")[0].inputs
    assert stage["xrayTracingEnabled"] is True
    logged = json.loads(stage["accessLogSettings"]["format"])
    assert logged["requestId"] == "$context.requestId"
    assert not any("identity" in value or value == "$context.path" for value in logged.values())
    settings = kept.of("aws:apigateway/methodSettings:MethodSettings")[0].inputs
    assert settings["methodPath"] == "*/*"
    assert settings["settings"] == {
        "metricsEnabled": True, "loggingLevel": "ERROR", "dataTraceEnabled": False, "cachingEnabled": False,
        "throttlingRateLimit": 200, "throttlingBurstLimit": 400}
    association = kept.of("aws:wafv2/webAclAssociation:WebAclAssociation")[0].inputs
    assert association == {"webAclArn": "web-acl", "resourceArn": "arn:aws:apigateway:::analytics-rest-api"}
    assert kept.of("aws:apigateway/domainName:DomainName")[0].inputs["securityPolicy"] == "TLS_1_2"
    assert kept.of("aws:apigateway/restApi:RestApi")[0].inputs["disableExecuteApiEndpoint"] is True
    groups = [found.inputs for found in kept.of("aws:cloudwatch/logGroup:LogGroup")]
    assert all((group["kmsKeyId"], group["retentionInDays"]) == ("logs-key", 365) for group in groups)
    assert "API-Gateway-Execution-Logs_analytics-rest-api-id/live" in {group["name"] for group in groups}


def test_a_new_definition_is_deployed(kept: Registrations) -> None:
    before = kept.of("aws:apigateway/deployment:Deployment")[0].inputs["triggers"]
    after = analytics(origins=("https://other.test",)).of("aws:apigateway/deployment:Deployment")[0].inputs["triggers"]
    assert before != after


def test_only_the_stack_that_owns_it_gives_the_account_a_role_for_logs(kept: Registrations) -> None:
    account = "aws:apigateway/account:Account"
    assert not kept.of(account)
    owner = analytics(owns_account=True)
    assert len(owner.of(account)) == 1
    stage = owner.of("aws:apigateway/stage:Stage")[0]
    assert owner.of(account)[0].urn in stage.dependencies


def test_api_gateway_takes_on_its_role_for_logs_without_a_condition_whose_key_it_does_not_send() -> None:
    role = analytics(owns_account=True).one("aws:iam/role:Role", "analytics-api-logging")
    (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert statement == {"Effect": "Allow", "Action": ["sts:AssumeRole"],
                         "Principal": {"Service": "apigateway.amazonaws.com"}}


def test_operators_have_a_key_with_a_quota_whose_value_is_a_secret_everywhere(kept: Registrations) -> None:
    plan = kept.of("aws:apigateway/usagePlan:UsagePlan")[0].inputs
    assert plan["quotaSettings"] == {"limit": 10_000, "period": "DAY"}
    assert kept.of("aws:apigateway/usagePlanKey:UsagePlanKey")[0].secret_outputs == ("value",)


def test_every_route_of_the_websocket_api_leads_to_the_function_and_answers_where_it_can(kept: Registrations) -> None:
    routes = {found.inputs["routeKey"]: found for found in kept.of("aws:apigatewayv2/route:Route")}
    assert routes.keys() == {"$connect", "$disconnect", "$default", "ping", "subscribe", "unsubscribe"}
    assert {found.inputs["target"] for found in routes.values()} == {"integrations/analytics-websocket-api-id"}
    answered = {found.inputs["routeId"] for found in kept.of("aws:apigatewayv2/routeResponse:RouteResponse")}
    assert answered == {f"{found.name}-id" for key, found in routes.items()
                        if "routeResponseSelectionExpression" in found.inputs}
    assert {key for key, found in routes.items() if f"{found.name}-id" not in answered} == {"$connect", "$disconnect"}


def test_the_websocket_api_is_deployed_after_its_routes_logged_and_throttled(kept: Registrations) -> None:
    deployment = kept.of("aws:apigatewayv2/deployment:Deployment")[0]
    assert {found.urn for kind in ("route:Route", "routeResponse:RouteResponse")
            for found in kept.of(f"aws:apigatewayv2/{kind}")} <= set(deployment.dependencies)
    stage = kept.of("aws:apigatewayv2/stage:Stage")[0].inputs
    assert stage["defaultRouteSettings"] == {
        "loggingLevel": "ERROR", "dataTraceEnabled": False, "detailedMetricsEnabled": True,
        "throttlingRateLimit": 200, "throttlingBurstLimit": 400}
    assert "connectionId" in json.loads(stage["accessLogSettings"]["format"])
    domain = kept.of("aws:apigatewayv2/domainName:DomainName")[0].inputs
    assert (domain["domainName"], domain["domainNameConfiguration"]["securityPolicy"]) == ("ws.site.test", "TLS_1_2")


def test_the_stream_is_read_in_batches_that_fail_in_part_and_lose_nothing(kept: Registrations) -> None:
    mapping = kept.of("aws:lambda/eventSourceMapping:EventSourceMapping")[0].inputs
    assert mapping["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["bisectBatchOnFunctionError"] is True
    failed = mapping["destinationConfig"]["onFailure"]["destinationArn"]
    assert failed.endswith("analytics-publisher-function-dead-letters")
    assert json.loads(mapping["filterCriteria"]["filters"][0]["pattern"]) == {"eventName": ["INSERT"]}
    variables = kept.one(FUNCTION, "analytics-publisher-function-function").inputs["environment"]["variables"]
    assert variables["WEBSOCKET_ENDPOINT"] == "https://sockets.test/live"


def test_the_experiments_are_told_to_those_who_need_them(kept: Registrations) -> None:
    told = {found.inputs["name"] for found in kept.of(FUNCTION)
            if "EXPERIMENTS" in found.inputs["environment"]["variables"]}
    assert told == {f"{PREFIX}-analytics-processor", f"{PREFIX}-experiments"}


def test_what_is_left_of_an_erasure_is_done_by_the_clock(kept: Registrations) -> None:
    schedule = kept.of("aws:scheduler/schedule:Schedule")[0].inputs
    assert (schedule["scheduleExpression"], json.loads(schedule["target"]["input"])) == (
        "rate(1 hour)", {"action": "resume-erasures"})
    assert "visitor-memory" in schedule["target"]["arn"]
