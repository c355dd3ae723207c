"""BusyBox' `nc -lk … -e nc HOST PORT` in a container: each connection goes on to where HOST answers on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping, Sequence

from rehearsal.kubernetes.standin import psql

EXIT_WRONG = 1
CHUNK = 1 << 15


async def run(options: Sequence[str], sockets: Mapping[int, socket.socket], say: Callable[[str], None]) -> int | None:
    """Until it is cancelled. sockets: bound ones by the container's port. None: another use of nc. No other host than
    a database instance's is ever connected to."""
    words = list(options)
    if words[:1] != ["-lk"] or "-p" not in words or words[-4:-2] != ["-e", "nc"]:
        return None
    port, host = int(words[words.index("-p") + 1]), words[-2]
    place = psql.place(host)
    if place is None or port not in sockets:
        say(f"nc: bad address '{host}': no database instance of the rehearsal" if place is None else
            f"nc: bind: the container declares no port {port}")
        return EXIT_WRONG

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection(*place)
        except OSError as error:
            say(f"nc: can't connect to remote host ({host}): {error}")
            writer.close()
            return
        await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))

    server = await asyncio.start_server(relay, sock=sockets[port])
    async with server:
        await server.serve_forever()
    return 0


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()
    sink.close()
