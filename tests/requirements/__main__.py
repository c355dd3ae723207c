"""Writes docs/requirements.md from previews of all stacks."""

from __future__ import annotations

from candlefish.policies import resources
from tests.program import Programs
from tests.requirements.page import PAGE, page
from tests.stacks import STACKS

programs = Programs()
PAGE.write_text(page({stack: resources(programs.preview(stack)) for stack in STACKS}), encoding="utf-8")
