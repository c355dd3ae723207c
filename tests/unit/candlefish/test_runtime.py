"""Kubernetes starts while the engine builds what comes before the cluster."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import pytest

from candlefish import runtime
from candlefish.project import HOME_VARIABLE
from candlefish.runtime import Rehearsal, Servers
from rehearsal.aws.servers import AwsEndpoint
from rehearsal.engine.errors import Cancelled
from rehearsal.kubernetes.controlplane import ControlPlaneError

pytestmark = pytest.mark.unit

ENDPOINT = cast(AwsEndpoint, type("Endpoint", (), {"port": 1, "url": "http://127.0.0.1:1"})())


class Engine:
    """Builds until it is cancelled, or until `enough`."""

    def __init__(self) -> None:
        self.enough, self.cancelled = threading.Event(), threading.Event()

    def cancel(self) -> None:
        self.cancelled.set()
        self.enough.set()

    def up(self) -> Any:
        assert self.enough.wait(10)
        if self.cancelled.is_set():
            raise Cancelled("cancelled")
        return "built"


@pytest.fixture(name="rehearsal")
def rehearsal_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setattr(runtime, "ensure_tools", lambda report: None)
    known: dict[str, Any] = {"cluster": None}
    monkeypatch.setattr(runtime, "GatewayKept", lambda host, port: type(
        "Kept", (), {"get": lambda self, *place: known["cluster"], "known": known})())
    return Rehearsal("development")


def test_the_engine_builds_while_kubernetes_starts(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, servers = Engine(), Servers(ENDPOINT)

    def start(endpoint: AwsEndpoint) -> Servers:
        engine.enough.set()  # would never come if the engine began only after this
        return servers

    monkeypatch.setattr(rehearsal, "start_kubernetes", start)
    assert rehearsal.build(cast(Any, engine), ENDPOINT) == ("built", servers)


def test_a_control_plane_that_cannot_start_stops_the_engine_and_is_what_is_told(
        rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(endpoint: AwsEndpoint) -> Servers:
        raise ControlPlaneError("etcd: the disk is full")

    monkeypatch.setattr(rehearsal, "start_kubernetes", start)
    engine = Engine()
    with pytest.raises(ControlPlaneError, match="the disk is full"):
        rehearsal.build(cast(Any, engine), ENDPOINT)
    assert engine.cancelled.is_set()
