"""A small asynchronous client of the Kubernetes API: requests, server-side apply and watches as plain dicts."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import yaml

from kube.kubeconfig import tls_context

Object: TypeAlias = dict[str, Any]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
WATCH_SECONDS = 300  # the server ends a watch after that; the informer goes on from the last version seen
# What a client meets when the server is away: restarted, overloaded, not there yet.
UNREACHABLE = (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError)


class ApiError(Exception):
    """An answer with a status of 400 or more. `reason` is Kubernetes' own: NotFound, Conflict, Expired …"""

    def __init__(self, status: int, reason: str, message: str, request: str) -> None:
        super().__init__(f"{request}: HTTP {status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class Api:
    """One connection pool to one API server. Build it inside the running loop; `close` it at the end."""

    def __init__(self, server: str, tls: ssl.SSLContext | None, headers: Mapping[str, str]) -> None:
        self.server = server.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=tls if tls is not None else True),
            headers=dict(headers), timeout=aiohttp.ClientTimeout(total=30), auto_decompress=True)

    @classmethod
    def from_kubeconfig(cls, path: Path) -> Api:
        """The current context's cluster and user: client certificate, token or nothing.

        Raises ValueError when the file names a context, cluster or user that it does not hold, or a user that
        needs a command to be run.
        """
        config = yaml.safe_load(path.read_text())
        context = _named(config, "contexts", config.get("current-context", ""), path)["context"]
        cluster = _named(config, "clusters", context["cluster"], path)["cluster"]
        user = _named(config, "users", context["user"], path)["user"]
        if "exec" in user:
            raise ValueError(f"{path}: user {context['user']!r} needs a command for its credentials; give a "
                             f"kubeconfig with a client certificate or a token")
        headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        tls = tls_context(cluster, user, path.parent) if cluster["server"].startswith("https") else None
        return cls(cluster["server"], tls, headers)

    async def close(self) -> None:
        await self._session.close()

    async def request(self, method: str, path: str, body: Object | None = None, *, content_type: str = JSON,
                      parameters: Mapping[str, str] | None = None) -> Object:
        """The decoded answer. Raises ApiError, or one of UNREACHABLE."""
        async with self._session.request(
                method, self.server + path, params=parameters,
                data=None if body is None else json.dumps(body, separators=(",", ":")),
                headers={"Content-Type": content_type}) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise _error(answer.status, text, f"{method} {path}")
            found: Object = json.loads(text) if text else {}
            return found

    async def get(self, path: str) -> Object | None:
        """The object, or None when there is none."""
        try:
            return await self.request("GET", path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def create(self, path: str, body: Object) -> Object:
        return await self.request("POST", path, body)

    async def merge(self, path: str, body: Object) -> Object:
        return await self.request("PATCH", path, body, content_type=MERGE_PATCH)

    async def strategic(self, path: str, body: Object) -> Object:
        return await self.request("PATCH", path, body, content_type=STRATEGIC_PATCH)

    async def apply(self, path: str, body: Object, manager: str) -> Object:
        """Server-side apply, taking over fields that another manager holds."""
        return await self.request("PATCH", path, body, content_type=APPLY_PATCH,
                                  parameters={"fieldManager": manager, "force": "true"})

    async def delete(self, path: str, body: Object | None = None) -> bool:
        """False when there was nothing to delete."""
        try:
            await self.request("DELETE", path, body)
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    async def watch(self, path: str, version: str, parameters: Mapping[str, str]) -> AsyncIterator[Object]:
        """Events `{"type", "object"}` after `version`. Ends when the server ends it; ApiError 410: list again."""
        asked = {**parameters, "watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true",
                 "timeoutSeconds": str(WATCH_SECONDS)}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=WATCH_SECONDS + 30)
        async with self._session.get(self.server + path, params=asked, timeout=timeout) as answer:
            if answer.status >= 400:
                raise _error(answer.status, await answer.text(), f"WATCH {path}")
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    event: Object = json.loads(line)
                    if event["type"] == "ERROR":
                        status = event["object"]
                        raise ApiError(int(status.get("code", 500)), str(status.get("reason", "")),
                                       str(status.get("message", "")), f"WATCH {path}")
                    yield event


def _error(status: int, text: str, request: str) -> ApiError:
    try:
        body = json.loads(text)
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    return ApiError(status, str(body.get("reason", "")), str(body.get("message", text[:300])), request)


def _named(config: Object, kind: str, name: str, path: Path) -> Object:
    for entry in config.get(kind) or ():
        if entry["name"] == name:
            found: Object = entry
            return found
    raise ValueError(f"{path}: no entry {name!r} under {kind}")
