"""Calls of emulated APIs through the gateway: without a signature, in any account, over HTTP and WebSocket."""

from __future__ import annotations

import asyncio
import io
import json
import urllib.request
import zipfile
from typing import Any

import aiohttp
import pytest

pytestmark = pytest.mark.rehearsal

ECHO = """
def handler(event, context):
    return {"statusCode": 200, "body": context.invoked_function_arn}
"""


@pytest.fixture
def function(aws: Any) -> str:
    """The ARN of a Lambda function that answers with its own ARN, in a region that is not the default."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("echo.py", ECHO)
    aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    made = aws.client("lambda", region="us-west-2").create_function(
        FunctionName="echo", Runtime="python3.13", Role=f"arn:aws:iam::{aws.account}:role/r", Handler="echo.handler",
        Code={"ZipFile": code.getvalue()}, Timeout=20)
    return str(made["FunctionArn"])


def test_an_unsigned_call_reaches_the_api_of_the_account_that_made_it(aws: Any, function: str) -> None:
    apis = aws.client("apigatewayv2", region="us-west-2")
    api = apis.create_api(Name="http", ProtocolType="HTTP")["ApiId"]
    target = apis.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=function,
                                     PayloadFormatVersion="2.0")["IntegrationId"]
    apis.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{target}")
    apis.create_stage(ApiId=api, StageName="live", AutoDeploy=True)
    port = aws.endpoint.port
    for path, host in ((f"/_aws/execute-api/{api}/live/x", f"127.0.0.1:{port}"),
                       ("/live/x", f"{api}.execute-api.us-west-2.localhost:{port}")):
        request = urllib.request.Request(f"{aws.endpoint.url}{path}", headers={"Host": host})
        with urllib.request.urlopen(request, timeout=30) as response:
            assert response.read().decode() == function


def test_a_websocket_is_relayed_to_the_function_and_back(aws: Any, function: str) -> None:
    apis = aws.client("apigatewayv2", region="us-west-2")
    api = apis.create_api(Name="ws", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")["ApiId"]
    target = apis.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=function)["IntegrationId"]
    for key in ("$connect", "$default"):
        apis.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{target}",
                          **({"RouteResponseSelectionExpression": "$default"} if key == "$default" else {}))
    apis.create_stage(ApiId=api, StageName="live", AutoDeploy=True)

    async def talk() -> str:
        async with (aiohttp.ClientSession() as session,
                    session.ws_connect(f"{aws.endpoint.url}/_aws/execute-api/{api}/live") as socket):
            await socket.send_str(json.dumps({"action": "ping"}))
            return str((await asyncio.wait_for(socket.receive(), 20)).data)

    assert function in asyncio.run(talk())
