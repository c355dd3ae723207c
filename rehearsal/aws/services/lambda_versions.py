"""Lambda aliases, URLs and asynchronous invocation, by MiniStack. Layers and code signing are in `lambda_layers`."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import Names, found, input_shape, present, unless
from rehearsal.aws.services.lambda_ import GONE
from rehearsal.engine.values import Properties


@resource
class Alias(Handler):
    """Id: the alias' ARN."""

    type = "aws:lambda/alias:Alias"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"functionName": references.function})
        wanted = inputs["functionVersion"]
        yield Reference("functionVersion", wanted, lambda call: _has_version(call, inputs["functionName"], wanted))

    def create(self, call: Call, inputs: Properties) -> str:
        answer = call.client("lambda").create_alias(
            FunctionName=inputs["functionName"],
            Name=inputs["name"],
            FunctionVersion=inputs["functionVersion"],
            **_optional(inputs),
        )
        return str(answer["AliasArn"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        function, name = _alias(id)
        got = found(lambda: call.client("lambda").get_alias(FunctionName=function, Name=name), GONE)
        if got is None:
            return None
        weights = (got.get("RoutingConfig") or {}).get("AdditionalVersionWeights")
        return {
            "arn": got["AliasArn"],
            "name": got["Name"],
            "functionVersion": got["FunctionVersion"],
            "functionName": known.get("functionName") or function,
            "description": got.get("Description") or None,
            "routingConfig": {"additionalVersionWeights": weights} if weights else None,
            "invokeArn": f"arn:aws:apigateway:{call.region}:lambda:path/2015-03-31/functions/{got['AliasArn']}"
            "/invocations",
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        function, name = _alias(id)
        call.client("lambda").update_alias(
            FunctionName=function,
            Name=name,
            FunctionVersion=new["functionVersion"],
            **{"RoutingConfig": {"AdditionalVersionWeights": {}}, **_optional(new)},
        )

    def delete(self, call: Call, id: str, known: Properties) -> None:
        function, name = _alias(id)
        with unless(GONE):
            call.client("lambda").delete_alias(FunctionName=function, Name=name)


def _has_version(call: Call, function: str, version: str) -> bool:
    pages = call.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=function)
    return any(each["Version"] == version for page in pages for each in page["Versions"])


def _alias(id: str) -> tuple[str, str]:
    parts = id.split(":") if id.startswith("arn:") else ["", *id.split("/")]
    return parts[-2], parts[-1]


def _optional(inputs: Properties) -> Properties:
    weights = (inputs.get("routingConfig") or {}).get("additionalVersionWeights")
    return present(
        Description=inputs.get("description"), RoutingConfig={"AdditionalVersionWeights": weights} if weights else None
    )


@resource
class FunctionUrl(Handler):
    """Id: the function's name, with `/qualifier` when there is one."""

    type = "aws:lambda/functionUrl:FunctionUrl"
    tags_property = None
    defaults = {"invokeMode": "BUFFERED"}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"functionName": references.function})

    def create(self, call: Call, inputs: Properties) -> str:
        client = call.client("lambda")
        client.create_function_url_config(**self._sent(client, inputs))
        name = inputs["functionName"].rsplit(":", 1)[-1]
        return f"{name}/{inputs['qualifier']}" if inputs.get("qualifier") else str(name)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        name, _, qualifier = id.partition("/")
        client = call.client("lambda")
        got = found(
            lambda: client.get_function_url_config(
                FunctionName=name, **({"Qualifier": qualifier} if qualifier else {})
            ),
            GONE,
        )
        if got is None:
            return None
        url = got["FunctionUrl"]
        return {
            "functionName": known.get("functionName") or name,
            "qualifier": qualifier or None,
            "authorizationType": got["AuthType"],
            "functionUrl": url,
            "functionArn": got["FunctionArn"],
            "urlId": url.split("//", 1)[-1].split(".", 1)[0],
            "invokeMode": got.get("InvokeMode", "BUFFERED"),
            "cors": Names().response(client.meta.service_model.shape_for("Cors"), got["Cors"])
            if got.get("Cors")
            else None,
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("lambda")
        client.update_function_url_config(**{"Cors": {}, **self._sent(client, new)})

    def delete(self, call: Call, id: str, known: Properties) -> None:
        name, _, qualifier = id.partition("/")
        with unless(GONE):
            call.client("lambda").delete_function_url_config(
                FunctionName=name, **({"Qualifier": qualifier} if qualifier else {})
            )

    def _sent(self, client: object, inputs: Properties) -> Properties:
        sent: Properties = Names({"authorizationType": "AuthType"}).request(
            input_shape(client, "CreateFunctionUrlConfig"),
            {key: inputs.get(key) for key in ("functionName", "authorizationType", "cors", "invokeMode", "qualifier")},
        )
        return sent


@resource
class FunctionEventInvokeConfig(Handler):
    """Id: the function's name or ARN, with `:qualifier` when there is one."""

    type = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
    tags_property = None
    defaults = {"maximumRetryAttempts": 2}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"functionName": references.function})
        for on, target in (inputs.get("destinationConfig") or {}).items():
            if target:
                yield references.destination(f"destinationConfig.{on}.destination", target["destination"])

    def create(self, call: Call, inputs: Properties) -> str:
        targets = inputs.get("destinationConfig") or {}
        config = {
            name: {"Destination": targets[key]["destination"]}
            for key, name in (("onFailure", "OnFailure"), ("onSuccess", "OnSuccess"))
            if targets.get(key)
        }
        call.client("lambda").put_function_event_invoke_config(
            FunctionName=inputs["functionName"],
            **present(
                Qualifier=inputs.get("qualifier"),
                MaximumRetryAttempts=inputs.get("maximumRetryAttempts"),
                MaximumEventAgeInSeconds=inputs.get("maximumEventAgeInSeconds"),
                DestinationConfig=config or None,
            ),
        )
        qualifier = inputs.get("qualifier")
        return f"{inputs['functionName']}:{qualifier}" if qualifier else str(inputs["functionName"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        name, qualifier = _qualified(id)
        got = found(
            lambda: call.client("lambda").get_function_event_invoke_config(
                FunctionName=name, **({"Qualifier": qualifier} if qualifier else {})
            ),
            GONE,
        )
        if got is None:
            return None
        targets = got.get("DestinationConfig") or {}
        shown = {
            key: {"destination": targets[member]["Destination"]}
            for key, member in (("onFailure", "OnFailure"), ("onSuccess", "OnSuccess"))
            if (targets.get(member) or {}).get("Destination")
        }
        return {
            "functionName": name,
            "qualifier": qualifier,
            "maximumRetryAttempts": got.get("MaximumRetryAttempts"),
            "maximumEventAgeInSeconds": got.get("MaximumEventAgeInSeconds"),
            "destinationConfig": shown or None,
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self.create(call, new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        name, qualifier = _qualified(id)
        with unless(GONE):
            call.client("lambda").delete_function_event_invoke_config(
                FunctionName=name, **({"Qualifier": qualifier} if qualifier else {})
            )


def _qualified(id: str) -> tuple[str, str | None]:
    parts = id.split(":")
    if id.startswith("arn:"):
        return (":".join(parts[:7]), parts[7]) if len(parts) > 7 else (id, None)
    return (parts[0], parts[1]) if len(parts) > 1 else (id, None)
