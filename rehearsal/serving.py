"""HTTP servers that stand for a service of AWS: a body is passed on as it came, and what is no request is refused as
that service refuses it, not in the words of the library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

Refuse = Callable[[int], web.Response]  # by status: 400 for what is no request, 500 for an error of ours


class Server(web.Server):
    def __init__(self, handler: Callable[[web.BaseRequest], Any], refuse: Refuse) -> None:
        super().__init__(handler, access_log=None, auto_decompress=False)
        self.refuse = refuse

    def __call__(self) -> web.RequestHandler:
        return _Handler(self.refuse, self, loop=self._loop, **self._kwargs)


class _Handler(web.RequestHandler):
    def __init__(self, refuse: Refuse, manager: web.Server, **more: Any) -> None:
        super().__init__(manager, **more)
        self._refuse = refuse

    def handle_error(self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None,
                     message: str | None = None) -> web.StreamResponse:
        if status >= 500 or request.writer.output_size > 0:
            super().handle_error(request, status, exc, message)  # logs it, and breaks off what has begun
        response = self._refuse(status)
        response.force_close()
        return response


def is_handshake(request: web.BaseRequest) -> bool:
    """Whether a request opens a WebSocket connection (RFC 6455, 4.2.1); any other that says `Upgrade` is none."""
    def said(name: str) -> set[str]:
        return {word.strip().lower() for word in request.headers.get(name, "").split(",")}

    return (request.method == "GET" and "websocket" in said("Upgrade") and "upgrade" in said("Connection")
            and "Sec-WebSocket-Key" in request.headers)
