"""`python -m rehearsal.aws.gateway`: serves until SIGTERM. Started by `rehearsal.aws.servers`."""

from __future__ import annotations

import argparse
import asyncio
import signal

from aiohttp import web

from rehearsal.aws.gateway.app import Gateway, refused
from rehearsal.serving import Server

LOOPBACK = "127.0.0.1"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rehearsal.aws.gateway")
    for option in ("--port", "--ministack", "--moto"):
        parser.add_argument(option, type=int, required=True)
    parser.add_argument("--incarnation", required=True)
    options = parser.parse_args()
    asyncio.run(_serve(options))


async def _serve(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    gateway = Gateway(options.port, options.ministack, options.moto, options.incarnation)
    async with gateway:
        runner = web.ServerRunner(Server(gateway.handle, refused))
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, options.port, shutdown_timeout=1).start()
        await stopped.wait()
        await runner.cleanup()


if __name__ == "__main__":
    main()
