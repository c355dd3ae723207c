"""A topology as an SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from operations.preview.model import MARKS, Operation
from operations.preview.topology import Box, Edge, Topology

_WIDTH, _HEIGHT = 160, 46  # of a box, in pixels
_GAP, _BETWEEN = 16, 56  # between boxes of a zone, and between zones
_TOP, _MARGIN = 44, 14


@dataclass(frozen=True)
class _Place:
    x: float
    y: float
    column: int


def svg(topology: Topology, title: str) -> str:
    places, height = _places(topology)
    width = len(topology.columns) * (_WIDTH + _BETWEEN) - _BETWEEN + 2 * _MARGIN + 2 * 12
    body = [*_zones(topology, height), *_edges(topology.edges, places),
            *(line for boxes in topology.columns.values() for box in boxes
              for line in _box(box, places[box.part.name]))]
    return (f'<svg class="topology" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
            f'aria-label="{escape(title)}">\n<defs>{_marker("traffic")}{_marker("permission")}</defs>\n'
            + "\n".join(body) + "\n</svg>\n")


def _places(topology: Topology) -> tuple[Mapping[str, _Place], int]:
    """Columns are centred on the tallest."""
    tallest = max((len(boxes) for boxes in topology.columns.values()), default=1)
    inner = tallest * (_HEIGHT + _GAP) - _GAP
    found: dict[str, _Place] = {}
    for column, boxes in enumerate(topology.columns.values()):
        space = (inner - len(boxes) * _HEIGHT) / (len(boxes) + 1) if len(boxes) < tallest else 0
        step = _HEIGHT + (space if len(boxes) < tallest else _GAP)
        for row, box in enumerate(boxes):
            found[box.part.name] = _Place(_MARGIN + 12 + column * (_WIDTH + _BETWEEN),
                                          round(_TOP + (space if len(boxes) < tallest else 0) + row * step, 1), column)
    return found, _TOP + inner + _MARGIN + 12


def _zones(topology: Topology, height: int) -> Iterator[str]:
    for column, zone in enumerate(topology.columns):
        x = _MARGIN + column * (_WIDTH + _BETWEEN)
        yield f'<rect class="zone" x="{x}" y="8" width="{_WIDTH + 24}" height="{height - 16}" rx="10"/>'
        yield f'<text class="zone" x="{x + 12}" y="29">{escape(zone)}</text>'


def _edges(edges: tuple[Edge, ...], places: Mapping[str, _Place]) -> Iterator[str]:
    """From side to side. What stays within a zone goes round on its right."""
    for edge in edges:
        one, other = places.get(edge.of), places.get(edge.to)
        if one is None or other is None:
            continue
        y, to_y = one.y + _HEIGHT / 2, other.y + _HEIGHT / 2
        if edge.kind == "permission":  # beside the traffic between the same two
            y, to_y = y + 8, to_y + 8
        if one.column == other.column:
            x = to_x = one.x + _WIDTH
            bend = 28.0
            control, to_control = x + bend, to_x + bend
        else:
            forward = other.column > one.column
            x, to_x = (one.x + _WIDTH, other.x) if forward else (one.x, other.x + _WIDTH)
            bend = 40.0 if forward else -40.0
            control, to_control = x + bend, to_x - bend
        said = f"{edge.of} → {edge.to}: {', '.join(edge.because)}"
        yield (f'<path class="edge {edge.kind.value}" data-of="{escape(edge.of)}" data-to="{escape(edge.to)}" '
               f'marker-end="url(#{edge.kind.value})" d="M{x:g},{y:g} C{control:g},{y:g} {to_control:g},{to_y:g} '
               f'{to_x:g},{to_y:g}"><title>{escape(said)}</title></path>')


def _box(box: Box, place: _Place) -> Iterator[str]:
    name, count = box.part.name, len(box.part.resources)
    what = ", ".join(f"{MARKS[operation]}{box.counts[operation]}" for operation in Operation
                     if box.counts.get(operation))
    lock = ["encrypted"] if box.encrypted else []
    facts = [str(count), *([what] if what else []), *lock]
    said = f"{name} ({box.part.type}): {', '.join([f'{count} resources', what or 'unchanged', *lock])}"
    yield (f'<g class="box {box.part.worst.value}" tabindex="0" data-name="{escape(name)}">'
           f'<title>{escape(said)}</title>'
           f'<rect x="{place.x:g}" y="{place.y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
           f'<text class="name" x="{place.x + 10:g}" y="{place.y + 20:g}">{escape(name)}</text>'
           f'<text class="what" x="{place.x + 10:g}" y="{place.y + 36:g}">{escape(" · ".join(facts))}</text></g>')


def _marker(kind: str) -> str:
    return (f'<marker id="{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            f'<path class="{kind}" d="M0,0 L8,4 L0,8 z"/></marker>')
