"""One phase of a predicted `up` as a table whose last column is a time line: it prints over several sheets, and a
browser's own search finds its names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from operations.preview.model import Bar, Phase
from operations.preview.times import clock

SHOWN = 60  # bars without unfolding: the critical path first, then the longest
_STEPS = (1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)  # seconds between lines
_LINES = 10  # at most


def chart(phase: Phase) -> str:
    total = max(phase.median, 1.0)
    step = next((each for each in _STEPS if total / each <= _LINES), _STEPS[-1])
    short = _short(phase.bars)
    rows = "".join(_row(bar, total, bar in short) for bar in phase.bars)
    return (f'<table class="gantt" style="--step:{100 * step / total:.4f}%"><thead><tr><th class="name">operation</th>'
            f'<th class="number">at</th><th class="number">takes</th><th class="when">{"".join(_ticks(total, step))}'
            f"</th></tr></thead><tbody>{rows}</tbody></table>\n"
            + (f'<p class="soft">{len(short)} short ones beside the critical path are folded away.</p>\n'
               if short else ""))


def _short(bars: Sequence[Bar]) -> frozenset[Bar]:
    ordered = sorted(bars, key=lambda bar: (not bar.critical, bar.begins - bar.ends, bar.name, bar.type))
    return frozenset(ordered[SHOWN:])


def _ticks(total: float, step: int) -> Iterator[str]:
    for seconds in range(0, int(total) + 1, step):
        if seconds < 0.97 * total:  # the last would stand beyond the edge
            yield f'<span style="left:{100 * seconds / total:.3f}%">{clock(seconds)}</span>'


def _row(bar: Bar, total: float, short: bool) -> str:
    kinds = [kind for kind, holds in (("critical", bar.critical), ("assumed", bar.assumed), ("short", short)) if holds]
    took = clock(bar.ends - bar.begins)
    said = f"{bar.name}, {bar.type}: at {clock(bar.begins)} for {took}" + (f"; {bar.why}" if bar.why else "")
    return (f'<tr class="{" ".join(kinds)}" title="{escape(said)}" '
            f'data-words="{escape(f"{bar.type} {bar.name}".lower())}">'
            f'<td class="name"><b>{escape(bar.name)}</b> '
            f'<span class="soft">{escape(bar.type.rsplit(":", 1)[-1])}</span></td>'
            f'<td class="number">{clock(bar.begins)}</td><td class="number">{took}</td><td class="when">'
            f'<i class="bar {" ".join(kinds)}" style="left:{100 * bar.begins / total:.3f}%;'
            f'width:{100 * (bar.ends - bar.begins) / total:.3f}%"></i></td></tr>\n')
