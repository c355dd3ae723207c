"""The emulators as processes: found again, ended with everything they started, on loopback only."""

from __future__ import annotations

import io
import json
import socket
import zipfile
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from rehearsal.aws.cdn import doors
from rehearsal.aws.servers import Aws, ServerError

pytestmark = pytest.mark.rehearsal


@pytest.fixture
def servers(tmp_path: Path) -> Any:
    aws = Aws(tmp_path / "aws")
    yield aws
    aws.stop()


def _children(aws: Aws) -> list[psutil.Process]:
    return [psutil.Process(child["pid"]) for child in json.loads((aws.home / "servers.json").read_text())["children"]]


def test_a_second_call_finds_them_running_and_a_stop_ends_them_all(servers: Aws) -> None:
    first = servers.ensure()
    assert Aws(servers.home).ensure() == first
    assert servers.running() == first
    family = [process for child in _children(servers) for process in [child, *child.children(recursive=True)]]
    servers.stop()
    assert servers.running() is None
    assert not [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    servers.stop()


def test_temporary_files_of_functions_go_with_the_servers(servers: Aws) -> None:
    """A worker is killed with them and can't tidy up."""
    credentials = {"aws_access_key_id": "1" * 12, "aws_secret_access_key": "x", "region_name": "us-east-1"}
    url = servers.ensure().url
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("main.py", "import tempfile\ndef handle(event, context): return tempfile.gettempdir()\n")
    functions = boto3.client("lambda", endpoint_url=url, **credentials)
    functions.create_function(FunctionName="f", Runtime="python3.13", Handler="main.handle",
                              Role="arn:aws:iam::111111111111:role/r", Code={"ZipFile": code.getvalue()})
    answered = json.load(functions.invoke(FunctionName="f")["Payload"])
    scratch = servers.home / "scratch"
    assert list(scratch.glob("ministack-lambda-f-*"))
    assert answered == "/tmp"  # as in Lambda, where a function has no other place to write to
    servers.stop()
    assert not scratch.exists()


def test_they_start_anew_on_the_same_port_and_are_empty(servers: Aws) -> None:
    first = servers.ensure()
    sqs = boto3.client("sqs", endpoint_url=first.url, region_name="us-east-1", aws_access_key_id="1" * 12,
                       aws_secret_access_key="x")
    sqs.create_queue(QueueName="q")
    servers.stop()
    second = servers.ensure()
    assert second.port == first.port
    assert second.incarnation != first.incarnation
    assert not sqs.list_queues().get("QueueUrls")


@pytest.mark.parametrize("name", ["ministack", "moto", "gateway"])
def test_when_one_is_gone_all_start_anew(servers: Aws, name: str) -> None:
    first = servers.ensure()
    record = json.loads((servers.home / "servers.json").read_text())
    victim = psutil.Process(next(child["pid"] for child in record["children"] if child["name"] == name))
    victim.kill()
    victim.wait(10)
    assert servers.running() is None
    assert servers.ensure().incarnation != first.incarnation


def test_the_edge_alone_is_started_again_and_nothing_is_lost(servers: Aws) -> None:
    first = servers.ensure()
    record = json.loads((servers.home / "servers.json").read_text())
    victim = psutil.Process(next(child["pid"] for child in record["children"] if child["name"] == "cdn"))
    victim.kill()
    victim.wait(10)
    assert servers.running() is None
    again = servers.ensure()
    assert (again.incarnation, again.url) == (first.incarnation, first.url)
    assert doors.read(again.cdn_port) == {}


def test_nothing_listens_beyond_loopback(servers: Aws) -> None:
    servers.ensure()
    addresses = {connection.laddr.ip for child in _children(servers)
                 for process in [child, *child.children(recursive=True)]
                 for connection in process.net_connections() if connection.status == psutil.CONN_LISTEN}
    assert addresses == {"127.0.0.1"}


def test_a_port_that_somebody_took_is_left_to_them(servers: Aws) -> None:
    first = servers.ensure()
    servers.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", first.port))
        squatter.listen()
        assert servers.ensure().port != first.port


def test_a_reset_empties_both_emulators_and_what_is_kept(servers: Aws) -> None:
    endpoint = servers.ensure()
    session = boto3.Session("1" * 12, "x", region_name="us-east-1")
    sqs, ec2 = (session.client(name, endpoint_url=endpoint.url) for name in ("sqs", "ec2"))
    sqs.create_queue(QueueName="q")
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    servers.reset()
    assert not sqs.list_queues().get("QueueUrls")
    assert [vpc["IsDefault"] for vpc in ec2.describe_vpcs()["Vpcs"]] in ([], [True])
    assert servers.running() is not None


def test_what_does_not_start_says_where_its_log_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rehearsal.aws.servers._ministack", lambda port: ["/bin/sh", "-c", "echo broken >&2; exit 3"])
    aws = Aws(tmp_path / "aws")
    with pytest.raises(ServerError, match=r"ministack ended while it started; its log is .*ministack\.log:\nbroken"):
        aws.ensure()
    assert aws.running() is None
