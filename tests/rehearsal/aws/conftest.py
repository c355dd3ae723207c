"""The embedded AWS for tests: started once a test session (and xdist worker), on free ports, ended afterwards.

    def test_a_queue_is_read_back_as_it_was_made(aws):
        call = aws.call("aws:sqs/queue:Queue", "jobs", tags={"Project": "x"})   # account of its own: nothing else in it
        handler = HANDLERS[call.context.type]
        id = handler.create(call, {"name": "jobs"})
        assert handler.read(call, id, {})["name"] == "jobs"

`aws.call(type, name, account=…, region=…, tags=…, seed=…, operation=…)` gives a `Call`; without `account` each test
function has an account of its own, so that tests don't see each other's resources. A second call of the same test has
the same account. `aws.client("sqs")` is a plain boto3 client of that account; `aws.endpoint` the `AwsEndpoint`;
`aws.provider` an `AwsProvider` on it; `aws.context(type, name, …)` a `Context` for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rehearsal.aws.clients import Clients
from rehearsal.aws.handler import Call
from rehearsal.aws.kept import GatewayKept
from rehearsal.aws.servers import Aws, AwsEndpoint
from rehearsal.engine.provider import Context
from tests.rehearsal.aws import cdn_world

_accounts = itertools.count(100_000_000_001)
_operations = itertools.count(1)


@dataclass(frozen=True)
class Emulated:
    """The embedded AWS as one test sees it: in an account that no other test uses."""

    endpoint: AwsEndpoint
    clients: Clients
    kept: GatewayKept
    account: str = field(default_factory=lambda: f"{next(_accounts)}")
    region: str = "us-east-1"

    def context(self, type: str, name: str = "subject", *, config: Mapping[str, Any] | None = None, seed: int = 1,
                operation: str | None = None, preview: bool = False, timeout_seconds: float | None = 60) -> Context:
        """A Context whose provider is configured for this test's account and region."""
        settings = {"region": self.region, "allowedAccountIds": [self.account], **(config or {})}
        return Context(urn=f"urn:pulumi:test::test::{type}::{name}", type=type, name=name, config=settings, seed=seed,
                       operation=operation or f"operation-{next(_operations)}", preview=preview,
                       timeout_seconds=timeout_seconds)

    def call(self, type: str, name: str = "subject", *, account: str | None = None, region: str | None = None,
             tags: Mapping[str, str] | None = None, seed: int = 1, operation: str | None = None) -> Call:
        return Call(self.context(type, name, seed=seed, operation=operation), account or self.account,
                    region or self.region, tags or {}, self.clients, self.kept)

    def client(self, service: str, region: str | None = None, account: str | None = None) -> Any:
        return self.clients.shared(service, region or self.region, account or self.account)

    @property
    def provider(self) -> Any:
        from rehearsal.aws.provider import AwsProvider

        return AwsProvider(self.endpoint)


@pytest.fixture(scope="session")
def aws_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("aws")


@pytest.fixture(scope="session")
def aws_servers(aws_home: Path) -> Iterator[AwsEndpoint]:
    servers = Aws(aws_home)
    yield servers.ensure()
    servers.stop()


@pytest.fixture
def connections(aws_home: Path) -> Path:
    """libpq's service file, with where database instances answer."""
    return Aws(aws_home).databases


@pytest.fixture(scope="session")
def aws_clients(aws_servers: AwsEndpoint) -> Clients:
    return Clients(aws_servers.url)


@pytest.fixture
def aws(aws_servers: AwsEndpoint, aws_clients: Clients) -> Emulated:
    return Emulated(aws_servers, aws_clients, GatewayKept("127.0.0.1", aws_servers.port))


@pytest.fixture
def world(aws: Emulated) -> cdn_world.World:
    """Buckets, policies and a name for distributions."""
    return cdn_world.World(aws)


@pytest.fixture
def server() -> Iterator[cdn_world.Server]:
    """An origin of the test's own."""
    with cdn_world.serving() as running:
        yield running
