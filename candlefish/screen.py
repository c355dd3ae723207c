"""What a run looks like: progress on stderr, data on stdout."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rehearsal.engine.results import Event, EventKind, Operation, Result, Step
from rehearsal.engine.values import UNKNOWN, Archive, Asset, ResourceReference, Secret

MARKS = {
    Operation.CREATE: ("+", "green"), Operation.UPDATE: ("~", "yellow"), Operation.REPLACE: ("±", "magenta"),
    Operation.DELETE: ("-", "red"), Operation.SAME: (" ", "dim"), Operation.READ: (">", "cyan"),
    Operation.IMPORT: ("=", "cyan"), Operation.REFRESH: ("~", "cyan"),
}
SHOWN_AT_ONCE = 12  # running resources on a terminal
HIDDEN = "[secret]"


class Screen:
    """Progress of one run. On a terminal one live block of what is going on; otherwise a line a finished resource."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.live = self.console.is_terminal and "NO_COLOR" not in os.environ and not quiet
        self.quiet = quiet
        self._running: dict[str, tuple[Operation | None, float, str]] = {}
        self._done = 0
        self._lock = threading.Lock()
        self._block: Live | None = None

    @contextmanager
    def progress(self) -> Iterator[None]:
        if not self.live:
            yield
            return
        with Live(get_renderable=self._render, console=self.console, refresh_per_second=8, transient=True) as block:
            self._block = block
            try:
                yield
            finally:
                self._block = None

    def say(self, message: str, style: str = "") -> None:
        if not self.quiet:
            self.console.print(Text(message, style=style), soft_wrap=True)

    def on_event(self, event: Event) -> None:
        """Takes the engine's events, from any of its threads."""
        with self._lock:
            match event.kind:
                case EventKind.STARTED:
                    self._running[event.urn] = (event.operation, time.monotonic(), "")
                case EventKind.PROGRESS if event.urn in self._running:
                    operation, since, _ = self._running[event.urn]
                    self._running[event.urn] = (operation, since, event.message)
                case EventKind.FINISHED:
                    self._running.pop(event.urn, None)
                    self._done += 1
                case EventKind.FAILED:
                    self._running.pop(event.urn, None)
        if event.kind is EventKind.FINISHED and event.operation not in (None, Operation.SAME):
            assert event.operation is not None
            mark, style = MARKS[event.operation]
            self.say(f"{mark} {short(event.urn)} {event.seconds:.1f}s", style)
        elif event.kind is EventKind.FAILED:
            self.say(f"! {short(event.urn)}: {event.message}", "bold red")
        elif event.kind is EventKind.POLICY:
            self.say(f"{'!' if event.severity == 'error' else ' '} policy {event.message}",
                     "bold red" if event.severity == "error" else "dim")
        elif event.kind is EventKind.DIAGNOSTIC and event.severity in ("warning", "error", "stderr", "stdout", "info"):
            self.say(f"  {event.severity}: {event.message}", "yellow" if event.severity == "warning" else "")

    def _render(self) -> Table:
        table = Table.grid(padding=(0, 1))
        with self._lock:
            running = sorted(self._running.items(), key=lambda item: item[1][1])
            done = self._done
        now = time.monotonic()
        for urn, (operation, since, message) in running[:SHOWN_AT_ONCE]:
            mark, style = MARKS[operation or Operation.SAME]
            table.add_row(Text(mark, style=style), short(urn), f"{now - since:.0f}s", Text(message, style="dim"))
        more = f", {len(running) - SHOWN_AT_ONCE} more under way" if len(running) > SHOWN_AT_ONCE else ""
        table.add_row("", Text(f"{done} done{more}", style="dim"))
        return table


def short(urn: str) -> str:
    """`network-vpc (aws:ec2/vpc:Vpc)` for `urn:pulumi:staging::candlefish::…$aws:ec2/vpc:Vpc::network-vpc`."""
    parts = urn.split("::")
    return f"{parts[-1]} ({parts[2].split('$')[-1]})" if len(parts) >= 4 else urn


def summary(result: Result) -> str:
    """`3 created, 1 updated, 200 unchanged, in 4.2 s`."""
    words = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "same": "unchanged"}
    parts = [f"{result.changes.get(key, 0)} {word}" for key, word in words.items() if result.changes.get(key)]
    return f"{', '.join(parts) or 'nothing to do'}, in {result.seconds:.1f} s"


def show_steps(console: Console, steps: list[Step]) -> None:
    """Every step that changes something, with the properties that differ."""
    for step in steps:
        if step.operation is Operation.SAME:
            continue
        mark, style = MARKS[step.operation]
        console.print(Text(f"{mark} {step.name} ({step.type})", style=style), soft_wrap=True)
        for change in step.diff:
            note = " forces replacement" if change.replaces else " (assumed not to replace)" if change.assumed else ""
            line = f"    {change.path}: {_brief(change.before)} → {_brief(change.after)}{note}"
            console.print(Text(line, style="red" if change.replaces else ""), soft_wrap=True)


def _brief(value: Any) -> str:
    text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 100 else text[:97] + "…"


def plain(value: Any) -> Any:
    """A value for JSON: secrets are `[secret]`, unknowns `[unknown]`."""
    match value:
        case Secret():
            return HIDDEN
        case _ if value is UNKNOWN:
            return "[unknown]"
        case Mapping():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case ResourceReference():
            return value.urn
        case Asset() | Archive():
            return f"[{type(value).__name__.lower()} {value.hash[:12]}]"
        case _:
            return value


def rows(heading: Sequence[str], found: Iterable[Sequence[str]]) -> None:
    """A table on stdout, columns as wide as what is in them."""
    table = [heading, *found]
    widths = [max(len(row[column]) for row in table) for column in range(len(heading))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def emit(document: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(plain(document), indent=2, sort_keys=True, ensure_ascii=False))
    sys.stdout.flush()


def steps_json(steps: list[Step]) -> list[dict[str, Any]]:
    return [{"urn": s.urn, "type": s.type, "name": s.name, "operation": s.operation, "causes": list(s.causes),
             "assumed": list(s.assumed),
             "diff": [{"path": c.path, "change": c.change.value, "before": plain(c.before), "after": plain(c.after),
                       "replaces": c.replaces} for c in s.diff]} for s in steps]
