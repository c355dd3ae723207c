"""A deployed WebSocket API of one function."""

from __future__ import annotations

from typing import Any


def websocket_api(aws: Any, function: str) -> str:
    """Where it answers. function: the ARN of what gets `$connect` and every message."""
    apis = aws.client("apigatewayv2")
    api = apis.create_api(Name="ws", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")["ApiId"]
    target = apis.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=function)["IntegrationId"]
    for key in ("$connect", "$default"):
        apis.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{target}")
    apis.create_stage(ApiId=api, StageName="live", AutoDeploy=True)
    return f"{aws.endpoint.url}/_aws/execute-api/{api}/live"
