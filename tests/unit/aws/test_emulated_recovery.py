"""Calls that recovery makes and MiniStack lacks: CloudFront's AssociateAlias, AWS Backup's restores of tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudfront, dynamodb

from rehearsal.aws.emulators import backup_tables
from rehearsal.aws.emulators.cloudfront_aliases import associated

pytestmark = pytest.mark.unit
SPACE = "http://cloudfront.amazonaws.com/doc/2020-05-31/"


def distribution(*names: str) -> dict[str, Any]:
    aliases = "".join(f"<CNAME>{name}</CNAME>" for name in names)
    return {"ETag": "1", "config_xml": (
        f'<DistributionConfig xmlns="{SPACE}"><CallerReference>c</CallerReference><Aliases><Quantity>{len(names)}'
        f"</Quantity><Items>{aliases}</Items></Aliases></DistributionConfig>")}


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    cloudfront._distributions.clear()
    for name in list(dynamodb._tables.keys()):
        del dynamodb._tables[name]


def test_a_name_goes_from_one_distribution_to_the_other_at_once() -> None:
    cloudfront._distributions["A"] = distribution("candlefish.ai", "www.candlefish.ai")
    cloudfront._distributions["B"] = distribution("recovery.candlefish.ai")
    assert associated("B", "candlefish.ai")[0] == 200
    assert ">candlefish.ai<" not in cloudfront._distributions["A"]["config_xml"]
    assert ">www.candlefish.ai<" in cloudfront._distributions["A"]["config_xml"]
    assert ">candlefish.ai<" in cloudfront._distributions["B"]["config_xml"]
    assert ">recovery.candlefish.ai<" in cloudfront._distributions["B"]["config_xml"]
    assert ">2<" in cloudfront._distributions["B"]["config_xml"]
    assert cloudfront._distributions["A"]["ETag"] != "1"


def test_a_distribution_that_is_not_there_gets_none() -> None:
    assert associated("C", "candlefish.ai")[0] == 404
    cloudfront._distributions["A"] = distribution()
    assert associated("A", "")[0] == 400


def ask(**more: Any) -> tuple[int, dict[str, Any]]:
    status, _, body = backup_tables.restored({
        "RecoveryPointArn": POINT, "IamRoleArn": "arn:aws:iam::1:role/r", "Metadata": {"targetTableName": "beside"},
        **more})
    return status, json.loads(body)


POINT = f"arn:aws:backup:{get_region()}:{get_account_id()}:recovery-point:x"


@pytest.fixture
def kept() -> None:
    """A recovery point of a table with one item, which has another one by now."""
    dynamodb._create_table({"TableName": "table", "BillingMode": "PAY_PER_REQUEST",
                            "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
                            "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}]})
    dynamodb._put_item({"TableName": "table", "Item": {"k": {"S": "then"}}})
    backup_tables._content[POINT] = {**dynamodb._tables["table"], "items": dict(dynamodb._tables["table"]["items"])}
    dynamodb._put_item({"TableName": "table", "Item": {"k": {"S": "now"}}})


@pytest.mark.usefixtures("kept")
def test_a_restore_makes_a_table_of_the_points_moment() -> None:
    status, answer = ask()
    assert status == 200
    found = json.loads(dynamodb._scan({"TableName": "beside"})[2])
    assert found["Items"] == [{"k": {"S": "then"}}]
    assert json.loads(backup_tables._told(answer["RestoreJobId"])[2])["Status"] == "COMPLETED"


@pytest.mark.usefixtures("kept")
def test_the_same_token_is_the_same_job_and_a_name_that_is_taken_fails() -> None:
    first, second = ask(IdempotencyToken="1"), ask(IdempotencyToken="1")
    assert first == second
    taken = json.loads(backup_tables._told(ask()[1]["RestoreJobId"])[2])
    assert taken["Status"] == "FAILED"
    assert "beside" in taken["StatusMessage"]


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("asked", [{"Metadata": {}}, {"IamRoleArn": ""}, {"RecoveryPointArn": POINT + "y"}])
def test_a_restore_that_lacks_something_is_refused(asked: dict[str, Any]) -> None:
    assert ask(**asked)[0] in (400, 404)
