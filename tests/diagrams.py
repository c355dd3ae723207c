"""The diagram of docs/architecture.md from the program's own graph. `python -m tests.diagrams` writes it; a test
compares."""

from __future__ import annotations

import re
from pathlib import Path

from operations.preview.model import Graph, Resource, StackPreview
from operations.preview.topology import Kind, topology
from rehearsal import recording
from tests.program import Programs

PAGE = Path(__file__).parents[1] / "docs/architecture.md"
STACK = "production"
_BLOCK = re.compile(r"(<!-- made by `python -m tests\.diagrams` -->\n```mermaid\n).*?(```\n)", re.S)
_LINES = {Kind.TRAFFIC: "-->", Kind.PERMISSION: "-.->"}


def diagram(graph: recording.Graph) -> str:
    """Mermaid: components in zones; an arrow is traffic, a dotted one permission."""
    resources = tuple(Resource(each.urn, each.type, each.name, each.parent, each.custom, {}, each.property_dependencies)
                      for each in graph.resources)
    found = topology(StackPreview(graph.stack, (), len(resources), Graph(resources)))
    lines = ["flowchart LR"]
    for number, (zone, boxes) in enumerate(found.columns.items()):
        lines += [f'  subgraph z{number}["{zone}"]', *(f"    {box.part.name}" for box in boxes), "  end"]
    lines += [f"  {edge.of} {_LINES[edge.kind]} {edge.to}" for edge in found.edges]
    return "\n".join(lines) + "\n"


def page(graph: recording.Graph) -> str:
    text, count = _BLOCK.subn(lambda match: f"{match[1]}{diagram(graph)}{match[2]}", PAGE.read_text(encoding="utf-8"))
    assert count == 1, f"{PAGE.name} has {count} places for the diagram"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(Programs().preview(STACK)), encoding="utf-8")
