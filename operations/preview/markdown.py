"""A preview as a comment on a pull request. The same preview gives the same bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from operations.preview import lines
from operations.preview.data import at_risk
from operations.preview.diagram import mermaid
from operations.preview.fitting import Block, fit
from operations.preview.model import (
    MARKS,
    Cost,
    Finding,
    Level,
    Operation,
    Preview,
    StackPreview,
)
from operations.preview.times import line as predicted

LIMIT = 64_000  # characters; GitHub takes 65,536
MARKER = "<!-- candlefish-preview -->"  # by which the comment is found again
_RESERVE = 400  # for the note about what was dropped
_COLUMNS = (Operation.REPLACE, Operation.DELETE, Operation.UPDATE, Operation.CREATE, Operation.SAME)
# What is dropped first has the lowest number.
_MADE, _DIAGRAM, _COST, _WAIVED, _UPDATED, _GONE, _REPLACED, _POLICY, _DESTRUCTIVE, _HEAD = range(10)
_DETAIL = {Operation.CREATE: _MADE, Operation.UPDATE: _UPDATED, Operation.DELETE: _GONE, Operation.REPLACE: _REPLACED}
_SHORT = 12  # lines of a diff that has been shortened


def comment(preview: Preview, limit: int = LIMIT) -> str:
    blocks = [Block(_HEAD, _head(preview), "tables"), *_destructive(preview), *_policies(preview), *_changes(preview),
              *_costs(preview), *_diagrams(preview)]
    text, cut = fit(blocks, limit - _RESERVE)
    if cut:
        dropped = ", ".join(f"{count} {what}" for what, count in sorted(cut.items()))
        text += f"\n*Shortened to fit a comment: {dropped}. `--format html` has everything.*\n"[:_RESERVE]
    return text


def _head(preview: Preview) -> str:
    title = f"{MARKER}\n## Preview against `{_code(preview.against)}`\n\n"
    if not preview.changed:
        title += "Nothing changes.\n\n"
    rows = [["stack", *(f"{MARKS[each].strip()} {each.value}".strip() for each in _COLUMNS), "a month", "policies"]]
    rows += [[f"**{stack.stack}**" if stack.changes else stack.stack,
              *(str(stack.count(each)) for each in _COLUMNS), _money(stack.cost), _policy(stack)]
             for stack in preview.ordered]
    notes = "".join(f"\n> **{stack.stack}**: {stack.note}\n" for stack in preview.ordered if stack.note)
    times = f"\n{told}\n" if (told := predicted(preview)) else ""
    return title + _table(rows) + times + notes


def _destructive(preview: Preview) -> Iterable[Block]:
    """One row for what happens to several stacks alike."""
    found: dict[tuple[str, ...], list[str]] = {}
    for stack in preview.ordered:
        for change in stack.destructive:
            if change.type.startswith("candlefish:"):
                continue  # a component holds nothing; its resources have rows of their own
            because = ", ".join(f"`{_code(path)}`" for path in change.causes) or "it is no longer in the program"
            guard = " **protected: `up` refuses it**" if change.protected else ""
            found.setdefault((change.operation.value, f"`{_code(change.name)}`", f"`{change.type}`", because + guard,
                              at_risk(change) or "–"), []).append(stack.stack)
    if not found:
        return
    yield Block(_DESTRUCTIVE, f"\n### ⚠️ Destroyed or replaced: {sum(map(len, found.values()))}\n\n" + _line(
        ["stacks", "step", "resource", "type", "because of", "data at risk"]) + "|---|---|---|---|---|---|\n", "tables")
    # What holds data stands first, and is dropped last.
    for row, stacks in sorted(found.items(), key=lambda entry: (entry[0][4] == "–", entry[0])):
        yield Block(_REPLACED if row[4] == "–" else _DESTRUCTIVE, _line([", ".join(stacks), *row]),
                    "destructive steps")


def _policies(preview: Preview) -> Iterable[Block]:
    for title, level, importance in (("Violated policies", Level.VIOLATED, _POLICY),
                                     ("Waived", Level.WAIVED, _WAIVED), ("Undecided", Level.UNDECIDED, _WAIVED)):
        found: dict[tuple[str, str, str, bool], list[str]] = {}
        for stack in preview.ordered:
            for each in stack.policies or ():
                if each.level is level and not (level is not Level.VIOLATED and each.known):
                    found.setdefault((each.id, _name(each), each.message, each.known), []).append(stack.stack)
        if not found:
            continue
        rows = [f"- {id} `{_code(name)}` ({', '.join(stacks)}){'' if known else ' **new**'}: {_cell(message)}\n"
                for (id, name, message, known), stacks in sorted(found.items(),
                                                                 key=lambda entry: (entry[0][3], entry[0]))]
        if level is Level.VIOLATED:
            yield Block(importance, f"\n### {title}: {sum(map(len, found.values()))}\n\n", "headings")
            yield from (Block(importance, row, "policy results") for row in rows)
        else:  # what is new of it, to unfold
            yield Block(importance, f"\n<details><summary>{title}, new: {len(rows)}</summary>\n\n{''.join(rows)}\n"
                                    "</details>\n", "lists of policy results")


def _changes(preview: Preview) -> Iterable[Block]:
    grouped: dict[tuple[Operation, str, str, tuple[str, ...]], list[str]] = {}
    for stack in preview.ordered:
        for change in stack.changes:
            # The stack's own name in its values is no difference between stacks.
            own = tuple(line.replace(stack.stack, "{stack}") for line in lines.of_change(change))
            grouped.setdefault((change.operation, change.type, change.name, own), []).append(stack.stack)
    if grouped:
        yield Block(_UPDATED, "\n### Changes\n\n", "headings")
    order = sorted(grouped.items(), key=lambda entry: (list(MARKS).index(entry[0][0]), entry[0][1:3], entry[1]))
    for (operation, type, name, own), stacks in order:
        said = list(own) if len(stacks) > 1 else [line.replace("{stack}", stacks[0]) for line in own]
        title = f"{MARKS[operation]} {operation.value} `{_code(name)}` ({type}) in {', '.join(stacks)}"
        short = f"- {title}\n"
        if not said:
            yield Block(_DETAIL[operation], short, _plural(operation))
            continue
        forms = [_folded(title, said)]
        if len(said) > _SHORT:
            forms.append(_folded(title, [*said[:_SHORT], f"  … {len(said) - _SHORT} lines more"]))
        yield Block(_DETAIL[operation], forms[0], _plural(operation), (*forms[1:], short))


def _costs(preview: Preview) -> Iterable[Block]:
    rows = [(stack.stack, name, before, after) for stack in preview.ordered
            for name, (before, after) in stack.cost.components.items()
            if stack.cost.delta is not None and abs(after - before) >= 0.005]
    if rows:
        yield Block(_COST, "\n### Cost, USD a month\n\n" + _table(
            [["stack", "component", "before", "after", "difference"],
             *([stack, name, f"{before:,.2f}", f"{after:,.2f}", f"{after - before:+,.2f}"]
               for stack, name, before, after in rows)]), "cost tables")
    unpriced = {(stack.stack, each) for stack in preview.stacks for each in stack.cost.unpriced}
    if unpriced and rows:
        yield Block(_COST, "\nNot priced: " + "; ".join(sorted({each for _, each in unpriced})) + ".\n", "cost notes")


def _diagrams(preview: Preview) -> Iterable[Block]:
    seen: dict[str, list[str]] = {}
    for stack in preview.ordered:
        if chart := mermaid(stack):
            seen.setdefault(chart, []).append(stack.stack)
    for chart, stacks in seen.items():
        yield Block(_DIAGRAM, f"\n<details><summary>What needs what: {', '.join(stacks)}</summary>\n\n```mermaid\n"
                              f"{chart}\n```\n</details>\n", "diagrams")


def _folded(title: str, said: Sequence[str]) -> str:
    body = "\n".join(said)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", body) or [""]))
    return f"<details><summary>{_summary(title)}</summary>\n\n{fence}diff\n{body}\n{fence}\n</details>\n"


def _summary(title: str) -> str:
    """HTML, in which back quotes mean nothing."""
    escaped = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escaped)


def _plural(operation: Operation) -> str:
    return f"{operation.value} diffs"


def _money(cost: Cost) -> str:
    if cost.after is None or cost.before is None:
        return f"${cost.after:,.0f} (before unknown)" if cost.after is not None else "not known"
    delta = cost.after - cost.before
    return f"${cost.after:,.0f}" + (f" (**{'+' if delta > 0 else '−'}${abs(delta):,.2f}**)" if abs(delta) >= 0.005
                                    else "")


def _policy(stack: StackPreview) -> str:
    if stack.policies is None:
        return "not evaluated"
    return f"❌ {len(stack.violations)} violated" if stack.violations else "✅"


def _name(finding: Finding) -> str:
    return finding.resource.rsplit("::", 1)[-1]


def _table(rows: Sequence[Sequence[Any]]) -> str:
    head, *rest = rows
    return _line(head) + "|" + "---|" * len(head) + "\n" + "".join(map(_line, rest))


def _line(cells: Iterable[Any]) -> str:
    return "| " + " | ".join(_cell(str(cell)) for cell in cells) + " |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _code(text: str) -> str:
    return text.replace("`", "'")
