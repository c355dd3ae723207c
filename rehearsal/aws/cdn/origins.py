"""Asks origins: buckets through the emulated S3, others where their names lead."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from botocore.exceptions import ClientError
from multidict import CIMultiDict
from yarl import URL

from rehearsal.aws.cdn import permission
from rehearsal.aws.cdn.messages import Response, Stream
from rehearsal.aws.cdn.model import Distribution, Origin
from rehearsal.aws.cdn.names import Names, Unresolved
from rehearsal.aws.cdn.selection import HOP_BY_HOP
from rehearsal.aws.gateway import websocket
from rehearsal.aws.routing import claim

log = logging.getLogger(__name__)

_BUCKET = re.compile(r"(?P<name>[a-z0-9.-]+?)\.s3(?:[.-](?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com")
_CHUNK_BYTES = 256 * 1024
_DENIED = (b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message>'
           b"</Error>")
AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")  # what aiohttp would add by itself


class Unreachable(Exception):
    """No answer of the origin. status: 502, or 504 when none came in time."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Asked:
    """What an origin is asked for: the path below the origin's own, the query, and its headers."""

    method: str
    path: str
    query: str
    headers: CIMultiDict[str]
    body: bytes = b""

    def target(self, origin: Origin) -> str:
        return f"{origin.path}{self.path}{'?' + self.query if self.query else ''}"


class Origins:
    """gateway: the embedded AWS. Raises Unreachable."""

    def __init__(self, session: aiohttp.ClientSession, names: Names, clients: Callable[[str, str, str], Any],
                 gateway: str) -> None:
        self._session, self._names, self._clients, self._gateway = session, names, clients, gateway

    async def fetch(self, distribution: Distribution, origin: Origin, asked: Asked) -> Response:
        """The body is a Stream: read it or let it go."""
        target = asked.target(origin)
        if origin.bucket:
            return await self._object(distribution, origin, asked, target)
        url = await self._resolved(distribution, origin)
        return await self._send(origin, asked, url + target, asked.headers)

    async def relay(self, request: web.BaseRequest, distribution: Distribution, origin: Origin,
                    asked: Asked) -> web.StreamResponse:
        """A WebSocket connection, until either side ends it."""
        url = await self._resolved(distribution, origin)
        try:
            return await websocket.relay(self._session, request, url + asked.target(origin), asked.headers)
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(502, f"CloudFront wasn't able to connect to the origin: {error}") from error

    async def _resolved(self, distribution: Distribution, origin: Origin) -> str:
        try:
            return await asyncio.to_thread(self._names.url, distribution.account, origin.domain)
        except Unresolved as error:
            raise Unreachable(502, f"CloudFront wasn't able to resolve the origin domain name: {error}.") from error

    async def _object(self, distribution: Distribution, origin: Origin, asked: Asked, target: str) -> Response:
        found = _BUCKET.fullmatch(origin.domain)
        if found is None:
            raise Unreachable(502, f"The origin {origin.domain} is no bucket's address that is rehearsed.")
        bucket, region = found["name"], found["region"] or "us-east-1"
        key = URL(target, encoded=True).path.lstrip("/")
        readable, listable = await asyncio.to_thread(self._rights, distribution, origin, bucket, region, key)
        if not readable:
            return _denied(asked.method)
        headers = CIMultiDict(asked.headers)
        headers["Host"] = URL(self._gateway).authority
        headers["Authorization"] = claim(distribution.account, region, "s3")
        response = await self._send(origin, asked, f"{self._gateway}/{bucket}{target}", headers)
        if response.status == 404 and not listable:
            await drop(response)
            return _denied(asked.method)
        _as_s3(response.headers, "Origin" in asked.headers)
        return response

    def _rights(self, distribution: Distribution, origin: Origin, bucket: str, region: str,
                key: str) -> tuple[bool, bool]:
        """May the distribution read the object; may it list the bucket, and so be told that there is none?"""
        if not origin.access_control:
            log.warning("the origin %s has no access control: only what is public can be read", origin.id)
        try:
            answer = self._clients("s3", region, distribution.account).get_bucket_policy(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchBucketPolicy", "NoSuchBucket"):
                return False, False
            raise Unreachable(502, f"The policy of {bucket} cannot be read: {error}") from error
        policy, account = json.loads(answer["Policy"]), distribution.account
        arn = distribution.arn if origin.access_control else ""
        try:
            return (permission.allowed(policy, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", arn, account),
                    permission.allowed(policy, "s3:ListBucket", f"arn:aws:s3:::{bucket}", arn, account))
        except permission.UnknownCondition as error:
            raise Unreachable(502, f"The policy of {bucket} has {error}, which is not rehearsed.") from error

    async def _send(self, origin: Origin, asked: Asked, url: str, headers: CIMultiDict[str]) -> Response:
        """Connections that fail are tried as often as the origin says; a request that was sent is not sent again."""
        sent = CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in (
            *HOP_BY_HOP, "content-length"))
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=origin.connect_seconds, sock_read=origin.read_seconds)
        for attempt in range(1, origin.attempts + 1):
            try:
                found = await self._session.request(
                    asked.method, URL(url, encoded=True), headers=sent, data=asked.body or None, timeout=timeout,
                    allow_redirects=False, skip_auto_headers=AUTOMATIC)
            except aiohttp.ClientConnectorError as error:
                if attempt < origin.attempts:
                    continue
                self._names.forget()  # a front door may have moved to another port
                raise Unreachable(502, f"CloudFront wasn't able to connect to the origin: {error}") from error
            except aiohttp.ServerTimeoutError as error:
                raise Unreachable(504, "The origin did not answer in time.") from error
            except (aiohttp.ClientError, OSError) as error:
                raise Unreachable(502, f"The origin closed the connection: {error!r}") from error
            break
        kept = CIMultiDict((name, value) for name, value in found.headers.items() if name.lower() not in HOP_BY_HOP)
        return Response(found.status, kept, Stream(_pieces(found)), found.reason)


async def read(response: Response) -> bytes:
    """The whole body, which the response has from then on. Raises Unreachable for one that breaks off."""
    if isinstance(response.body, Stream):
        response.body = b"".join([piece async for piece in response.body.pieces])
    return response.body


async def drop(response: Response) -> None:
    """Lets go of a body that nobody wants."""
    if isinstance(response.body, Stream):
        # Reads it: the connection is used again, and error pages are short.
        await read(response)


async def _pieces(found: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for piece in found.content.iter_chunked(_CHUNK_BYTES):
            yield piece
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unreachable(502, f"The origin broke off its answer: {error!r}") from error
    finally:
        found.release()


def _as_s3(headers: CIMultiDict[str], cross_origin: bool) -> None:
    """The emulator answers any request with CORS headers for everybody; S3 only those that have an Origin."""
    headers["Server"] = "AmazonS3"
    if not cross_origin:
        for name in [name for name in headers if name.lower().startswith("access-control-")]:
            headers.popall(name, None)


def _denied(method: str) -> Response:
    return Response(403, CIMultiDict({"Content-Type": "application/xml", "Server": "AmazonS3"}),
                    b"" if method == "HEAD" else _DENIED, "Forbidden")
