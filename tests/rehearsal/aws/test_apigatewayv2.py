"""WebSocket APIs through the provider, on the embedded AWS."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Archive, Asset
from tests.rehearsal.aws.lifecycles import Inputs, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

MODULE = "aws:apigatewayv2/"
API, STAGE, ROUTE = f"{MODULE}api:Api", f"{MODULE}stage:Stage", f"{MODULE}route:Route"
INTEGRATION, RESPONSE = f"{MODULE}integration:Integration", f"{MODULE}routeResponse:RouteResponse"
DEPLOYMENT, DOMAIN = f"{MODULE}deployment:Deployment", f"{MODULE}domainName:DomainName"
MAPPING = f"{MODULE}apiMapping:ApiMapping"
SOCKETS: Inputs = {"name": "sockets", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action"}
ECHO = 'def handle(event, context):\n    return {"statusCode": 200, "body": event["requestContext"]["routeKey"]}\n'


def _deployed(aws: Any, uri: str) -> tuple[str, str, str]:
    """An API with two routes that a function answers: its id, the integration's and the deployment's."""
    api, _ = made(aws, API, SOCKETS)
    integration, _ = made(aws, INTEGRATION, {"apiId": api, "integrationType": "AWS_PROXY", "integrationUri": uri})
    for key in ("$connect", "ping"):
        answers = {} if key == "$connect" else {"routeResponseSelectionExpression": "$default"}
        route, _ = made(aws, ROUTE, {"apiId": api, "routeKey": key, "target": f"integrations/{integration}", **answers})
        if answers:
            made(aws, RESPONSE, {"apiId": api, "routeId": route, "routeResponseKey": "$default"})
    deployment, _ = made(aws, DEPLOYMENT, {"apiId": api, "triggers": {"a": "1"}})
    return api, integration, deployment


def _uri(aws: Any) -> str:
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:{aws.account}:" \
           "function:echo/invocations"


def test_a_message_is_answered_by_the_function_of_its_route(aws: Any) -> None:
    place = world(aws)
    _, function = made(aws, "aws:lambda/function:Function", {
        "name": "echo", "role": place.role, "runtime": "python3.13", "handler": "main.handle", "timeout": 10,
        "code": Archive(assets={"main.py": Asset(text=ECHO, hash="echo")})})
    api, _, deployment = _deployed(aws, function["invokeArn"])
    made(aws, STAGE, {"apiId": api, "name": "live", "deploymentId": deployment})

    async def talk() -> str:
        async with (aiohttp.ClientSession() as session,
                    session.ws_connect(f"{aws.endpoint.url}/_aws/execute-api/{api}/live") as socket):
            await socket.send_str(json.dumps({"action": "ping"}))
            return str((await asyncio.wait_for(socket.receive(), 20)).data)

    assert asyncio.run(talk()) == "ping"


def test_an_api_changes_in_every_way(aws: Any) -> None:
    outputs = lives(aws, API, {**SOCKETS, "description": "d"}, {"description": "e"}, {"description": None},
                    {"name": "other"}, {"disableExecuteApiEndpoint": True}, {"version": "2"})
    assert outputs["apiEndpoint"].startswith("wss://")
    refused(aws, API, {**SOCKETS, "protocolType": "MQTT"}, "HTTP or WEBSOCKET")
    refused(aws, API, {"name": "x", "protocolType": "WEBSOCKET"}, "routeSelectionExpression")


def test_routes_integrations_and_their_answers(aws: Any) -> None:
    api, integration, _ = _deployed(aws, _uri(aws))
    lives(aws, INTEGRATION, {"apiId": api, "integrationType": "AWS_PROXY", "integrationUri": _uri(aws)},
          {"timeoutMilliseconds": 1000}, {"description": "d"}, imports=lambda id: f"{api}/{id}")
    refused(aws, INTEGRATION, {"apiId": api, "integrationType": "LAMBDA"}, "none of AWS")
    refused(aws, INTEGRATION, {"apiId": api, "integrationType": "AWS_PROXY", "integrationUri": "x"}, "no ARN")
    route = {"apiId": api, "routeKey": "subscribe", "target": f"integrations/{integration}"}
    lives(aws, ROUTE, route, {"routeResponseSelectionExpression": "$default"},
          {"routeResponseSelectionExpression": None}, {"operationName": "o"}, imports=lambda id: f"{api}/{id}")
    refused(aws, ROUTE, {**route, "target": "integrations/none"}, "`target`.*not exist")
    refused(aws, ROUTE, {**route, "routeKey": "ping"}, "already exists")
    id, _ = made(aws, ROUTE, route)
    lives(aws, RESPONSE, {"apiId": api, "routeId": id, "routeResponseKey": "$default"},
          imports=lambda response: f"{api}/{id}/{response}")


def test_stages_and_deployments(aws: Any) -> None:
    place = world(aws)
    api, _, deployment = _deployed(aws, _uri(aws))
    group = f"arn:aws:logs:us-east-1:{aws.account}:log-group:{place.log_group}"
    logs = {"accessLogSettings": {"destinationArn": group, "format": "$context.requestId"}}
    stage: Inputs = {"apiId": api, "name": "live", "deploymentId": deployment, **logs, "defaultRouteSettings": {
        "loggingLevel": "ERROR", "detailedMetricsEnabled": True, "dataTraceEnabled": False,
        "throttlingRateLimit": 10, "throttlingBurstLimit": 20}}
    refused(aws, STAGE, stage, "CloudWatch Logs role ARN must be set")
    made(aws, "aws:apigateway/account:Account", {"cloudwatchRoleArn": place.role})
    lives(aws, STAGE, stage, {"description": "d"}, {"stageVariables": {"a": "1"}}, {"accessLogSettings": None},
          {"routeSettings": [{"routeKey": "ping", "throttlingRateLimit": 5, "throttlingBurstLimit": 5}]},
          {"defaultRouteSettings": {**stage["defaultRouteSettings"], "loggingLevel": "INFO"}},
          imports=lambda id: f"{api}/{id}")
    refused(aws, STAGE, {**stage, "deploymentId": "none"}, "`deploymentId`.*not exist")
    refused(aws, STAGE, {**stage, "defaultRouteSettings": {"loggingLevel": "ALL"}}, "ERROR or INFO")
    made(aws, STAGE, stage)
    lives(aws, DEPLOYMENT, {"apiId": api, "description": "d"}, imports=lambda id: f"{api}/{id}")
    with pytest.raises(ProviderError, match="Active stages"):
        aws.provider.delete(aws.context(DEPLOYMENT), deployment, {"apiId": api}, {"apiId": api})
    empty, _ = made(aws, API, {**SOCKETS, "name": "empty"})
    refused(aws, DEPLOYMENT, {"apiId": empty}, "At least one route")


def test_domains_lead_to_stages(aws: Any) -> None:
    api, _, deployment = _deployed(aws, _uri(aws))
    made(aws, STAGE, {"apiId": api, "name": "live", "deploymentId": deployment})
    made(aws, STAGE, {"apiId": api, "name": "next", "deploymentId": deployment})
    certificates = [aws.client("acm").request_certificate(DomainName="ws.test")["CertificateArn"] for _ in range(2)]
    configuration = {"certificateArn": certificates[0], "endpointType": "REGIONAL", "securityPolicy": "TLS_1_2"}
    domain: Inputs = {"domainName": "ws.test", "domainNameConfiguration": configuration}
    outputs = lives(aws, DOMAIN, domain, {"domainNameConfiguration": {
        **configuration, "certificateArn": certificates[1]}})
    assert outputs["domainNameConfiguration"]["targetDomainName"].endswith(".execute-api.us-east-1.amazonaws.com")
    refused(aws, DOMAIN, {**domain, "domainNameConfiguration": {**configuration, "securityPolicy": "TLS_1_0"}},
            "REGIONAL with TLS_1_2")
    made(aws, DOMAIN, domain)
    mapping = {"apiId": api, "domainName": "ws.test", "stage": "live"}
    lives(aws, MAPPING, mapping, {"stage": "next"}, {"apiMappingKey": "v1"}, imports=lambda id: f"{id}/ws.test")
    refused(aws, MAPPING, {**mapping, "stage": "none"}, "stage")
