"""A table's stream reaches deployed functions as in Lambda: retried, halved, reported in part, never lost untold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.eventually import eventually
from tests.rehearsal.aws.fed import fed

pytestmark = pytest.mark.rehearsal

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
    eventually("the records are delivered", lambda: len(place.delivered()) >= 99, 60)
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
    eventually("the stream's last result", lambda: place.result() == "OK", 60)
    assert place.delivered() == NAMES
    assert place.begun() == 3
    assert place.nothing_given_up()


def test_a_function_that_is_killed_in_the_middle_loses_nothing(aws: Any) -> None:
    place = fed(aws, """
        import os, signal
        def behave(given, count, event):
            if count == 1:
                os.kill(os.getpid(), signal.SIGKILL)
    """)
    place.write(NAMES)
    place.map(MaximumRetryAttempts=1)
    eventually("the stream's last result", lambda: place.result() == "OK", 60)
    assert place.delivered() == NAMES
    assert place.nothing_given_up()


def test_being_throttled_is_no_attempt(aws: Any) -> None:
    place = fed(aws, "def behave(given, count, event): pass")
    aws.client("lambda").put_function_concurrency(FunctionName="fed", ReservedConcurrentExecutions=0)
    place.write(NAMES)
    place.map(MaximumRetryAttempts=0)
    eventually("the stream's last result", lambda: place.result() == "PROBLEM: Function call failed", 60)
    aws.client("lambda").delete_function_concurrency(FunctionName="fed")
    eventually("the stream's last result", lambda: place.result() == "OK", 60)
    assert place.invocations() == [NAMES]
    assert place.nothing_given_up()


def test_a_destination_that_is_gone_holds_nothing_up(aws: Any) -> None:
    place = fed(aws, POISONED)
    aws.client("sqs").delete_queue(QueueUrl=aws.client("sqs").get_queue_url(QueueName="given-up")["QueueUrl"])
    place.write(NAMES)
    place.map(BisectBatchOnFunctionError=True, MaximumRetryAttempts=0)
    eventually("the records are delivered", lambda: len(place.delivered()) >= 99, 60)
    assert place.delivered() == [name for name in NAMES if name != "item-042"]


def test_a_whole_batch_is_given_up_without_halving_and_the_stream_goes_on(aws: Any) -> None:
    place = fed(aws, POISONED)
    place.write(NAMES)
    place.map(BatchSize=10)
    (told,) = place.given_up(1)
    eventually("the records are delivered", lambda: len(place.delivered()) >= 90, 60)
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
    eventually("the stream's last result", lambda: place.result() == "OK", 60)
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
    eventually("the stream's last result", lambda: place.result() == "OK", 60)
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
    place.map(MaximumRecordAgeInSeconds=1, MaximumBatchingWindowInSeconds=3,  # in which they get too old
              DestinationConfig={"OnFailure": {"Destination": topic}})
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
    (found,) = eventually("the failure is stored",
                          lambda: aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents"), 60)
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
    eventually("the records are delivered", lambda: len(place.delivered()) >= 10, 60)
    assert place.invocations() == [NAMES[:10]]


def test_a_disabled_mapping_keeps_its_place(aws: Any) -> None:
    place = fed(aws, "def behave(given, count, event): pass")
    place.map()
    place.write(NAMES[:5])
    eventually("the records are delivered", lambda: len(place.delivered()) >= 5, 60)
    disabled = place.mapping
    aws.client("lambda").update_event_source_mapping(UUID=disabled, Enabled=False)
    place.map(StartingPosition="LATEST")  # another reader of the same stream, which shows when it was looked at
    place.write(NAMES[5:9])
    eventually("the records are delivered", lambda: len(place.delivered()) >= 9, 60)
    assert place.delivered() == NAMES[:9]
    aws.client("lambda").update_event_source_mapping(UUID=disabled, Enabled=True)
    eventually("the records are delivered", lambda: len(place.delivered()) >= 13, 60)
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
    eventually("the records are delivered", lambda: len(place.delivered()) >= 32, 60)
    for name in ("a", "b", "c", "d"):
        seen = client.get_item(TableName="log", Key={"pk": {"S": f"of-{name}"}})["Item"]["seen"]["L"]
        assert [int(each["N"]) for each in seen] == list(range(8))
