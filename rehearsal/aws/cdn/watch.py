"""Follows CloudFront: what is there, and what was invalidated.

The gateway counts the calls that change something of a service, and answers when the count has moved on; so a change is
here within a moment, and nothing is asked while nothing happens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.aws.cdn.configuration import Reader
from rehearsal.aws.cdn.model import Distribution
from rehearsal.aws.cdn.store import Store

log = logging.getLogger(__name__)
AGAIN_SECONDS = 1.0  # after the gateway failed to answer


class Watch:
    """changed: told of all distributions whenever CloudFront has changed."""

    def __init__(self, session: aiohttp.ClientSession, gateway: str, clients: Callable[[str, str, str], Any],
                 store: Store, changed: Callable[[Sequence[Distribution]], Awaitable[None]]) -> None:
        self._session, self._gateway, self._clients = session, gateway, clients
        self._store, self._changed = store, changed
        self._seen: set[str] = set()
        self._count = -1
        self._reading = asyncio.Lock()

    async def run(self) -> None:
        while True:
            try:
                await self._follow(self._count)
            except (aiohttp.ClientError, OSError, BotoCoreError, ClientError) as error:
                log.warning("CloudFront cannot be followed: %s", error)
                await asyncio.sleep(AGAIN_SECONDS)

    async def current(self) -> None:
        """Returns when everything that happened before is known here."""
        await self._follow(-1)

    async def _follow(self, after: int) -> None:
        """Waits until the count is higher than `after`, then reads what is not known yet."""
        async with self._session.get(f"{self._gateway}/_candlefish/changes",
                                     params={"service": "cloudfront", "after": str(after)}) as answer:
            answer.raise_for_status()
            told = await answer.json()
        async with self._reading:
            if told["count"] <= self._count:
                return
            found, invalidated = await asyncio.to_thread(self._read, told["accounts"])
            for id, paths in invalidated:
                self._store.invalidate(id, paths)
            self._store.keep_only(each.id for each in found)
            await self._changed(found)
            self._count = told["count"]

    def _read(self, accounts: Sequence[str]) -> tuple[list[Distribution], list[tuple[str, list[str]]]]:
        distributions: list[Distribution] = []
        invalidated: list[tuple[str, list[str]]] = []
        for account in accounts:
            reader = Reader(self._clients("cloudfront", "us-east-1", account), account)
            for each in reader.distributions():
                distributions.append(each)
                new = [(id, paths) for id, paths in reader.invalidations(each.id) if id not in self._seen]
                self._seen.update(id for id, _ in new)
                invalidated += [(each.id, paths) for _, paths in new]
        return distributions, invalidated
