"""`candlefish recovery drill`."""

from __future__ import annotations

from typing import Annotated

import typer

from candlefish.options import Json

Which = Annotated[str, typer.Option("--disaster", metavar="NAME", help="a page of docs/runbooks/disasters, or all")]
Of = Annotated[str, typer.Option("--stack", "-s", help="the rehearsed stack; built if it is not there")]
Seed = Annotated[int, typer.Option(help="the same table, secret, zone … for the same seed")]


def drill(disaster: Which = "all", stack: Of = "development", seed: Seed = 0, as_json: Json = False) -> None:
    """Breaks a rehearsed environment and brings it back. Exit code 1 unless all are back inside their targets."""
    from candlefish import drills  # it brings the whole rehearsal, which the other commands of recovery do without

    drills.run(disaster, stack, seed, as_json)
