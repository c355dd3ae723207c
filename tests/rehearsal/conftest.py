"""Servers and previews that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rehearsal.aws.servers import Aws
from tests.program import Programs


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Previews of the real program, each stack's once a session, against an embedded AWS of their own."""
    home = tmp_path_factory.mktemp("programs")
    servers = Aws(home / "aws")
    yield Programs(servers.ensure(), home)
    servers.stop()
