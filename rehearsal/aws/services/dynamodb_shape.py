"""Keys and indexes of a table: their names on both sides, and what DynamoDB refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rehearsal.engine.values import Properties


def schema(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    return [*keys, {"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else keys


def _projection(index: Properties) -> dict[str, Any]:
    extra = {"NonKeyAttributes": index["nonKeyAttributes"]} if index.get("nonKeyAttributes") else {}
    return {"ProjectionType": index["projectionType"], **extra}


def _index_keys(index: Properties) -> list[dict[str, str]]:
    if index.get("keySchemas"):
        return [{"AttributeName": each["attributeName"], "KeyType": each["keyType"]} for each in index["keySchemas"]]
    return schema(index["hashKey"], index.get("rangeKey"))


def global_indexes(table: Properties, on_demand: bool) -> list[dict[str, Any]]:
    return [{"IndexName": each["name"], "KeySchema": _index_keys(each), "Projection": _projection(each),
             **({} if on_demand else {"ProvisionedThroughput": {
                 "ReadCapacityUnits": each.get("readCapacity") or 1,
                 "WriteCapacityUnits": each.get("writeCapacity") or 1}})}
            for each in table.get("globalSecondaryIndexes") or ()]


def local_indexes(table: Properties) -> list[dict[str, Any]]:
    return [{"IndexName": each["name"], "KeySchema": schema(table["hashKey"], each["rangeKey"]),
             "Projection": _projection(each)} for each in table.get("localSecondaryIndexes") or ()]


def shown_indexes(indexes: list[dict[str, Any]] | None, known: list[Properties] | None, on_demand: bool, *,
                  local: bool = False) -> list[Properties]:
    """Global indexes with a hash key, local ones without; with keySchemas where the program wrote them so."""
    spelt = {each["name"] for each in known or () if each.get("keySchemas")}
    shown = []
    for each in indexes or ():
        keys = {key["KeyType"]: key["AttributeName"] for key in each["KeySchema"]}
        entry: Properties = {"name": each["IndexName"], "projectionType": each["Projection"]["ProjectionType"]}
        if each["IndexName"] in spelt:
            entry["keySchemas"] = [{"attributeName": key["AttributeName"], "keyType": key["KeyType"]}
                                   for key in each["KeySchema"]]
        elif not local:
            entry["hashKey"] = keys["HASH"]
        if keys.get("RANGE") and each["IndexName"] not in spelt:
            entry["rangeKey"] = keys["RANGE"]
        if each["Projection"].get("NonKeyAttributes"):
            entry["nonKeyAttributes"] = each["Projection"]["NonKeyAttributes"]
        if not on_demand and each.get("ProvisionedThroughput"):
            entry["readCapacity"] = each["ProvisionedThroughput"]["ReadCapacityUnits"]
            entry["writeCapacity"] = each["ProvisionedThroughput"]["WriteCapacityUnits"]
        shown.append(entry)
    return shown


def problems(table: Properties) -> Iterator[str]:
    """Why DynamoDB would refuse the table, where the emulator might not."""
    if not table.get("hashKey"):
        yield "a table needs a hashKey"
        return
    defined = {each["name"] for each in table.get("attributes") or ()}
    used = {table["hashKey"], table.get("rangeKey")}
    for each in table.get("globalSecondaryIndexes") or ():
        used |= {key["AttributeName"] for key in _index_keys(each)}
    used |= {each["rangeKey"] for each in table.get("localSecondaryIndexes") or ()}
    used.discard(None)
    if used - defined:
        yield f"some index key attributes are not defined in attributes: {', '.join(sorted(used - defined))}"
    if defined - used:
        yield f"attributes that no key and no index uses must not be defined: {', '.join(sorted(defined - used))}"
    if table.get("streamEnabled") and not table.get("streamViewType"):
        yield "streamViewType is needed when streamEnabled is true"
    if table.get("replicas") and not (table.get("streamEnabled") and table["streamViewType"] == "NEW_AND_OLD_IMAGES"):
        yield "a table with replicas needs a stream with NEW_AND_OLD_IMAGES"
    if table.get("billingMode") == "PAY_PER_REQUEST" and (table.get("readCapacity") or table.get("writeCapacity")):
        yield "neither readCapacity nor writeCapacity can be given when billingMode is PAY_PER_REQUEST"
    if table.get("localSecondaryIndexes") and not table.get("rangeKey"):
        yield "local secondary indexes need a table with a rangeKey"
