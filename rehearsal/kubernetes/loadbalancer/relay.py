"""WebSocket connections through the front door: messages both ways, close codes as the other side gave them."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

_HANDSHAKE = {"sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-accept",
              "sec-websocket-protocol", "host"}


async def relay(request: web.BaseRequest, session: aiohttp.ClientSession, url: str,
                headers: CIMultiDict[str]) -> tuple[int, web.StreamResponse]:
    """The status for the metrics and the finished answer; a target's refusal is passed on with its status."""
    protocols = [each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if each.strip()]
    passed = CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _HANDSHAKE)
    try:
        upstream = await session.ws_connect(url, headers=passed, protocols=protocols, autoping=False, autoclose=False,
                                            max_msg_size=0)
    except aiohttp.WSServerHandshakeError as refused:
        return refused.status, web.Response(status=refused.status, text=refused.message)
    downstream = web.WebSocketResponse(autoping=False, autoclose=False, compress=False, max_msg_size=0,
                                       protocols=[upstream.protocol] if upstream.protocol else ())
    await downstream.prepare(request)
    pumps = [asyncio.ensure_future(_pump(upstream, downstream)), asyncio.ensure_future(_pump(downstream, upstream))]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        await upstream.close()
        await downstream.close()
    return 101, downstream


Side = aiohttp.ClientWebSocketResponse | web.WebSocketResponse


async def _pump(source: Side, sink: Side) -> None:
    while True:
        message = await source.receive()
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                await sink.send_str(message.data)
            case aiohttp.WSMsgType.BINARY:
                await sink.send_bytes(message.data)
            case aiohttp.WSMsgType.PING:
                await sink.ping(message.data)
            case aiohttp.WSMsgType.PONG:
                await sink.pong(message.data)
            case aiohttp.WSMsgType.CLOSE:
                await sink.close(code=message.data or 1000, message=(message.extra or "").encode())
                return
            case _:
                # The connection broke without a close frame: the other side sees 1001, going away.
                await sink.close(code=1001)
                return
