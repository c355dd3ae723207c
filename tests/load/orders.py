"""Faults ordered at the gateway of the embedded AWS (`rehearsal.aws.gateway.faults`), none left at the end."""

from __future__ import annotations

import json
import urllib.request
from types import TracebackType
from typing import Any, Self


class Orders:
    def __init__(self, gateway: str) -> None:
        self._url = f"{gateway}/_candlefish/faults"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.clear()

    def put(self, seed: int, *rules: dict[str, Any]) -> None:
        """In place of those that there were."""
        self._send("PUT", {"seed": seed, "rules": list(rules)})

    def told(self) -> list[dict[str, Any]]:
        """Each rule with `seen`, `hit` and `held`."""
        return self._send("GET")

    def clear(self) -> list[dict[str, Any]]:
        """None any more; what was held goes on. Tells as `told`."""
        return self._send("DELETE")

    def _send(self, method: str, document: Any = None) -> list[dict[str, Any]]:
        body = None if document is None else json.dumps(document).encode()
        with urllib.request.urlopen(urllib.request.Request(self._url, body, method=method), timeout=60) as answer:
            found: list[dict[str, Any]] = json.load(answer)["rules"]
        return found
