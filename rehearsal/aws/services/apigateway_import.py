"""The import of an OpenAPI 3 definition into a REST API, by the calls that make its parts one by one.

What API Gateway refuses or warns of is refused ("Amazon API Gateway important notes" of the developer guide, and the
reference of its OpenAPI extensions). Everything that was there before goes away, as in the mode `overwrite`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml
from botocore.exceptions import ClientError

from rehearsal.aws.services._convert import refused

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method")
TYPES = ("aws", "aws_proxy", "http", "http_proxy", "mock")
_SEGMENT = re.compile(r"[A-Za-z0-9_.,:-]+|\{[A-Za-z0-9_.,:-]+\+?\}")
_SCHEMA = "#/components/schemas/"
_TARGET = re.compile(r"arn:aws:apigateway:[a-z0-9-]+:[a-z0-9.-]+:(?:path|action)/.+")
_PLACES = {"header": "header", "query": "querystring", "path": "path"}


def import_definition(client: Any, api: str, body: str) -> None:
    """Raises ClientError BadRequestException for a definition that API Gateway would not take, before anything is
    changed."""
    definition = yaml.safe_load(body)
    if not isinstance(definition, dict) or not str(definition.get("openapi", "")).startswith("3."):
        raise _refusal("the body is no OpenAPI 3 document: its `openapi` must say 3.…")
    for problem in problems(definition):
        raise _refusal(problem)
    _clear(client, api)
    _Import(client, api, definition).run()


def problems(definition: Mapping[str, Any]) -> list[str]:
    """Why API Gateway refuses it, by place."""
    found = [f"components.schemas.{name}: a model's name has letters and digits only"
             for name in _schemas(definition) if not name.isalnum()]
    found += [f"{reference} is no schema of the definition" for reference in _dangling(definition)]
    validators = definition.get("x-amazon-apigateway-request-validators") or {}
    default = definition.get("x-amazon-apigateway-request-validator")
    for path, item in (definition.get("paths") or {}).items():
        if not path.startswith("/") or any(not _SEGMENT.fullmatch(part) for part in path.split("/")[1:] if part):
            found.append(f"{path}: a segment is letters, digits and -_.,: or one {{parameter}}")
        for method, operation in item.items():
            if method in METHODS:
                found += [f"{method.upper()} {path}: {problem}" for problem in
                          _of_operation(operation, validators, default)]
    return found


def _of_operation(operation: Mapping[str, Any], validators: Mapping[str, Any], default: str | None) -> list[str]:
    integration = operation.get("x-amazon-apigateway-integration")
    if not integration:
        return ["no x-amazon-apigateway-integration; a deployment would be refused"]
    found = []
    kind = str(integration.get("type", "")).lower()
    if kind not in TYPES:
        found.append(f"the integration's type {integration.get('type')!r} is none of {', '.join(TYPES)}")
    if kind.startswith("aws") and not _TARGET.fullmatch(str(integration.get("uri", ""))):
        found.append(f"the integration's uri {integration.get('uri')!r} is no ARN with a path or an action")
    if kind != "mock" and not integration.get("httpMethod"):
        found.append("the integration has no httpMethod")
    validator = operation.get("x-amazon-apigateway-request-validator", default)
    if validator is not None and validator not in validators:
        found.append(f"the request validator {validator!r} is not defined")
    declared = {f"method.response.header.{header}" for response in (operation.get("responses") or {}).values()
                for header in response.get("headers") or {}}
    for response in (integration.get("responses") or {}).values():
        found += [f"Invalid mapping expression parameter specified: {target}"
                  for target in response.get("responseParameters") or {}
                  if target.startswith("method.response.header.") and target not in declared]
    return found


def _schemas(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    return (definition.get("components") or {}).get("schemas") or {}


def _dangling(definition: Mapping[str, Any]) -> list[str]:
    known = {f"{_SCHEMA}{name}" for name in _schemas(definition)}

    def walk(node: Any) -> list[str]:
        if isinstance(node, list):
            return [each for item in node for each in walk(item)]
        if not isinstance(node, dict):
            return []
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) and node["$ref"] not in known else []
        return own + [each for item in node.values() for each in walk(item)]
    return walk(dict(definition))


def _clear(client: Any, api: str) -> None:
    for each in client.get_resources(restApiId=api, limit=500)["items"]:
        if each["path"] == "/":
            for method in each.get("resourceMethods") or {}:
                client.delete_method(restApiId=api, resourceId=each["id"], httpMethod=method)
        else:
            client.delete_resource(restApiId=api, resourceId=each["id"])
    for each in client.get_models(restApiId=api, limit=500).get("items", ()):
        client.delete_model(restApiId=api, modelName=each["name"])
    for each in client.get_request_validators(restApiId=api, limit=500).get("items", ()):
        client.delete_request_validator(restApiId=api, requestValidatorId=each["id"])
    for each in client.get_gateway_responses(restApiId=api, limit=500).get("items", ()):
        if not each.get("defaultResponse"):
            client.delete_gateway_response(restApiId=api, responseType=each["responseType"])


class _Import:
    def __init__(self, client: Any, api: str, definition: Mapping[str, Any]) -> None:
        self.client, self.api, self.definition = client, api, definition
        root = next(each for each in client.get_resources(restApiId=api)["items"] if each["path"] == "/")
        self.resources = {"": str(root["id"])}
        self.validators: dict[str, str] = {}

    def run(self) -> None:
        for name, schema in _schemas(self.definition).items():
            self.client.create_model(restApiId=self.api, name=name, contentType="application/json",
                                     schema=json.dumps(self._with_models(schema)))
        for name, asked in (self.definition.get("x-amazon-apigateway-request-validators") or {}).items():
            self.validators[name] = self.client.create_request_validator(restApiId=self.api, name=name, **asked)["id"]
        for kind, response in (self.definition.get("x-amazon-apigateway-gateway-responses") or {}).items():
            self.client.put_gateway_response(restApiId=self.api, responseType=kind, **{
                key: str(value) if key == "statusCode" else value for key, value in response.items()})
        for path, item in (self.definition.get("paths") or {}).items():
            where = self._resource(path.rstrip("/"))
            for method, operation in item.items():
                if method in METHODS:
                    self._method(where, "ANY" if method.startswith("x-") else method.upper(), operation,
                                 item.get("parameters") or [])

    def _resource(self, path: str) -> str:
        if path not in self.resources:
            above, _, part = path.rpartition("/")
            self.resources[path] = self.client.create_resource(
                restApiId=self.api, parentId=self._resource(above), pathPart=part)["id"]
        return self.resources[path]

    def _method(self, resource: str, method: str, operation: Mapping[str, Any], shared: list[Any]) -> None:
        place = {"restApiId": self.api, "resourceId": resource, "httpMethod": method}
        security = operation.get("security", self.definition.get("security")) or []
        schemes = (self.definition.get("components") or {}).get("securitySchemes") or {}
        keyed = any(schemes.get(name, {}).get("type") == "apiKey" for need in security for name in need)
        content = (operation.get("requestBody") or {}).get("content") or {}
        validator = operation.get("x-amazon-apigateway-request-validator",
                                  self.definition.get("x-amazon-apigateway-request-validator"))
        self.client.put_method(
            **place, authorizationType="NONE", apiKeyRequired=keyed, operationName=operation.get("operationId", ""),
            requestParameters={f"method.request.{_PLACES[each['in']]}.{each['name']}": bool(each.get("required"))
                               for each in [*shared, *operation.get("parameters", [])] if each["in"] in _PLACES},
            requestModels={kind: each["schema"]["$ref"].removeprefix(_SCHEMA) for kind, each in content.items()
                           if "$ref" in each.get("schema", {})},
            **({"requestValidatorId": self.validators[validator]} if validator else {}))
        for status, response in (operation.get("responses") or {}).items():
            headers = response.get("headers") or {}
            self.client.put_method_response(
                **place, statusCode=str(status),
                responseParameters={f"method.response.header.{header}": False for header in headers})
        self._integration(place, operation["x-amazon-apigateway-integration"])

    def _integration(self, place: Mapping[str, str], given: Mapping[str, Any]) -> None:
        words = {"uri": "uri", "credentials": "credentials", "passthroughBehavior": "passthroughBehavior",
                 "requestTemplates": "requestTemplates", "requestParameters": "requestParameters",
                 "timeoutInMillis": "timeoutInMillis", "contentHandling": "contentHandling"}
        sent = {target: given[word] for word, target in words.items() if word in given}
        if "passthroughBehavior" in sent:
            sent["passthroughBehavior"] = sent["passthroughBehavior"].upper()
        self.client.put_integration(**place, type=str(given["type"]).upper(), **sent,
                                    **({"integrationHttpMethod": given["httpMethod"]} if given.get("httpMethod")
                                       else {}))
        for pattern, response in (given.get("responses") or {}).items():
            selection = {} if pattern == "default" else {"selectionPattern": pattern}
            self.client.put_integration_response(
                **place, statusCode=str(response["statusCode"]), **selection,
                **{key: response[key] for key in ("responseParameters", "responseTemplates") if key in response})

    def _with_models(self, node: Any) -> Any:
        """References among schemas as the references among models that API Gateway makes of them."""
        if isinstance(node, list):
            return [self._with_models(each) for each in node]
        if not isinstance(node, dict):
            return node
        return {key: f"https://apigateway.amazonaws.com/restapis/{self.api}/models/{value.removeprefix(_SCHEMA)}"
                if key == "$ref" else self._with_models(value) for key, value in node.items()}


def _refusal(problem: str) -> ClientError:
    return refused("BadRequestException", f"Errors found during import: {problem}", "PutRestApi")
