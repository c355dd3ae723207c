"""`candlefish preview`: what a change would do to the stacks, without credentials and without touching anything."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from candlefish import preview_sources as sources
from candlefish.exits import Exit, WrongUsage
from candlefish.project import project_directory
from candlefish.screen import Screen
from operations.preview import report
from operations.preview.html import page
from operations.preview.markdown import comment
from operations.preview.model import Preview


class Format(StrEnum):
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


def preview(
    stack: Annotated[str, typer.Option("--stack", "-s", help="development, staging, production, recovery or all")]
    = sources.ALL,
    against: Annotated[str, typer.Option(metavar="REF", help="a branch, tag or commit: origin/main")] = "",
    state: Annotated[Path | None, typer.Option(metavar="EXPORT.json", help="what is deployed: `pulumi stack export`")]
    = None,
    from_pulumi: Annotated[Path | None, typer.Option(metavar="PREVIEW.json", help="render `pulumi preview --json "
                                                     "--diff` instead of previewing")] = None,
    format: Annotated[Format | None, typer.Option(help="markdown: a comment; html: a page; json: for machines; "
                                                  "otherwise as the file's name ends, .md, .html or .json")] = None,
    output: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="instead of stdout; again for another")]
    = None,
    expect_no_changes: Annotated[bool, typer.Option("--expect-no-changes", help="exit 4 if anything would change")]
    = False,
) -> None:
    """Compares the working copy with a version of it or with what is deployed, offline.

    Exit codes: 3 when a policy is violated, 4 with --expect-no-changes where there are changes."""
    screen = Screen()
    files = {file: _format_of(file, format) for file in output or ()}
    found = _found(stack, against, state, from_pulumi, screen)
    if not files:
        print(RENDERED[format or Format.MARKDOWN](found), end="")
    for file, wanted in files.items():
        try:
            file.write_text(RENDERED[wanted](found), encoding="utf-8")
        except OSError as error:
            raise WrongUsage(f"--output {file}: cannot be written: {error.strerror}") from None
    if found.violated:
        raise typer.Exit(Exit.POLICY)
    if expect_no_changes and found.changed:
        raise typer.Exit(Exit.CHANGED)


def _found(stack: str, against: str, state: Path | None, from_pulumi: Path | None, screen: Screen) -> Preview:
    given = [name for name, value in (("--against", against), ("--state", state), ("--from-pulumi", from_pulumi))
             if value]
    if len(given) != 1:
        raise WrongUsage("preview compares with one thing: --against REF, --state EXPORT.json or --from-pulumi "
                         f"PREVIEW.json; given: {', '.join(given) or 'none'}")
    if from_pulumi is not None:
        return sources.from_pulumi(from_pulumi)
    if state is not None:
        return sources.deployed(project_directory(), stack, state, screen.say)
    return sources.against(project_directory(), stack, against, screen.say)


def _format_of(file: Path, asked: Format | None) -> Format:
    if not file.parent.is_dir():
        raise WrongUsage(f"--output {file}: there is no folder {file.parent}")
    if asked is None and file.suffix not in SUFFIXES:
        raise WrongUsage(f"--output {file}: its name says no format; one of {', '.join(SUFFIXES)}, or --format")
    return asked or SUFFIXES[file.suffix]


def _json(preview: Preview) -> str:
    return json.dumps(report.document(preview), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


SUFFIXES = {".md": Format.MARKDOWN, ".html": Format.HTML, ".json": Format.JSON}
RENDERED = {Format.MARKDOWN: comment, Format.HTML: page, Format.JSON: _json}
