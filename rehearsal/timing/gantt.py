"""The picture of a prediction: a bar an operation, as SVG or as a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rehearsal.timing.durations import clock
from rehearsal.timing.prediction import Bar, Prediction, Shortening

ROWS = 70  # bars in the picture: the critical path first, then the longest
_WIDTH, _NAMES, _ROW, _TOP, _RIGHT, _STRIP = 1200, 330, 16, 46, 66, 70
_STEPS = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)  # seconds between lines
_STYLE = """
text{font:11px system-ui,sans-serif;fill:#222}.name{text-anchor:end}.line{stroke:#ddd}.bar{fill:#8fb3d9}
.assumed{fill:#d5d5d5}.critical{fill:#d9534f}.busy{fill:#8fb3d9;opacity:.6}.title{font-weight:600;font-size:13px}
@media(prefers-color-scheme:dark){text{fill:#ddd}.line{stroke:#444}.assumed{fill:#666}}"""


def svg(prediction: Prediction, title: str) -> str:
    """The median run. Red: the critical path; grey: no figure of its own, assumed. Below: how many at a time."""
    bars = shown(prediction.bars)
    height = _TOP + len(bars) * _ROW + _STRIP
    total = max(prediction.median, 1.0)
    scale = (_WIDTH - _NAMES - _RIGHT) / total
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">'
             f"<title>{escape(title)}</title><style>{_STYLE}</style>",
             f'<text class="title" x="8" y="16">{escape(title)}</text>']
    parts += _lines(total, scale, height)
    for row, bar in enumerate(bars):
        parts.append(_bar(bar, _TOP + row * _ROW, scale))
    parts += _busy(prediction.bars, prediction.parallel, scale, height)
    return "\n".join([*parts, "</svg>"]) + "\n"


def shown(bars: Sequence[Bar]) -> list[Bar]:
    """Those in the picture, by their begin."""
    longest = sorted(bars, key=lambda bar: (not bar.critical, bar.begins - bar.ends, bar.urn))[:ROWS]
    return sorted(longest, key=lambda bar: (bar.begins, bar.ends, bar.urn))


def _lines(total: float, scale: float, height: int) -> list[str]:
    step = next((step for step in _STEPS if total / step <= 12), _STEPS[-1])
    parts = []
    for seconds in range(0, int(total) + 1, step):
        x = _NAMES + seconds * scale
        parts.append(f'<line class="line" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{height}"/>'
                     f'<text x="{x:.1f}" y="{_TOP - 12}" text-anchor="middle">{clock(seconds)}</text>')
    return parts


def _bar(bar: Bar, y: int, scale: float) -> str:
    style = "critical" if bar.critical else "assumed" if bar.assumed else "bar"
    x, width = _NAMES + bar.begins * scale, max(1.5, (bar.ends - bar.begins) * scale)
    length = clock(bar.ends - bar.begins)
    return (f'<text class="name" x="{_NAMES - 6}" y="{y + 11}">{escape(_called(bar))}</text>'
            f'<rect class="{style}" x="{x:.1f}" y="{y + 2}" width="{width:.1f}" height="{_ROW - 5}" rx="2">'
            f"<title>{escape(bar.name)} {escape(bar.type)}: {clock(bar.begins)} + {length}</title></rect>"
            f'<text x="{x + width + 4:.1f}" y="{y + 11}">{length}</text>')


def _called(bar: Bar) -> str:
    text = f"{bar.name} {bar.type.rsplit(':', 1)[-1]}"
    return text if len(text) <= 54 else text[:53] + "…"


def _busy(bars: Sequence[Bar], parallel: int, scale: float, height: int) -> list[str]:
    changes = sorted([(bar.begins, 1) for bar in bars] + [(bar.ends, -1) for bar in bars])
    bottom, tall = height - 8, _STRIP - 30
    now, x, parts = 0, float(_NAMES), [
        f'<text class="name" x="{_NAMES - 6}" y="{bottom - 4}">under way at once, of {parallel}</text>']
    for at, change in changes:
        left = _NAMES + at * scale
        if now and left > x:
            high = tall * now / parallel
            parts.append(f'<rect class="busy" x="{x:.1f}" y="{bottom - high:.1f}" width="{left - x:.2f}" '
                         f'height="{high:.1f}"/>')
        now, x = now + change, left
    return parts


def page(prediction: Prediction, title: str) -> str:
    """One HTML file that needs nothing else."""
    path = "".join(
        f"<tr><td>{clock(part.begins)}</td><td>{clock(part.seconds)}</td><td>{part.share:.0%}</td>"
        f"<td>{escape(part.name)}</td><td>{escape(part.type)}</td><td>{escape(part.why)} {escape(part.after)}</td>"
        f"<td>{escape(part.source)}</td></tr>" for part in prediction.path)
    assumed = "".join(f"<tr><td>{count}</td><td>{escape(type)}</td></tr>" for type, count in prediction.assumed.items())
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>
<style>body{{font:14px system-ui,sans-serif;margin:1.5rem;max-width:1240px;color-scheme:light dark}}
table{{border-collapse:collapse;font-size:12px}}td,th{{padding:2px 10px 2px 0;text-align:left;vertical-align:top}}
td:last-child{{min-width:22rem}}
h2{{font-size:1rem;margin-top:1.5rem}}</style>
<h1>{escape(title)}</h1>
<p>P50 <b>{clock(prediction.p50)}</b>, P95 <b>{clock(prediction.p95)}</b> ({prediction.samples} samples, seed
{prediction.seed}, {prediction.resources} resources, {prediction.parallel} at a time). With every duration at its median
{clock(prediction.median)}; the longest path alone {clock(prediction.bound)}.</p>
{svg(prediction, title)}
<h2>Critical path</h2><table><tr><th>at</th><th>takes</th><th>share</th><th>resource</th><th>type</th><th>after</th>
<th>source</th></tr>{path}</table>
{_table("If it took no time", prediction.if_instant)}
{_table("If it did not wait", prediction.if_not_waiting)}
{_table("If more went on at once", prediction.if_parallel)}
<h2>Assumed: types without a figure</h2><table>{assumed}</table>
</html>
"""


def _table(heading: str, found: Sequence[Shortening]) -> str:
    rows = "".join(f"<tr><td>{clock(each.seconds)}</td><td>{escape(each.what)}</td></tr>" for each in found)
    return f"<h2>{heading}</h2><table>{rows}</table>" if rows else ""
