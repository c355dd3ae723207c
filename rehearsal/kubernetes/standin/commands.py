"""Containers that end (init containers, Jobs, health-check pods): what their command does.

`curl` and `wget` really ask, through the HTTP_PROXY of the container's environment, and end as the tools do: curl 22
(with -f) or 7, 28; wget 1, 8. `sleep`, `true`, `false`, `exit N`, `echo` do what they say. `sh -c` runs a list of
these joined by `&&` or `;`. `psql` is the real one (see `psql`); `nc -lk` relays (see `relay`). Anything else (a
migration, a dump) is taken as done and ends with the behaviour's exit code if it is set to crash, else 0; the log says
that it was not run.
"""

from __future__ import annotations

import asyncio
import base64
import re
import shlex
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType
from urllib.parse import urlsplit

from rehearsal.kubernetes.standin import psql, relay

Say = Callable[[str], None]

VALUE_OPTIONS = {"-o", "-X", "-H", "-d", "-w", "-m", "-T", "-t", "-O", "--max-time", "--retry", "--timeout", "--tries",
                 "--retry-delay", "--connect-timeout", "--header", "--request", "--output", "--write-out", "-u"}


async def run(command: Sequence[str], environment: Mapping[str, str], say: Say,
              sockets: Mapping[int, socket.socket] = MappingProxyType({})) -> int | None:
    """The exit code, or None when the command is not one that is known. sockets: bound ones by the container's port."""
    if not command:
        return None
    name, rest = PurePosixPath(command[0]).name, list(command[1:])
    if name in ("sh", "bash", "ash") and len(rest) >= 2 and rest[0].startswith("-") and rest[0].endswith("c"):
        return await _script(rest[1], environment, say, sockets)
    if name == "sleep":
        await asyncio.sleep(duration_seconds(rest[0]))
        return 0
    if name in ("true", ":", "set"):
        return 0
    if name == "false":
        return 1
    if name == "exit":
        return int(rest[0]) if rest else 0
    if name == "echo":
        say(" ".join(rest))
        return 0
    if name in ("curl", "wget"):
        return await _fetch(name, rest, environment, say)
    if name == "psql":
        return await psql.run(rest, environment, say)
    if name == "nc":
        return await relay.run(rest, sockets, say)
    return None


def duration_seconds(text: str) -> float:
    """`5`, `5s`, `2m`, `1h` as sleep(1) reads them."""
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
    return float(text[:-1]) * unit if unit else float(text)


async def _script(text: str, environment: Mapping[str, str], say: Say,
                  sockets: Mapping[int, socket.socket]) -> int | None:
    expanded = re.sub(r"\$(\w+)|\$\{(\w+)\}", lambda m: environment.get(m[1] or m[2], ""), text)
    try:
        lexer = shlex.shlex(expanded.replace("\n", ";"), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return None
    code: int | None = 0
    current: list[str] = []
    joiner = ";"
    for word in [*words, ";"]:
        if word not in (";", "&&", "||", ";;"):
            current.append(word)
            continue
        if current and not (joiner == "&&" and code) and not (joiner == "||" and not code):
            code = await run(current, environment, say, sockets)
            if code is None or current[0] == "exit":
                return code
        current, joiner = [], word
    return code


async def _fetch(tool: str, options: Sequence[str], environment: Mapping[str, str], say: Say) -> int:
    url, fail, method, seconds, skip = "", tool == "wget", "GET", 30.0, False
    for at, option in enumerate(options):
        if skip:
            skip = False
            continue
        value = options[at + 1] if at + 1 < len(options) else ""
        if option in VALUE_OPTIONS:
            skip = True
            if option in ("-X", "--request"):
                method = value
            if option in ("-m", "--max-time", "-T", "--timeout"):
                seconds = float(value)
        elif option == "--fail" or (re.fullmatch(r"-[a-zA-Z]+", option) and "f" in option and tool == "curl"):
            fail = True
        elif not option.startswith("-"):
            url = option if "://" in option else f"http://{option}"
    try:
        async with asyncio.timeout(seconds):
            status, body = await fetch(url, environment.get("HTTP_PROXY", ""), method)
    except TimeoutError:
        say(f"{tool}: ({28 if tool == 'curl' else 4}) no answer within {seconds:g} s: {url}")
        return 28 if tool == "curl" else 4
    except OSError as error:
        say(f"{tool}: cannot connect to {url}: {error}")
        return 7 if tool == "curl" else 4
    say(body.decode(errors="replace"))
    if fail and status >= 400:
        say(f"{tool}: the server answered {status}")
        return 22 if tool == "curl" else 8
    return 0


async def fetch(url: str, proxy: str, method: str = "GET") -> tuple[int, bytes]:
    """Status and body. Raises OSError when there is no connection or no HTTP on it."""
    target = urlsplit(url)
    place = urlsplit(proxy) if proxy else target
    reader, writer = await asyncio.open_connection(place.hostname, place.port or 80)
    try:
        path = url if proxy else (target.path or "/") + (f"?{target.query}" if target.query else "")
        who = f"Proxy-Authorization: Basic {_basic(place.username)}\r\n" if place.username else ""
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: {target.netloc}\r\n{who}Connection: close\r\n\r\n".encode())
        head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
    finally:
        writer.close()
    words = head.split(b" ", 2)
    if len(words) < 2 or not words[1].isdigit():
        raise ConnectionResetError(f"{url} closed the connection without an answer")
    return int(words[1]), body


def _basic(user: str) -> str:
    return base64.b64encode(f"{user}:-".encode()).decode()
