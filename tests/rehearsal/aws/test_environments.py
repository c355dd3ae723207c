"""Deployed functions run as in Lambda: a clean environment, memory and time that end, errors that callers don't see."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import math
import os
import re
import shutil
import textwrap
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from rehearsal.aws.emulators.environment_variables import RESERVED
from tests.rehearsal.aws.websocket_api import websocket_api

pytestmark = pytest.mark.rehearsal

# Python names the character set itself where the locale is not installed; MiniStack counts invocations within another.
BY_OTHERS = {"LC_CTYPE", "__CF_USER_TEXT_ENCODING", "_MINISTACK_INVOKE_DEPTH"}


def deployed(aws: Any, code: str, file: str = "main.py", **settings: Any) -> str:
    """Its ARN. `code` has a function `handle`."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr(file, textwrap.dedent(code))
    aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')
    return str(aws.client("lambda").create_function(**{
        "FunctionName": "fn", "Runtime": "python3.13", "Role": f"arn:aws:iam::{aws.account}:role/r", "Timeout": 20,
        "Handler": "main.handle", "Code": {"ZipFile": archive.getvalue()}, **settings})["FunctionArn"])


def invoked(aws: Any, event: Any = None) -> tuple[Any, str | None, str]:
    """What it answered, the header that says an error, and the end of its log."""
    answer = aws.client("lambda").invoke(FunctionName="fn", Payload=json.dumps(event).encode(), LogType="Tail")
    log = base64.b64decode(answer.get("LogResult", "")).decode()
    return json.loads(answer["Payload"].read()), answer.get("FunctionError"), log


def test_a_function_sees_lambdas_variables_and_its_own_and_nothing_of_the_server(aws: Any) -> None:
    deployed(aws, """
        import os, sys
        def handle(event, context):
            return {"environment": dict(os.environ), "path": sys.path}
    """, Environment={"Variables": {"MINE": "1"}}, MemorySize=256)
    answer, _, _ = invoked(aws)
    found = answer["environment"]
    expected = {"MINE", "HOME", "LANG", "PATH", "TZ", "AWS_ENDPOINT_URL", "AWS_DISABLE_HOST_PREFIX_INJECTION",
                "_LAMBDA_FUNCTION_ARN", "_LAMBDA_TIMEOUT"}
    assert set(found) <= RESERVED | expected | BY_OTHERS
    assert {name: found[name] for name in ("MINE", "AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME",
                                           "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_ENDPOINT_URL", "_HANDLER")} == {
        "MINE": "1", "AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "fn",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_ENDPOINT_URL": aws.endpoint.url, "_HANDLER": "main.handle"}
    assert found["HOME"] != os.environ["HOME"]
    assert str(Path(__file__).parents[3]) not in answer["path"]  # the project's own modules


COUNTS = """
    calls = 0
    def handle(event, context):
        global calls
        calls += 1
        if event:
            behave()
        return calls
"""


def test_a_function_that_takes_more_memory_than_it_has_is_killed_and_starts_anew(aws: Any) -> None:
    deployed(aws, COUNTS + """
    def behave():
        print("taking much")
        return bytearray(b"1") * (300 * 1024 * 1024)
    """, MemorySize=128)
    assert [invoked(aws)[0] for _ in range(2)] == [1, 2]
    error, header, log = invoked(aws, "much")
    assert (header, error["errorType"]) == ("Unhandled", "Runtime.OutOfMemory")
    assert error["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert "taking much" in log
    assert "Runtime.OutOfMemory" in log
    assert invoked(aws)[0] == 1
    aws.client("lambda").update_function_configuration(FunctionName="fn", MemorySize=1024)
    assert invoked(aws, "much")[:2] == (1, None)


def test_a_module_that_takes_more_memory_than_there_is_is_killed_while_it_loads(aws: Any) -> None:
    deployed(aws, """
        much = bytearray(b"1") * (300 * 1024 * 1024)
        def handle(event, context): pass
    """, MemorySize=128)
    assert invoked(aws)[0]["errorType"] == "Runtime.OutOfMemory"


def test_a_function_that_takes_too_long_is_ended_with_all_it_started_and_starts_anew(aws: Any) -> None:
    deployed(aws, """
        import subprocess, sys
        def handle(event, context):
            child = subprocess.Popen(["sleep", "97531"], stdout=subprocess.DEVNULL)
            print(child.pid, file=sys.stderr, flush=True)
            if event:
                child.wait()
            child.kill()
            return "ended"
    """, Timeout=1)
    began = time.monotonic()
    error, header, log = invoked(aws, "long")
    assert time.monotonic() - began < 10
    assert (header, error["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert error["errorMessage"].endswith("Task timed out after 1.00 seconds")
    child = int(next(line for line in log.splitlines() if line.isdigit()))
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
    assert invoked(aws)[0] == "ended"


def test_a_process_that_ends_by_itself_is_an_exit_and_the_next_starts_anew(aws: Any) -> None:
    deployed(aws, COUNTS + """
    def behave():
        import sys
        sys.exit(3)
    """)
    assert [invoked(aws)[0] for _ in range(2)] == [1, 2]
    error, header, _ = invoked(aws, "exit")
    assert (header, error["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert error["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert invoked(aws)[0] == 1


def test_an_exception_is_described_and_logged_and_the_process_goes_on(aws: Any) -> None:
    deployed(aws, COUNTS + """
    def behave():
        raise LookupError("nobody of that name")
    """)
    assert invoked(aws)[0] == 1
    error, header, log = invoked(aws, "raise")
    assert header == "Unhandled"
    assert (error["errorType"], error["errorMessage"]) == ("LookupError", "nobody of that name")
    assert error["requestId"]
    assert "in behave" in error["stackTrace"][-1]
    assert "[ERROR] LookupError: nobody of that name\nTraceback (most recent call last):" in log
    assert invoked(aws)[0] == 3


@pytest.mark.parametrize(("code", "kind", "message"), [
    ("import nothing_of_that_name\n", "Runtime.ImportModuleError", "Unable to import module 'main': No module named"),
    ("def (:\n", "Runtime.UserCodeSyntaxError", "Syntax error in module 'main'"),
    ("def another(): pass\n", "Runtime.HandlerNotFound", "Handler 'handle' missing on module 'main'"),
    ("raise KeyError('x')\n", "KeyError", "'x'"),
    ("import os\nos._exit(4)\n", "Runtime.ExitError", "exit status 4"),
    ("def handle(event, context): return object()\n", "Runtime.MarshalError", "Unable to marshal response"),
])
def test_what_the_runtime_finds_wrong_has_its_own_kind(aws: Any, code: str, kind: str, message: str) -> None:
    deployed(aws, code)
    error, header, _ = invoked(aws)
    assert (header, error["errorType"]) == ("Unhandled", kind)
    assert message in error["errorMessage"]


def test_lines_without_an_end_are_not_waited_for(aws: Any) -> None:
    deployed(aws, "def handle(event, context): return 1\n")
    invoked(aws)
    took = []
    for _ in range(5):
        began = time.monotonic()
        invoked(aws)
        took.append(time.monotonic() - began)
    assert min(took) < 0.045  # MiniStack waits 50 ms for a first line


def rest_api(aws: Any, function: str) -> str:
    """The address of a REST API whose root is the function's."""
    apis = aws.client("apigateway")
    api = apis.create_rest_api(name="api")["id"]
    root = apis.get_resources(restApiId=api)["items"][0]["id"]
    apis.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    apis.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="AWS_PROXY",
                         integrationHttpMethod="POST", uri="arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/"
                         f"functions/{function}/invocations")
    apis.create_deployment(restApiId=api, stageName="live")
    return f"{aws.endpoint.url}/_aws/execute-api/{api}/live/"


def fetched(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("body", [
    "raise ValueError('a secret')", "raise SystemExit(1)", "bytearray(b'1') * (300 << 20)", "return 'a secret'",
    "return {'statusCode': 200, 'body': {'a': 'secret'}}", "return {'secret': 1}",
])
def test_who_calls_a_rest_api_learns_nothing_of_an_error(aws: Any, body: str) -> None:
    url = rest_api(aws, deployed(aws, f"def handle(event, context):\n    {body}\n    return {{'statusCode': 'x'}}\n"))
    status, text = fetched(url)
    assert (status, json.loads(text)) == (502, {"message": "Internal server error"})


def test_who_calls_a_rest_api_gets_what_a_function_answers(aws: Any) -> None:
    answer = {"statusCode": 418, "headers": {"X-A": "b"}, "body": "short and stout", "isBase64Encoded": False}
    assert fetched(rest_api(aws, deployed(aws, f"def handle(event, context): return {answer}\n"))) == (
        418, "short and stout")


def test_who_calls_over_a_websocket_learns_nothing_of_an_error_and_it_is_logged(aws: Any) -> None:
    function = deployed(aws, """
        def handle(event, context):
            if event["requestContext"]["eventType"] == "MESSAGE":
                raise ValueError("a secret")
            return {"statusCode": 200}
    """)
    url = websocket_api(aws, function)

    async def talk() -> Any:
        async with (aiohttp.ClientSession() as session,
                    session.ws_connect(url) as socket):
            await socket.send_str(json.dumps({"action": "ping"}))
            return json.loads((await asyncio.wait_for(socket.receive(), 20)).data)

    said = asyncio.run(talk())
    assert said == {"message": "Internal server error", "connectionId": said["connectionId"],
                    "requestId": said["requestId"]}
    events = aws.client("logs").filter_log_events(logGroupName="/aws/lambda/fn")["events"]
    assert any(each["message"] == "[ERROR] ValueError: a secret" for each in events)


REPORT = re.compile(r"REPORT RequestId: \S+\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms\tMemory Size: 256 MB\t"
                    r"Max Memory Used: (\d+) MB(?:\tInit Duration: ([\d.]+) ms)?$", re.M)


def test_the_report_has_the_handlers_time_alone_and_the_start_of_a_new_process(aws: Any) -> None:
    deployed(aws, """
        import time
        time.sleep(0.3)
        def handle(event, context):
            time.sleep(0.05)
    """, MemorySize=256)
    (first,), (second,) = (REPORT.findall(invoked(aws)[2]) for _ in range(2))
    assert float(first[3]) >= 300
    assert second[3] == ""
    for duration, billed, peak, init in (first, second):
        assert 50 <= float(duration) < 300
        assert int(billed) == math.ceil(float(duration) + float(init or 0))
        assert 1 < int(peak) < 256
    lines = [each["message"] for each in aws.client("logs").filter_log_events(
        logGroupName="/aws/lambda/fn")["events"]]
    assert len([line for line in lines if line.startswith("REPORT")]) == 2
    assert [line.split()[0] for line in lines] == ["START", "END", "REPORT"] * 2


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_a_function_for_node_ends_likewise(aws: Any) -> None:
    deployed(aws, """
        let calls = 0
        exports.handle = async (event) => {
            calls += 1
            if (event === "raise") throw new TypeError("not this")
            if (event === "much") return Buffer.alloc(600 * 1024 * 1024, 1).length
            return [calls, Object.keys(process.env)]
        }
    """, "main.js", Runtime="nodejs20.x", MemorySize=256)
    answer, _, _ = invoked(aws)
    assert answer[0] == 1
    assert not {"MOTO_PORT", "PYTHONPATH"} & set(answer[1])
    error, header, log = invoked(aws, "raise")
    assert (header, error["errorType"], error["errorMessage"]) == ("Unhandled", "TypeError", "not this")
    assert "[ERROR] TypeError: not this" in log
    assert invoked(aws)[0][0] == 3
    assert invoked(aws, "much")[0]["errorType"] == "Runtime.OutOfMemory"
    assert invoked(aws)[0][0] == 1
