"""A Mermaid topology: components as boxes, coloured by what happens to them."""

from __future__ import annotations

import re

from operations.preview.model import Operation, StackPreview
from operations.preview.parts import needs, parts

_COLOURS = {  # fill, border; readable in GitHub's light and dark theme with the text's own colour
    Operation.REPLACE: ("#f6d0f0", "#a3289a"), Operation.DELETE: ("#fbd0d0", "#c02626"),
    Operation.UPDATE: ("#fbe9b7", "#a8740a"), Operation.CREATE: ("#cdeccf", "#2c7a33"),
    Operation.SAME: ("#eeeeee", "#999999")}
_EDGES = 120  # more than that nobody reads


def mermaid(stack: StackPreview) -> str:
    """The changed components and their neighbours; empty when nothing has changed."""
    every = parts(stack)
    changed = {part.name for part in every if part.worst is not Operation.SAME}
    if not changed:
        return ""
    edges = [need for need in needs(stack.graph) if need.of in changed or need.to in changed][:_EDGES]
    near = changed | {name for need in edges for name in (need.of, need.to)}
    shown = [part for part in every if part.name in near]
    ids = {part.name: f"n{number}" for number, part in enumerate(shown)}
    lines = ["flowchart LR"]
    lines += [f'  {ids[part.name]}["{_plain(part.name)}"]:::{part.worst.value}' for part in shown]
    lines += [f"  {ids[need.of]} --> {ids[need.to]}" for need in edges if need.of in ids and need.to in ids]
    lines += [f"  classDef {operation.value} fill:{fill},stroke:{border},color:#222222"
              for operation, (fill, border) in _COLOURS.items()
              if any(part.worst is operation for part in shown)]
    return "\n".join(lines)


def _plain(name: str) -> str:
    """Mermaid's own characters would end the label."""
    return re.sub(r'["\[\]{}<>|`#;]', "_", name)
