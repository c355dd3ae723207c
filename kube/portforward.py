"""Connections to a port of a pod through the API server, as `kubectl port-forward` gives them.

A WebSocket a connection, with the protocol v4.channel.k8s.io that the kubelet hands to the container runtime
(containerd, pkg/cri/streaming/portforward/websocket.go): a frame's first byte is its channel, 0 data and 1 what went
wrong; the first frame of either channel is the port. There is no half-closed connection: one side's end ends both.
The API server asks for the verbs `get` and, since 1.35, `create` of pods/portforward.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from kube.client import Client
from kube.errors import ApiError, Unavailable, from_status

PROTOCOL = Subprotocol("v4.channel.k8s.io")
DATA, FAULT = 0, 1
OPEN_SECONDS = 10.0
PING_SECONDS = 20.0  # load balancers before an API server end what is silent for longer
CHUNK = 1 << 15


@contextlib.contextmanager
def dial(client: Client, namespace: str, pod: str, port: int) -> Iterator[ClientConnection]:
    """Raises ApiError and its kinds: no such pod, not allowed, no API server."""
    access = client.transport.access
    path = f"{client.path('v1', 'Pod', pod, namespace, 'portforward')}?ports={port}"
    headers = {"Authorization": f"Bearer {access.token()}"} if access.token is not None else {}
    with contextlib.ExitStack() as stacked:
        try:
            there = stacked.enter_context(connect(
                f"ws{access.endpoint.removeprefix('http')}{path}", subprotocols=[PROTOCOL], additional_headers=headers,
                ssl=access.context if access.endpoint.startswith("https://") else None, compression=None, proxy=None,
                max_size=None, open_timeout=OPEN_SECONDS, close_timeout=1, ping_interval=PING_SECONDS,
                ping_timeout=None))
        except InvalidStatus as refused:
            answer = refused.response
            raise from_status(answer.status_code, "", bytes(answer.body or b"").decode(errors="replace").strip()
                              or answer.reason_phrase, (), f"GET {path}") from None
        except (OSError, InvalidHandshake) as error:
            raise Unavailable(f"pod {namespace}/{pod} can't be reached through {access.endpoint}: "
                              f"{str(error) or type(error).__name__}") from error
        yield there


class Forward:
    """What connects to `listener` talks to a port of a pod. pod: asked for each connection, so that one that was
    replaced does no harm. say: a line for a connection that can't be made or breaks."""

    def __init__(self, client: Client, namespace: str, pod: Callable[[], str], port: int, listener: socket.socket,
                 say: Callable[[str], None]) -> None:
        self._client, self._namespace, self._pod, self._port = client, namespace, pod, port
        self._listener, self._say = listener, say
        self._open: set[ClientConnection] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._accepting = threading.Thread(target=self._accept, name="port-forward", daemon=True)

    def __enter__(self) -> Forward:
        self._accepting.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Frees the port; what is connected is cut."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
        self._listener.close()
        with self._lock:
            left = list(self._open)
        for each in left:
            each.close_socket()
        self._accepting.join(OPEN_SECONDS)

    def _accept(self) -> None:
        while not self._closed:
            try:
                local, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(local,), daemon=True).start()

    def _serve(self, local: socket.socket) -> None:
        with local:
            try:
                with dial(self._client, self._namespace, self._pod(), self._port) as there:
                    self._between(local, there)
            except Exception as error:  # of one connection: the others go on
                self._say(str(error))

    def _between(self, local: socket.socket, there: ClientConnection) -> None:
        with self._lock:
            self._open.add(there)
        try:
            threading.Thread(target=self._upwards, args=(local, there), daemon=True).start()
            self._downwards(there, local)
        finally:
            with self._lock:
                self._open.discard(there)
            with contextlib.suppress(OSError):
                local.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _upwards(local: socket.socket, there: ClientConnection) -> None:
        with contextlib.suppress(OSError, WebSocketException):
            while data := local.recv(CHUNK):
                there.send(bytes([DATA]) + data)
        with contextlib.suppress(OSError, WebSocketException):
            there.close()

    def _downwards(self, there: ClientConnection, local: socket.socket) -> None:
        with contextlib.suppress(OSError, WebSocketException):
            greeted: set[int] = set()
            for frame in there:
                channel, data = frame_of(frame)
                if channel not in greeted:
                    greeted.add(channel)
                    _expect(data, self._port)
                elif channel == FAULT:
                    self._say(data.decode(errors="replace").strip())
                    return
                else:
                    local.sendall(data)


def frame_of(frame: bytes | str) -> tuple[int, bytes]:
    """Channel and content. Raises ApiError for what is none of the protocol's."""
    if isinstance(frame, str) or not frame or frame[0] not in (DATA, FAULT):
        raise ApiError(f"port-forward: a frame that is none of {PROTOCOL}'s: {frame[:40]!r}")
    return frame[0], frame[1:]


def _expect(data: bytes, port: int) -> None:
    if data != struct.pack("<H", port):
        raise ApiError(f"port-forward: a channel began with {data[:40]!r} instead of port {port}")
