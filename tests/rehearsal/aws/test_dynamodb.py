"""DynamoDB through the provider, on the embedded AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rehearsal.aws.lifecycles import Inputs, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

TABLE = "aws:dynamodb/table:Table"
ITEM = "aws:dynamodb/tableItem:TableItem"
TAG = "aws:dynamodb/tag:Tag"
KEYS = [{"name": "pk", "type": "S"}, {"name": "sk", "type": "N"}]
INDEX = {"name": "by-group", "hashKey": "g", "rangeKey": "sk", "projectionType": "INCLUDE",
         "nonKeyAttributes": ["a", "b"]}


def _table(key: str, **more: Any) -> Inputs:
    inputs = {"name": "events", "billingMode": "PAY_PER_REQUEST", "hashKey": "pk", "rangeKey": "sk",
              "attributes": [*KEYS, {"name": "g", "type": "S"}], "globalSecondaryIndexes": [INDEX],
              "ttl": {"attributeName": "expires", "enabled": True}, "pointInTimeRecovery": {"enabled": True},
              "serverSideEncryption": {"enabled": True, "kmsKeyArn": key}, "streamEnabled": True,
              "streamViewType": "NEW_AND_OLD_IMAGES", "deletionProtectionEnabled": True, **more}
    return {name: value for name, value in inputs.items() if value is not None}


def test_a_table_changes_in_every_way(aws: Any) -> None:
    outputs = lives(
        aws, TABLE, _table(world(aws).key), {"deletionProtectionEnabled": False},
        {"ttl": {"attributeName": "expires", "enabled": False}},
        {"pointInTimeRecovery": {"enabled": True, "recoveryPeriodInDays": 7}},
        {"streamEnabled": False, "streamViewType": None}, {"serverSideEncryption": None},
        {"tableClass": "STANDARD_INFREQUENT_ACCESS"}, {"globalSecondaryIndexes": None, "attributes": KEYS},
        {"globalSecondaryIndexes": [INDEX], "attributes": [*KEYS, {"name": "g", "type": "S"}]},
        {"billingMode": "PROVISIONED", "readCapacity": 5, "writeCapacity": 6})
    assert outputs["streamArn"].startswith(outputs["arn"] + "/stream/")


def test_a_provisioned_table_has_local_indexes(aws: Any) -> None:
    lives(aws, TABLE, {
        "name": "local", "hashKey": "pk", "rangeKey": "sk", "attributes": [*KEYS, {"name": "l", "type": "B"}],
        "readCapacity": 3, "writeCapacity": 2,
        "localSecondaryIndexes": [{"name": "by-l", "rangeKey": "l", "projectionType": "ALL"}]}, {"readCapacity": 4})


def test_a_table_is_replicated(aws: Any) -> None:
    near, far = world(aws), world(aws, "us-west-2")
    lives(aws, TABLE, _table(near.key, deletionProtectionEnabled=False,
                             replicas=[{"regionName": "us-west-2", "kmsKeyArn": far.key}]), {"replicas": None})


@pytest.mark.parametrize(("wrong", "message"), [
    ({"name": "a"}, "3 to 255|shorter|Invalid length"), ({"hashKey": "zz"}, "not defined"),
    ({"streamViewType": None}, "streamViewType"), ({"readCapacity": 2}, "PAY_PER_REQUEST"),
    ({"attributes": [*KEYS, {"name": "g", "type": "S"}, {"name": "u", "type": "S"}]}, "must not be defined"),
    ({"serverSideEncryption": {"enabled": True, "kmsKeyArn": "00000000-0000-0000-0000-000000000000"}}, "not exist")])
def test_a_table_that_aws_refuses_is_refused(aws: Any, wrong: Inputs, message: str) -> None:
    refused(aws, TABLE, _table(world(aws).key, **wrong), message)


def test_items_and_tags_belong_to_a_table(aws: Any) -> None:
    _, table = made(aws, TABLE, _table(world(aws).key))
    item = {"tableName": "events", "hashKey": "pk", "rangeKey": "sk", "item": '{"pk":{"S":"a"},"sk":{"N":"1"}}'}
    lives(aws, ITEM, item, {"item": '{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"S":"z"}}'}, imports=None)
    refused(aws, ITEM, {**item, "item": '{"pk":{"S":"a"}}'}, "Missing the key sk")
    tag = {"resourceArn": table["arn"], "key": "k", "value": "v"}
    lives(aws, TAG, tag, {"value": "w"})
    refused(aws, TAG, {**tag, "resourceArn": table["arn"] + "x"}, "does not exist")
