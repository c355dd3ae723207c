"""The objects that neither emulator holds, in the gateway's memory: account, region, type, id → properties."""

from __future__ import annotations

from typing import Any

Key = tuple[str, str, str, str]


class KeptStore:
    def __init__(self) -> None:
        self._objects: dict[Key, dict[str, Any]] = {}

    def put(self, key: Key, properties: dict[str, Any]) -> None:
        self._objects[key] = properties

    def get(self, key: Key) -> dict[str, Any] | None:
        return self._objects.get(key)

    def delete(self, key: Key) -> bool:
        return self._objects.pop(key, None) is not None

    def list(self, account: str, region: str = "", type: str = "") -> list[tuple[Key, dict[str, Any]]]:
        """Those of an account, of one region and of one type when given; sorted by key."""
        return [(key, value) for key, value in sorted(self._objects.items())
                if key[0] == account and region in ("", key[1]) and type in ("", key[2])]

    def clear(self) -> None:
        self._objects.clear()
