"""A local copy of one collection of the API, kept by list and watch; and what other loops do with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TypeAlias

from rehearsal.kubernetes.controllers.api import UNREACHABLE, Api, ApiError, Object

log = logging.getLogger(__name__)

Key: TypeAlias = tuple[str, str]  # namespace (empty for cluster-wide kinds), name
Listener: TypeAlias = Callable[[Key, Object | None, Object | None], None]  # key, before, after

RETRY_SECONDS = 0.5
ABSENT_SECONDS = 2.0  # how often a kind that the server does not have (a CRD that may come) is asked for again


def key_of(item: Object) -> Key:
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


class Informer:
    """`items` is the collection as last seen. Listeners are called in order, in the loop, after `items` changed."""

    def __init__(self, api: Api, path: str, parameters: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.items: dict[Key, Object] = {}
        self.synced = asyncio.Event()
        self.absent = False  # the server has no such kind
        self._api = api
        self._parameters = dict(parameters or {})
        self._listeners: list[Listener] = []
        self._changed = asyncio.Event()

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def get(self, namespace: str, name: str) -> Object | None:
        return self.items.get((namespace, name))

    async def changed(self) -> None:
        """Returns after the next change of any object."""
        event = self._changed
        await event.wait()

    async def run(self) -> None:
        """Lists and watches until cancelled, through restarts of the server."""
        while True:
            try:
                version = await self._list()
                while True:
                    version = await self._watch(version)
            except ApiError as error:
                self.absent = error.status == 404
                if self.absent:
                    self._replace({})
                    self.synced.set()
                elif error.status != 410:
                    log.warning("%s", error)
                await asyncio.sleep(ABSENT_SECONDS if self.absent else RETRY_SECONDS)
            except UNREACHABLE as error:
                log.warning("the API server does not answer for %s: %r; asking again", self.path, error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _list(self) -> str:
        answer = await self._api.request("GET", self.path, parameters=self._parameters)
        self.absent = False
        self._replace({key_of(item): _slim(item) for item in answer.get("items") or ()})
        self.synced.set()
        version: str = answer["metadata"]["resourceVersion"]
        return version

    def _replace(self, found: dict[Key, Object]) -> None:
        for key in [key for key in self.items if key not in found]:
            self._set(key, None)
        for key, item in found.items():
            before = self.items.get(key)
            if before is None or _version(before) != _version(item):
                self._set(key, item)

    async def _watch(self, version: str) -> str:
        async for event in self._api.watch(self.path, version, self._parameters):
            item = event["object"]
            version = _version(item)
            if event["type"] == "BOOKMARK":
                continue
            self._set(key_of(item), None if event["type"] == "DELETED" else _slim(item))
        return version

    def _set(self, key: Key, after: Object | None) -> None:
        before = self.items.get(key)
        if after is None:
            self.items.pop(key, None)
        else:
            self.items[key] = after
        for listener in self._listeners:
            listener(key, before, after)
        self._changed.set()
        self._changed = asyncio.Event()


def _version(item: Object) -> str:
    version: str = item["metadata"]["resourceVersion"]
    return version


def _slim(item: Object) -> Object:
    # Managed fields are half of an object's size and nobody here reads them.
    item["metadata"].pop("managedFields", None)
    return item
