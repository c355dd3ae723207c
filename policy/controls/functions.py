"""Lambda and API Gateway."""

from __future__ import annotations

import re
from typing import Any

from policy.model import Resource, World, control, given, has, says

FUNCTION = "aws:lambda/function:Function"
PERMISSION = "aws:lambda/permission:Permission"
STAGE = "aws:apigateway/stage:Stage"
STAGE_2 = "aws:apigatewayv2/stage:Stage"
METHOD = "aws:apigateway/method:Method"
REST_API = "aws:apigateway/restApi:RestApi"
VERBS = {"get", "put", "post", "delete", "patch", "head", "any"}  # a preflight can't carry credentials
VALIDATOR = "x-amazon-apigateway-request-validator"
ROUTE = "aws:apigatewayv2/route:Route"
METHOD_SETTINGS = "aws:apigateway/methodSettings:MethodSettings"
DOMAINS = ("aws:apigateway/domainName:DomainName", "aws:apigatewayv2/domainName:DomainName")
RUNTIMES = re.compile(r"python3\.1[1-9]|nodejs2[2-9]\.x|provided\.al2023|java2[15]|dotnet(8|10)|ruby3\.[34]")
_SECRET_NAME = re.compile(r"(PASSWORD|TOKEN|SECRET|PRIVATE_KEY|API_KEY|ACCESS_KEY)$")
_SECRET_VALUE = re.compile(r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----|https://hooks\.slack\.com/services/")


def _no_secret_in_environment(function: Resource) -> object:
    variables = function.at("environment.variables") or {}
    return not any(_SECRET_NAME.search(name) or _SECRET_VALUE.search(str(value)) for name, value in variables.items())


def _not_public(permission: Resource) -> object:
    return permission.at("principal") != "*" and permission.at("functionUrlAuthType") != "NONE"


def _source_is_named(permission: Resource) -> object:
    if not str(permission.at("principal")).endswith(".amazonaws.com"):
        return True
    return permission.at("sourceArn") or permission.at("sourceAccount")


def _executions_logged(stage: Resource, world: World) -> object:
    if stage.type == STAGE_2:
        return stage.at("defaultRouteSettings.loggingLevel") in ("ERROR", "INFO")
    return any(settings.at("settings.loggingLevel") in ("ERROR", "INFO")
               for settings in world.users(stage, METHOD_SETTINGS, "stageName"))


def _no_data_traced(resource: Resource) -> object:
    path = "defaultRouteSettings.dataTraceEnabled" if resource.type == STAGE_2 else "settings.dataTraceEnabled"
    return resource.at(path) in (None, False, "false")


def _authorised(resource: Resource) -> object:
    if resource.type == METHOD:
        return resource.at("authorization") not in (None, "NONE") or says("apiKeyRequired")(resource) \
            or resource.at("httpMethod") == "OPTIONS"
    return all(operation.get("security") or resource.document("body").get("security")
               for operation in _operations(resource))


def _operations(api: Resource) -> list[dict[str, Any]]:
    """What an API that is imported from an OpenAPI document answers."""
    paths = api.document("body").get("paths", {})
    return [operation for path in paths.values() for verb, operation in path.items() if verb in VERBS]


def _validated(resource: Resource) -> object:
    if resource.type == METHOD:
        return resource.at("requestValidatorId") or resource.at("httpMethod") == "OPTIONS"
    document = resource.document("body")
    validator = document.get(f"{VALIDATOR}s", {}).get(document.get(VALIDATOR), {})
    return not _operations(resource) or (
        validator.get("validateRequestBody") and validator.get("validateRequestParameters"))


def _route_authorised(route: Resource) -> object:
    """Of a WebSocket API only $connect can be authorised; what follows belongs to the connection."""
    key = str(route.at("routeKey"))
    return route.at("authorizationType") not in (None, "NONE") or not (key == "$connect" or " " in key)


def _tls(domain: Resource) -> object:
    version = domain.at("securityPolicy") or domain.at("domainNameConfiguration.securityPolicy")
    return str(version).startswith(("TLS_1_2", "TLS_1_3", "SecurityPolicy_TLS12", "SecurityPolicy_TLS13"))


CONTROLS = (
    control("CKV_AWS_45", "no secrets in the environment", FUNCTION, _no_secret_in_environment,
            "give the secret's ARN and let the function read it", frozenset()),
    control("CKV_AWS_173", "environment under a key of our own", FUNCTION,
            lambda function: not function.at("environment.variables") or function.at("kmsKeyArn"),
            "give kms_key_arn"),
    control("CKV_AWS_301 Lambda.1", "not public", PERMISSION, _not_public, "name the principal", frozenset()),
    control("CKV_AWS_364", "a service may invoke for one source", PERMISSION, _source_is_named,
            "give source_arn or source_account"),
    control("CKV_AWS_363 Lambda.2", "supported runtime", FUNCTION,
            lambda function: function.at("packageType") == "Image"
            or RUNTIMES.fullmatch(str(function.at("runtime"))), "move to a runtime that gets updates"),
    control("CKV_AWS_116", "dead letters", FUNCTION, given("deadLetterConfig.targetArn"), "give dead_letter_config"),
    control("CKV_AWS_115", "concurrency limited", FUNCTION,
            lambda function: int(function.at("reservedConcurrentExecutions") or 0) >= 1,
            "set reserved_concurrent_executions"),
    control("CKV_AWS_50", "traced", FUNCTION, says("tracingConfig.mode", "Active"), "set tracing_config.mode='Active'"),
    control("CKV_AWS_272", "code signed", FUNCTION, given("codeSigningConfigArn"), "give code_signing_config_arn"),
    control("CKV_AWS_76 APIGateway.9", "access logs", (STAGE, STAGE_2), given("accessLogSettings.destinationArn"),
            "give access_log_settings"),
    control("CKV2_AWS_4 APIGateway.1", "execution logs", (STAGE, STAGE_2), _executions_logged,
            "add MethodSettings with logging_level='ERROR'"),
    control("CKV2_AWS_29 APIGateway.4", "behind a web ACL", STAGE,
            has("aws:wafv2/webAclAssociation:WebAclAssociation", "resourceArn"), "add a WebAclAssociation"),
    control("CKV_AWS_59 CKV2_AWS_70", "methods authorised", (METHOD, REST_API), _authorised,
            "ask for a signature, a token or a key; a public route is a waiver"),
    control("CKV_AWS_309 APIGateway.8", "routes authorised", ROUTE, _route_authorised,
            "set authorization_type; a public route is a waiver"),
    control("CKV_AWS_276", "bodies not traced", (METHOD_SETTINGS, STAGE_2), _no_data_traced,
            "set data_trace_enabled=False", frozenset()),
    control("CKV_AWS_206", "TLS 1.2 or later", DOMAINS, _tls, "set security_policy='TLS_1_2'"),
    control("CKV2_AWS_53", "requests validated", (METHOD, REST_API), _validated, "give a request validator"),
)
