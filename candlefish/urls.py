"""URLs of stack outputs as they answer in the rehearsal."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from rehearsal.kubernetes.agent import RunningAgent

AT_FRONT_DOOR = ("siteUrl", "frontDoorUrl", "apiUrl", "websocketUrl")


def localise(outputs: dict[str, Any], agent: RunningAgent | None) -> dict[str, Any]:
    """`https://api.candlefish.ai` becomes the loopback address at which the front door answers for that host."""
    if agent is None:
        return outputs
    return {key: _local(value, agent) if key in AT_FRONT_DOOR and isinstance(value, str) else value
            for key, value in outputs.items()}


def _local(url: str, agent: RunningAgent) -> str:
    parts = urlsplit(url)
    scheme = {"https": "http", "wss": "ws"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{agent.address_of(parts.hostname or '')}{parts.path}"
