"""Every call that recovery makes, of AWS and of Kubernetes: its position, and what befalls it.

A position is (command, subject, ordinal, operation); the subject is the call's region and the names in its parameters,
without what is drawn at random. It is the same in every life, whatever order the threads take.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import botocore.endpoint
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from kube.client import NotFound, ServerError, Throttled, Unavailable
from tests.faults.world import plain_id

Position = tuple[str, str, int, str]  # command, subject, ordinal, operation
READING = ("GET", "Get", "List", "Describe", "Head", "Scan", "Query")
# As the commands have it (candlefish/account.py).
ATTEMPTS = 3


class Trouble(StrEnum):
    """What befalls a position, once in a life."""

    ERROR = "error"  # HTTP 500 or its like until retries are used up; nothing took effect
    THROTTLED_OUT = "throttled-out"  # throttled until retries are used up
    TIMEOUT = "timeout"  # took effect, the answer is lost once, and the client sends it again
    TIMED_OUT = "timed-out"  # the same with every attempt
    LAGGING = "lagging"  # not yet consistent: a read has the answer of before; what was just made is not found
    TAKEN = "taken"  # just before a creation somebody else makes something of the same name
    KILL_BEFORE = "kill-before"  # the process is gone before the call is sent
    KILL_AFTER = "kill-after"  # and after it took effect
    SIGKILL = "sigkill"  # the same to a process of its own, at a few positions: what the two above stand for


class Killed(BaseException):
    """The process is gone: nothing of ours catches it, and every call after it raises it again."""


@dataclass(frozen=True)
class Site:
    """Of one call, with all its attempts. names: all texts of its parameters."""

    position: Position
    service: str
    region: str
    names: frozenset[str]
    parameters: Mapping[str, Any]

    @property
    def operation(self) -> str:
        return self.position[3]

    @property
    def reads(self) -> bool:
        return self.operation.startswith(READING)


# What says "there is none", of what was made a moment ago.
MISSING: Mapping[tuple[str, str], str] = {
    ("dynamodb", "DescribeTable"): "ResourceNotFoundException", ("dynamodb", "Scan"): "ResourceNotFoundException",
    ("dynamodb", "DescribeTimeToLive"): "ResourceNotFoundException",
    ("dynamodb", "GetItem"): "ResourceNotFoundException", ("dynamodb", "PutItem"): "ResourceNotFoundException",
    ("dynamodb", "DeleteTable"): "ResourceNotFoundException",
    ("backup", "DescribeRestoreJob"): "ResourceNotFoundException",
    # A role that IAM has not told everybody about.
    ("backup", "StartRestoreJob"): "InvalidParameterValueException",
    ("rds", "DescribeDBInstances"): "DBInstanceNotFound", ("ssm", "GetParameter"): "ParameterNotFound",
    ("s3", "ListObjectsV2"): "NoSuchBucket", ("s3", "CopyObject"): "NoSuchBucket",
    ("s3", "GetBucketTagging"): "NoSuchBucket", ("s3", "HeadBucket"): "404",
    ("secretsmanager", "DescribeSecret"): "ResourceNotFoundException", ("iam", "GetRole"): "NoSuchEntity"}
# What another's thing of the same name can come before.
CREATIONS = frozenset({("dynamodb", "CreateTable"), ("s3", "CreateBucket"), ("rds", "CreateDBInstance"),
                       ("secretsmanager", "CreateSecret"), ("iam", "CreateRole"), ("backup", "StartRestoreJob"),
                       ("ssm", "PutParameter")})


@dataclass
class Calls:
    """The clients of one worker, and what befalls their calls. take: makes another's thing of the name that a creation
    is about to use. met: positions of this life → (service, whether it changes something)."""

    url: str
    take: Callable[[Site], None] = lambda site: None
    command: str = ""
    trouble: Trouble | None = None
    target: Position | None = None
    met: dict[Position, tuple[str, bool]] = field(default_factory=dict)
    hit: set[Position] = field(default_factory=set)
    written: list[Position] = field(default_factory=list)
    _ordinals: dict[tuple[str, str], int] = field(default_factory=dict)
    _made: set[str] = field(default_factory=set)
    _answers: dict[tuple[str, bytes], AWSResponse] = field(default_factory=dict)
    real: bool = False  # whether dying is a SIGKILL
    _dead: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _now: threading.local = field(default_factory=threading.local)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._session = botocore.session.Session(profile=None)
        self._session.set_credentials("000000000000", "test")
        self._boto = boto3.Session(botocore_session=self._session)

    # A life and its runs

    def born(self, account: str, trouble: Trouble | None, target: Position | None) -> None:
        """A life in an account of its own (the access key says which)."""
        self._session.get_credentials().access_key = account  # of all clients that there are
        self.trouble, self.target = trouble, target
        self.met, self.hit, self.written = {}, set(), []
        self._made, self._answers = set(), {}

    @contextmanager
    def running(self, command: str) -> Iterator[None]:
        """One process of the command."""
        self.command, self._ordinals, self.written, self._dead = command, {}, [], False
        yield

    def client(self, service: str, region: str) -> Any:
        """As `candlefish.account.client`: attempts and all. One for a worker's life; its account changes."""
        key = service, region
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._new(service, region)
            return self._clients[key]

    def _new(self, service: str, region: str) -> Any:
        made = self._boto.client(service, region_name=region, endpoint_url=self.url, config=Config(
            retries={"mode": "standard", "max_attempts": ATTEMPTS}, s3={"addressing_style": "path"}, proxies={},
            max_pool_connections=20, ignore_configured_endpoint_urls=True,
            request_checksum_calculation="when_required", response_checksum_validation="when_required"))
        name = made.meta.service_model.service_id.hyphenize()
        made.meta.events.register(f"provide-client-params.{name}", lambda params, model, **_: self._begin(
            service, region, model.name, params))
        made.meta.events.register_last(f"before-send.{name}", lambda request, **_: self._send(made, request))
        return made

    # One call

    def _begin(self, service: str, region: str, operation: str, parameters: Mapping[str, Any]) -> None:
        site = self.site(service, region, operation, parameters)
        chosen = site.position == self.target and site.position not in self.hit
        if chosen:
            self.hit.add(site.position)
        self._now.site, self._now.chosen, self._now.attempt = site, chosen, 0
        if chosen and self.trouble is Trouble.TAKEN:
            self.take(site)

    def site(self, service: str, region: str, operation: str, parameters: Mapping[str, Any]) -> Site:
        """Counts the call. Raises Killed where the process is gone."""
        names = frozenset(_texts(parameters))
        subject = " ".join([region, *sorted({_DOMAIN.sub("#", plain_id(name)) for name in names})])
        with self._lock:
            if self._dead:
                raise Killed
            ordinal = self._ordinals[subject, operation] = self._ordinals.get((subject, operation), 0) + 1
            site = Site((self.command, subject, ordinal, operation), service, region, names, parameters)
            self.met.setdefault(site.position, (service, not site.reads))
        return site

    def _send(self, client: Any, request: Any) -> AWSResponse | None:
        site: Site = self._now.site
        self._now.attempt += 1
        trouble = self.trouble if self._now.chosen else None
        first = self._now.attempt == 1
        if trouble in (Trouble.ERROR, Trouble.THROTTLED_OUT):
            raise refused("InternalFailure" if trouble is Trouble.ERROR else "ThrottlingException", site.operation)
        if trouble is Trouble.KILL_BEFORE:
            self.die()
        if trouble is Trouble.LAGGING and first and (stale := self._stale(site, request)) is not None:
            return stale
        if self._dead:
            raise Killed
        answer: AWSResponse = client._endpoint.http_session.send(request)
        self._note(site, request, answer)
        if trouble in (Trouble.KILL_AFTER, Trouble.SIGKILL):
            self.die()
        if trouble is Trouble.TIMED_OUT or (trouble is Trouble.TIMEOUT and first):
            raise ReadTimeoutError(endpoint_url=self.url)
        return answer

    def _stale(self, site: Site, request: Any) -> AWSResponse | None:
        """What the same read was answered before; what was just made is not there."""
        found = self._answers.get(_key(request))
        if found is not None:
            return found
        code = MISSING.get((site.service, site.operation))
        if code is not None and (site.names & self._made or site.operation == "StartRestoreJob"):
            raise refused(code, site.operation)
        return None

    def _note(self, site: Site, request: Any, answer: AWSResponse) -> None:
        answer.content  # noqa: B018 (reads it, so that it can be given again)
        with self._lock:
            if site.reads:
                self._answers.setdefault(_key(request), answer)
            else:
                self._made |= site.names
                self.written.append(site.position)

    def die(self) -> None:
        if self.real:
            os.kill(os.getpid(), signal.SIGKILL)
        self._dead = True
        raise Killed

    # Kubernetes, of which the API is played

    def kubernetes(self, operation: str, name: str, answer: Callable[[], Any]) -> Any:
        site = self.site("kubernetes", "", operation, {"Name": name})
        chosen = site.position == self.target and site.position not in self.hit
        if not chosen:
            return answer()
        self.hit.add(site.position)
        match self.trouble:
            case Trouble.ERROR:
                raise ServerError("the API server is not well", code=500)
            case Trouble.THROTTLED_OUT:
                raise Throttled("too many requests", code=429)
            case Trouble.TIMEOUT | Trouble.TIMED_OUT:
                raise Unavailable("the answer is lost")
            case Trouble.LAGGING:
                raise NotFound(f"{name} not found", code=404)
            case Trouble.KILL_BEFORE | Trouble.KILL_AFTER | Trouble.SIGKILL:
                self.die()
        return answer()


def applies(trouble: Trouble, position: Position, service: str) -> bool:
    """Whether it could befall the position at all."""
    if trouble is Trouble.TAKEN:
        return (service, position[3]) in CREATIONS and position[2] == 1
    if trouble is Trouble.LAGGING:
        return position[3].startswith(READING) or (service, position[3]) in MISSING or service == "kubernetes"
    return True


def refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{code} of the sweep"}}, operation)


@contextmanager
def hurried() -> Iterator[None]:
    """botocore's pauses between attempts take no time."""
    with patch.object(botocore.endpoint, "time", SimpleNamespace(sleep=lambda seconds: None)):
        yield


_UNSTABLE = ("Value", "Description", "IdempotencyToken", "ContinuationToken", "NextToken", "SecretString",
             "MasterUserPassword", "AssumeRolePolicyDocument")


_DOMAIN = re.compile(r"[a-z0-9]+(?=\.cloudfront\.net$)")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if key not in _UNSTABLE:
                yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _key(request: Any) -> tuple[str, bytes]:
    body = request.body or b""
    headers = request.headers
    target = headers.get("X-Amz-Target", b"")
    scope = re.search(r"\d{8}/([^/]+)/([^/]+)/aws4", str(headers.get("Authorization", "")))
    return (f"{request.method} {request.url} {target!r} {scope.groups() if scope else ''}",
            body if isinstance(body, bytes) else str(body).encode())
