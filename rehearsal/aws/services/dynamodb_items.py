"""Items of a table, and single tags on DynamoDB resources: by MiniStack."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services._convert import found, refused, unless
from rehearsal.aws.services.dynamodb import GONE, table, table_tags
from rehearsal.engine.values import Properties


@resource
class TableItem(Handler):
    """Id: table, hash key and its value, range key and its value, joined by `|`."""

    type = "aws:dynamodb/tableItem:TableItem"
    tags_property = None
    documents = ("item",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield table("tableName", inputs["tableName"])

    def create(self, call: Call, inputs: Properties) -> str:
        item = _item(inputs)
        names = {f"#k{index}": key for index, key in enumerate(_keys(inputs))}
        call.client("dynamodb").put_item(
            TableName=inputs["tableName"], Item=item, ExpressionAttributeNames=names,
            ConditionExpression=" AND ".join(f"attribute_not_exists({name})" for name in names))
        parts = [inputs["tableName"]]
        for key in _keys(inputs):
            parts += [key, _plain(item[key])]
        return "|".join(parts)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        if not known.get("hashKey"):
            raise refused("ValidationException", f"{id!r}: a table item cannot be imported, as the provider says too",
                          "GetItem")
        item = _item(known)
        key = {name: item[name] for name in _keys(known)}
        answer = found(lambda: call.client("dynamodb").get_item(
            TableName=known["tableName"], Key=key, ConsistentRead=True), GONE)
        if not answer or "Item" not in answer:
            return None
        same = answer["Item"] == item
        return {"tableName": known["tableName"], "hashKey": known["hashKey"], "rangeKey": known.get("rangeKey"),
                "item": known["item"] if same else json.dumps(answer["Item"], sort_keys=True),
                "hashKeyValue": _plain(item[known["hashKey"]]),
                "rangeKeyValue": _plain(item[known["rangeKey"]]) if known.get("rangeKey") else ""}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        item, before = _item(new), _item(old)
        call.client("dynamodb").put_item(TableName=new["tableName"], Item=item)
        old_key = {key: before[key] for key in _keys(old)}
        if any(item[key] != value for key, value in old_key.items()):
            call.client("dynamodb").delete_item(TableName=new["tableName"], Key=old_key)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        item = _item(known)
        with unless(GONE):
            call.client("dynamodb").delete_item(TableName=known["tableName"],
                                                Key={key: item[key] for key in _keys(known)})


def _keys(inputs: Properties) -> list[str]:
    return [inputs["hashKey"], *([inputs["rangeKey"]] if inputs.get("rangeKey") else [])]


def _item(inputs: Properties) -> dict[str, Any]:
    try:
        item: dict[str, Any] = json.loads(inputs["item"])
    except ValueError as error:
        raise refused("ValidationException", f"item is not JSON: {error}", "PutItem") from error
    lacking = [key for key in _keys(inputs) if key not in item]
    if lacking:
        raise refused("ValidationException", f"One or more parameter values were invalid: Missing the key "
                                             f"{lacking[0]} in "
                      "the item", "PutItem")
    return item


def _plain(value: dict[str, Any]) -> str:
    return str(next(iter(value.values())))


@resource
class Tag(Handler):
    """Id: `arn,key`."""

    type = "aws:dynamodb/tag:Tag"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield table("resourceArn", inputs["resourceArn"])

    def create(self, call: Call, inputs: Properties) -> str:
        call.client("dynamodb").tag_resource(
            ResourceArn=inputs["resourceArn"], Tags=[{"Key": inputs["key"], "Value": inputs["value"]}])
        return f"{inputs['resourceArn']},{inputs['key']}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        arn, _, key = id.rpartition(",")
        tags = found(lambda: table_tags(call, arn), GONE, "AccessDeniedException")
        return {"resourceArn": arn, "key": key, "value": tags[key]} if tags and key in tags else None

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self.create(call, new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        arn, _, key = id.rpartition(",")
        with unless(GONE, "AccessDeniedException"):
            call.client("dynamodb").untag_resource(ResourceArn=arn, TagKeys=[key])
