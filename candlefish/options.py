"""Options that several verbs have."""

from __future__ import annotations

from typing import Annotated

import typer

Stack = Annotated[str, typer.Option("--stack", "-s", help="development, staging, production or recovery")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, nothing else")]
STAGING = "staging"
