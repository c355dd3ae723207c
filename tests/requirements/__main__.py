"""Writes docs/requirements.md from previews of all stacks."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rehearsal.aws.servers import Aws
from tests.graphs import resources
from tests.program import Programs
from tests.requirements.page import PAGE, page
from tests.stacks import STACKS

with tempfile.TemporaryDirectory(prefix="candlefish-requirements-") as home:
    servers = Aws(Path(home) / "aws")
    try:
        programs = Programs(servers.ensure(), Path(home))
        PAGE.write_text(page({stack: resources(programs.preview(stack)) for stack in STACKS}), encoding="utf-8")
    finally:
        servers.stop()
