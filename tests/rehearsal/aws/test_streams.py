"""A table's stream reaches deployed functions as in Lambda: retried, halved, reported in part, never lost untold."""

from __future__ import annotations

import io
import json
import textwrap
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

pytestmark = pytest.mark.rehearsal

# Each invocation writes down what it was given, in a table of its own, and then behaves as the test wants.
_PRELUDE = """
    import json, os, boto3
    log = boto3.client("dynamodb")
    def handle(event, context):
        given = [each["dynamodb"]["Keys"]["pk"]["S"] for each in event["Records"]]
        count = int(log.update_item(TableName="log", Key={"pk": {"S": "count"}}, UpdateExpression="ADD n :one",
                                    ExpressionAttributeValues={":one": {"N": "1"}},
                                    ReturnValues="UPDATED_NEW")["Attributes"]["n"]["N"])
        answer = behave(given, count, event)
        log.put_item(TableName="log", Item={"pk": {"S": f"{count:04}"}, "done": {"S": json.dumps(given)}})
        return answer
"""
DEADLINE_SECONDS = 60.0


@dataclass
class Fed:
    """A function behind a table's stream. `queue` gets what it gives up."""

    aws: Any
    queue: str
    stream: str
    mapping: str = ""

    def write(self, names: Sequence[str]) -> None:
        client = self.aws.client("dynamodb")
        for start in range(0, len(names), 25):
            client.batch_write_item(RequestItems={"events": [
                {"PutRequest": {"Item": {"pk": {"S": name}}}} for name in names[start:start + 25]]})

    def map(self, **settings: Any) -> None:
        self.mapping = self.aws.client("lambda").create_event_source_mapping(**{
            "FunctionName": "fed", "EventSourceArn": self.stream, "StartingPosition": "TRIM_HORIZON", "BatchSize": 100,
            "MaximumRetryAttempts": 2, "DestinationConfig": {"OnFailure": {"Destination": self.queue}},
            **settings})["UUID"]

    def invocations(self) -> list[list[str]]:
        """What each invocation that ended without an error was given, in turn."""
        items = self.aws.client("dynamodb").scan(TableName="log")["Items"]
        return [json.loads(each["done"]["S"]) for each in sorted(items, key=lambda item: item["pk"]["S"])
                if "done" in each]

    def delivered(self) -> list[str]:
        return [name for given in self.invocations() for name in given]

    def begun(self) -> int:
        item = self.aws.client("dynamodb").get_item(TableName="log", Key={"pk": {"S": "count"}}).get("Item")
        return int(item["n"]["N"]) if item else 0

    def given_up(self, count: int) -> list[dict[str, Any]]:
        """So many messages of the queue."""
        url = self.aws.client("sqs").get_queue_url(QueueName="given-up")["QueueUrl"]
        found: list[dict[str, Any]] = []
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(found) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} descriptions came"
            answer = self.aws.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=2, MaxNumberOfMessages=10)
            found += [json.loads(each["Body"]) for each in answer.get("Messages", ())]
        return found

    def nothing_given_up(self) -> bool:
        url = self.aws.client("sqs").get_queue_url(QueueName="given-up")["QueueUrl"]
        return not self.aws.client("sqs").receive_message(QueueUrl=url).get("Messages")

    def result(self) -> str:
        return str(self.aws.client("lambda").get_event_source_mapping(UUID=self.mapping)["LastProcessingResult"])


def until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not met():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def fed(aws: Any, behaviour: str) -> Fed:
    """A table with a stream and a function whose `behave(given, count, event)` is this code; not mapped yet."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("main.py", textwrap.dedent(behaviour) + textwrap.dedent(_PRELUDE))
    aws.client("iam").create_role(RoleName="fed", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')
    aws.client("lambda").create_function(
        FunctionName="fed", Runtime="python3.13", Role=f"arn:aws:iam::{aws.account}:role/fed", Timeout=30,
        Handler="main.handle", Code={"ZipFile": archive.getvalue()})
    table = {"BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
             "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}
    client = aws.client("dynamodb")
    client.create_table(TableName="log", **table)
    stream = client.create_table(TableName="events", **table, StreamSpecification={
        "StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})["TableDescription"]["LatestStreamArn"]
    aws.client("sqs").create_queue(QueueName="given-up")
    return Fed(aws, f"arn:aws:sqs:{aws.region}:{aws.account}:given-up", stream)


NAMES = [f"item-{number:03}" for number in range(100)]
POISONED = """
    def behave(given, count, event):
        if "item-042" in given:
            raise ValueError("poisoned")
"""


def test_a_poisoned_record_is_given_up_alone_and_the_other_99_are_delivered(aws: Any) -> None:
    place = fed(aws, POISONED)
    place.write(NAMES)
    place.map(BisectBatchOnFunctionError=True)
    (told,) = place.given_up(1)
    until(lambda: len(place.delivered()) >= 99)
    assert place.delivered() == [name for name in NAMES if name != "item-042"]
    assert told["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert told["requestContext"]["functionArn"].endswith(":function:fed")
    assert told["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    where = told["DDBStreamBatchInfo"]
    assert (where["batchSize"], where["streamArn"]) == (1, place.stream)
    assert where["startSequenceNumber"] == where["endSequenceNumber"] == sequence_of(aws, place.stream, "item-042")
    assert place.begun() == 7 + 7 + 3  # splits, the halves without it, and the record alone: once and twice again
    assert place.nothing_given_up()


def sequence_of(aws: Any, stream: str, name: str) -> str:
    """As the description's reader finds the record: in the stream itself."""
    client = aws.client("dynamodbstreams")
    shard = client.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = client.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = client.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return next(str(each["dynamodb"]["SequenceNumber"]) for each in records
                if each["dynamodb"]["Keys"]["pk"]["S"] == name)


def test_a_function_that_fails_twice_and_then_works_loses_nothing(aws: Any) -> None:
    place = fed(aws, """
        def behave(given, count, event):
            if count <= 2:
                raise ValueError("not yet")
    """)
    place.write(NAMES)
    place.map()
    until(lambda: place.result() == "OK")
    assert place.delivered() == NAMES
    assert place.begun() == 3
    assert place.nothing_given_up()


def test_a_whole_batch_is_given_up_without_halving_and_the_stream_goes_on(aws: Any) -> None:
    place = fed(aws, POISONED)
    place.write(NAMES)
    place.map(BatchSize=10)
    (told,) = place.given_up(1)
    until(lambda: len(place.delivered()) >= 90)
    assert place.delivered() == [*NAMES[:40], *NAMES[50:]]
    assert told["DDBStreamBatchInfo"]["batchSize"] == 10
    assert told["requestContext"]["approximateInvokeCount"] == 3


def test_only_what_was_reported_and_what_is_behind_it_is_given_again(aws: Any) -> None:
    place = fed(aws, """
        def behave(given, count, event):
            failed = [each for each in event["Records"] if each["dynamodb"]["Keys"]["pk"]["S"] == "item-060"]
            if count < 3:
                return {"batchItemFailures": [{"itemIdentifier": each["dynamodb"]["SequenceNumber"]}
                                              for each in failed]}
    """)
    place.write(NAMES)
    place.map(FunctionResponseTypes=["ReportBatchItemFailures"])
    until(lambda: place.result() == "OK")
    assert place.invocations() == [NAMES, NAMES[60:], NAMES[60:]]
    assert place.nothing_given_up()


def test_a_reported_record_is_given_up_alone_when_batches_are_halved(aws: Any) -> None:
    place = fed(aws, """
        def behave(given, count, event):
            return {"batchItemFailures": [{"itemIdentifier": each["dynamodb"]["SequenceNumber"]}
                    for each in event["Records"] if each["dynamodb"]["Keys"]["pk"]["S"] == "item-042"]}
    """)
    place.write(NAMES)
    place.map(FunctionResponseTypes=["ReportBatchItemFailures"], BisectBatchOnFunctionError=True)
    (told,) = place.given_up(1)
    until(lambda: place.result() == "OK")
    assert told["DDBStreamBatchInfo"]["batchSize"] == 1
    assert told["DDBStreamBatchInfo"]["startSequenceNumber"] == sequence_of(aws, place.stream, "item-042")
    assert "functionError" not in told["responseContext"]  # the function answered
    given = place.delivered()
    assert set(given) == set(NAMES)
    assert all(given.count(name) == 1 for name in NAMES[:42])
    assert place.nothing_given_up()


def test_an_answer_that_makes_no_sense_fails_the_batch(aws: Any) -> None:
    place = fed(aws, """
        def behave(given, count, event):
            return {"batchItemFailures": [{"itemIdentifier": ""}]}
    """)
    place.write(NAMES[:3])
    place.map(FunctionResponseTypes=["ReportBatchItemFailures"])
    assert place.given_up(1)[0]["DDBStreamBatchInfo"]["batchSize"] == 3
    assert place.invocations() == [NAMES[:3]] * 3
    assert place.result() == "PROBLEM: Function call failed"


def test_records_that_are_too_old_are_told_to_a_topic_and_never_given(aws: Any) -> None:
    place = fed(aws, "def behave(given, count, event): pass")
    topic = aws.client("sns").create_topic(Name="given-up")["TopicArn"]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=place.queue,
                                Attributes={"RawMessageDelivery": "true"})
    place.write(NAMES[:2])
    written = time.time()
    until(lambda: time.time() - written > 3)  # records have a second's precision; two of age are over
    place.map(MaximumRecordAgeInSeconds=1, DestinationConfig={"OnFailure": {"Destination": topic}})
    (told,) = place.given_up(1)
    assert told["requestContext"] == {**told["requestContext"], "condition": "RecordAgeExceeded",
                                      "approximateInvokeCount": 0}
    assert told["DDBStreamBatchInfo"]["batchSize"] == 2
    assert "responseContext" not in told
    assert place.begun() == 0


def test_a_bucket_gets_the_records_too(aws: Any) -> None:
    place = fed(aws, POISONED)
    bucket = f"given-up-{aws.account}"
    aws.client("s3").create_bucket(Bucket=bucket)
    place.write(["item-042"])
    place.map(MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{bucket}"}})
    until(lambda: bool(aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents")))
    (found,) = aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert found["Key"].startswith(f"aws/lambda/{place.mapping}/shardId-")
    told = json.loads(aws.client("s3").get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    assert [each["dynamodb"]["Keys"]["pk"]["S"] for each in told["payload"]["Records"]] == ["item-042"]


def test_the_window_gathers_and_the_filter_lets_only_new_items_through(aws: Any) -> None:
    place = fed(aws, "def behave(given, count, event): pass")
    place.map(MaximumBatchingWindowInSeconds=1, FilterCriteria={"Filters": [
        {"Pattern": json.dumps({"eventName": ["INSERT"]})}]})
    place.write(NAMES[:5])
    aws.client("dynamodb").delete_item(TableName="events", Key={"pk": {"S": NAMES[0]}})
    place.write(NAMES[5:10])
    until(lambda: len(place.delivered()) >= 10)
    assert place.invocations() == [NAMES[:10]]


def test_a_disabled_mapping_keeps_its_place(aws: Any) -> None:
    place = fed(aws, "def behave(given, count, event): pass")
    place.map()
    place.write(NAMES[:5])
    until(lambda: len(place.delivered()) >= 5)
    disabled = place.mapping
    aws.client("lambda").update_event_source_mapping(UUID=disabled, Enabled=False)
    place.map(StartingPosition="LATEST")  # another reader of the same stream, which shows when it was looked at
    place.write(NAMES[5:9])
    until(lambda: len(place.delivered()) >= 9)
    assert place.delivered() == NAMES[:9]
    aws.client("lambda").update_event_source_mapping(UUID=disabled, Enabled=True)
    until(lambda: len(place.delivered()) >= 13)
    assert place.delivered() == [*NAMES[:9], *NAMES[5:9]]


def test_a_factor_keeps_each_items_changes_in_order(aws: Any) -> None:
    place = fed(aws, """
        def behave(given, count, event):
            for each in event["Records"]:
                image = each["dynamodb"]["NewImage"]
                log.update_item(TableName="log", Key={"pk": {"S": "of-" + image["pk"]["S"]}}, UpdateExpression=
                    "SET seen = list_append(if_not_exists(seen, :none), :new)", ExpressionAttributeValues={
                    ":none": {"L": []}, ":new": {"L": [image["n"]]}})
    """)
    client = aws.client("dynamodb")
    for number in range(8):
        for name in ("a", "b", "c", "d"):
            client.put_item(TableName="events", Item={"pk": {"S": name}, "n": {"N": str(number)}})
    place.map(ParallelizationFactor=4, BatchSize=3)
    until(lambda: len(place.delivered()) >= 32)
    for name in ("a", "b", "c", "d"):
        seen = client.get_item(TableName="log", Key={"pk": {"S": f"of-{name}"}})["Item"]["seen"]["L"]
        assert [int(each["N"]) for each in seen] == list(range(8))
