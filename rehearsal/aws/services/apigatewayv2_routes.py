"""Routes of WebSocket and HTTP APIs, what answers them and how. API Gateway v2, by MiniStack."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services import _claims
from rehearsal.aws.services._convert import found, refused, unless
from rehearsal.aws.services.apigatewayv2 import GONE, NAMES, api, sent
from rehearsal.engine.values import Properties

_TYPES = ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK")


@resource
class Integration(Handler):
    type = "aws:apigatewayv2/integration:Integration"
    tags_property = None
    defaults: ClassVar = {"connectionType": "INTERNET", "passthroughBehavior": "WHEN_NO_MATCH",
                          "payloadFormatVersion": "1.0"}
    kept = ("passthroughBehavior", "connectionId", "credentialsArn", "integrationSubtype", "responseParameters",
            "templateSelectionExpression", "tlsConfig")
    _sent = ("integrationType", "integrationUri", "integrationMethod", "connectionType", "contentHandlingStrategy",
             "description", "payloadFormatVersion", "requestParameters", "requestTemplates", "timeoutMilliseconds")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield api("apiId", inputs["apiId"])

    def create(self, call: Call, inputs: Properties) -> str:
        _check(inputs)
        client = call.client("apigatewayv2")
        return str(client.create_integration(ApiId=inputs["apiId"], **sent(
            client, "CreateIntegration", {**self.defaults, **inputs}, self._sent))["IntegrationId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        owner, _, integration = id.rpartition("/")
        owner = owner or known["apiId"]
        client = call.client("apigatewayv2")
        got = found(lambda: client.get_integration(ApiId=owner, IntegrationId=integration), GONE)
        if got is None:
            return None
        shape = client.meta.service_model.operation_model("GetIntegration").output_shape
        shown: Properties = NAMES.response(shape, got)
        return {"apiId": owner, **{name: shown[name] for name in self._sent if shown.get(name) not in (None, "", {})},
                "timeoutMilliseconds": got.get("TimeoutInMillis")}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        _check(new)
        client = call.client("apigatewayv2")
        request = sent(client, "UpdateIntegration", {"description": "", **new},
                       [name for name in self._sent if name in changed])
        if request:
            client.update_integration(ApiId=new["apiId"], IntegrationId=id, **request)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigatewayv2").delete_integration(ApiId=known["apiId"], IntegrationId=id)


def _check(inputs: Properties) -> None:
    kind, wait = inputs["integrationType"], inputs.get("timeoutMilliseconds")
    if kind not in _TYPES:
        raise refused("BadRequestException", f"integrationType {kind} is none of {', '.join(_TYPES)}",
                      "CreateIntegration")
    if kind.startswith("AWS") and not re.match(r"arn:aws:(apigateway|lambda):", str(inputs.get("integrationUri"))):
        raise refused("BadRequestException", f"integrationUri {inputs.get('integrationUri')} is no ARN of a function",
                      "CreateIntegration")
    if wait is not None and not 50 <= wait <= 30_000:
        raise refused("BadRequestException", f"timeoutMilliseconds is 50 to 30000, not {wait}", "CreateIntegration")


@resource
class Route(Handler):
    type = "aws:apigatewayv2/route:Route"
    tags_property = None
    defaults: ClassVar = {"apiKeyRequired": False, "authorizationType": "NONE"}
    kept = ("authorizationScopes", "authorizerId", "modelSelectionExpression", "requestModels", "requestParameters")
    _sent = ("routeKey", "target", "authorizationType", "apiKeyRequired", "operationName",
             "routeResponseSelectionExpression")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        owner, target = inputs["apiId"], str(inputs.get("target") or "")
        yield api("apiId", owner)
        if target:
            yield Reference("target", target, lambda call: target.startswith("integrations/") and found(
                lambda: call.client("apigatewayv2").get_integration(
                    ApiId=owner, IntegrationId=target.removeprefix("integrations/")), GONE) is not None)

    def create(self, call: Call, inputs: Properties) -> str:
        client = call.client("apigatewayv2")
        if _claims.is_taken(call, f"{inputs['apiId']} {inputs['routeKey']}", lambda: any(
                each["RouteKey"] == inputs["routeKey"] for each in client.get_routes(ApiId=inputs["apiId"])["Items"])):
            raise refused("ConflictException", f"Route with key {inputs['routeKey']} already exists for this API",
                          "CreateRoute", 409)
        return str(client.create_route(ApiId=inputs["apiId"], **sent(
            client, "CreateRoute", inputs, self._sent))["RouteId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        owner, _, route = id.rpartition("/")
        owner = owner or known["apiId"]
        client = call.client("apigatewayv2")
        got = found(lambda: client.get_route(ApiId=owner, RouteId=route), GONE)
        if got is None:
            return None
        shown: Properties = NAMES.response(client.meta.service_model.operation_model("GetRoute").output_shape, got)
        return {"apiId": owner, **{name: shown[name] for name in self._sent if shown.get(name) not in (None, "")}}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("apigatewayv2")
        empty = {"operationName": "", "routeResponseSelectionExpression": "", "target": "", **self.defaults}
        client.update_route(ApiId=new["apiId"], RouteId=id, **sent(
            client, "UpdateRoute", {**empty, **new}, [name for name in self._sent if name in changed]))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigatewayv2").delete_route(ApiId=known["apiId"], RouteId=id)


@resource
class RouteResponse(Handler):
    type = "aws:apigatewayv2/routeResponse:RouteResponse"
    tags_property = None
    kept = ("modelSelectionExpression", "responseModels")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        owner, route = inputs["apiId"], inputs["routeId"]
        yield Reference("routeId", route, lambda call: found(
            lambda: call.client("apigatewayv2").get_route(ApiId=owner, RouteId=route), GONE) is not None)

    def create(self, call: Call, inputs: Properties) -> str:
        return str(call.client("apigatewayv2").create_route_response(
            ApiId=inputs["apiId"], RouteId=inputs["routeId"],
            RouteResponseKey=inputs["routeResponseKey"])["RouteResponseId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        owner, route, response = id.split("/") if "/" in id else (known["apiId"], known["routeId"], id)
        got = found(lambda: call.client("apigatewayv2").get_route_response(
            ApiId=owner, RouteId=route, RouteResponseId=response), GONE)
        return None if got is None else {"apiId": owner, "routeId": route, "routeResponseKey": got["RouteResponseKey"]}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        call.client("apigatewayv2").update_route_response(
            ApiId=new["apiId"], RouteId=new["routeId"], RouteResponseId=id, RouteResponseKey=new["routeResponseKey"])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigatewayv2").delete_route_response(
                ApiId=known["apiId"], RouteId=known["routeId"], RouteResponseId=id)
