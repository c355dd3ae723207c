"""boto3 clients of the gateway: cached, shared between threads, each call attributed to the operation that makes it.

Every call carries its operation and ordinal, so that the gateway can answer a repeated one with what the first got,
and asks `rehearsal.faults` whether it may take place.
"""

from __future__ import annotations

import functools
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from rehearsal import faults
from rehearsal.aws import model_check
from rehearsal.aws.gateway.errors import THROTTLING, Protocol, error
from rehearsal.aws.handler import Call
from rehearsal.aws.routing import claim

POOL_CONNECTIONS = 64
MAXIMUM_ATTEMPTS = 5
READ_SECONDS = 120.0
OPERATION_HEADER = "x-candlefish-operation"
_READING = ("Get", "List", "Describe", "Head", "BatchGet", "Query", "Scan", "Lookup", "Search", "Select", "Simulate",
            "Check", "Validate", "Estimate", "Test", "AssumeRole", "Decode", "Filter", "Discover", "Preview")


@dataclass(frozen=True)
class Attempt:
    """One API call of one operation: the same for all its retries."""

    call: Call
    site: faults.Site
    key: str | None  # operation/ordinal; None for calls that change nothing


@dataclass(frozen=True)
class Recorded:
    """One call that was made, for those who want to know (the benchmark makes them again)."""

    service: str
    region: str
    account: str
    method: str  # boto3's: "create_vpc"
    parameters: dict[str, Any]
    response: Any


class Clients:
    """`clients(call, service, region)`: what `Call.client` returns. `on_call` is told of every call that succeeded.
    `read_seconds`: how long an answer may take; `attempts`: how often a call is made that got none."""

    def __init__(self, url: str, on_call: Callable[[Recorded], None] | None = None, *,
                 read_seconds: float = READ_SECONDS, attempts: int = MAXIMUM_ATTEMPTS) -> None:
        self._url = url
        self._read_seconds, self._attempts = read_seconds, attempts
        self.on_call = on_call
        self._session = _isolated_session()
        self._making = threading.Lock()
        self._made: dict[tuple[str, str, str], BaseClient] = {}
        self._now = threading.local()

    def __call__(self, call: Call, service: str, region: str) -> Any:
        return Bound(self.shared(service, region, call.account), call, self, service, region)

    def shared(self, service: str, region: str, account: str) -> Any:
        """A client that belongs to no operation: for looking around."""
        key = (service, region, account)
        if (made := self._made.get(key)) is not None:
            return made
        with self._making:
            if key not in self._made:
                self._made[key] = self._make(service, region, account)
            return self._made[key]

    def _make(self, service: str, region: str, account: str) -> Any:
        # The gateway reads account, region and service of a signature and checks none, so none is computed: it and the
        # usual user agent were an eighth of an `up`'s work in this process. S3 tells a bucket's region to signers only,
        # and a token of EKS is a signed URL of STS.
        signed = service in ("s3", "sts")
        config = Config(retries={"mode": "standard", "total_max_attempts": self._attempts}, proxies={},
                        max_pool_connections=POOL_CONNECTIONS, connect_timeout=10, read_timeout=self._read_seconds,
                        ignore_configured_endpoint_urls=True, s3={"addressing_style": "path"},
                        request_checksum_calculation="when_required", response_checksum_validation="when_required",
                        user_agent="candlefish-rehearsal", signature_version=None if signed else UNSIGNED)
        client = self._session.create_client(
            service, region_name=region, endpoint_url=self._url, config=config,
            aws_access_key_id=account, aws_secret_access_key="test")
        name = client.meta.service_model.service_id.hyphenize()
        if not signed:
            header = claim(account, region, client.meta.service_model.signing_name)
            client.meta.events.register(f"before-send.{name}", functools.partial(_claim, header))
        client.meta.events.register(f"provide-client-params.{name}", functools.partial(self._begin, service))
        client.meta.events.register(f"before-send.{name}", functools.partial(self._send, client))
        client.meta.events.register(f"after-call.{name}", self._end)
        return client

    @contextmanager
    def attributed(self, call: Call) -> Iterator[None]:
        """Calls of this thread belong to `call` inside the block."""
        outer = getattr(self._now, "call", None), getattr(self._now, "attempt", None)
        self._now.call, self._now.attempt = call, None
        try:
            yield
        finally:
            self._now.call, self._now.attempt = outer

    def _begin(self, service: str, params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any] | None:
        """Checks the parameters, numbers the call, and makes its idempotency token a function of the number: a token
        drawn at random would make the repeated call of an interrupted operation another one."""
        call: Call | None = getattr(self._now, "call", None)
        if call is None:
            return None
        model_check.check(model, params)
        mutating = not model.name.startswith(_READING)
        ordinal, mutation = call.count(mutating)
        key = f"{call.context.operation}/{call.attempt}{mutation}" if mutating else None
        site = faults.Site(call.context.urn, ordinal, service, model.name, mutating)
        self._now.attempt = Attempt(call, site, key)
        tokens = [name for name in model.idempotent_members if name not in params] if key else []
        return params | {name: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{key}/{name}")) for name in tokens}

    def _end(self, http_response: Any, **_: Any) -> None:
        attempt: Attempt | None = getattr(self._now, "attempt", None)
        if attempt is not None and attempt.key is not None and http_response.status_code < 300:
            attempt.call.effects += 1

    def _send(self, client: Any, request: Any, **_: Any) -> AWSResponse | None:
        """Runs before every attempt; what it returns stands for the server's answer."""
        attempt: Attempt | None = getattr(self._now, "attempt", None)
        if attempt is None:
            return None
        if attempt.key is not None:
            request.headers[OPERATION_HEADER] = attempt.key
        fault = faults.choose(attempt.site)
        if fault is None:
            return None
        kind = _protocol(client.meta.service_model)
        if fault is faults.Fault.ERROR:
            return _refused(request, kind, 403, "UnauthorizedOperation" if kind is Protocol.EC2 else "AccessDenied",
                            f"refused by an injected fault: {attempt.site.operation}")
        if fault is faults.Fault.THROTTLE:
            return _refused(request, kind, 503 if kind is Protocol.S3 else 400, THROTTLING[kind], "Rate exceeded")
        if fault is faults.Fault.KILL_BEFORE:
            faults.die()
        client._endpoint.http_session.send(request)
        if fault is faults.Fault.KILL_AFTER:
            faults.die()
        raise ReadTimeoutError(endpoint_url=request.url)


def _claim(header: str, request: Any, **_: Any) -> None:
    request.headers["Authorization"] = header


class Bound:
    """A client on behalf of one operation. Paginators and waiters made from it are, too."""

    def __init__(self, client: Any, call: Call, clients: Clients, service: str, region: str) -> None:
        self._client, self._call, self._clients = client, call, clients
        self._place = service, region, call.account

    def __getattr__(self, name: str) -> Any:
        if name in ("get_paginator", "get_waiter"):
            # Botocore's own methods, with this object as the client: what they make calls through it.
            return functools.partial(getattr(type(self._client), name), self)
        found = getattr(self._client, name)
        if name.startswith("_") or name in ("meta", "exceptions") or not callable(found):
            return found

        @functools.wraps(found)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._clients.attributed(self._call):
                answer = found(*args, **kwargs)
            if self._clients.on_call is not None and name in self._client.meta.method_to_api_mapping:
                self._clients.on_call(Recorded(*self._place, name, kwargs, answer))
            return answer

        return call


def _isolated_session() -> Any:
    """A botocore session without the user's profiles, so that nothing can reach a real account."""
    session = botocore.session.Session()
    session.set_config_variable("config_file", os.devnull)
    session.set_config_variable("credentials_file", os.devnull)
    session.set_config_variable("profile", None)
    return session


def _protocol(model: Any) -> Protocol:
    if model.service_name == "s3":
        return Protocol.S3
    return {"json": Protocol.JSON, "query": Protocol.QUERY, "ec2": Protocol.EC2, "rest-json": Protocol.REST_JSON,
            "rest-xml": Protocol.REST_XML}.get(model.protocol, Protocol.JSON)


class _Raw:
    """The body of an answer that no server gave."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: Any) -> bytes:
        body, self._body = self._body, b""
        return body


def _refused(request: Any, kind: Protocol, status: int, code: str, message: str) -> AWSResponse:
    answer = error(kind, status, code, message)
    return AWSResponse(request.url, status, HTTPHeaders.from_pairs(list(answer.headers)), _Raw(answer.body))
