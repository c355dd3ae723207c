"""One viewer's request through a distribution, in CloudFront's order.

Path → behaviour → viewer-request function → cache → origin-request function → origins → origin-response function → kept
→ error page → response-headers policy → viewer-response function. The viewer counts as one that came by HTTPS: TLS ends
before loopback, so a behaviour's viewer protocol policy is listed and not acted out. The web ACL is not asked.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Hashable

from aiohttp import web
from multidict import CIMultiDict

from rehearsal.aws.cdn import compression, lifetime, security, selection
from rehearsal.aws.cdn.failover import candidates, fails_over
from rehearsal.aws.cdn.functions import Functions
from rehearsal.aws.cdn.messages import EdgeError, Request, Response, Stream, own
from rehearsal.aws.cdn.model import Behaviour, Distribution, Event, Origin
from rehearsal.aws.cdn.origins import Asked, Origins, Unreachable, drop, read
from rehearsal.aws.cdn.patterns import behaviour_for
from rehearsal.aws.cdn.store import Entry, Store

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"})
CACHEABLE = frozenset({"GET", "HEAD", "OPTIONS"})


class Edge:
    """clock: seconds that only grow, by which answers age. now: seconds since the epoch, for Expires."""

    def __init__(self, origins: Origins, functions: Functions, store: Store,
                 clock: Callable[[], float] = time.monotonic, now: Callable[[], float] = time.time) -> None:
        self._origins, self._functions, self._store = origins, functions, store
        self._clock, self._now = clock, now

    async def answer(self, distribution: Distribution, request: Request) -> Response:
        request.original = request.original or request.path
        try:
            behaviour = self._behaviour(distribution, request)
            asked = await self._functions.viewer_request(distribution, behaviour, request)
            if isinstance(asked, Response):
                return asked  # a function's own answer leaves as it is
            response = await self._found(distribution, behaviour, asked)
            response = await self._error_page(distribution, asked, response)
            if behaviour.headers_policy is not None:
                security.apply(behaviour.headers_policy, response.headers, method=request.method,
                               asked=request.headers)
            if response.status < 400:  # CloudFront runs no viewer-response function on errors
                response = await self._functions.response(distribution, behaviour, Event.VIEWER_RESPONSE, asked,
                                                          response)
            return response
        except (EdgeError, Unreachable) as error:
            return own(error.status, str(error), request.id)

    async def websocket(self, distribution: Distribution, request: Request,
                        viewer: web.BaseRequest) -> web.StreamResponse | Response:
        """Connections are not kept and have no body: the viewer-request function and then the first origin."""
        request.original = request.path
        try:
            behaviour = self._behaviour(distribution, request)
            asked = await self._functions.viewer_request(distribution, behaviour, request)
            if isinstance(asked, Response):
                return asked
            origin = candidates(distribution, behaviour.target, asked.method)[0]
            return await self._origins.relay(viewer, distribution, origin,
                                             _for_origin(distribution, behaviour, asked, origin))
        except (EdgeError, Unreachable) as error:
            return own(error.status, str(error), request.id)

    @staticmethod
    def _behaviour(distribution: Distribution, request: Request) -> Behaviour:
        if not distribution.enabled:
            raise EdgeError(403, "The distribution is disabled.")
        if request.method not in METHODS:
            raise EdgeError(405, f"CloudFront does not know the method {request.method}.")
        if request.path == "/" and distribution.root:
            request.path = f"/{distribution.root}"
        behaviour = behaviour_for(distribution.behaviours, request.path)
        if request.method not in behaviour.allowed:
            only = " The distribution supports only cachable requests." if behaviour.allowed <= CACHEABLE else ""
            raise EdgeError(403, "This distribution is not configured to allow the HTTP request method that was used "
                                 f"for this request.{only}")
        return behaviour

    async def _found(self, distribution: Distribution, behaviour: Behaviour, request: Request) -> Response:
        """From the cache, or from the origin and then kept."""
        if request.method not in behaviour.cached | {"HEAD"} or request.method not in CACHEABLE:
            return await self._asked(distribution, behaviour, request)
        added = selection.cloudfront_headers(request.headers.get("User-Agent", ""), request.client)
        key = selection.key(distribution.id, behaviour, request.method, request.path, request.query,
                            {**added, **request.headers})
        entry = self._store.get(key)
        if entry is not None and entry.fresh(self._clock()):
            return self._kept(entry, "Hit from cloudfront")
        # A range of what is not kept goes to the origin as it is asked for; its answer is not kept.
        stale = entry if entry is not None and entry.status < 400 and "Range" not in request.headers else None
        response = await self._refreshed(distribution, behaviour, request, key, stale)
        if response is None:
            assert stale is not None
            return self._kept(self._store.get(key) or stale, "RefreshHit from cloudfront")
        seconds = lifetime.lifetime(behaviour.cache, response.status, response.headers, self._now(),
                                    distribution.errors.get(response.status))
        if seconds <= 0 or request.method == "HEAD":
            return response
        await read(response)
        await compression.compress(behaviour, request.headers.get("Accept-Encoding", ""), response)
        now = self._clock()
        assert not isinstance(response.body, Stream)
        self._store.put(key, Entry(
            response.status, CIMultiDict(response.headers), response.body, now, now + seconds, distribution.id,
            tuple(dict.fromkeys((request.original, request.path))),
            selection.query(request.query, behaviour.cache.selection.queries)))
        return response

    async def _refreshed(self, distribution: Distribution, behaviour: Behaviour, request: Request, key: Hashable,
                         stale: Entry | None) -> Response | None:
        """A new answer, or None when what is kept is good for longer: it has not changed, or the origin is down."""
        if stale is None:
            return await self._asked(distribution, behaviour, request)
        known = {"If-None-Match": stale.headers.get("ETag"), "If-Modified-Since": stale.headers.get("Last-Modified")}
        validators = {name: value for name, value in known.items() if value}
        response = await self._asked(distribution, behaviour, request, validators)
        if response.status >= 500:
            await drop(response)
            error = distribution.errors.get(response.status)
            seconds = float(error.minimum if error is not None else 10)
            self._store.renew(key, stale, self._clock(), seconds)
            return None
        if response.status != 304 or not validators:
            return response
        await drop(response)
        for name in ("Cache-Control", "Expires", "Date"):
            if name in response.headers:
                stale.headers[name] = response.headers[name]
        seconds = lifetime.lifetime(behaviour.cache, stale.status, stale.headers, self._now())
        self._store.renew(key, stale, self._clock(), seconds)
        return None

    def _kept(self, entry: Entry, how: str) -> Response:
        headers = CIMultiDict(entry.headers)
        headers["Age"] = str(entry.age(self._clock()))
        told = "Error from cloudfront" if entry.status >= 400 else how
        return Response(entry.status, headers, entry.body, None, told)

    async def _asked(self, distribution: Distribution, behaviour: Behaviour, request: Request,
                     validators: dict[str, str] | None = None) -> Response:
        """The origins in turn. That none could be reached is an error like one of an origin's."""
        group = distribution.groups.get(behaviour.target)
        order = candidates(distribution, behaviour.target, request.method)
        for place, origin in enumerate(order, start=1):
            next_one = group if place < len(order) else None
            found = await self._functions.origin_request(distribution, behaviour, request, origin)
            if isinstance(found, Response):
                return found
            asked = _for_origin(distribution, behaviour, found[0], found[1])
            asked.headers.update(validators or {})
            try:
                response = await self._origins.fetch(distribution, found[1], asked)
            except Unreachable as error:
                if fails_over(next_one, None):
                    continue
                return own(error.status, str(error), request.id)
            if fails_over(next_one, response.status):
                await drop(response)
                continue
            if response.status >= 400:
                response.cache = "Error from cloudfront"
            return await self._functions.response(distribution, behaviour, Event.ORIGIN_RESPONSE, found[0], response)
        raise AssertionError("the last origin's answer is the last")

    async def _error_page(self, distribution: Distribution, request: Request, response: Response) -> Response:
        """What the distribution says instead, from wherever its path leads; when that fails, what was said there."""
        error = distribution.errors.get(response.status)
        if error is None or not error.page:
            return response
        await drop(response)
        page = Request("GET", error.page, "", request.headers.copy(), b"", request.client, error.page, request.id)
        page.headers.popall("Range", None)
        found = await self._found(distribution, behaviour_for(distribution.behaviours, error.page), page)
        status = (error.status or response.status) if found.status < 400 else found.status
        return dataclasses.replace(found, status=status, reason=None, cache="Error from cloudfront")


def _for_origin(distribution: Distribution, behaviour: Behaviour, request: Request, origin: Origin) -> Asked:
    added = selection.cloudfront_headers(request.headers.get("User-Agent", ""), request.client)
    headers = selection.origin_headers(
        behaviour, request.headers, added, domain=origin.domain, client=request.client, request_id=request.id,
        via=f"1.1 {distribution.domain} (CloudFront)", custom=origin.headers)
    return Asked(request.method, request.path, selection.origin_query(behaviour, request.query), headers, request.body)
