"""`candlefish recovery restore`: what was deleted comes back, what was written since stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.settings.load import load_file
from operations.errors import NotAcceptable, OperationError
from operations.recovery import restore_names, restore_objects, restore_tables
from operations.recovery.account import Account
from operations.recovery.restore_tables import Put
from tests.eventually import eventually

pytestmark = pytest.mark.rehearsal

OURS = {"Project": "candlefish", "Stack": "production"}
PAIRS = [{"Key": key, "Value": value} for key, value in OURS.items()]
TABLE = "production-candlefish-visitor-memory"


@pytest.fixture
def account(aws: Any) -> Account:
    return Account("production", load_file(Path(__file__).parents[3] / "Pulumi.production.yaml"), aws.client)


def then() -> datetime:
    """A whole second that is over: DynamoDB takes no part of one, and S3 tells none."""
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    eventually("the second is over", lambda: datetime.now(UTC) > moment + timedelta(seconds=1))
    return moment


def items(dynamodb: Any) -> dict[str, str]:
    return {item["id"]["S"]: item["of"]["S"] for item in dynamodb.scan(TableName=TABLE)["Items"]}


def put(dynamodb: Any, **found: str) -> None:
    for key, value in found.items():
        dynamodb.put_item(TableName=TABLE, Item={"id": {"S": key}, "of": {"S": value}})


def test_a_table_gets_back_what_is_missing_and_keeps_what_was_written_since(aws: Any, account: Account) -> None:
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName=TABLE, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    with pytest.raises(OperationError, match="no point-in-time recovery"):
        restore_tables.restore(account, TABLE, datetime.now(UTC))
    dynamodb.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    put(dynamodb, gone="before", changed="before", same="before")
    moment = then()
    dynamodb.delete_item(TableName=TABLE, Key={"id": {"S": "gone"}})
    put(dynamodb, changed="since", new="since")

    theirs = f"{TABLE}-restored-{moment:%Y%m%d%H%M%S}"
    dynamodb.create_table(
        TableName=theirs, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    with pytest.raises(OperationError, match=f"there is a table {theirs} that was not restored from {TABLE}"):
        restore_tables.restore(account, TABLE, moment)
    assert theirs in dynamodb.list_tables()["TableNames"]
    dynamodb.delete_table(TableName=theirs)

    done = restore_tables.restore(account, TABLE, moment)
    assert done.counts == {Put.BACK: 1, Put.SAME: 1, Put.OVERWRITTEN: 0, Put.KEPT: 1}
    assert items(dynamodb) == {"gone": "before", "changed": "since", "same": "before", "new": "since"}
    again = restore_tables.restore(account, TABLE, moment, overwrite=True)
    assert again.counts == {Put.BACK: 0, Put.SAME: 2, Put.OVERWRITTEN: 1, Put.KEPT: 0}
    assert items(dynamodb)["changed"] == "before"
    assert dynamodb.list_tables()["TableNames"] == [TABLE]
    with pytest.raises(NotAcceptable, match="can be restored from"):
        restore_tables.restore(account, TABLE, moment - timedelta(days=1))
    with pytest.raises(NotAcceptable, match="production has no table staging-candlefish-x"):
        restore_tables.restore(account, "staging-candlefish-x", moment)


def test_a_bucket_gets_back_what_was_deleted_and_on_request_what_was_written_over(aws: Any, account: Account) -> None:
    s3, bucket = aws.client("s3"), f"storage-assets-{aws.account[-7:]}"
    s3.create_bucket(Bucket=bucket)
    with pytest.raises(NotAcceptable, match="production has no bucket"):
        restore_objects.restore(account, bucket, datetime.now(UTC))
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": PAIRS})
    with pytest.raises(OperationError, match="keeps no versions"):
        restore_objects.restore(account, bucket, datetime.now(UTC))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for name in ("gone", "changed", "changed-and-gone", "same"):
        s3.put_object(Bucket=bucket, Key=name, Body=b"before", Metadata={"of": name})
    moment = then()
    for name in ("changed", "changed-and-gone", "new"):
        s3.put_object(Bucket=bucket, Key=name, Body=b"since!", Metadata={"of": "since"})
    for name in ("gone", "changed-and-gone"):
        s3.delete_object(Bucket=bucket, Key=name)

    def held() -> dict[str, bytes]:
        return {each["Key"]: s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
                for each in s3.list_objects_v2(Bucket=bucket)["Contents"]}

    done = restore_objects.restore(account, bucket, moment)
    assert (done.objects, done.back, done.overwritten, done.kept) == (4, 2, 1, 1)
    assert held() == {"gone": b"before", "changed": b"since!", "changed-and-gone": b"before", "same": b"before",
                      "new": b"since!"}
    assert s3.head_object(Bucket=bucket, Key="changed-and-gone")["Metadata"] == {"of": "changed-and-gone"}
    assert restore_objects.restore(account, bucket, moment, overwrite=True).kept == 0
    assert held()["changed"] == b"before"


def test_a_secret_and_a_key_are_taken_back_before_aws_deletes_them(aws: Any, account: Account) -> None:
    secrets, kms = aws.client("secretsmanager"), aws.client("kms")
    for name, tags in (("production/jwt-1", PAIRS), ("others", [])):
        secrets.create_secret(Name=name, SecretString="kept", Tags=tags)
        secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    assert restore_names.secret(account, "production/jwt-1").was
    assert secrets.get_secret_value(SecretId="production/jwt-1")["SecretString"] == "kept"
    assert not restore_names.secret(account, "production/jwt-1").was
    with pytest.raises(NotAcceptable, match="is not production's by its tags"):
        restore_names.secret(account, "others")
    with pytest.raises(NotAcceptable, match="waiting are: others"):
        restore_names.secret(account, "never")

    key = kms.create_key(Tags=[{"TagKey": name, "TagValue": value} for name, value in OURS.items()])["KeyMetadata"]
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"before")["CiphertextBlob"]
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert restore_names.key(account, key["Arn"]).was
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"
    assert kms.decrypt(KeyId=key["KeyId"], CiphertextBlob=sealed)["Plaintext"] == b"before"
    with pytest.raises(NotAcceptable, match="there is no key"):
        restore_names.key(account, "00000000-0000-0000-0000-000000000000")
