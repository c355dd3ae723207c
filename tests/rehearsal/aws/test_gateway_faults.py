"""Faults that are ordered at the gateway's own API: what the caller sees, and what took effect."""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.eventually import eventually

pytestmark = pytest.mark.rehearsal


class Ordered:
    def __init__(self, aws: Any) -> None:
        self.url = f"{aws.endpoint.url}/_candlefish/faults"
        session = boto3.Session(aws.account, "test", region_name="us-east-1")
        self.once = Config(retries={"total_max_attempts": 1, "mode": "standard"})
        self.table = session.client("dynamodb", endpoint_url=aws.endpoint.url, config=self.once)
        self.table.create_table(TableName="faulty", BillingMode="PAY_PER_REQUEST",
                                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}])

    def send(self, method: str, document: Any = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url, body, method=method), timeout=60) as answer:
            return json.load(answer)["rules"]

    def rules(self, *rules: dict[str, Any], seed: int = 1) -> None:
        self.send("PUT", {"seed": seed, "rules": [{"service": "dynamodb", **each} for each in rules]})

    def put(self, name: str) -> str:
        """The error's code, or nothing."""
        try:
            self.table.put_item(TableName="faulty", Item={"pk": {"S": name}})
        except ClientError as error:
            return f"{error.response['Error']['Code']} {error.response['ResponseMetadata']['HTTPStatusCode']}"
        except ConnectionClosedError:
            return "closed"
        return ""

    def names(self) -> set[str]:
        return {item["pk"]["S"] for item in self.table.scan(TableName="faulty")["Items"]}


@pytest.fixture
def faults(aws: Any) -> Iterator[Ordered]:
    ordered = Ordered(aws)
    yield ordered
    ordered.send("DELETE")


@pytest.mark.parametrize(("kind", "code", "there"), [
    ("throttle", "ThrottlingException 400", False), ("error", "InternalServerError 500", False),
    ("lost", "closed", True)])
def test_a_call_that_matches_fails_as_often_as_was_ordered(faults: Ordered, kind: str, code: str, there: bool) -> None:
    faults.rules({"kind": kind, "operation": "PutItem", "contains": '"faulty"', "limit": 1})
    assert faults.put("first") == code
    assert faults.names() == ({"first"} if there else set())
    assert faults.put("second") == ""
    assert [(rule["kind"], rule["hit"]) for rule in faults.send("GET")] == [(kind, 1)]


def test_what_does_not_match_is_left_alone(faults: Ordered) -> None:
    faults.rules({"kind": "error", "operation": "Query"}, {"kind": "error", "contains": "another-table"},
                 {"kind": "error", "rate": 0})
    assert faults.put("first") == ""
    assert {rule["hit"] for rule in faults.send("DELETE")} == {0}
    assert faults.send("GET") == []


def test_the_same_seed_hits_the_same_calls(faults: Ordered) -> None:
    def hit(seed: int) -> list[bool]:
        faults.rules({"kind": "throttle", "operation": "PutItem", "rate": 0.5}, seed=seed)
        return [bool(faults.put("x")) for _ in range(40)]

    assert hit(1) == hit(1) != hit(2)
    assert 5 < sum(hit(1)) < 35


@pytest.mark.parametrize("kind", ["hold", "hold-answer"])
def test_a_call_that_is_held_goes_on_when_it_is_let_go(faults: Ordered, kind: str) -> None:
    faults.rules({"kind": kind, "operation": "PutItem", "limit": 1})
    said: list[str] = []
    caller = threading.Thread(target=lambda: said.append(faults.put("first")))
    caller.start()
    eventually("the call is held", lambda: faults.send("GET")[0]["held"] == 1)
    assert faults.names() == ({"first"} if kind == "hold-answer" else set())
    faults.send("DELETE")
    caller.join(30)
    assert said == [""]
    assert faults.names() == {"first"}


def test_a_call_whose_caller_is_gone_before_it_took_effect_never_does(aws: Any, faults: Ordered) -> None:
    faults.rules({"kind": "hold", "operation": "PutItem", "limit": 1})
    place = urlsplit(aws.endpoint.url)
    body = json.dumps({"TableName": "faulty", "Item": {"pk": {"S": "first"}}})
    scope = f"{aws.account}/20260101/us-east-1/dynamodb/aws4_request"
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=30) as caller:
        caller.sendall((f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
                        "X-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Type: application/x-amz-json-1.0\r\n"
                        f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n\r\n"
                        f"{body}").encode())
        eventually("the call is held", lambda: faults.send("GET")[0]["held"] == 1)
    assert faults.put("second") == ""  # whose answer comes after the gateway has seen the end of the first
    faults.send("DELETE")
    assert faults.put("third") == ""
    assert faults.names() == {"second", "third"}


@pytest.mark.parametrize("document", [
    {}, {"rules": [{}]}, {"rules": [{"service": "dynamodb"}]}, {"rules": [{"service": "dynamodb", "kind": "no"}]},
    {"rules": [{"service": "dynamodb", "kind": "error", "rate": 2}]}, {"rules": [1]}, []])
def test_an_order_that_is_none_is_refused_with_what_is_needed(faults: Ordered, document: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        faults.send("PUT", document)
    assert refused.value.code == 400
    assert json.loads(refused.value.read())["message"]
