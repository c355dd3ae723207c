"""WebSocket connections to the emulated API Gateway, relayed message by message."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
from aiohttp import web
from yarl import URL

_OURS = frozenset({"connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions",
                   "sec-websocket-protocol"})


async def relay(session: aiohttp.ClientSession, request: web.BaseRequest, url: str,
                headers: Mapping[str, str]) -> web.StreamResponse:
    """Ends when either side closes, and closes the other with the same code."""
    protocols = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if name.strip()]
    passed = {name: value for name, value in headers.items() if name.lower() not in _OURS}
    try:
        server = await session.ws_connect(URL(url, encoded=True), headers=passed, protocols=protocols, max_msg_size=0)
    except aiohttp.WSServerHandshakeError as refused:
        return web.Response(status=refused.status, text=refused.message)
    client = web.WebSocketResponse(protocols=protocols, max_msg_size=0)
    await client.prepare(request)
    copying = [asyncio.create_task(_copy(client, server)), asyncio.create_task(_copy(server, client))]
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
                sink: web.WebSocketResponse | aiohttp.ClientWebSocketResponse) -> None:
    async for message in source:
        if sink.closed:
            return
        if message.type is aiohttp.WSMsgType.TEXT:
            await sink.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await sink.send_bytes(message.data)
