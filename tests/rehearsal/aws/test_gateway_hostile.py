"""What the gateway makes of requests that are not meant well: they reach the API that they name and nothing else."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import io
import json
import textwrap
import zipfile
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.rehearsal.aws.websocket_api import websocket_api

pytestmark = pytest.mark.rehearsal

ECHO = """
    import json
    def handle(event, context):
        about = event["requestContext"]
        said = {"route": about.get("routeKey"), "method": event.get("httpMethod"), "body": event.get("body")}
        return {"statusCode": 200, "body": json.dumps(said)}
"""


@pytest.fixture
def function(aws: Any) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("main.py", textwrap.dedent(ECHO))
    aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')
    return str(aws.client("lambda").create_function(
        FunctionName="echo", Runtime="python3.13", Role=f"arn:aws:iam::{aws.account}:role/r", Timeout=20,
        Handler="main.handle", Code={"ZipFile": archive.getvalue()})["FunctionArn"])


@pytest.fixture
def path(aws: Any, function: str) -> str:
    """Of a REST API whose root answers with what it was sent."""
    apis = aws.client("apigateway")
    api = apis.create_rest_api(name="echo")["id"]
    root = apis.get_resources(restApiId=api)["items"][0]["id"]
    apis.put_method(restApiId=api, resourceId=root, httpMethod="ANY", authorizationType="NONE")
    apis.put_integration(
        restApiId=api, resourceId=root, httpMethod="ANY", type="AWS_PROXY", integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations")
    apis.create_deployment(restApiId=api, stageName="live")
    return f"/_aws/execute-api/{api}/live/"


def ask(aws: Any, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    place = urlsplit(aws.endpoint.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    connection.request(method, path, body or None, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


@pytest.mark.parametrize(("body", "headers"), [
    (b"x", {"X_Amz_Target": "DynamoDB_20120810.ListTables"}),
    (b"x", {"Authorization": "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/dynamodb/aws4_request, "
                             "SignedHeaders=host, Signature=0", "X_Amz_Target": "DynamoDB_20120810.ListTables"}),
    (b"Action=AssumeRole&RoleArn=x", {"Content_Type": "application/x-www-form-urlencoded"}),
    (b"x", {"Content_Encoding": "gzip"}), (b"x", {"Content_Encoding": "br"}),
    (b"x", {"Upgrade": "websocket"}), (b"x", {"Upgrade": "websocket", "Connection": "Upgrade"}),
])
def test_a_call_of_an_api_reaches_it_whatever_its_headers_say(aws: Any, path: str, body: bytes,
                                                              headers: dict[str, str]) -> None:
    status, said = ask(aws, "POST", path, body, **headers)
    assert (status, said) == (200, {"route": None, "method": "POST", "body": body.decode()})


def test_what_is_no_request_is_refused_as_json_and_not_in_the_librarys_words(aws: Any, path: str) -> None:
    assert ask(aws, "FOO", path) == (400, {"message": "Bad Request"})


def test_a_handshake_with_what_is_no_websocket_api_is_refused_as_json(aws: Any, path: str) -> None:
    status, said = ask(aws, "GET", path, Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Version="13",
                       Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==")
    assert (status, said) == (403, {"message": "Forbidden"})


def test_a_compressed_object_is_kept_as_it_was_sent(aws: Any) -> None:
    bucket, content = f"compressed-{aws.account}", gzip.compress(b"x" * 1000)
    aws.client("s3").create_bucket(Bucket=bucket)
    aws.client("s3").put_object(Bucket=bucket, Key="k", Body=content, ContentEncoding="gzip")
    assert aws.client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == content


@pytest.fixture
def socket_url(aws: Any, function: str) -> str:
    return websocket_api(aws, function)


@pytest.mark.parametrize(("sent", "code"), [(b"x", 1003), ("x" * (128 * 1024 + 1), 1009), ("x" * 128 * 1024, None),
                                            ('{"a":' * 20_000, None), ("", None)])
def test_a_message_that_api_gateway_does_not_take_ends_the_connection_with_its_code(
        socket_url: str, sent: str | bytes, code: int | None) -> None:
    async def talk() -> tuple[Any, int | None]:
        async with aiohttp.ClientSession() as session, session.ws_connect(socket_url, max_msg_size=0) as socket:
            await (socket.send_bytes(sent) if isinstance(sent, bytes) else socket.send_str(sent))
            answer = await asyncio.wait_for(socket.receive(), 20)
            return answer.data, socket.close_code

    data, ended = asyncio.run(talk())
    assert ended == code
    if code is None:
        assert json.loads(data) == {"route": "$default", "method": None, "body": sent}
