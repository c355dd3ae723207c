"""`candlefish preview`: what a change would do to the stacks, without credentials and without touching anything."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from candlefish import preview_sources as sources
from candlefish.exits import Exit, WrongUsage
from candlefish.runtime import project_directory
from candlefish.screen import Screen
from operations.preview import report
from operations.preview.markdown import comment
from operations.preview.model import Preview, WrongInput

WRONG: tuple[type[Exception], ...] = (WrongInput,)


class Format(StrEnum):
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


def preview(
    stack: Annotated[str, typer.Option("--stack", "-s", help="development, staging, production, recovery or all")]
    = sources.ALL,
    against: Annotated[str, typer.Option(metavar="REF", help="a branch, tag or commit: origin/main")] = "",
    format: Annotated[Format, typer.Option(help="markdown: a comment; html: a page; json: for machines")]
    = Format.MARKDOWN,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="instead of stdout")] = None,
    expect_no_changes: Annotated[bool, typer.Option("--expect-no-changes", help="exit 4 if anything would change")]
    = False,
) -> None:
    """Compares the working copy with a version of it, offline.

    Exit codes: 3 when a policy is violated, 4 with --expect-no-changes where there are changes."""
    screen = Screen()
    found = _found(stack, against, screen)
    text = RENDERED[format](found)
    if output is None:
        print(text, end="")
    else:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise WrongUsage(f"--output {output}: cannot be written: {error.strerror}") from None
    if expect_no_changes and found.changed:
        raise typer.Exit(Exit.CHANGED)
    if found.violated:
        raise typer.Exit(Exit.POLICY)


def _found(stack: str, against: str, screen: Screen) -> Preview:
    if not against:
        raise WrongUsage("preview needs something to compare with: --against REF")
    return sources.against(project_directory(), stack, against, screen.say)


def _json(preview: Preview) -> str:
    return json.dumps(report.document(preview), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


RENDERED = {Format.MARKDOWN: comment, Format.JSON: _json}
