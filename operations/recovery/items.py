"""Tables and their items, as the ways back from DynamoDB's and from AWS Backup's copies both use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import code


def described(dynamodb: Any, table: str) -> dict[str, Any] | None:
    """None: there is none of that name."""
    try:
        return dict(dynamodb.describe_table(TableName=table)["Table"])
    except ClientError as error:
        if code(error) == "ResourceNotFoundException":
            return None
        raise


def put_missing(dynamodb: Any, table: str, key: str, item: Mapping[str, Any]) -> bool:
    """Whether it was written: not over one that is there. key: the partition key's attribute."""
    try:
        dynamodb.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(#key)",
                          ExpressionAttributeNames={"#key": key})
        return True
    except ClientError as error:
        if code(error) != "ConditionalCheckFailedException":
            raise
        return False
