"""The REST API as API Gateway imports it: the OpenAPI document with integrations, preflights and error answers."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from infra.settings.yaml import read_yaml

DOCUMENT = Path(__file__).with_name("analytics_api.yaml")
TIMEOUT_MILLISECONDS = 29_000  # the most that an integration may take (API Gateway quotas)
_METHODS = ("get", "put", "post", "delete")
_ORIGIN, _VARY = "Access-Control-Allow-Origin", "Vary"
# What a page may send across origins; an API key is for operators, whose programs are no pages.
_REQUEST_HEADERS = "Content-Type"


@cache
def document() -> dict[str, Any]:
    """The plain document. Callers must not change it."""
    return read_yaml(DOCUMENT)


def functions() -> tuple[str, ...]:
    """The functions that answer, sorted."""
    return tuple(sorted({operation["x-candlefish-function"] for _, _, operation in operations()
                         if "x-candlefish-function" in operation}))


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of the plain document."""
    return [(path, method, item[method]) for path, item in document()["paths"].items()
            for method in _METHODS if method in item]


def definition(invoke_arns: Mapping[str, str], origin: str) -> dict[str, Any]:
    """`invoke_arns` by the words of `functions()`. `origin`: the site's, such as `https://candlefish.ai`; the others of
    its names redirect to it, and answers of API Gateway itself can name only one.

    Raises ValueError for a function whose ARN is missing.
    """
    if missing := sorted(set(functions()) - invoke_arns.keys()):
        raise ValueError(f"{DOCUMENT.name} names functions that have no ARN: {', '.join(missing)}")
    result = copy.deepcopy(document())
    for item in result["paths"].values():
        methods = [method for method in _METHODS if method in item]
        for method in methods:
            item[method] = _operation(item[method], invoke_arns, origin)
        item["options"] = _preflight(methods, origin)
    allowed = {f"gatewayresponse.header.{_ORIGIN}": f"'{origin}'", f"gatewayresponse.header.{_VARY}": "'Origin'"}
    result |= {
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}},
        "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-gateway-responses": {kind: {"responseParameters": dict(allowed)}
                                                  for kind in ("DEFAULT_4XX", "DEFAULT_5XX")},
    }
    return result


def _operation(plain: Mapping[str, Any], invoke_arns: Mapping[str, str], origin: str) -> dict[str, Any]:
    kept = {key: value for key, value in plain.items() if not key.startswith("x-candlefish-")}
    if "x-candlefish-function" in plain:
        return {**kept, "x-amazon-apigateway-integration": {
            "type": "aws_proxy", "httpMethod": "POST",  # Lambda's own, whatever the caller's is
            "uri": invoke_arns[plain["x-candlefish-function"]], "timeoutInMillis": TIMEOUT_MILLISECONDS,
            "passthroughBehavior": "when_no_match"}}
    headers = {_ORIGIN: f"'{origin}'", "Cache-Control": "'no-store'"}
    return {**kept, **_answered(200, headers, json.dumps(plain["x-candlefish-answer"]), kept["responses"]["200"])}


def _preflight(methods: Sequence[str], origin: str) -> dict[str, Any]:
    allowed = ",".join([*(method.upper() for method in methods), "OPTIONS"])
    headers = {_ORIGIN: f"'{origin}'", _VARY: "'Origin'", "Access-Control-Allow-Methods": f"'{allowed}'",
               "Access-Control-Allow-Headers": f"'{_REQUEST_HEADERS}'", "Access-Control-Max-Age": "'600'"}
    return {"summary": "Preflight", **_answered(204, headers, None, {"description": "What pages of the site may do."})}


def _answered(status: int, headers: Mapping[str, str], body: str | None, response: Mapping[str, Any]) -> dict[str, Any]:
    """An answer of API Gateway itself, without a function."""
    parameters = {f"method.response.header.{name}": value for name, value in headers.items()}
    return {
        "responses": {str(status): {**response, "headers": {name: {"schema": {"type": "string"}} for name in headers}}},
        "x-amazon-apigateway-integration": {
            "type": "mock", "passthroughBehavior": "when_no_match",
            "requestTemplates": {"application/json": json.dumps({"statusCode": status})},
            "responses": {"default": {
                "statusCode": str(status), "responseParameters": parameters,
                **({"responseTemplates": {"application/json": body}} if body else {})}}}}
