"""Counts calls that change something, by service, for those who follow one.

GET /_candlefish/changes?service=cloudfront&after=7     {"count": 8, "accounts": ["000000000000"]}

It answers at once when the count is higher than `after`, else when it is, or after `WAIT_SECONDS` with the same count.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict

from aiohttp import web

WAIT_SECONDS = 25.0
FOLLOWED = frozenset({"cloudfront", "route53"})  # both change by any call that is no GET


class Changes:
    """A reset counts as one of every service that was ever changed."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._accounts: defaultdict[str, set[str]] = defaultdict(set)
        self._moved = asyncio.Condition()

    async def note(self, service: str, account: str) -> None:
        self._accounts[service].add(account)
        self._counts[service] += 1
        async with self._moved:
            self._moved.notify_all()

    async def clear(self) -> None:
        self._accounts.clear()
        for service in self._counts:
            self._counts[service] += 1
        async with self._moved:
            self._moved.notify_all()

    async def wait(self, service: str, after: int, seconds: float = WAIT_SECONDS) -> tuple[int, list[str]]:
        """The count, and the accounts in which it happened."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._moved:
                await self._moved.wait_for(lambda: self._counts.get(service, 0) > after)
        return self._counts.get(service, 0), sorted(self._accounts.get(service, ()))

    async def answer(self, request: web.BaseRequest) -> web.Response:
        service, after = request.query.get("service", ""), request.query.get("after", "")
        if service not in FOLLOWED or not after.lstrip("-").isdigit():
            return web.json_response({"message": f"changes: `service` is one of {', '.join(sorted(FOLLOWED))}, "
                                                 "`after` a number"},
                                     status=400)
        count, accounts = await self.wait(service, int(after))
        return web.json_response({"count": count, "accounts": accounts})
