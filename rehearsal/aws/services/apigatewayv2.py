"""WebSocket and HTTP APIs, their stages and domains: API Gateway v2, by MiniStack. Routes: `apigatewayv2_routes`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import Names, found, input_shape, refused, retag, unless
from rehearsal.aws.services.acm import certificate
from rehearsal.aws.services.apigateway import arn
from rehearsal.aws.services.apigateway_stages import needs_logging_role
from rehearsal.engine.values import Properties

GONE = "NotFoundException"
NAMES = Names({"timeoutMilliseconds": "TimeoutInMillis", "CreateStageRequest.name": "StageName"})


def api(property: str, value: str) -> Reference:
    return Reference(property, value, lambda call: found(
        lambda: call.client("apigatewayv2").get_api(ApiId=value), GONE) is not None)


def sent(client: Any, operation: str, inputs: Properties, names: Iterable[str]) -> dict[str, Any]:
    """Parameters of the operation for the properties that are given."""
    chosen = {name: inputs[name] for name in names if inputs.get(name) is not None}
    request: dict[str, Any] = NAMES.request(input_shape(client, operation), chosen)
    return request


def tag(call: Call, resource_arn: str, current: dict[str, str]) -> None:
    client = call.client("apigatewayv2")
    retag(call, current, lambda fresh: client.tag_resource(ResourceArn=resource_arn, Tags=fresh),
          lambda keys: client.untag_resource(ResourceArn=resource_arn, TagKeys=keys))


def tags(call: Call, resource_arn: str) -> dict[str, str]:
    found_tags: dict[str, str] = call.client("apigatewayv2").get_tags(ResourceArn=resource_arn).get("Tags") or {}
    return found_tags


@resource
class Api(Handler):
    type = "aws:apigatewayv2/api:Api"
    naming = Naming("name", maximum=128)
    defaults = {"apiKeySelectionExpression": "$request.header.x-api-key", "disableExecuteApiEndpoint": False}
    kept = ("body", "corsConfiguration", "credentialsArn", "failOnWarnings", "ipAddressType", "routeKey", "target")
    _sent = ("name", "description", "version", "routeSelectionExpression", "apiKeySelectionExpression",
             "disableExecuteApiEndpoint")

    def create(self, call: Call, inputs: Properties) -> str:
        _check_api(inputs)
        client = call.client("apigatewayv2")
        given = sent(client, "CreateApi", inputs, self._sent)
        return str(client.create_api(ProtocolType=inputs["protocolType"], Tags=call.tags, **given)["ApiId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        got = found(lambda: call.client("apigatewayv2").get_api(ApiId=id), GONE)
        if got is None:
            return None
        scheme = "wss" if got["ProtocolType"] == "WEBSOCKET" else "https"
        path = f"/apis/{id}"
        return {"name": got["Name"], "protocolType": got["ProtocolType"], "arn": arn(call, path),
                "executionArn": call.arn("execute-api", id),
                "apiEndpoint": f"{scheme}://{id}.execute-api.{call.region}.amazonaws.com",
                "routeSelectionExpression": got["RouteSelectionExpression"],
                "apiKeySelectionExpression": got["ApiKeySelectionExpression"],
                "disableExecuteApiEndpoint": got.get("DisableExecuteApiEndpoint", False),
                "description": got.get("Description") or None, "version": got.get("Version") or None,
                "tags": tags(call, arn(call, path))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        _check_api(new)
        client = call.client("apigatewayv2")
        request = sent(client, "UpdateApi", {**dict.fromkeys(("description", "version"), ""), **new},
                       [name for name in self._sent if name in changed])
        if request:
            client.update_api(ApiId=id, **request)
        if "tags" in changed:
            tag(call, arn(call, f"/apis/{id}"), tags(call, arn(call, f"/apis/{id}")))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigatewayv2").delete_api(ApiId=id)


def _check_api(inputs: Properties) -> None:
    if inputs["protocolType"] not in ("HTTP", "WEBSOCKET"):
        raise refused("BadRequestException", f"protocolType is HTTP or WEBSOCKET, not {inputs['protocolType']}",
                      "CreateApi")
    expression = inputs.get("routeSelectionExpression")
    if inputs["protocolType"] == "WEBSOCKET" and not str(expression or "").startswith("$request.body."):
        raise refused("BadRequestException", "a WebSocket API needs a routeSelectionExpression such as "
                      f"$request.body.action, not {expression!r}", "CreateApi")


@resource
class Deployment(Handler):
    type = "aws:apigatewayv2/deployment:Deployment"
    tags_property = None
    kept = ("triggers", "description")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield api("apiId", inputs["apiId"])

    def create(self, call: Call, inputs: Properties) -> str:
        client = call.client("apigatewayv2")
        if not client.get_routes(ApiId=inputs["apiId"])["Items"]:
            raise refused("BadRequestException", "At least one route is required before deploying the Api.",
                          "CreateDeployment")
        return str(client.create_deployment(ApiId=inputs["apiId"])["DeploymentId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        owner, _, deployment = id.rpartition("/")
        owner = owner or known["apiId"]
        got = found(lambda: call.client("apigatewayv2").get_deployment(ApiId=owner, DeploymentId=deployment), GONE)
        return None if got is None else {"apiId": owner, "autoDeployed": got.get("AutoDeployed", False)}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        """Only what is kept changes in place."""

    def delete(self, call: Call, id: str, known: Properties) -> None:
        client = call.client("apigatewayv2")
        stages = found(lambda: client.get_stages(ApiId=known["apiId"]), GONE) or {"Items": []}
        used = [each["StageName"] for each in stages["Items"] if each.get("DeploymentId") == id]
        if used:
            raise refused("BadRequestException", "Active stages pointing to this deployment must be moved or deleted: "
                          f"{', '.join(used)}", "DeleteDeployment")
        with unless(GONE):
            client.delete_deployment(ApiId=known["apiId"], DeploymentId=id)


_SETTINGS = ("dataTraceEnabled", "detailedMetricsEnabled", "loggingLevel", "throttlingBurstLimit",
             "throttlingRateLimit")


@resource
class Stage(Handler):
    """Id: the stage's name."""

    type = "aws:apigatewayv2/stage:Stage"
    defaults = {"autoDeploy": False}
    _sent = ("autoDeploy", "deploymentId", "description", "stageVariables", "accessLogSettings",
             "defaultRouteSettings")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        owner, deployment = inputs["apiId"], inputs.get("deploymentId")
        yield api("apiId", owner)
        if deployment:
            yield Reference("deploymentId", deployment, lambda call: found(lambda: call.client(
                "apigatewayv2").get_deployment(ApiId=owner, DeploymentId=deployment), GONE) is not None)
        target = (inputs.get("accessLogSettings") or {}).get("destinationArn", "")
        if ":logs:" in target:
            yield references.log_group("accessLogSettings.destinationArn", target)

    def create(self, call: Call, inputs: Properties) -> str:
        _check_stage(call, inputs)
        client = call.client("apigatewayv2")
        client.create_stage(ApiId=inputs["apiId"], StageName=inputs["name"], Tags=call.tags,
                            RouteSettings=_route_settings(client, inputs),
                            **sent(client, "CreateStage", inputs, self._sent))
        return str(inputs["name"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        owner, _, name = id.rpartition("/")
        owner = owner or known["apiId"]
        client = call.client("apigatewayv2")
        got = found(lambda: client.get_stage(ApiId=owner, StageName=name), GONE)
        if got is None:
            return None
        scheme = "wss" if client.get_api(ApiId=owner)["ProtocolType"] == "WEBSOCKET" else "https"
        path = f"/apis/{owner}/stages/{name}"
        shape = client.meta.service_model.shape_for("RouteSettings")
        routes = [{"routeKey": key, **NAMES.response(shape, each)}
                  for key, each in sorted((got.get("RouteSettings") or {}).items())]
        logs = got.get("AccessLogSettings") or {}
        return {"apiId": owner, "name": name, "arn": arn(call, path),
                "executionArn": call.arn("execute-api", f"{owner}/{name}"),
                "invokeUrl": f"{scheme}://{owner}.execute-api.{call.region}.amazonaws.com/{name}",
                "autoDeploy": got.get("AutoDeploy", False), "deploymentId": got.get("DeploymentId"),
                "description": got.get("Description") or None, "stageVariables": got.get("StageVariables") or None,
                "accessLogSettings": {"destinationArn": logs["DestinationArn"], "format": logs["Format"]}
                if logs.get("DestinationArn") else None,
                "defaultRouteSettings": NAMES.response(shape, got.get("DefaultRouteSettings") or {}) or None,
                "routeSettings": routes or None, "tags": tags(call, arn(call, path))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        _check_stage(call, new)
        client = call.client("apigatewayv2")
        empty = {"accessLogSettings": {}, "description": "", "defaultRouteSettings": {}}
        request = sent(client, "UpdateStage", {**empty, **new}, [name for name in self._sent if name in changed])
        if "stageVariables" in changed:
            request["StageVariables"] = new.get("stageVariables") or {}
        if "routeSettings" in changed:
            request["RouteSettings"] = _route_settings(client, new)
        if request:
            client.update_stage(ApiId=new["apiId"], StageName=id, **request)
        if "tags" in changed:
            where = arn(call, f"/apis/{new['apiId']}/stages/{id}")
            tag(call, where, tags(call, where))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigatewayv2").delete_stage(ApiId=known["apiId"], StageName=id)


def _route_settings(client: Any, inputs: Properties) -> dict[str, Any]:
    shape = client.meta.service_model.shape_for("RouteSettings")
    return {each["routeKey"]: NAMES.request(shape, {name: each[name] for name in _SETTINGS if name in each})
            for each in inputs.get("routeSettings") or ()}


def _check_stage(call: Call, inputs: Properties) -> None:
    """What API Gateway refuses; only WebSocket APIs have execution logs, and need the account's role for any."""
    settings = [inputs.get("defaultRouteSettings") or {}, *(inputs.get("routeSettings") or ())]
    levels = {each.get("loggingLevel") for each in settings} - {None, "OFF"}
    if levels - {"ERROR", "INFO"}:
        raise refused("BadRequestException", f"loggingLevel is OFF, ERROR or INFO, not {sorted(levels)}", "CreateStage")
    if call.client("apigatewayv2").get_api(ApiId=inputs["apiId"])["ProtocolType"] == "WEBSOCKET":
        if levels or inputs.get("accessLogSettings"):
            needs_logging_role(call, "CreateStage")
    elif levels:
        raise refused("BadRequestException", "Execution logs are not supported on protocolType HTTP", "CreateStage")


@resource
class DomainName(Handler):
    """Id: the domain."""

    type = "aws:apigatewayv2/domainName:DomainName"
    kept = ("mutualTlsAuthentication", "routingMode")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield certificate("domainNameConfiguration.certificateArn", inputs["domainNameConfiguration"]["certificateArn"])

    def create(self, call: Call, inputs: Properties) -> str:
        call.client("apigatewayv2").create_domain_name(
            DomainName=inputs["domainName"], Tags=call.tags, DomainNameConfigurations=_domain(inputs))
        return str(inputs["domainName"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        got = found(lambda: call.client("apigatewayv2").get_domain_name(DomainName=id), GONE)
        if got is None:
            return None
        shown = got["DomainNameConfigurations"][0]
        return {"domainName": id, "arn": arn(call, f"/domainnames/{id}"),
                "apiMappingSelectionExpression": got.get("ApiMappingSelectionExpression"),
                "domainNameConfiguration": {
                    "certificateArn": shown.get("CertificateArn"), "endpointType": shown["EndpointType"],
                    "securityPolicy": shown["SecurityPolicy"], "targetDomainName": shown["ApiGatewayDomainName"],
                    "hostedZoneId": shown["HostedZoneId"], "ipAddressType": shown.get("IpAddressType")},
                "tags": tags(call, arn(call, f"/domainnames/{id}"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if "domainNameConfiguration" in changed:
            call.client("apigatewayv2").update_domain_name(DomainName=id, DomainNameConfigurations=_domain(new))
        if "tags" in changed:
            tag(call, arn(call, f"/domainnames/{id}"), tags(call, arn(call, f"/domainnames/{id}")))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigatewayv2").delete_domain_name(DomainName=id)


def _domain(inputs: Properties) -> list[dict[str, Any]]:
    given = inputs["domainNameConfiguration"]
    if (given["endpointType"], given["securityPolicy"]) != ("REGIONAL", "TLS_1_2"):
        raise refused("BadRequestException", "a domain of API Gateway v2 is REGIONAL with TLS_1_2, not "
                      f"{given['endpointType']} with {given['securityPolicy']}", "CreateDomainName")
    return [{"CertificateArn": given["certificateArn"], "EndpointType": given["endpointType"],
             "SecurityPolicy": given["securityPolicy"]}]


@resource
class ApiMapping(Handler):
    type = "aws:apigatewayv2/apiMapping:ApiMapping"
    tags_property = None

    def create(self, call: Call, inputs: Properties) -> str:
        client = call.client("apigatewayv2")
        given = sent(client, "CreateApiMapping", inputs, ("apiId", "domainName", "stage", "apiMappingKey"))
        return str(client.create_api_mapping(**given)["ApiMappingId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        mapping, _, domain = id.partition("/")
        domain = domain or known["domainName"]
        got = found(lambda: call.client("apigatewayv2").get_api_mapping(DomainName=domain, ApiMappingId=mapping), GONE)
        return None if got is None else {"apiId": got["ApiId"], "domainName": domain, "stage": got["Stage"],
                                         "apiMappingKey": got.get("ApiMappingKey") or None}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        call.client("apigatewayv2").update_api_mapping(
            ApiId=new["apiId"], ApiMappingId=id, DomainName=new["domainName"], Stage=new["stage"],
            ApiMappingKey=new.get("apiMappingKey") or "")

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigatewayv2").delete_api_mapping(DomainName=known["domainName"], ApiMappingId=id)
