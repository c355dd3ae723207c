"""CloudFront Functions and key-value stores: code at the edge. By MiniStack."""

from __future__ import annotations

from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, resource
from rehearsal.aws.services._convert import found, given_back, refused, unless
from rehearsal.aws.services.cloudfront import retag_edge, tags_of
from rehearsal.engine.values import Properties

_LARGEST_BYTES = 10 * 1024  # of a function's code; a quota of CloudFront


@resource
class Function(Handler):
    """Id: the name. Published unless `publish` is false."""

    type = "aws:cloudfront/function:Function"
    naming = Naming("name", maximum=64)
    defaults = {"publish": True}
    global_region = "us-east-1"

    def create(self, call: Call, inputs: Properties) -> str:
        client = call.client("cloudfront")
        answer = client.create_function(Name=inputs["name"], FunctionConfig=_config(inputs),
                                        FunctionCode=_code(inputs))
        call.made(str(inputs["name"]))
        if inputs.get("publish") is not False:
            client.publish_function(Name=inputs["name"], IfMatch=answer["ETag"])
        if call.tags:
            retag_edge(call, answer["FunctionSummary"]["FunctionMetadata"]["FunctionARN"])
        return str(inputs["name"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("cloudfront")
        answer = found(lambda: client.describe_function(Name=id, Stage="DEVELOPMENT"), "NoSuchFunctionExists")
        if answer is None:
            return None
        summary = answer["FunctionSummary"]
        live = found(lambda: client.describe_function(Name=id, Stage="LIVE"), "NoSuchFunctionExists")
        code = client.get_function(Name=id, Stage="DEVELOPMENT")["FunctionCode"].read()
        arn = summary["FunctionMetadata"]["FunctionARN"]
        return {"name": id, "arn": arn, "etag": answer["ETag"], "liveStageEtag": live["ETag"] if live else "",
                "status": summary.get("Status", "UNASSOCIATED"), "runtime": summary["FunctionConfig"]["Runtime"],
                "comment": summary["FunctionConfig"].get("Comment") or None, "code": code.decode(),
                **given_back(known, ("publish", "keyValueStoreAssociations")), "tags": tags_of(call, arn)}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("cloudfront")
        etag = client.describe_function(Name=id, Stage="DEVELOPMENT")["ETag"]
        if changed & {"code", "comment", "runtime", "keyValueStoreAssociations"}:
            client.update_function(Name=id, IfMatch=etag, FunctionConfig=_config(new), FunctionCode=_code(new))
            etag = client.describe_function(Name=id, Stage="DEVELOPMENT")["ETag"]
        live = found(lambda: client.describe_function(Name=id, Stage="LIVE"), "NoSuchFunctionExists")
        if new.get("publish") is not False and (changed - {"tags", "tagsAll"} or live is None):
            client.publish_function(Name=id, IfMatch=etag)
        if "tags" in changed:
            retag_edge(call, f"arn:aws:cloudfront::{call.account}:function/{id}")

    def delete(self, call: Call, id: str, known: Properties) -> None:
        client = call.client("cloudfront")
        current = found(lambda: client.describe_function(Name=id, Stage="DEVELOPMENT"), "NoSuchFunctionExists")
        if current is not None:
            with unless("NoSuchFunctionExists"):
                client.delete_function(Name=id, IfMatch=current["ETag"])


def _code(inputs: Properties) -> bytes:
    code = str(inputs["code"]).encode()
    if len(code) > _LARGEST_BYTES:
        raise refused("FunctionSizeLimitExceeded", f"the code of {inputs['name']} is {len(code)} bytes; the limit is "
                      f"{_LARGEST_BYTES}", "CreateFunction", 413)
    return code


def _config(inputs: Properties) -> dict[str, Any]:
    if inputs["runtime"] not in ("cloudfront-js-1.0", "cloudfront-js-2.0"):
        raise refused("InvalidArgument", f"runtime {inputs['runtime']!r}: cloudfront-js-1.0 or cloudfront-js-2.0",
                      "CreateFunction")
    stores = inputs.get("keyValueStoreAssociations") or []
    config: dict[str, Any] = {"Comment": inputs.get("comment") or "", "Runtime": inputs["runtime"]}
    if stores:
        config["KeyValueStoreAssociations"] = {
            "Quantity": len(stores), "Items": [{"KeyValueStoreARN": each} for each in stores]}
    return config


@resource
class KeyValueStore(Handler):
    """Id: the name."""

    type = "aws:cloudfront/keyValueStore:KeyValueStore"
    naming = Naming("name", maximum=64)
    kept = ("timeouts",)
    global_region = "us-east-1"

    def create(self, call: Call, inputs: Properties) -> str:
        answer = call.client("cloudfront").create_key_value_store(
            Name=inputs["name"], **({"Comment": inputs["comment"]} if inputs.get("comment") else {}))
        if call.tags:
            retag_edge(call, answer["KeyValueStore"]["ARN"])
        return str(answer["KeyValueStore"]["Name"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        answer = found(lambda: call.client("cloudfront").describe_key_value_store(Name=id), "EntityNotFound")
        if answer is None:
            return None
        store = answer["KeyValueStore"]
        return {"name": id, "arn": store["ARN"], "etag": answer["ETag"], "comment": store.get("Comment") or None,
                "lastModifiedTime": str(store.get("LastModifiedTime") or ""), "tags": tags_of(call, store["ARN"])}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("cloudfront")
        current = client.describe_key_value_store(Name=id)
        if "comment" in changed:
            client.update_key_value_store(Name=id, IfMatch=current["ETag"], Comment=new.get("comment") or "")
        if "tags" in changed:
            retag_edge(call, current["KeyValueStore"]["ARN"])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        client = call.client("cloudfront")
        current = found(lambda: client.describe_key_value_store(Name=id), "EntityNotFound")
        if current is not None:
            with unless("EntityNotFound"):
                client.delete_key_value_store(Name=id, IfMatch=current["ETag"])
