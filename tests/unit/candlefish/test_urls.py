"""Where a stack's addresses answer in the rehearsal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from candlefish.urls import localise
from rehearsal import doors
from rehearsal.aws.emulators import lambda_
from rehearsal.kubernetes.agent import RunningAgent

pytestmark = pytest.mark.unit

STAGE = "execute-api.us-east-1.amazonaws.com/live"
PORT = 4566
EDGE = {"candlefish.ai": "127.0.0.1:9001"}


@pytest.fixture(name="agent")
def agent_fixture(tmp_path: Path) -> RunningAgent:
    (tmp_path / doors.FILE).write_text(json.dumps({"candlefish.ai": 8001, "api.candlefish.ai": 8002}))
    return RunningAgent("http://127.0.0.1:8000", "http://127.0.0.1:1", "http://127.0.0.1:2", tmp_path, 1)


def test_a_public_name_becomes_its_door_and_an_unknown_one_the_front_door(agent: RunningAgent) -> None:
    """The site's is CloudFront's, though the load balancer has a rule for the name too."""
    shown = localise({"siteUrl": "https://candlefish.ai", "apiUrl": "https://API.candlefish.ai/v1",
                      "frontDoorUrl": "https://k8s-1.elb.amazonaws.com"}, agent, PORT, EDGE)
    assert shown == {"siteUrl": "http://127.0.0.1:9001", "apiUrl": "http://127.0.0.1:8002/v1",
                     "frontDoorUrl": "http://127.0.0.1:8000"}


def test_addresses_of_api_gateway_become_the_gateways_wherever_they_are(agent: RunningAgent) -> None:
    shown = localise({"websocketUrl": "wss://ws.candlefish.ai", "restApi": {"url": f"https://ab12.{STAGE}"},
                      "websocketApi": {"id": "cd34", "url": f"wss://cd34.{STAGE}"}}, None, PORT, EDGE)
    assert shown["restApi"] == {"url": f"http://127.0.0.1:{PORT}/_aws/execute-api/ab12/live"}
    assert shown["websocketUrl"] == f"ws://127.0.0.1:{PORT}/_aws/execute-api/cd34/live"


@pytest.mark.parametrize("value", ["https://example.com/live", "ab12.execute-api.us-east-1.amazonaws.com", 7, None])
def test_everything_else_stays_as_it_is(value: object) -> None:
    assert localise({"other": value, "siteUrl": "https://candlefish.ai"}, None, PORT, {}) == {
        "other": value, "siteUrl": "https://candlefish.ai"}


def test_a_function_gets_the_same_address_without_a_name_to_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PORT", str(PORT))
    assert lambda_.local(f"https://ab12.{STAGE}") == f"http://127.0.0.1:{PORT}/_aws/execute-api/ab12/live"
    assert [lambda_.local(value) for value in ("https://example.com", 1)] == ["https://example.com", 1]
