"""A function behind a table's stream, as the tests of streams see it: it writes down what it was given."""

from __future__ import annotations

import io
import json
import textwrap
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
