"""The port-forward against a server that speaks as a kubelet's container runtime does."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus

import pytest
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from kube.client import Access, Client, ResourceType
from kube.errors import Forbidden, Unavailable
from kube.portforward import Forward, dial
from tests.eventually import eventually

pytestmark = pytest.mark.unit
PORT = 5432
POD = ResourceType("v1", "Pod", "pods", True, frozenset({"get"}))


class Kubelet:
    """Answers what it gets, in capitals. refusal: before the connection; fault: on the second channel."""

    def __init__(self, refusal: bool = False, fault: str = "") -> None:
        self.refusal, self.fault = refusal, fault
        self.asked: list[tuple[str, str | None]] = []

    def request(self, there: ServerConnection, request: Request) -> Response | None:
        self.asked.append((request.path, request.headers.get("Authorization")))
        return there.respond(HTTPStatus.FORBIDDEN, "not for you") if self.refusal else None

    def serve(self, there: ServerConnection) -> None:
        for channel in (b"\0", b"\1"):
            there.send(channel + struct.pack("<H", PORT))
        if self.fault:
            there.send(b"\1" + self.fault.encode())
            return
        for frame in there:
            assert isinstance(frame, bytes)
            assert frame[:1] == b"\0"
            there.send(b"\0" + frame[1:].upper())


@contextmanager
def forwarded(kubelet: Kubelet) -> Iterator[tuple[Client, socket.socket, list[str]]]:
    """A client of the API server that is all kubelet, a listener that leads there, and what was said."""
    said: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))
    with (serve(kubelet.serve, "127.0.0.1", 0, process_request=kubelet.request,
                subprotocols=[Subprotocol("v4.channel.k8s.io")]) as server):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        access = Access(f"http://127.0.0.1:{server.socket.getsockname()[1]}", ssl.create_default_context(),
                        lambda: "token")
        with Client(access) as client:
            client._types[("v1", "Pod")] = POD
            with Forward(client, "ns", lambda: "pod-1", PORT, listener, said.append):
                yield client, listener, said
        server.shutdown()


def connected(listener: socket.socket) -> socket.socket:
    return socket.create_connection(listener.getsockname(), 5)


def read(there: socket.socket, number: int) -> bytes:
    found = b""
    with suppress(ConnectionResetError):
        while len(found) < number and (data := there.recv(number - len(found))):
            found += data
    return found


def test_bytes_go_both_ways_on_connections_of_their_own() -> None:
    kubelet = Kubelet()
    with forwarded(kubelet) as (_, listener, said):
        with connected(listener) as one, connected(listener) as other:
            one.sendall(b"x" * 300_000)
            other.sendall(b"hello")
            assert read(other, 5) == b"HELLO"
            assert read(one, 300_000) == b"X" * 300_000
        assert said == []
    assert kubelet.asked == [(f"/api/v1/namespaces/ns/pods/pod-1/portforward?ports={PORT}", "Bearer token")] * 2


def test_what_the_pod_refuses_is_said_and_the_connection_ends() -> None:
    with forwarded(Kubelet(fault="connection refused")) as (_, listener, said):
        with connected(listener) as there:
            assert read(there, 1) == b""
        eventually("the reason", lambda: said == ["connection refused"])


def test_what_the_api_server_refuses_is_said_and_others_go_on() -> None:
    kubelet = Kubelet(refusal=True)
    with forwarded(kubelet) as (client, listener, said):
        with connected(listener) as there:
            assert read(there, 1) == b""
        assert "not for you" in said[0]
        with pytest.raises(Forbidden), dial(client, "ns", "pod-1", PORT):
            pass
        kubelet.refusal = False
        with connected(listener) as there:
            there.sendall(b"a")
            assert read(there, 1) == b"A"


def test_at_the_end_connections_are_cut_and_the_port_is_free() -> None:
    with forwarded(Kubelet()) as (client, listener, _):
        place = listener.getsockname()
        there = connected(listener)
        there.sendall(b"a")
        assert read(there, 1) == b"A"
    with there:
        assert read(there, 1) == b""
    socket.create_server(place).close()
    with pytest.raises(Unavailable, match="can't be reached"), dial(client, "ns", "pod-1", PORT):
        pass
