"""Port-forwards as a kubelet takes them: a WebSocket a connection, protocol v4.channel.k8s.io (a frame's first byte is
its channel, 0 data and 1 what went wrong; each begins with the port). kubectl asks for SPDY, which is not spoken."""

from __future__ import annotations

import asyncio
import contextlib
import struct

from aiohttp import WSMsgType, web

PROTOCOL = "v4.channel.k8s.io"
DATA, FAULT = b"\0", b"\1"
CHUNK = 1 << 15


async def serve(request: web.Request, port: int, loopback_port: int | None) -> web.StreamResponse:
    """loopback_port: where the container's port is on this machine; None: nothing listens there."""
    if PROTOCOL not in request.headers.get("Sec-WebSocket-Protocol", ""):
        return web.Response(status=501, text=f"port-forward by SPDY is not supported here, only by WebSocket with "
                                             f"{PROTOCOL}: `candlefish connect`")
    there = web.WebSocketResponse(protocols=(PROTOCOL,), max_msg_size=0)
    await there.prepare(request)
    for channel in (DATA, FAULT):
        await there.send_bytes(channel + struct.pack("<H", port))
    try:
        if loopback_port is None:
            raise ConnectionRefusedError(f"the container declares no port {port}, or does not run")
        reader, writer = await asyncio.open_connection("127.0.0.1", loopback_port)
    except OSError as error:
        await there.send_bytes(FAULT + f"failed to connect to localhost:{port}: {error}".encode())
        await there.close()
        return there
    down = asyncio.create_task(_down(reader, there))
    try:
        async for message in there:
            if message.type is WSMsgType.BINARY and message.data[:1] == DATA:
                writer.write(message.data[1:])
                await writer.drain()
    except OSError:
        pass  # the container closed it; `down` ends
    finally:
        down.cancel()
        writer.close()
    return there


async def _down(reader: asyncio.StreamReader, there: web.WebSocketResponse) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            await there.send_bytes(DATA + data)
    await there.close()
