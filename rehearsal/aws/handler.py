"""A resource type of pulumi-aws as boto3 calls: what every module of `services` implements.

A handler says four things in the API's terms: create, read back, update, delete. What all handlers share (auto-names,
default tags, the SDK's input types, kept properties, diffs) is the provider's, in `provider.py`.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, TypeVar

from rehearsal.engine.provider import Context, ProviderError, Register
from rehearsal.engine.values import Properties


@dataclass(frozen=True)
class Naming:
    """How pulumi-aws names a resource whose program gives no name: logical name, `-`, 7 hex digits."""

    property: str = "name"
    maximum: int = 255
    lower: bool = False
    suffix: str = ""  # such as ".fifo"


class Call:
    """One operation on one resource: whose account and region it is, and clients for it.

    `client(service)` is a boto3 client of the gateway. Each of its calls carries the operation's id and its ordinal,
    so that the gateway answers a repeated call of an interrupted operation with what the first one got.
    """

    def __init__(self, context: Context, account: str, region: str, tags: Mapping[str, str],
                 clients: Callable[[Call, str, str], Any], kept: KeptObjects) -> None:
        self.context = context
        self.account = account
        self.region = region
        self.tags = dict(tags)  # the provider's default tags and the resource's own; the latter win
        self.kept = kept
        self._clients = clients
        self._counting = threading.Lock()
        self._calls = 0
        self._mutations = 0
        self.effects = 0  # calls that changed something and succeeded
        self.made_id: str | None = None
        self.attempt = ""

    def made(self, id: str) -> str:
        """For a creation of several calls: tells the id as soon as the resource exists, so that a failure further on
        leaves it in the state rather than orphaned. Returns the id."""
        self.made_id = id
        return id

    def anew(self) -> None:
        """From here on a call is the same only within this attempt. For a sequence that takes away and makes again:
        what an interrupted attempt made must not stand for what this one has taken away since."""
        self.attempt = uuid.uuid4().hex

    def count(self, mutating: bool) -> tuple[int, int]:
        """Numbers the next API call of the operation: (among all calls, among those that change something)."""
        with self._counting:
            self._calls += 1
            self._mutations += mutating
            return self._calls, self._mutations

    def client(self, service: str, region: str | None = None) -> Any:
        return self._clients(self, service, region or self.region)

    def wait(self, what: str, ready: Callable[[], bool], seconds: float = 600, every: float = 0.1) -> None:
        """Asks until `ready` says yes. Raises ProviderError after `seconds` (or the resource's own timeout), and when
        the operation is cancelled."""
        limit = self.context.timeout_seconds or seconds
        deadline = time.monotonic() + limit
        while not ready():
            if time.monotonic() >= deadline:
                raise ProviderError(f"{self.context.name}: {what} did not come about within {limit:g} s; "
                                    "customTimeouts of the resource can give it more time")
            if self.context.cancelled.wait(every):
                raise ProviderError(f"{self.context.name}: cancelled while waiting for {what}")

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """`[{"Key": …, "Value": …}]`, in the order of the keys."""
        return [{"Key": key, "Value": self.tags[key]} for key in sorted(self.tags)]

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        """`region=""` for services without regions (IAM, S3)."""
        place = self.region if region is None else region
        owner = self.account if account is None else account
        return f"arn:aws:{service}:{place}:{owner}:{resource}"


class KeptObjects:
    """Objects and properties that neither emulator holds, kept beside them by the gateway (`/_candlefish/kept`).

    Keyed by account, region, type and id. They live and die with the emulators.
    """

    def put(self, account: str, region: str, type: str, id: str, properties: Properties) -> None:
        raise NotImplementedError

    def get(self, account: str, region: str, type: str, id: str) -> Properties | None:
        raise NotImplementedError

    def delete(self, account: str, region: str, type: str, id: str) -> bool:
        raise NotImplementedError

    def list(self, account: str, region: str, type: str) -> list[tuple[str, Properties]]:
        raise NotImplementedError


class Handler:
    """One resource type. Property names are Pulumi's (camelCase), as on the wire.

    kept       properties that the emulator takes but loses on read-back, or that no call carries; the provider keeps
               them and lists them in the coverage report. Everything else that `read` returns is the emulator's word.
    naming     how the name is made when the program gives none; None: the program must give what the service needs.
    aliases    property → function: the one spelling of all that are the same to AWS (ARNs, names), for the diff.
    """

    type: ClassVar[str]
    naming: ClassVar[Naming | None] = None
    kept: ClassVar[tuple[str, ...]] = ()
    kept_whole: ClassVar[bool] = False  # neither emulator knows the resource: it is an object of our own
    tags_property: ClassVar[str | None] = "tags"  # None: the type has no tags
    defaults: ClassVar[Mapping[str, Any]] = {}  # what AWS or the provider fills in
    documents: ClassVar[tuple[str, ...]] = ()  # properties that hold JSON and are compared as documents
    global_region: ClassVar[str | None] = None  # "us-east-1" for services that live in one place
    aliases: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}

    def name_suffix(self, inputs: Properties) -> str:
        """What an auto-name must end in, such as ".fifo" when the inputs ask for a queue of that kind."""
        return self.naming.suffix if self.naming else ""

    def references(self, inputs: Properties) -> Iterable[Reference]:
        """What the inputs point at and must exist, where the emulator would accept a dangling reference."""
        return ()

    def create(self, call: Call, inputs: Properties) -> str:
        """Make it and wait until it can be used; returns Pulumi's id of it (what `pulumi import` takes)."""
        raise NotImplementedError

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        """All outputs that can be observed, or None when it does not exist. `known` is what was last known
        (inputs on creation, empty on import)."""
        raise NotImplementedError

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        """`changed`: top-level properties that differ; `tags` among them when the default tags changed."""
        raise NotImplementedError

    def delete(self, call: Call, id: str, known: Properties) -> None:
        """Gone when it returns. Something that is not there counts as deleted."""
        raise NotImplementedError


@dataclass(frozen=True)
class Reference:
    """`exists` is asked before the call is sent; `property` and `value` make the message when it says no. `kind`: what
    kind of thing it is, where `exists` depends on nothing but the value, account and region; asked once a run then."""

    property: str
    value: str
    exists: Callable[[Call], bool]
    kind: str = ""


HANDLERS: dict[str, Handler] = {}
DATA_SOURCES: dict[str, Callable[[Call, Properties], Properties]] = {}
# Packaged components: (call, inputs, register) → outputs. The context is `call.context`.
Constructor: TypeAlias = Callable[[Call, Properties, Register], Properties]
COMPONENTS: dict[str, Constructor] = {}

H = TypeVar("H", bound=type[Handler])
D = TypeVar("D", bound=Callable[[Call, Properties], Properties])


def resource(cls: H) -> H:
    """Registers a handler class under its `type`; a type has one handler."""
    if cls.type in HANDLERS:
        raise ValueError(f"{cls.type} has two handlers: {type(HANDLERS[cls.type]).__name__} and {cls.__name__}")
    HANDLERS[cls.type] = cls()
    return cls


C = TypeVar("C", bound=Constructor)


def component(token: str) -> Callable[[C], C]:
    """Registers the expansion of a packaged component, such as "eks:index:Cluster"."""

    def register(function: C) -> C:
        if token in COMPONENTS:
            raise ValueError(f"{token} has two constructors")
        COMPONENTS[token] = function
        return function

    return register


def data_source(token: str) -> Callable[[D], D]:
    """Registers a data source, such as "aws:index/getCallerIdentity:getCallerIdentity"."""

    def register(function: D) -> D:
        if token in DATA_SOURCES:
            raise ValueError(f"{token} has two handlers")
        DATA_SOURCES[token] = function
        return function

    return register
