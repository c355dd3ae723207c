"""URLs of stack outputs as they answer in the rehearsal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from rehearsal.kubernetes.agent import RunningAgent

AT_EDGE = ("siteUrl",)
AT_FRONT_DOOR = ("frontDoorUrl", "apiUrl")
_API = re.compile(r"(https|wss)://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(/.*)?")


def localise(outputs: dict[str, Any], agent: RunningAgent | None, gateway: int,
             edge: Mapping[str, str]) -> dict[str, Any]:
    """`https://api.candlefish.ai` becomes the loopback address at which the front door answers for that host; an
    address of API Gateway the one at which the gateway on this port does, and so does `websocketUrl`. edge: name →
    address at which CloudFront answers for it; a name that no distribution has stays as it is."""
    shown = {key: _at_gateway(value, gateway) for key, value in outputs.items()}
    if isinstance(shown.get("websocketApi"), dict):
        shown["websocketUrl"] = shown["websocketApi"]["url"]
    for key in AT_EDGE:
        parts = urlsplit(shown[key]) if isinstance(shown.get(key), str) else None
        if parts is not None and (parts.hostname or "") in edge:
            shown[key] = f"http://{edge[parts.hostname or '']}{parts.path}"
    if agent is None:
        return shown
    return {key: _local(value, agent) if key in AT_FRONT_DOOR and isinstance(value, str) else value
            for key, value in shown.items()}


def _at_gateway(value: Any, port: int) -> Any:
    if isinstance(value, dict):
        return {key: _at_gateway(each, port) for key, each in value.items()}
    found = _API.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    scheme = {"https": "http", "wss": "ws"}[found[1]]
    return f"{scheme}://127.0.0.1:{port}/_aws/execute-api/{found[2]}{found[3] or ''}"


def _local(url: str, agent: RunningAgent) -> str:
    parts = urlsplit(url)
    scheme = {"https": "http", "wss": "ws"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{agent.address_of(parts.hostname or '')}{parts.path}"
