"""Whom a request is for, by signature, target, host and path; and which emulator serves it."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ParamValidationError

from rehearsal.aws import model_check, provider_account
from rehearsal.aws.gateway.accounts import Accounts
from rehearsal.aws.gateway.errors import Protocol, error, protocol
from rehearsal.aws.kept import decode, encode
from rehearsal.aws.provider_diff import document
from rehearsal.aws.provider_errors import property_of
from rehearsal.aws.replay import Answer, Replay
from rehearsal.aws.routing import Server, address, route
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Archive, Asset, Secret

pytestmark = pytest.mark.unit

SIGNED = "AWS4-HMAC-SHA256 Credential={}/20260101/{}/{}/aws4_request, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize(("method", "path", "query", "headers", "form", "expected"), [
    ("POST", "/", {}, {"Authorization": SIGNED.format("111122223333", "eu-west-1", "ec2")}, {"Action": "DescribeVpcs"},
     ("ec2", "eu-west-1", "111122223333", "DescribeVpcs")),
    ("POST", "/", {}, {"Authorization": SIGNED.format("AKIA", "us-east-1", "kms"), "X-Amz-Target":
                       "TrentService.CreateKey"}, {}, ("kms", "us-east-1", "AKIA", "CreateKey")),
    ("GET", "/b/k", {"X-Amz-Credential": "AKIA/20260101/us-west-2/s3/aws4_request"}, {}, {},
     ("s3", "us-west-2", "AKIA", "")),
    ("GET", "/b/k", {"AWSAccessKeyId": "AKIA", "Signature": "x"}, {}, {}, ("s3", "us-east-1", "AKIA", "")),
    ("GET", "/b/k", {}, {"Host": "127.0.0.1:4566"}, {}, ("s3", "us-east-1", "", "")),
    ("GET", "/k", {}, {"Host": "bucket.s3.us-west-2.amazonaws.com"}, {}, ("s3", "us-east-1", "", "")),
    ("POST", "/", {}, {"Host": "sqs.us-west-2.amazonaws.com"}, {}, ("sqs", "us-west-2", "", "")),
    ("POST", "/", {}, {"X-Amz-Target": "DynamoDB_20120810.PutItem"}, {}, ("dynamodb", "us-east-1", "", "PutItem")),
    ("POST", "/", {}, {}, {"Action": "AssumeRoleWithWebIdentity"}, ("sts", "us-east-1", "",
                                                                      "AssumeRoleWithWebIdentity")),
    ("GET", "/health", {}, {"Host": "abc123.execute-api.localhost:4566"}, {}, ("execute-api", "us-east-1", "", "")),
    ("POST", "/2015-03-31/functions/f/invocations", {}, {}, {}, ("lambda", "us-east-1", "", "")),
])
def test_a_request_is_addressed(method: str, path: str, query: dict[str, str], headers: dict[str, str],
                                form: dict[str, str], expected: tuple[str, ...]) -> None:
    to = address(method, path, query, headers, form)
    assert (to.service, to.region, to.access_key, to.operation) == expected


@pytest.mark.parametrize(("service", "server"), [("ec2", Server.MOTO), ("s3", Server.MINISTACK),
                                                 ("rds", Server.MOTO), ("eks", Server.MINISTACK),
                                                 ("never-heard-of", Server.MOTO)])
def test_a_service_goes_to_the_server_that_is_better_at_it(service: str, server: Server) -> None:
    to = address("POST", "/", {}, {"Authorization": SIGNED.format("1", "us-east-1", service)}, {})
    assert route(to, "POST", "/") is server


def test_only_twelve_digits_are_an_account() -> None:
    accounts = Accounts()
    for key, account in (("111122223333", "111122223333"), ("AKIA", "000000000000"), ("12", "000000000000")):
        to = address("POST", "/", {}, {"Authorization": SIGNED.format(key, "us-east-1", "sts")}, {})
        assert accounts.of(to) == account


def test_an_unsigned_call_of_an_api_belongs_to_who_made_the_api() -> None:
    accounts = Accounts()
    signature = {"Authorization": SIGNED.format("111122223333", "us-west-2", "apigateway")}
    to = address("POST", "/restapis", {}, signature, {})
    accounts.learn(to, "POST", "/restapis", b'{"id": "abc"}')
    assert accounts.owner_of_api("/restapis/abc/prod/_user_request_/x", "") == ("111122223333", "us-west-2")
    assert accounts.owner_of_api("/", "abc.execute-api.localhost") == ("111122223333", "us-west-2")
    assert accounts.owner_of_api("/restapis/other/x", "") is None


def test_what_can_only_be_the_call_of_an_api_is_one_and_a_change_of_the_api_is_none() -> None:
    accounts, owner = Accounts(), ("111122223333", "us-west-2")
    signature = {"Authorization": SIGNED.format(owner[0], owner[1], "apigateway")}
    to = address("POST", "/restapis", {}, signature, {})
    accounts.learn(to, "POST", "/restapis", b'{"id": "abc"}')
    accounts.learn(to, "POST", "/domainnames", b'{"domainName": "rest.example.com"}')
    for path, host in (("/_aws/execute-api/abc/live/x", "127.0.0.1:1"), ("/x", "abc.execute-api.localhost:1"),
                       ("/restapis/abc/live/_user_request_/x", "127.0.0.1:1"), ("/x", "rest.example.com"),
                       ("/_candlefish/reset", "rest.example.com:1"), ("/restapis/other", "rest.example.com")):
        assert accounts.owner_of_call(path, host) == owner, path
    for path in ("/restapis/abc/resources", "/restapis/abc", "/_candlefish/reset", "/_aws/execute-api/other/live"):
        assert accounts.owner_of_call(path, "127.0.0.1:1") is None, path


@pytest.mark.parametrize(("service", "target", "form", "kind"), [
    ("ec2", "", True, Protocol.EC2), ("iam", "", True, Protocol.QUERY), ("kms", "T.X", False, Protocol.JSON),
    ("eks", "", False, Protocol.REST_JSON), ("s3", "", False, Protocol.S3), ("route53", "", False, Protocol.REST_XML)])
def test_an_error_has_the_shape_of_its_protocol(service: str, target: str, form: bool, kind: Protocol) -> None:
    assert protocol(service, target, form) is kind
    answer = error(kind, 400, "Code<", "a & b")
    text = answer.body.decode()
    if kind in (Protocol.JSON, Protocol.REST_JSON):
        assert json.loads(text)["message"] == "a & b"
    else:
        assert "<Code>Code&lt;</Code><Message>a &amp; b</Message>" in text


def test_a_repeated_call_is_answered_once_made_and_a_failed_one_is_made_again() -> None:
    async def scenario() -> list[int]:
        replay, calls = Replay(), []

        async def call(status: int) -> Answer:
            calls.append(status)
            await asyncio.sleep(0)
            return Answer(status, (), b"x")

        await replay.once("a/1", b"d", lambda: call(500))
        await replay.once("a/1", b"d", lambda: call(200))
        _, again = await replay.once("a/1", b"d", lambda: call(201))
        assert again
        _, other = await replay.once("a/1", b"e", lambda: call(202))
        assert not other
        return calls

    assert asyncio.run(scenario()) == [500, 200, 202]


def test_a_duplicate_of_a_call_under_way_waits_for_it() -> None:
    async def scenario() -> int:
        replay, made = Replay(), 0
        gate = asyncio.Event()

        async def call() -> Answer:
            nonlocal made
            made += 1
            await gate.wait()
            return Answer(200, (), b"x")

        pair = [asyncio.ensure_future(replay.once("a/1", b"d", call)) for _ in range(2)]
        await asyncio.sleep(0)
        gate.set()
        assert [answer.body for answer, _ in await asyncio.gather(*pair)] == [b"x", b"x"]
        return made

    assert asyncio.run(scenario()) == 1


def test_the_oldest_answers_are_forgotten_first() -> None:
    async def scenario() -> list[bool]:
        replay = Replay(entries=2)

        async def call() -> Answer:
            return Answer(200, (), b"x")

        for key in "abc":
            await replay.once(key, b"", call)
        return [(await replay.once(key, b"", call))[1] for key in "ca"]

    assert asyncio.run(scenario()) == [True, False]


@pytest.mark.parametrize("value", [
    None, 1, 1.5, "x", [1, {"a": None}], b"\x00", Asset(text="x", hash="h"), Archive(assets={"a": Asset(path="p")})])
def test_kept_values_survive_the_wire(value: Any) -> None:
    assert decode(json.loads(json.dumps(encode({"v": value})))) == {"v": value}


def test_a_wrapped_secret_is_not_sent_anywhere() -> None:
    with pytest.raises(TypeError, match="Secret"):
        encode({"a": Secret("x")})


@pytest.mark.parametrize(("service", "operation", "parameters", "problem"), [
    ("kms", "CreateKey", {"KeySpec": "RSA_1"}, "KeySpec, value: RSA_1, allowed: "),
    ("iam", "CreateRole", {"RoleName": "a b", "AssumeRolePolicyDocument": "{}"}, "RoleName, value: a b, must match"),
    ("ecr", "CreateRepository", {"repositoryName": "x", "tags": [{"Key": "a"}], "imageTagMutability": "NO"},
     "imageTagMutability"),
])
def test_enums_and_patterns_of_the_model_are_enforced(service: str, operation: str, parameters: dict[str, Any],
                                                      problem: str) -> None:
    model = botocore.session.Session().get_service_model(service).operation_model(operation)
    with pytest.raises(ParamValidationError) as caught:
        model_check.check(model, parameters)
    assert problem in str(caught.value)


def test_an_operation_without_input_has_nothing_to_check() -> None:
    model_check.check(SimpleNamespace(input_shape=None), {})


@pytest.mark.parametrize(("config", "account"), [
    ({}, "000000000000"), ({"allowedAccountIds": ["111122223333"]}, "111122223333"),
    ({"accessKey": "222233334444"}, "222233334444"),
    ({"assumeRoles": [{"roleArn": "arn:aws:iam::333344445555:role/r"}]}, "333344445555")])
def test_the_provider_configuration_says_whose_account(config: dict[str, Any], account: str,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    assert provider_account.account(config) == account


def test_a_missing_region_says_where_to_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ProviderError, match="aws:region"):
        provider_account.region({})


@pytest.mark.parametrize(("first", "second", "same"), [
    ('{"a": ["x"]}', '{"a":"x"}', True), ('{"a": ["x", "y"]}', '{"a":["y","x"]}', True),
    ('{"a": 1}', '{"a": 2}', False), ("no json", "no json", True)])
def test_policy_documents_are_compared_as_iam_reads_them(first: str, second: str, same: bool) -> None:
    assert (document(first) == document(second)) is same


@pytest.mark.parametrize(("parameter", "property"), [
    ("RoleName", "name"), ("CidrBlock", "cidrBlock"), ("SubnetIds[0]", "subnetIds"), ("Unrelated", "")])
def test_a_parameter_leads_back_to_its_property(parameter: str, property: str) -> None:
    assert property_of(parameter, ["name", "cidrBlock", "subnetIds"]) == property
