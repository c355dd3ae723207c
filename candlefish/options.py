"""Options that several verbs have."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from candlefish.exits import WrongUsage

Stack = Annotated[str, typer.Option("--stack", "-s", help="development, staging, production or recovery")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, nothing else")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="says what would be written, and writes nothing")]
Kubeconfig = Annotated[Path | None, typer.Option(help="instead of KUBECONFIG and ~/.kube/config")]
Context = Annotated[str | None, typer.Option(help="of the kubeconfig; the current one otherwise")]
Door = Annotated[str, typer.Option(envvar="CANDLEFISH_FRONT_DOOR", help="where the front door answers, to check it "
                                   "after the switch: https://candlefish.ai")]
STAGING = "staging"


def moment(text: str) -> datetime:
    """Of `--at`. Raises WrongUsage for what is no time, and for one that may be meant in any zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise WrongUsage(f"--at is {text!r}; allowed: a time with an offset, such as 2026-11-23T19:00:00Z")
    return found
