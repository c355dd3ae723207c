"""The definition that API Gateway imports: made from one plain OpenAPI document."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infra.plans import analytics_api
from infra.plans.analytics_api import definition, document, functions, operations

pytestmark = pytest.mark.unit

ORIGIN = "https://site.test"
INTEGRATION = "x-amazon-apigateway-integration"
# "Amazon API Gateway important notes for REST APIs": ignored or refused on import
UNSUPPORTED = {"discriminator", "example", "exclusiveMinimum", "maxItems", "minItems", "nullable", "oneOf", "readOnly",
               "anyOf", "additionalProperties", "deprecated"}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return definition({name: f"invoke:{name}" for name in functions()}, ORIGIN)


def test_every_operation_has_an_integration_and_every_path_a_preflight(made: dict[str, Any]) -> None:
    for path, method, plain in operations():
        integration = made["paths"][path][method][INTEGRATION]
        if "x-candlefish-function" in plain:
            assert integration["uri"] == f"invoke:{plain['x-candlefish-function']}"
            assert (integration["type"], integration["httpMethod"]) == ("aws_proxy", "POST")
        assert made["paths"][path]["options"][INTEGRATION]["type"] == "mock"


def test_answers_of_api_gateway_itself_name_the_sites_origin_and_no_other(made: dict[str, Any]) -> None:
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        parameters = made["x-amazon-apigateway-gateway-responses"][kind]["responseParameters"]
        assert parameters["gatewayresponse.header.Access-Control-Allow-Origin"] == f"'{ORIGIN}'"
    for item in made["paths"].values():
        answer = item["options"][INTEGRATION]["responses"]["default"]
        header = "method.response.header.Access-Control-Allow-Origin"
        assert answer["responseParameters"][header] == f"'{ORIGIN}'"


def test_a_preflight_allows_the_methods_of_its_path(made: dict[str, Any]) -> None:
    answer = made["paths"]["/api/analytics"]["options"][INTEGRATION]["responses"]["default"]
    assert answer["responseParameters"]["method.response.header.Access-Control-Allow-Methods"] == "'POST,OPTIONS'"


def test_requests_are_validated_on_every_path(made: dict[str, Any]) -> None:
    validator = made["x-amazon-apigateway-request-validator"]
    assert made["x-amazon-apigateway-request-validators"][validator] == {
        "validateRequestBody": True, "validateRequestParameters": True}
    bodies = [item[method]["requestBody"] for item in made["paths"].values() for method in ("post", "put")
              if method in item]
    assert bodies
    assert all("$ref" in body["content"]["application/json"]["schema"] for body in bodies)


def test_the_schemas_use_what_api_gateway_knows() -> None:
    def keys(node: Any) -> set[str]:
        if isinstance(node, list):
            return set().union(*map(keys, node))
        return set(node).union(*map(keys, node.values())) if isinstance(node, dict) else set()
    schemas = document()["components"]["schemas"]
    assert all(re.fullmatch(r"[A-Za-z0-9]+", name) for name in schemas)
    assert not keys(list(schemas.values())) & UNSUPPORTED


def test_nothing_of_ours_reaches_api_gateway(made: dict[str, Any]) -> None:
    assert "x-candlefish" not in str(made)


def test_a_function_without_an_arn_is_named() -> None:
    with pytest.raises(ValueError, match="analytics-processor"):
        definition({}, ORIGIN)


def test_the_plain_document_is_not_changed() -> None:
    before = str(document())
    definition(dict.fromkeys(functions(), "x"), ORIGIN)
    assert str(analytics_api.document()) == before
