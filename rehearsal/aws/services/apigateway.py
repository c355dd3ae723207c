"""API Gateway's REST APIs and its settings of an account, by MiniStack.

Stages and deployments are in `apigateway_stages`, domains and keys in `apigateway_access`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, given_back, iso, present, refused, retag, unless
from rehearsal.aws.services.apigateway_import import import_definition
from rehearsal.engine.values import Properties

GONE = "NotFoundException"
# property → path of the patch, for what is one value of the API
_VALUES = {"name": "name", "description": "description", "apiKeySource": "apiKeySource",
           "disableExecuteApiEndpoint": "disableExecuteApiEndpoint",
           "minimumCompressionSize": "minimumCompressionSize", "policy": "policy"}


def arn(call: Call, path: str) -> str:
    """API Gateway's ARNs name no account."""
    return call.arn("apigateway", path, account="")


def rest_api(property: str, value: str) -> Reference:
    return Reference(property, value, lambda call: found(
        lambda: call.client("apigateway").get_rest_api(restApiId=value), GONE) is not None)


def tag(call: Call, resource_arn: str) -> None:
    """Makes the tags of the resource those of the call; creations that lose tags call it too."""
    client = call.client("apigateway")
    retag(call, tags(call, resource_arn), lambda fresh: client.tag_resource(resourceArn=resource_arn, tags=fresh),
          lambda keys: client.untag_resource(resourceArn=resource_arn, tagKeys=keys))


def tags(call: Call, resource_arn: str) -> dict[str, str]:
    found_tags: dict[str, str] = call.client("apigateway").get_tags(resourceArn=resource_arn).get("tags") or {}
    return found_tags


def patch(changes: Mapping[str, Any]) -> list[dict[str, str]]:
    """Patch operations: path → new value; None takes the value away."""
    return [{"op": "remove", "path": path} if value is None else
            {"op": "replace", "path": path, "value": text(value)} for path, value in changes.items()]


def text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def truth(value: Any) -> bool:
    """MiniStack shows a patched boolean as the text that the patch had."""
    return value in (True, "true")


@resource
class RestApi(Handler):
    """Id: the API's. A `body` is imported as PutRestApi does in its mode `overwrite`; it is not read back, as it isn't
    by the provider."""

    type = "aws:apigateway/restApi:RestApi"
    naming = Naming("name", maximum=1024)
    documents = ("policy",)
    defaults = {"apiKeySource": "HEADER", "disableExecuteApiEndpoint": False}
    kept = ("putRestApiMode", "failOnWarnings", "parameters", "endpointConfiguration", "binaryMediaTypes",
            "endpointAccessMode", "securityPolicy")

    def create(self, call: Call, inputs: Properties) -> str:
        client = call.client("apigateway")
        endpoint = inputs.get("endpointConfiguration") or {"types": "EDGE"}
        id = call.made(str(client.create_rest_api(
            name=inputs["name"], tags=call.tags,
            endpointConfiguration=present(types=[endpoint["types"]], ipAddressType=endpoint.get("ipAddressType"),
                                          vpcEndpointIds=endpoint.get("vpcEndpointIds")),
            **present(description=inputs.get("description"), apiKeySource=inputs.get("apiKeySource"),
                      binaryMediaTypes=inputs.get("binaryMediaTypes"), policy=inputs.get("policy"),
                      minimumCompressionSize=_size(inputs),
                      disableExecuteApiEndpoint=inputs.get("disableExecuteApiEndpoint")))["id"]))
        if inputs.get("body"):
            self._import(call, id, inputs)
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("apigateway")
        got = found(lambda: client.get_rest_api(restApiId=id), GONE)
        if got is None:
            return None
        root = next(each for each in client.get_resources(restApiId=id)["items"] if each["path"] == "/")
        compression = got.get("minimumCompressionSize")
        return {
            **given_back(known, ("body",)),
            "name": got["name"], "description": got.get("description") or None, "apiKeySource": got["apiKeySource"],
            "arn": arn(call, f"/restapis/{id}"), "executionArn": call.arn("execute-api", id),
            "createdDate": iso(got["createdDate"]), "rootResourceId": root["id"],
            "disableExecuteApiEndpoint": truth(got.get("disableExecuteApiEndpoint")),
            "minimumCompressionSize": None if compression is None else str(compression),
            "policy": got.get("policy") or None, "tags": tags(call, arn(call, f"/restapis/{id}"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("apigateway")
        changes = {f"/{_VALUES[name]}": new.get(name, self.defaults.get(name, ""))
                   for name in sorted(changed & _VALUES.keys())}
        if changes:
            client.update_rest_api(restApiId=id, patchOperations=patch(changes))
        if "body" in changed and new.get("body"):
            self._import(call, id, new)
        if "tags" in changed:
            tag(call, arn(call, f"/restapis/{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigateway").delete_rest_api(restApiId=id)

    def _import(self, call: Call, id: str, inputs: Properties) -> None:
        if inputs.get("putRestApiMode") == "merge":
            raise refused("BadRequestException", "the rehearsal imports a definition in the mode overwrite only",
                          "PutRestApi")
        call.anew()
        import_definition(call.client("apigateway"), id, inputs["body"])


def _size(inputs: Properties) -> int | None:
    size = inputs.get("minimumCompressionSize")
    return None if size in (None, "-1") else int(size)


@resource
class Account(Handler):
    """The account's settings in a region; they outlive the resource. Id: `api-gateway-account`."""

    type = "aws:apigateway/account:Account"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"cloudwatchRoleArn": references.role})

    def create(self, call: Call, inputs: Properties) -> str:
        self.update(call, "", {}, inputs, frozenset(inputs))
        return "api-gateway-account"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        got = call.client("apigateway").get_account()
        throttle = got.get("throttleSettings") or {}
        return {"cloudwatchRoleArn": got.get("cloudwatchRoleArn"), "apiKeyVersion": got.get("apiKeyVersion") or "4",
                "features": got.get("features") or [],
                "throttleSettings": [{"burstLimit": throttle.get("burstLimit"),
                                      "rateLimit": throttle.get("rateLimit")}]}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if new.get("cloudwatchRoleArn"):
            call.client("apigateway").update_account(
                patchOperations=patch({"/cloudwatchRoleArn": new["cloudwatchRoleArn"]}))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        """API Gateway has no call for it."""
