"""The page: a table for each requirement, a row for each of its clauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from policy.model import Resource
from tests.requirements import platform, services
from tests.requirements.row import OPERATIONS, Row
from tests.stacks import STACKS

PAGE = Path(__file__).parents[2] / "docs/requirements.md"
ROWS: tuple[Row, ...] = platform.ENVIRONMENT + platform.NETWORK + platform.CLUSTER + services.DATA \
    + services.ANALYTICS + services.OBSERVABILITY
SHOWN = 3  # names; the rest is counted
HEAD = f"""# What fulfils each requirement

Made by `python -m tests.requirements` from the graph of each stack; a test compares, and fails for a clause that
nothing fulfils. Where stacks differ, each has a line of its own; a stack that a requirement itself leaves out has the
reason.
{OPERATIONS[0]} to {OPERATIONS[-1]} are operations: commands, not resources.
"""

Graphs = Mapping[str, Sequence[Resource]]


def found(row: Row, resources: Sequence[Resource]) -> list[Resource]:
    return sorted((each for each in resources if row.fulfilled_by(each)), key=lambda each: (each.type, each.name))


def missing(stack: str, resources: Sequence[Resource]) -> list[str]:
    """Clauses that too few resources fulfil, and exceptions that are none."""
    wrong = []
    for row in ROWS:
        count = len(found(row, resources))
        if count < row.needs(stack):
            wrong.append(f"{row.id} {row.clause}: {count} of {row.needs(stack)} {row.type} {row.name}")
        elif count and stack in row.but:
            wrong.append(f"{row.id} {row.clause}: is there, though {row.but[stack]}")
    return wrong


def page(graphs: Graphs) -> str:
    return HEAD + "".join(_section(id, list(rows), graphs) for id, rows in groupby(ROWS, key=lambda row: row.id))


def _section(id: str, rows: Sequence[Row], graphs: Graphs) -> str:
    lines = "".join(f"| {row.clause} | {'<br>'.join(_fulfilled(row, graphs))} |\n" for row in rows)
    return f"\n## {id}\n\n| clause | resources |\n|---|---|\n{lines}"


def _fulfilled(row: Row, graphs: Graphs) -> list[str]:
    """A line for all stacks that have the same."""
    lines: dict[str, list[str]] = {}
    for stack in STACKS:
        lines.setdefault(_named(row, stack, found(row, graphs[stack])), []).append(stack)
    return [text if len(stacks) == len(STACKS) else f"{', '.join(stacks)}: {text}" for text, stacks in lines.items()]


def _named(row: Row, stack: str, resources: Sequence[Resource]) -> str:
    if not resources:
        return row.but.get(stack, "**nothing**")
    kinds = sorted({each.type.rpartition(":")[2] for each in resources})
    kind = kinds[0] if len(kinds) == 1 else f"{len(kinds)} kinds"
    names = ", ".join(f"`{each.name}`" for each in resources[:SHOWN])
    more = len(resources) - SHOWN
    return f"{kind} {names}" + (f" and {more} more" if more > 0 else "")
