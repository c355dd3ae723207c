"""The checks from outside: what counts as up, what the status page gets, and that a failure fails the run."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from functions.canary import health

pytestmark = pytest.mark.functions

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class _Answers(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        flaky = self.path == "/flaky" and self.asked.count("/flaky") == 1
        self.send_response(503 if flaky or self.path == "/broken" else 200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(health, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(_Answers, "asked", [])
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


class _Store:
    """S3 as the checks use it."""

    class exceptions:
        class ClientError(Exception):
            pass

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if (Bucket, Key) not in self.objects:
            raise self.exceptions.ClientError
        body = self.objects[Bucket, Key]
        return {"Body": type("Body", (), {"read": lambda self: body})()}

    def put_object(self, Bucket: str, Key: str, Body: bytes, **more: str) -> None:
        self.objects[Bucket, Key] = Body


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> _Store:
    made = _Store()
    monkeypatch.setattr(health, "_client", lambda: made)
    monkeypatch.setenv("STATUS_BUCKET", "assets")
    monkeypatch.setenv("STATUS_KEY", "status/status.json")
    return made


def test_an_endpoint_that_answers_200_is_up_even_at_the_second_try(server: str) -> None:
    assert health.check(f"{server}/fine") is None
    assert health.check(f"{server}/flaky") is None


def test_an_error_and_silence_are_down_and_say_why(server: str) -> None:
    assert health.check(f"{server}/broken") == "answers 503"
    assert str(health.check("http://127.0.0.1:1/")).startswith("does not answer: ")


def test_a_failure_fails_the_run_after_the_status_is_written(
        server: str, store: _Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHECKS", json.dumps({"website": f"{server}/fine", "api": f"{server}/broken"}))
    with pytest.raises(health.Down, match=r"api \(http://.*/broken\): answers 503"):
        health.handler({}, None)
    written = json.loads(store.objects["assets", "status/status.json"])
    assert {entry["name"]: entry["state"] for entry in written["checks"]} == {"website": "up", "api": "down"}
    monkeypatch.setenv("CHECKS", json.dumps({"website": f"{server}/fine"}))
    assert health.handler({}, None) == "1 endpoints are up"


def test_since_stays_while_the_state_does() -> None:
    checks = {"website": "u", "api": "u"}
    first = health.status(checks, {}, {}, NOW)
    later = health.status(checks, {"api": "answers 503"}, first, NOW.replace(hour=13))
    assert {entry["name"]: entry["since"] for entry in later["checks"]} == {
        "website": "2026-03-01T12:00:00+00:00", "api": "2026-03-01T13:00:00+00:00"}
    assert later["updatedAt"] == "2026-03-01T13:00:00+00:00"


def test_a_status_that_cannot_be_understood_is_written_anew(store: _Store) -> None:
    store.objects["assets", "status/status.json"] = b"<html>"
    assert health._read("assets", "status/status.json") == {}
