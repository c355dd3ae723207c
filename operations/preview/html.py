"""A preview as one page that works offline: changes, all resources to search in, topology, the predicted `up`, cost,
policies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from operations.preview import lines
from operations.preview.compare import counted
from operations.preview.data import at_risk
from operations.preview.drawing import svg
from operations.preview.gantt import chart
from operations.preview.model import MARKS, ORDER, Change, Level, Operation, Phase, Preview, StackPreview, Timing
from operations.preview.parts import owner_of
from operations.preview.times import clock, uncounted
from operations.preview.topology import topology

_HERE = Path(__file__).parent
_LEVELS = {Level.VIOLATED: "violated", Level.WAIVED: "", Level.UNDECIDED: "soft"}
_CLASSES = {"+": "plus", "-": "minus", "!": "warn"}


def page(preview: Preview) -> str:
    """Everything is in the file: no address is asked for anything."""
    sections = (("changes", "Changes", _changes), ("resources", "Resources", _resources),
                ("topology", "Topology", _topology), ("up", "Predicted up", _up),
                ("cost", "Cost", _cost), ("policies", "Policies", _policies))
    tabs = "".join(f'<button type="button" data-page="{id}">{title}</button>' for id, title, _ in sections)
    bodies = "".join(f'<section id="page-{id}" aria-label="{title}">\n{"".join(render(preview))}</section>\n'
                     for id, title, render in sections)
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'; '
            f'script-src \'unsafe-inline\'"><title>Preview against {escape(preview.against)}</title>\n'
            f'<style>\n{_file("page.css")}</style></head>\n<body><header><h1>Preview against '
            f'<code>{escape(preview.against)}</code></h1><nav>{tabs}</nav></header>\n<main>\n{bodies}</main>\n'
            f'<script type="application/json" id="data">{_embedded(preview)}</script>\n'
            f'<script>\n{_file("page.js")}</script></body></html>\n')


def _changes(preview: Preview) -> Iterator[str]:
    yield _table(["stack", *(f"{MARKS[each].strip()} {each.value}" for each in ORDER), "USD a month", "difference",
                  "policies", "predicted up"],
                 ([escape(stack.stack), *(str(stack.count(each)) for each in ORDER), _usd(stack.cost.after),
                   "–" if stack.cost.delta is None else _difference(stack.cost.delta), _verdict(stack),
                   _took(stack.timing)] for stack in preview.ordered), numbers=range(1, 8))
    for stack in preview.ordered:
        if stack.note:
            yield f'<p class="note"><b>{escape(stack.stack)}</b>: {escape(stack.note)}</p>\n'
    if lost := list(_lost(preview)):
        yield "<h2>Destroyed or replaced</h2>\n"
        yield _table(["stack", "step", "resource", "type", "because of", "data at risk"], lost)
    for stack in preview.ordered:
        if stack.changes:
            yield f"<h2>{escape(stack.stack)}</h2>\n"
        yield from map(_change, stack.changes)


def _verdict(stack: StackPreview) -> str:
    if stack.policies is None:
        return "not evaluated"
    if not stack.violations:
        return "hold"
    new = sum(not each.known for each in stack.violations)
    return f'<span class="violated">{len(stack.violations)} violated</span>' + (f", <b>{new} new</b>" if new else "")


def _took(timing: Timing) -> str:
    phases = [clock(phase.p50) for phase in (timing.made, timing.gone) if phase is not None]
    return " + ".join(phases) or "–"


def _lost(preview: Preview) -> Iterator[list[str]]:
    for stack in preview.ordered:
        for change in stack.destructive:
            if not change.type.startswith("candlefish:"):
                because = ", ".join(change.causes) or "no longer in the program"
                guard = ' <b class="violated">protected: up refuses it</b>' if change.protected else ""
                yield [escape(stack.stack), _operation(change.operation), escape(change.name), escape(change.type),
                       f"<code>{escape(because)}</code>{guard}", escape(at_risk(change)) or "–"]


def _change(change: Change) -> str:
    title = (f'{_operation(change.operation)} <code>{escape(change.name)}</code> '
             f'<span class="soft">{escape(change.type)}</span>')
    said = lines.of_change(change)
    if not said:
        return f"<details><summary>{title}</summary></details>\n"
    body = "\n".join(_line(each) for each in said)
    return f"<details><summary>{title}</summary><pre>{body}</pre></details>\n"


def _line(line: str) -> str:
    kind = _CLASSES.get(line[:1])
    return f'<span class="{kind}">{escape(line)}</span>' if kind else escape(line)


def _resources(preview: Preview) -> Iterator[str]:
    def choices(values: Iterable[str], every: str) -> str:
        return f'<option value="">{every}</option>' + "".join(f"<option>{escape(value)}</option>" for value in values)

    yield ('<div class="tools"><input type="search" id="words" placeholder="type or name, several words" '
           'aria-label="search">'
           f'<select id="stack" aria-label="stack">{choices((s.stack for s in preview.stacks), "all stacks")}</select>'
           f'<select id="operation" aria-label="step">{choices((o.value for o in ORDER), "all steps")}</select>'
           '<span id="count" class="soft"></span></div>\n'
           '<table id="found"><thead><tr><th>stack</th><th>step</th><th>name</th><th>type</th><th>component</th></tr>'
           '</thead><tbody></tbody></table>\n')


def _topology(preview: Preview) -> Iterator[str]:
    steps = "".join(f'<span class="{each.value}"><i class="box"></i>{each.value}</span>'
                    for each in ORDER if each is not Operation.SAME)
    yield ('<p class="legend"><span><i></i>requests, messages, copies</span>'
           f'<span><i class="dashed"></i>permissions</span>{steps}'
           '<span>a box shows the gravest of its steps; point at it to see its lines</span></p>\n')
    for stack in preview.ordered:
        if stack.graph.resources:
            yield (f'<h2>{escape(stack.stack)}</h2>\n<div class="wide">'
                   f'{svg(topology(stack), f"topology of {stack.stack}")}</div>\n')


def _up(preview: Preview) -> Iterator[str]:
    yield ('<p class="legend"><span><i class="bar critical"></i>critical path: what takes longer here delays the whole'
           '</span><span><i class="bar"></i>beside it</span><span><i class="bar assumed"></i>no figure for the '
           'type, assumed</span><span>point at a line for its reason and the figure\'s source</span></p>\n'
           '<div class="tools"><input type="search" id="steps" placeholder="type or name, several words" '
           'aria-label="search the predicted up"><label><input type="checkbox" id="short"> the short ones too</label>'
           '</div>\n')
    for stack in preview.ordered:
        if not stack.changes:
            continue
        timing = stack.timing
        yield f"<h2>{escape(stack.stack)}</h2>\n"
        for phase, title in ((timing.made, "Made"), (timing.gone, "Deleted once all is made")):
            if phase is not None:
                yield _phase(phase, title)
        if timing.made is None and timing.gone is None:
            yield "<p>Nothing is made or deleted that takes time.</p>\n"
        if timing.uncounted:
            yield f'<p class="note">Not counted, for want of figures: {uncounted(timing)}.</p>\n'


def _phase(phase: Phase, title: str) -> str:
    return (f"<h3>{title}: {clock(phase.p50)}, P95 {clock(phase.p95)}</h3>\n"
            f'<p class="soft">{len(phase.bars)} operations, drawn with each at its median: {clock(phase.median)}.</p>\n'
            f"{chart(phase)}")


def _cost(preview: Preview) -> Iterator[str]:
    yield "<p>USD a month, estimated from the settings at the prices of the price book.</p>\n"
    for stack in preview.ordered:
        cost = stack.cost
        yield f"<h2>{escape(stack.stack)}</h2>\n"
        if cost.note:
            yield f'<p class="note">{escape(cost.note)}</p>\n'
        if cost.after is None and cost.before is None:
            continue
        rows = [[escape(name), _usd(before), _usd(after), _difference(after - before)]
                for name, (before, after) in sorted(cost.components.items(), key=lambda entry: -max(entry[1]))]
        total = ["<b>all</b>", _usd(cost.before), _usd(cost.after),
                 _difference(cost.delta) if cost.delta is not None else "–"]
        yield _table(["component", "before", "after", "difference"], [total, *rows], numbers=range(1, 4))
        if cost.unpriced:
            yield f'<p class="soft">Not priced: {escape("; ".join(cost.unpriced))}</p>\n'


def _policies(preview: Preview) -> Iterator[str]:
    for stack in preview.ordered:
        yield f"<h2>{escape(stack.stack)}</h2>\n"
        if stack.policies is None:
            yield '<p class="note">The policies were not evaluated: this preview has no whole graph.</p>\n'
            continue
        rows = [[escape(each.id), f'<span class="{_LEVELS[each.level]}">{each.level.value}</span>'
                 + ("" if each.known else " <b>new</b>"), f"<code>{escape(each.resource.rsplit('::', 1)[-1])}</code>",
                 escape(each.message)] for each in stack.policies]
        yield _table(["control", "", "resource", "what"], rows) if rows else "<p>Every control holds.</p>\n"


def _embedded(preview: Preview) -> str:
    """[stack, step, type, name, component] of every resource. `</` would end the script."""
    rows = [row for stack in preview.stacks for row in _rows(stack)]
    rows.sort(key=lambda row: ORDER.index(Operation(row[1])))  # what changes is found first
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _rows(stack: StackPreview) -> Iterator[list[str]]:
    steps = {change.urn: change.operation.value for change in stack.changes}
    owners = owner_of(stack.graph)
    for resource in filter(counted, stack.graph.resources):
        yield [stack.stack, steps.get(resource.urn, Operation.SAME.value), resource.type, resource.name,
               owners[resource.urn].name]
    for change in stack.changes:
        if change.urn not in owners:
            yield [stack.stack, change.operation.value, change.type, change.name, ""]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """Cells are HTML."""
    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f'<{tag} class="number">{cell}</{tag}>' if index in numbers else
                                f"<{tag}>{cell}</{tag}>" for index, cell in enumerate(cells)) + "</tr>\n"

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>\n"


def _operation(operation: Operation) -> str:
    return f'<span class="{operation.value}">{MARKS[operation]} {operation.value}</span>'


def _usd(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.2f}"


def _difference(value: float) -> str:
    return f"{value:+,.2f}" if abs(value) >= 0.005 else '<span class="soft">0</span>'


def _file(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
