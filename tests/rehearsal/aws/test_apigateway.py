"""REST APIs through the provider, on the embedded AWS."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycles import Inputs, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

API = "aws:apigateway/restApi:RestApi"
DEPLOYMENT = "aws:apigateway/deployment:Deployment"
STAGE = "aws:apigateway/stage:Stage"
SETTINGS = "aws:apigateway/methodSettings:MethodSettings"
ACCOUNT = "aws:apigateway/account:Account"
ORIGIN = "https://site.test"


def _mock(word: str = "ok", **operation: Any) -> Inputs:
    headers = {"Access-Control-Allow-Origin": {"schema": {"type": "string"}}}
    return {"responses": {"200": {"description": "d", "headers": headers}},
            "x-amazon-apigateway-integration": {
                "type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
                "responses": {"default": {
                    "statusCode": "200", "responseTemplates": {"application/json": json.dumps({"status": word})},
                    "responseParameters": {
                        "method.response.header.Access-Control-Allow-Origin": f"'{ORIGIN}'"}}}}, **operation}


def _definition(**more: Any) -> str:
    batch = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Batch"}}}}
    document = {
        "openapi": "3.0.1", "info": {"title": "t", "version": "1"},
        "paths": {"/health": {"get": _mock()}, "/a/{id}": {"post": _mock(requestBody=batch)},
                  "/keyed": {"get": _mock(security=[{"key": []}])}},
        "components": {
            "schemas": {"Batch": {"type": "object", "required": ["events"], "properties": {
                "events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}}}},
                "Event": {"type": "object", "required": ["id"]}},
            "securitySchemes": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}},
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}},
        "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-gateway-responses": {"DEFAULT_4XX": {"responseParameters": {
            "gatewayresponse.header.Access-Control-Allow-Origin": f"'{ORIGIN}'"}}}, **more}
    return json.dumps(document)


def _api(**more: Any) -> Inputs:
    return {"name": "api", "body": _definition(), "endpointConfiguration": {"types": "REGIONAL"}, **more}


def _call(aws: Any, api: str, path: str, body: Any = None, method: str | None = None,
          **headers: str) -> tuple[int, Any, Any]:
    request = urllib.request.Request(
        f"{aws.endpoint.url}/_aws/execute-api/{api}/live{path}", method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null"), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null"), error.headers


def _live(aws: Any) -> tuple[str, str]:
    api, _ = made(aws, API, _api())
    deployment, _ = made(aws, DEPLOYMENT, {"restApi": api, "triggers": {"definition": "1"}})
    made(aws, STAGE, {"restApi": api, "stageName": "live", "deployment": deployment})
    return api, deployment


def test_an_imported_api_answers_validates_and_says_whose_site_may_call_it(aws: Any) -> None:
    api, _ = _live(aws)
    status, body, headers = _call(aws, api, "/health")
    assert (status, body, headers["Access-Control-Allow-Origin"]) == (200, {"status": "ok"}, ORIGIN)
    assert _call(aws, api, "/a/1", {"events": [{"id": "x"}]})[0] == 200
    for wrong in ({}, {"events": [{}]}):
        status, body, headers = _call(aws, api, "/a/1", wrong)
        assert (status, headers["Access-Control-Allow-Origin"]) == (400, ORIGIN), body
    assert _call(aws, api, "/keyed")[0] == 403


def test_a_key_of_the_usage_plan_opens_what_needs_one(aws: Any) -> None:
    api, _ = _live(aws)
    key, outputs = made(aws, "aws:apigateway/apiKey:ApiKey", {"name": "k"})
    plan, _ = made(aws, "aws:apigateway/usagePlan:UsagePlan", {
        "name": "p", "apiStages": [{"apiId": api, "stage": "live"}]})
    member = "aws:apigateway/usagePlanKey:UsagePlanKey"
    made(aws, member, {"keyId": key, "keyType": "API_KEY", "usagePlanId": plan})
    assert _call(aws, api, "/keyed", **{"x-api-key": outputs["value"]})[0] == 200
    refused(aws, member, {"keyId": "none", "keyType": "API_KEY", "usagePlanId": plan}, "`keyId`.*not exist")


def test_a_new_definition_replaces_the_old_one(aws: Any) -> None:
    api, _ = _live(aws)
    first = {**_api(), "body": _definition()}
    body = _definition(paths={"/other": {"get": _mock("new")}})
    aws.provider.update(aws.context(API), api, first, first, {**first, "body": body}, ())
    assert _call(aws, api, "/other")[1] == {"status": "new"}
    assert _call(aws, api, "/health")[0] == 403


def test_a_rest_api_changes_in_every_way(aws: Any) -> None:
    outputs = lives(aws, API, _api(description="d"), {"description": "e"}, {"disableExecuteApiEndpoint": True},
                    {"minimumCompressionSize": "1024"}, {"body": _definition(paths={"/b": {"get": _mock()}})})
    assert outputs["executionArn"].startswith(f"arn:aws:execute-api:us-east-1:{aws.account}:")


@pytest.mark.parametrize(("wrong", "message"), [
    ({"openapi": "2.0"}, "OpenAPI 3"),
    ({"paths": {"/x": {"get": {}}}}, "GET /x: no x-amazon-apigateway-integration"),
    ({"paths": {"/x{id}": {"get": _mock()}}}, "segment"),
    ({"paths": {"/x": {"get": _mock(requestBody={"$ref": "#/components/schemas/No"})}}}, "no schema"),
    ({"paths": {"/x": {"get": {**_mock(), "responses": {}}}}}, "Invalid mapping expression"),
    ({"x-amazon-apigateway-request-validator": "none"}, "'none' is not defined"),
    ({"paths": {"/x": {"get": {"x-amazon-apigateway-integration": {
        "type": "aws_proxy", "httpMethod": "POST", "uri": "arn:aws:lambda:us-east-1:1:function:f"}}}}}, "no ARN with"),
    ({"x-amazon-apigateway-gateway-responses": {"NO": {}}}, "NO"),
])
def test_a_definition_that_api_gateway_refuses_is_refused(aws: Any, wrong: Inputs, message: str) -> None:
    refused(aws, API, _api(body=_definition(**wrong)), message)


def test_deployments_stages_and_their_settings(aws: Any) -> None:
    place = world(aws)
    api, deployment = _live(aws)
    group = f"arn:aws:logs:us-east-1:{aws.account}:log-group:{place.log_group}"
    stage: Inputs = {"restApi": api, "stageName": "two", "deployment": deployment, "xrayTracingEnabled": True,
                     "accessLogSettings": {"destinationArn": group, "format": "$context.requestId"}}
    settings: Inputs = {"restApi": api, "stageName": "live", "methodPath": "*/*", "settings": {
        "metricsEnabled": True, "loggingLevel": "ERROR", "dataTraceEnabled": False, "throttlingRateLimit": 100,
        "throttlingBurstLimit": 200}}
    refused(aws, STAGE, stage, "CloudWatch Logs role ARN must be set")
    refused(aws, SETTINGS, settings, "CloudWatch Logs role ARN must be set")
    lives(aws, ACCOUNT, {"cloudwatchRoleArn": place.role}, stays=True)
    lives(aws, STAGE, stage, {"description": "d"}, {"xrayTracingEnabled": False}, {"variables": {"a": "1"}},
          {"variables": {"b": "2"}}, {"accessLogSettings": None},
          imports=lambda id: f"{api}/two")
    refused(aws, STAGE, {**stage, "accessLogSettings": {"destinationArn": group, "format": "x"}}, "requestId")
    refused(aws, STAGE, {**stage, "deployment": "none"}, "`deployment`.*not exist")
    lives(aws, SETTINGS, settings, {"settings": {**settings["settings"], "throttlingRateLimit": 50}},
          imports=lambda id: f"{api}/live/*/*")
    lives(aws, DEPLOYMENT, {"restApi": api, "description": "d"}, {"description": "e"},
          imports=lambda id: f"{api}/{id}")
    with pytest.raises(ProviderError, match="Active stages"):
        aws.provider.delete(aws.context(DEPLOYMENT), deployment, {"restApi": api}, {"restApi": api})


def test_keys_plans_and_domains(aws: Any) -> None:
    api, _ = _live(aws)
    key = "aws:apigateway/apiKey:ApiKey"
    lives(aws, key, {"name": "k", "value": "a" * 20}, {"enabled": False}, {"description": "d"})
    refused(aws, key, {"name": "k", "value": "short"}, "20 to 128")
    plan = "aws:apigateway/usagePlan:UsagePlan"
    quota = {"limit": 10, "offset": 0, "period": "DAY"}
    lives(aws, plan, {"name": "p", "apiStages": [{"apiId": api, "stage": "live"}], "quotaSettings": quota,
                      "throttleSettings": {"rateLimit": 5, "burstLimit": 10}},
          {"quotaSettings": {**quota, "limit": 20}}, {"throttleSettings": None}, {"description": "d"})
    refused(aws, plan, {"name": "p", "quotaSettings": {**quota, "period": "YEAR"}}, "DAY, WEEK, MONTH")
    refused(aws, plan, {"name": "p", "apiStages": [{"apiId": api, "stage": "no"}]}, "stage.*not exist")
    domain, mapping = "aws:apigateway/domainName:DomainName", "aws:apigateway/basePathMapping:BasePathMapping"
    wanted: Inputs = {"domainName": "a.test", "endpointConfiguration": {"types": "REGIONAL"},
                      "securityPolicy": "TLS_1_2"}
    refused(aws, domain, {**wanted, "regionalCertificateArn": "arn:aws:acm:us-east-1:1:certificate/no"}, "not exist")
    refused(aws, domain, wanted, "regionalCertificateArn")
    certificate = aws.client("acm").request_certificate(DomainName="a.test")["CertificateArn"]
    wanted["regionalCertificateArn"] = certificate
    lives(aws, domain, wanted)
    made(aws, domain, wanted)
    lives(aws, mapping, {"domainName": "a.test", "restApi": api, "stageName": "live"}, {"stageName": None})
    refused(aws, mapping, {"domainName": "b.test", "restApi": api}, "`domainName`.*not exist")
