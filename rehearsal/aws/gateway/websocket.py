"""WebSocket connections to the emulated API Gateway, relayed message by message."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from aiohttp import web
from yarl import URL

_OURS = frozenset({"connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions",
                   "sec-websocket-protocol"})


@dataclass(frozen=True)
class Limits:
    """What is taken from a client. message_bytes: 0 is without a limit; a larger message ends the connection (1009).
    binary: else such a message ends it (1003)."""

    message_bytes: int = 0
    binary: bool = True


NONE = Limits()
# So many times too large a message is still read: who sends it gets to see the code, and not a connection cut under it.
_OVER = 32
# "Invoke your backend integration with the $default route and custom routes", API Gateway developer guide. That a frame
# may have 32 KB is not acted out: the library tells of whole messages only.
API_GATEWAY = Limits(128 * 1024, binary=False)


async def relay(session: aiohttp.ClientSession, request: web.BaseRequest, url: str, headers: Mapping[str, str],
                limits: Limits = NONE) -> web.StreamResponse:
    """Ends when either side closes, and closes the other with the same code."""
    protocols = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if name.strip()]
    passed = {name: value for name, value in headers.items() if name.lower() not in _OURS}
    try:
        server = await session.ws_connect(URL(url, encoded=True), headers=passed, protocols=protocols, max_msg_size=0)
    except aiohttp.WSServerHandshakeError as refused:
        return web.json_response({"message": HTTPStatus(refused.status).phrase}, status=refused.status)
    client = web.WebSocketResponse(protocols=protocols, max_msg_size=_OVER * limits.message_bytes)
    await client.prepare(request)
    copying = [asyncio.create_task(_copy(client, server, limits)), asyncio.create_task(_copy(server, client))]
    try:
        await asyncio.wait(copying, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # The other one would still be receiving from what is being closed, and closing would wait for it for 10 s.
        for each in copying:
            each.cancel()
        await asyncio.gather(*copying, return_exceptions=True)
        await server.close(code=client.close_code or 1000)
        await client.close(code=server.close_code or 1000)
    return client


async def _copy(source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
                sink: web.WebSocketResponse | aiohttp.ClientWebSocketResponse, limits: Limits = NONE) -> None:
    async for message in source:
        if sink.closed:
            return
        if message.type is aiohttp.WSMsgType.TEXT and 0 < limits.message_bytes < len(message.data.encode()):
            await source.close(code=aiohttp.WSCloseCode.MESSAGE_TOO_BIG)
        elif message.type is aiohttp.WSMsgType.TEXT:
            await sink.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY and not limits.binary:
            await source.close(code=aiohttp.WSCloseCode.UNSUPPORTED_DATA)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await sink.send_bytes(message.data)
