"""Functions of MiniStack find the emulated APIs where they are: on loopback."""

from __future__ import annotations

import os
import re
from typing import Any

from ministack.core.lambda_runtime import Worker

# The stage's address of an API, which a function posts WebSocket messages to.
_ADDRESS = re.compile(r"https://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(/.*)?")


def install() -> None:
    """Each worker is started with the local addresses in its environment; the function's configuration keeps the
    names."""
    made = Worker.__init__

    def with_local_addresses(self: Any, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
        environment = config.get("Environment") or {}
        variables = {name: local(value) for name, value in (environment.get("Variables") or {}).items()}
        made(self, func_name, {**config, "Environment": {**environment, "Variables": variables}}, code_zip)

    Worker.__init__ = with_local_addresses


def local(value: Any) -> Any:
    """`https://{api}.execute-api.…/live` → `http://127.0.0.1:{port}/_aws/execute-api/{api}/live`; else as it is."""
    found = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/_aws/execute-api/{found[1]}{found[2] or ''}"
