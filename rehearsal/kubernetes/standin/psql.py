"""`psql` in a container: the real one, led to where the instance that it asks for answers on this machine."""

from __future__ import annotations

import asyncio
import configparser
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rehearsal.postgres.binaries import NoPostgres, find

CONNECTIONS = "RDS_CONNECTIONS"  # of this process: libpq's service file with a section a host name of RDS
EXIT_NOT_FOUND = 127
EXIT_NO_CONNECTION = 2  # psql's own


async def run(options: Sequence[str], environment: Mapping[str, str], say: Callable[[str], None]) -> int:
    """The host comes from PGHOST, as libpq reads it. No other host than an instance's is ever asked."""
    try:
        program = find()["psql"]
    except NoPostgres as error:
        say(f"psql: not run: {error}")
        return EXIT_NOT_FOUND
    host = environment.get("PGHOST", "")
    found = place(host)
    if found is None:
        say(f'psql: error: could not translate host name "{host}" to address: no database instance of the rehearsal')
        return EXIT_NO_CONNECTION
    process = await asyncio.create_subprocess_exec(
        program, *options, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ.get("PATH", ""), **environment, "PGHOST": found[0], "PGPORT": found[1]})
    try:
        said, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    say(said.decode(errors="replace").rstrip("\n"))
    return process.returncode or 0


def place(host: str) -> tuple[str, str] | None:
    """Host and port on this machine of the instance that answers to the name; None: there is none."""
    known = configparser.ConfigParser(interpolation=None)
    file = os.environ.get(CONNECTIONS, "")
    if not file or not Path(file).exists():
        return None
    known.read(file)
    return (known[host]["host"], known[host]["port"]) if host in known else None
