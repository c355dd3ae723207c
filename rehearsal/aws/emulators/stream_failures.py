"""What a stream's mapping tells its failure destination (SQS, SNS or S3) about records that it gave up.

The document: AWS Lambda's developer guide, "Retain discarded records for a DynamoDB event source in Lambda".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.services import s3, sns, sqs

from rehearsal.aws.emulators.stream_batches import Discard, Record

SHARD = "shardId-00000000000000000000-00000000"  # the one that MiniStack's DescribeStream tells of


class Undeliverable(Exception):
    """The destination is gone or refused the document; the text says which and why."""


def deliver(mapping: Mapping[str, Any], discard: Discard, now: float) -> None:
    """Sends the description; nothing without a destination, as in Lambda. Raises Undeliverable."""
    arn = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    if not arn:
        return
    document = description(mapping, discard, now)
    service = arn.split(":")[2]
    if service == "sqs":
        _to_queue(arn, document)
    elif service == "sns":
        _to_topic(arn, document)
    elif service == "s3":
        _to_bucket(arn, mapping["UUID"], {**document, "payload": _payload(discard)}, now)
    else:
        raise Undeliverable(f"{arn} is neither a queue nor a topic nor a bucket")


def description(mapping: Mapping[str, Any], discard: Discard, now: float) -> dict[str, Any]:
    """Metadata alone: to find the records, read the stream from `startSequenceNumber`."""
    batch = discard.batch
    first, last = batch.records[0], batch.records[-1]
    response = {"statusCode": 200, "executedVersion": mapping.get("Qualifier") or "$LATEST",
                **({"functionError": batch.error} if batch.error else {})}
    return {
        "requestContext": {"requestId": str(uuid.uuid4()), "functionArn": mapping["FunctionArn"],
                           "condition": discard.condition.value, "approximateInvokeCount": batch.invocations},
        **({"responseContext": response} if batch.invocations else {}),  # there was none: too old when they were read
        "version": "1.0",
        "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "DDBStreamBatchInfo": {
            "shardId": SHARD, "startSequenceNumber": first.sequence, "endSequenceNumber": last.sequence,
            "approximateArrivalOfFirstRecord": _arrival(first), "approximateArrivalOfLastRecord": _arrival(last),
            "batchSize": len(batch.records), "streamArn": mapping["EventSourceArn"],
        },
    }


def _to_queue(arn: str, document: Mapping[str, Any]) -> None:
    queue = sqs._queue_by_arn(arn)
    if queue is None:
        raise Undeliverable(f"{arn} does not exist")
    try:
        sqs._act_send_message({"MessageBody": json.dumps(document)}, queue["url"])
    except sqs._Err as error:
        raise Undeliverable(f"{arn}: {error}") from error


def _to_topic(arn: str, document: Mapping[str, Any]) -> None:
    try:
        published = sns.publish_internal(arn, json.dumps(document))
    except sns.SnsPublishError as error:
        raise Undeliverable(f"{arn}: {error}") from error
    if published is None:
        raise Undeliverable(f"{arn} does not exist")


def _to_bucket(arn: str, mapping: str, document: Mapping[str, Any], now: float) -> None:
    """The key's form is documented with the destination: a folder a mapping, shard and day."""
    at = datetime.fromtimestamp(now, UTC)
    key = f"aws/lambda/{mapping}/{SHARD}/{at:%Y/%m/%d}/{at:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
    status, _, answer = s3._put_object(arn.split(":::", 1)[1], key, json.dumps(document).encode(),
                                       {"content-type": "application/json"})
    if status != 200:
        raise Undeliverable(f"{arn}: {answer.decode(errors='replace')}")


def _payload(discard: Discard) -> dict[str, Any]:
    return {"Records": [record.body for record in discard.batch.records]}


def _arrival(record: Record) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
