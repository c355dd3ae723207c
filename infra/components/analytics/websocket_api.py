"""The WebSocket API of the live metrics (F4)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.analytics.custom_domain import AliasTarget, CustomDomain
from infra.components.base import Component
from infra.components.function import Function
from infra.settings.analytics import Analytics as AnalyticsSettings

STAGE = "live"
TIMEOUT_MILLISECONDS = 29_000  # the most that an integration may take (API Gateway quotas)
# Key → part of the logical name. A message's `action` chooses the route.
ROUTES = {"$connect": "connect", "$disconnect": "disconnect", "$default": "default", "ping": "ping",
          "subscribe": "subscribe", "unsubscribe": "unsubscribe"}
ONE_WAY = ("$connect", "$disconnect")  # nobody could be answered
ACCESS_LOG = {name: f"$context.{name}" for name in (
    "requestId", "extendedRequestId", "requestTime", "eventType", "routeKey", "connectionId", "status")} | {
    "integrationStatus": "$context.integration.status", "integrationLatency": "$context.integrationLatency",
    "error": "$context.error.responseType"}


@dataclass(frozen=True)
class WebSocketApiArgs:
    """name: `{environment}-candlefish-stream`.
    function: answers all routes.
    logging: what gives API Gateway its role for logs; None where another stack of the account has done it.
    """

    name: str
    function: Function
    domain: CustomDomain
    settings: AnalyticsSettings
    logs_key_arn: pulumi.Input[str]
    log_retention_days: int
    logging: pulumi.Resource | None = None


class WebSocketApi(Component):
    """Answers are what the function returns: the routes have a route response, and no message costs a second call.

    API Gateway ends a connection after 10 minutes without a message and after 2 hours in any case (quotas); browsers
    send a ping every 5 minutes and connect again.
    """

    module = "analytics"

    api_id: pulumi.Output[str]  # the dimension ApiId of its metrics
    stage_name: pulumi.Output[str]
    callback_url: pulumi.Output[str]  # where messages to connections are posted
    connections_arn: pulumi.Output[str]  # of all connections, for whoever posts to them
    alias: AliasTarget
    url: pulumi.Output[str]  # of the stage, which answers beside the domain

    def __init__(self, name: str, args: WebSocketApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        api = aws.apigatewayv2.Api(
            name, name=args.name, description="Live metrics for subscribers", protocol_type="WEBSOCKET",
            route_selection_expression="$request.body.action", opts=self.child())
        integration = aws.apigatewayv2.Integration(
            name, api_id=api.id, integration_type="AWS_PROXY", integration_uri=args.function.invoke_arn,
            integration_method="POST", timeout_milliseconds=TIMEOUT_MILLISECONDS, opts=self.child())
        target = pulumi.Output.concat("integrations/", integration.id)
        made = [id for key, part in ROUTES.items() for id in self._route(f"{name}-{part}", key, api, target)]
        access = self._log_group(f"{name}-access", f"/aws/apigateway/{args.name}", args)
        executions = self._log_group(  # API Gateway writes to this name, and would make an open group of it
            f"{name}-executions", api.id.apply(lambda id: f"/aws/apigateway/{id}/{STAGE}"), args)
        # Waits for all routes, and is made anew when one of them or the function behind them changes.
        deployment = aws.apigatewayv2.Deployment(name, api_id=api.id, opts=self.child(), triggers={
            "definition": pulumi.Output.all(args.function.invoke_arn, integration.id, *made).apply(
                lambda ids: hashlib.sha256(json.dumps([ROUTES, ids]).encode()).hexdigest())})
        stage = aws.apigatewayv2.Stage(
            name, api_id=api.id, name=STAGE, deployment_id=deployment.id,
            access_log_settings={"destination_arn": access.arn, "format": json.dumps(ACCESS_LOG)},
            default_route_settings={
                "logging_level": "ERROR", "data_trace_enabled": False, "detailed_metrics_enabled": True,
                "throttling_rate_limit": args.settings.messages_per_second,
                "throttling_burst_limit": args.settings.message_burst},
            opts=self.child(depends_on=[executions, *([args.logging] if args.logging else [])]))
        args.function.invoked_by("websocket-api", "apigateway.amazonaws.com",
                                 pulumi.Output.concat(api.execution_arn, "/", STAGE, "/*"))

        self.api_id, self.stage_name = api.id, stage.name
        self.callback_url = stage.invoke_url.apply(lambda url: url.replace("wss://", "https://", 1))
        self.connections_arn = pulumi.Output.concat(stage.execution_arn, "/POST/@connections/*")
        self.url = stage.invoke_url
        self.alias = self._named(name, args.domain, api, stage)
        self.register_outputs({"apiId": self.api_id, "stageName": self.stage_name, "callbackUrl": self.callback_url})

    def _named(self, name: str, domain: CustomDomain, api: aws.apigatewayv2.Api,
               stage: aws.apigatewayv2.Stage) -> AliasTarget:
        made = aws.apigatewayv2.DomainName(
            name, domain_name=domain.name, opts=self.child(), domain_name_configuration={
                "certificate_arn": domain.certificate_arn, "endpoint_type": "REGIONAL", "security_policy": "TLS_1_2"})
        aws.apigatewayv2.ApiMapping(name, api_id=api.id, domain_name=made.id, stage=stage.id, opts=self.child())
        shown = made.domain_name_configuration
        return AliasTarget(shown.apply(lambda found: str(found.target_domain_name)),
                           shown.apply(lambda found: str(found.hosted_zone_id)))

    def _route(self, name: str, key: str, api: aws.apigatewayv2.Api,
               target: pulumi.Output[str]) -> list[pulumi.Output[str]]:
        """The ids of the route and of its response."""
        answered = key not in ONE_WAY
        route = aws.apigatewayv2.Route(
            name, api_id=api.id, route_key=key, target=target, authorization_type="NONE",
            route_response_selection_expression="$default" if answered else None, opts=self.child())
        if not answered:
            return [route.id]
        response = aws.apigatewayv2.RouteResponse(
            name, api_id=api.id, route_id=route.id, route_response_key="$default", opts=self.child())
        return [route.id, response.id]

    def _log_group(self, name: str, physical: pulumi.Input[str], args: WebSocketApiArgs) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(name, name=physical, kms_key_id=args.logs_key_arn,
                                       retention_in_days=args.log_retention_days, opts=self.child())
