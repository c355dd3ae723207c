"""Kept objects over the gateway's control API, so that they live exactly as long as the emulators do."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode

from rehearsal.aws.handler import KeptObjects
from rehearsal.engine.values import Archive, Asset, Properties

_TAG = "4dabf18193072939515e22adb298388d"  # the key under which Pulumi marks assets and archives too


class GatewayKept(KeptObjects):
    """Thread-safe: a connection a thread. Raises OSError when the gateway is gone."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._local = threading.local()

    def put(self, account: str, region: str, type: str, id: str, properties: Properties) -> None:
        self._call("PUT", {"account": account, "region": region, "type": type, "id": id}, encode(properties))

    def get(self, account: str, region: str, type: str, id: str) -> Properties | None:
        found = self._call("GET", {"account": account, "region": region, "type": type, "id": id})
        return None if found is None else decode(found)

    def delete(self, account: str, region: str, type: str, id: str) -> bool:
        answer = self._call("DELETE", {"account": account, "region": region, "type": type, "id": id})
        return bool(answer and answer["deleted"])

    def list(self, account: str, region: str, type: str) -> list[tuple[str, Properties]]:
        answer = self._call("GET", {"account": account, "region": region, "type": type}) or {"objects": []}
        return [(entry["id"], decode(entry["properties"])) for entry in answer["objects"]]

    def _call(self, method: str, query: Mapping[str, str], body: Any = None) -> Any:
        """The answer's JSON, None for a 404. Every operation is idempotent, so a stale connection is tried again."""
        target = f"/_candlefish/kept?{urlencode(query)}"
        content = None if body is None else json.dumps(body).encode()
        for attempt in (1, 2):
            connection = self._connection()
            try:
                connection.request(method, target, content, {"Content-Type": "application/json"})
                response = connection.getresponse()
                data = response.read()
                break
            except (HTTPException, OSError):
                connection.close()
                self._local.connection = None
                if attempt == 2:
                    raise
        if response.status == 404:
            return None
        if response.status != 200:
            raise OSError(f"{method} {target}: HTTP {response.status}: {data[:500].decode(errors='replace')}")
        return json.loads(data)

    def _connection(self) -> HTTPConnection:
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = HTTPConnection(self._host, self._port, timeout=60)
        return connection


def encode(value: Any) -> Any:
    """As JSON: assets, archives and bytes become tagged objects. Raises TypeError for anything else that is not
    plain, such as a secret: those never leave the engine's process wrapped."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return {_TAG: "bytes", "value": base64.b64encode(value).decode()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, Asset):
        return {_TAG: "asset", "text": value.text, "path": value.path, "uri": value.uri, "hash": value.hash}
    if isinstance(value, Archive):
        assets = None if value.assets is None else {name: encode(item) for name, item in value.assets.items()}
        return {_TAG: "archive", "assets": assets, "path": value.path, "uri": value.uri, "hash": value.hash}
    raise TypeError(f"a kept property holds a {type(value).__name__}, which has no plain form")


def decode(value: Any) -> Any:
    """The inverse of `encode`."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value.get(_TAG):
        case "bytes":
            return base64.b64decode(value["value"])
        case "asset":
            return Asset(value["text"], value["path"], value["uri"], value["hash"])
        case "archive":
            return Archive(decode(value["assets"]), value["path"], value["uri"], value["hash"])
    return {key: decode(item) for key, item in value.items()}
