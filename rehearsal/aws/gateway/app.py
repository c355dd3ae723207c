"""One request through the gateway: whom it is for, what is added, who answers, what is put right in the answer."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from rehearsal.aws.gateway import control, eks, rotation, websocket
from rehearsal.aws.gateway.accounts import Accounts
from rehearsal.aws.gateway.changes import FOLLOWED, Changes
from rehearsal.aws.gateway.errors import error, not_implemented, protocol
from rehearsal.aws.gateway.faults import Faults
from rehearsal.aws.gateway.store import KeptStore
from rehearsal.aws.replay import Answer, Replay
from rehearsal.aws.routing import EXECUTE_API, Addressed, Server, address, claim, of_api, route
from rehearsal.serving import is_handshake

OPERATION_HEADER = "x-candlefish-operation"
READ_INTO_MEMORY_BYTES = 4 * 1024 * 1024
UPSTREAM_SECONDS = 900.0  # a Lambda may take that long
_HOP_BY_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
    "upgrade", "expect", "content-length"})
_UNIMPLEMENTED = re.compile(  # how the two say it, with a status of 400, 404, 500 or 501
    rb"not (?:yet )?(?:been )?implemented|No route for |NotImplementedError|Unsupported service|Unsupported operation|"
    rb"InvalidAction|UnknownOperationException|UnsupportedOperation\b|Unknown \w* ?operation|Unknown action", re.I)

class Gateway:
    """Holds what the emulators don't: kept objects, remembered answers, the account behind an assumed role's key."""

    def __init__(self, port: int, ministack: int, moto: int, incarnation: str) -> None:
        self.port = port
        self.incarnation = incarnation
        self.kept = KeptStore()
        self.replay = Replay()
        self.accounts = Accounts()
        self.changes = Changes()
        self.faults = Faults()
        self.upstream = {Server.MINISTACK: f"http://127.0.0.1:{ministack}", Server.MOTO: f"http://127.0.0.1:{moto}"}
        self._session: aiohttp.ClientSession | None = None
        self._turns: dict[tuple[str, str], asyncio.Lock] = {}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60), auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=None, sock_read=UPSTREAM_SECONDS))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        assert self._session is not None, "the gateway is used outside `async with`"
        return self._session

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        owner = self.accounts.owner_of_call(request.path, host)
        if owner is None and request.path.startswith(control.PREFIX):
            return await control.handle(self, request)
        body = await _body(request)
        form = _form(request, body)
        to = address(request.method, request.path, request.query, request.headers, form)
        if owner is not None and not (to.signed and to.service == EXECUTE_API):
            to = of_api(*owner)  # whatever else its headers and its body say: they are the API's, not ours
        server = route(to, request.method, request.path)
        headers = self._headers(request, to)
        url = self.upstream[server] + self.accounts.path_of_api(request.raw_path, host)
        if is_handshake(request):
            return await websocket.relay(self.session, request, url, headers, websocket.API_GATEWAY)
        kind = protocol(to.service, request.headers.get("X-Amz-Target", ""), bool(form) or "Action" in request.query)
        try:
            if body is None:
                return await self._stream(request, url, headers)
            async with self._turn(server, to):
                answer = await self.faults.through(request, to, kind, body, functools.partial(
                    self._answer, request, to, url, headers, body))
        except aiohttp.ClientError as problem:
            return _response(error(kind, 503, "ServiceUnavailable", f"{server} does not answer: {problem!r}"))
        if answer.status >= 400 and to.service != EXECUTE_API and _is_unimplemented(answer):
            what = to.operation or f"{request.method} {request.path}"
            return _response(not_implemented(kind, to.service, what, server))
        self.accounts.learn(to, request.method, request.path, answer.body)
        answer = eks.complete(answer, self.kept, to, self.accounts.of(to), request.method, request.path)
        answer = rotation.complete(self, answer, to)
        if to.service in FOLLOWED and request.method not in ("GET", "HEAD") and answer.status < 400:
            await self.changes.note(to.service, self.accounts.of(to))
        return _response(answer)

    def _turn(self, server: Server, to: Addressed) -> contextlib.AbstractAsyncContextManager[Any]:
        """moto answers in threads and guards nothing: of two changes to one list one can be lost. Its calls take turns,
        by account and service; in one interpreter they gain nothing from each other anyway."""
        if server is not Server.MOTO:
            return contextlib.nullcontext()
        return self._turns.setdefault((self.accounts.of(to), to.service), asyncio.Lock())

    async def _answer(self, request: web.BaseRequest, to: Addressed, url: str,
                      headers: CIMultiDict[str], body: bytes) -> Answer:
        async def call() -> Answer:
            own = await rotation.rotate(self, to, body)
            if own is not None:
                return own
            async with self.session.request(request.method, URL(url, encoded=True), headers=headers, data=body or None,
                                            allow_redirects=False) as response:
                content = await response.read()
                return Answer(response.status, _back(response, keep_length=request.method == "HEAD"), content)

        key = request.headers.get(OPERATION_HEADER)
        if key is None:
            return await call()
        digest = hashlib.sha256(
            f"{to.service} {to.region} {self.accounts.of(to)} {request.method} {request.raw_path}\n".encode() + body)
        answer, _ = await self.replay.once(key, digest.digest(), call)
        return answer

    async def _stream(self, request: web.BaseRequest, url: str, headers: CIMultiDict[str]) -> web.StreamResponse:
        """Large bodies pass through in pieces, in both directions."""
        if request.content_length is not None:
            headers["Content-Length"] = str(request.content_length)
        async with self.session.request(request.method, URL(url, encoded=True), headers=headers, data=_pieces(request),
                                        allow_redirects=False) as response:
            out = web.StreamResponse(status=response.status, headers=CIMultiDict(_back(response)))
            out.content_length = response.content_length
            await out.prepare(request)
            async for piece in response.content.iter_chunked(256 * 1024):
                await out.write(piece)
            await out.write_eof()
            return out

    def _headers(self, request: web.BaseRequest, to: Addressed) -> CIMultiDict[str]:
        headers = CIMultiDict((name, value) for name, value in request.headers.items()
                              if name.lower() not in _HOP_BY_HOP)
        account, region = self.accounts.of(to), to.region
        if not to.signed and (owner := self.accounts.owner_of_api(request.path, request.headers.get("Host", ""))):
            account, region = owner
            headers["Authorization"] = claim(account, region, EXECUTE_API)
        headers["x-moto-account-id"] = account
        return headers


def refused(status: int) -> web.Response:
    """What is no request, or an error of ours, in the form that API Gateway and the SDKs have in common."""
    return web.json_response({"message": "Bad Request" if status < 500 else "Internal server error"}, status=status)


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, headers=CIMultiDict(answer.headers), body=answer.body)


async def _body(request: web.BaseRequest) -> bytes | None:
    """The body, or None when it is large or of unknown length: then it is streamed."""
    length = request.content_length
    if not request.body_exists:
        return b""
    if length is None or length > READ_INTO_MEMORY_BYTES:
        return None
    return await request.content.readexactly(length)


def _form(request: web.BaseRequest, body: bytes | None) -> Mapping[str, str]:
    if not body or not request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


async def _pieces(request: web.BaseRequest) -> AsyncIterator[bytes]:
    async for piece in request.content.iter_chunked(256 * 1024):
        yield piece


def _back(response: aiohttp.ClientResponse, keep_length: bool = False) -> tuple[tuple[str, str], ...]:
    dropped = _HOP_BY_HOP - {"content-length"} if keep_length else _HOP_BY_HOP
    return tuple((name, value) for name, value in response.headers.items()
                 if name.lower() not in dropped and name.lower() not in ("date", "server"))


def _is_unimplemented(answer: Answer) -> bool:
    if answer.status not in (400, 404, 405, 500, 501):
        return False
    content = next((value for name, value in answer.headers if name.lower() == "content-type"), "")
    if answer.status in (404, 405, 500, 501) and "html" in content:
        return True
    return bool(_UNIMPLEMENTED.search(answer.body[:4000]))
