"""Where functions run in these tests: boto3's own clients on MiniStack's DynamoDB, in this process and without a
socket; faults at any call; a secret; connections of a WebSocket API."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from ministack.services import dynamodb

from common import clients, hashing
from rehearsal.aws.emulators import transactions

transactions.install()
CURRENT, PREVIOUS, OLDEST = "c" * 40, "p" * 40, "o" * 40
TABLES = {
    "events": {"AttributeDefinitions": [("eventId", "S"), ("visitorHash", "S"), ("occurredAt", "S")],
               "KeySchema": ["eventId"], "index": ("by-visitor", ["visitorHash", "occurredAt"])},
    "memory": {"AttributeDefinitions": [("visitorHash", "S")], "KeySchema": ["visitorHash"]},
    "experiments": {"AttributeDefinitions": [("visitorHash", "S"), ("experiment", "S")],
                    "KeySchema": ["visitorHash", "experiment"]},
    "connections": {"AttributeDefinitions": [("metric", "S"), ("connectionId", "S")],
                    "KeySchema": ["metric", "connectionId"]},
}

Fault = Callable[[str, dict[str, Any]], AWSResponse | None]  # operation and its input; an answer instead of the table's


class Killed(BaseException):
    """The function's process ended; nothing catches it."""


class Context:
    """Lambda's, with time that does not pass."""

    def __init__(self, milliseconds: int = 10_000) -> None:
        self.milliseconds = milliseconds
        self.aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


class Secret:
    def __init__(self) -> None:
        self.value = {"current": CURRENT}
        self.failure: Exception | None = None

    def get_secret_value(self, SecretId: str) -> dict[str, str]:
        if self.failure:
            raise self.failure
        return {"SecretString": json.dumps(self.value)}


class Connected:
    """`post_to_connection` of a WebSocket API."""

    def __init__(self) -> None:
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.fates: dict[str, str] = {}  # connection: error code
        self.calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def post_to_connection(self, ConnectionId: str, Data: bytes) -> None:
        with self._lock:
            self.calls[ConnectionId] += 1
            if code := self.fates.get(ConnectionId):
                raise ClientError({"Error": {"Code": code, "Message": ""},
                                   "ResponseMetadata": {"HTTPStatusCode": 410}}, "PostToConnection")
            self.messages.setdefault(ConnectionId, []).append(json.loads(Data))


@cache
def _client() -> Any:
    """One for all tests: making it takes longer than most of them. The tables tell the worlds apart."""
    return boto3.session.Session().client(
        "dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1, "mode": "standard"}, parameter_validation=True))


def _answered(operation: str, body: bytes) -> tuple[int, bytes | str]:
    """What MiniStack's DynamoDB says: a coroutine that never waits."""
    try:
        dynamodb.handle_request("POST", "/", {"x-amz-target": f"DynamoDB_20120810.{operation}"}, body, {}).send(None)
    except StopIteration as done:
        status, _headers, found = done.value
        return status, found
    raise AssertionError("MiniStack waited for something")


class Direct:
    """The table without boto3's client in between, for thousands of calls: it checks and signs nothing."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = "".join(part.capitalize() for part in name.split("_"))

        def call(**arguments: Any) -> Any:
            status, body = _answered(operation, json.dumps(arguments).encode())
            found = json.loads(body)
            if status >= 400:
                raise ClientError({"Error": {"Code": found["__type"].rpartition("#")[2], "Message": ""}, **{
                    key: value for key, value in found.items() if key == "CancellationReasons"}}, operation)
            return found

        return call


class World:
    def __init__(self) -> None:
        self.suffix = uuid4().hex[:12]
        self.secret = Secret()
        self.connected = Connected()
        self.calls: Counter[str] = Counter()
        self.fault: Fault | None = None
        self._lock = threading.RLock()  # a fault may call the table itself
        self.dynamodb: Any = _client()
        self.dynamodb.meta.events.register("before-send.dynamodb", self._send, unique_id="world")
        for name, shape in TABLES.items():
            self._create(name, shape)

    def close(self) -> None:
        _client().meta.events.unregister("before-send.dynamodb", unique_id="world")

    def table(self, name: str) -> str:
        return f"test-{name}-{self.suffix}"

    def client(self, service: str, **_arguments: Any) -> Any:
        return {"dynamodb": self.dynamodb, "secretsmanager": self.secret,
                "apigatewaymanagementapi": self.connected}[service]

    def items(self, name: str) -> list[dict[str, Any]]:
        from common.table import unpack

        fault, self.fault = self.fault, None
        try:
            pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.table(name))
            return [unpack(item) for page in pages for item in page["Items"]]
        finally:
            self.fault = fault

    def everything(self) -> str:
        """The text of all that is kept in all tables."""
        return json.dumps({name: self.items(name) for name in TABLES}, default=sorted)

    def _send(self, request: Any, **_arguments: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().split(".")[1]
        with self._lock:
            self.calls[operation] += 1
            if self.fault and (answer := self.fault(operation, json.loads(request.body))):
                return answer
            return response(*_answered(operation, request.body))

    def _create(self, name: str, shape: dict[str, Any]) -> None:
        def schema(names: list[str]) -> list[dict[str, str]]:
            return [{"AttributeName": each, "KeyType": kind} for each, kind in zip(names, ("HASH", "RANGE"),
                                                                                  strict=False)]
        indexes = [{"IndexName": shape["index"][0], "KeySchema": schema(shape["index"][1]),
                    "Projection": {"ProjectionType": "ALL"}}] if "index" in shape else None
        self.dynamodb.create_table(
            TableName=self.table(name), BillingMode="PAY_PER_REQUEST", KeySchema=schema(shape["KeySchema"]),
            AttributeDefinitions=[{"AttributeName": each, "AttributeType": kind}
                                  for each, kind in shape["AttributeDefinitions"]],
            **({"GlobalSecondaryIndexes": indexes} if indexes else {}))


def response(status: int, body: bytes | str) -> AWSResponse:
    found = AWSResponse("https://dynamodb", status, {}, BytesIO())
    found._content = body if isinstance(body, bytes) else body.encode()
    return found


def error(code: str, message: str = "", **more: Any) -> AWSResponse:
    """As DynamoDB says it."""
    return response(400, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **more}))


def uuid(number: int) -> str:
    return str(UUID(int=number + (4 << 76) + (8 << 60)))


def request(method: str, path: str, body: Any = None, *, parameters: dict[str, str] | None = None,
            query: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """As API Gateway's proxy integration sends it."""
    return {"httpMethod": method, "path": path, "pathParameters": parameters, "queryStringParameters": query,
            "headers": headers or {}, "isBase64Encoded": False,
            "body": body if body is None or isinstance(body, str) else json.dumps(body)}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World()
    monkeypatch.setattr(boto3, "client", world.client)
    clients.client.cache_clear()
    hashing._kept.clear()
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    for name, value in {
        "TABLE_NAME": world.table("events"), "EVENTS_TABLE": world.table("events"),
        "MEMORY_TABLE": world.table("memory"), "EXPERIMENTS_TABLE": world.table("experiments"),
        "CONNECTIONS_TABLE": world.table("connections"), "ENVIRONMENT": "test", "RETENTION_DAYS": "90",
        "HASH_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:test",
        "WEBSOCKET_ENDPOINT": "https://stream.test/live", "ALLOWED_ORIGINS": "https://candlefish.ai",
    }.items():
        monkeypatch.setenv(name, value)
    yield world
    world.close()
    clients.client.cache_clear()
