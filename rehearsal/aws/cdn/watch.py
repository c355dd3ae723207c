"""Follows CloudFront (what is there, and what was invalidated) and Route 53 (names may lead elsewhere).

The gateway counts the calls that change something of a service, and answers when the count has moved on; so a change is
here within a moment, and nothing is asked while nothing happens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp

from rehearsal.aws.cdn.configuration import Reader
from rehearsal.aws.cdn.model import Distribution
from rehearsal.aws.cdn.store import Store

log = logging.getLogger(__name__)
AGAIN_SECONDS = 1.0  # after the gateway failed to answer


class Watch:
    """changed: told of all distributions whenever CloudFront has changed. forget: called when names have."""

    def __init__(self, session: aiohttp.ClientSession, gateway: str, clients: Callable[[str, str, str], Any],
                 store: Store, changed: Callable[[Sequence[Distribution]], Awaitable[None]],
                 forget: Callable[[], None]) -> None:
        self._session, self._gateway, self._clients = session, gateway, clients
        self._store, self._changed, self._forget = store, changed, forget
        self._seen: set[str] = set()
        self._count = self._names = -1
        self._reading = asyncio.Lock()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._always(self._next_change))
            tasks.create_task(self._always(self._next_name))

    async def current(self) -> None:
        """Returns when everything that happened before is known here."""
        self._forget()
        await self._follow(-1)

    async def _always(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except Exception:  # whatever one distribution has: the others are still served, and the log tells
                log.exception("what changes cannot be followed")
                await asyncio.sleep(AGAIN_SECONDS)

    async def _next_change(self) -> None:
        await self._follow(self._count)

    async def _next_name(self) -> None:
        self._names = (await self._told("route53", self._names))["count"]
        self._forget()

    async def _told(self, service: str, after: int) -> Any:
        async with self._session.get(f"{self._gateway}/_candlefish/changes",
                                     params={"service": service, "after": str(after)}) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def _follow(self, after: int) -> None:
        """Waits until the count is higher than `after`, then reads what is not known yet."""
        told = await self._told("cloudfront", after)
        async with self._reading:
            if told["count"] <= self._count:
                return
            found, invalidated = await asyncio.to_thread(self._read, told["accounts"])
            self._store.keep_only(each.id for each in found)
            await self._changed(found)
            for id, paths in invalidated:  # last: what is fetched again comes from where it is now
                self._store.invalidate(id, paths)
            self._count = told["count"]

    def _read(self, accounts: Sequence[str]) -> tuple[list[Distribution], list[tuple[str, list[str]]]]:
        distributions: list[Distribution] = []
        invalidated: list[tuple[str, list[str]]] = []
        for account in accounts:
            reader = Reader(self._clients("cloudfront", "us-east-1", account), account)
            for each in reader.distributions():
                distributions.append(each)
                new = reader.invalidations(each.id, self._seen)
                self._seen.update(id for id, _ in new)
                invalidated += [(each.id, paths) for _, paths in new]
        return distributions, invalidated
