"""The tables of docs/functions.md, made from the code. `python -m tests.functions.tables` writes them there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs/functions.md"
sys.path.insert(0, str(DOCUMENT.parents[1] / "functions"))

from common.schema import ACTIVE_CONNECTIONS, FLAGS, HASHED, NUMBERS, STREAMED, TYPES, UNITS, WORDS  # noqa: E402
from common.values import IDENTIFIER_WORDS, WORD  # noqa: E402
from experiments.catalogue import GOALS, SEGMENTS  # noqa: E402


def events() -> Iterator[str]:
    yield "| field | type | bounds | unit | meaning | metric |"
    yield "|---|---|---|---|---|---|"
    yield "| `id` | text | a UUID | | of the event: what comes again under it is not counted again | |"
    yield f"| `type` | text | {', '.join(f'`{type}`' for type in TYPES)} | | what happened | |"
    yield "| `timestamp` | text or number | RFC 3339 with a zone, or ms since 1970; at most 1 day old | | when | |"
    for name, (_kind, attribute) in HASHED.items():
        yield f"| `{name}` | text | {IDENTIFIER_WORDS} | | kept as `{attribute}`, a keyed hash | |"
    for name, number in NUMBERS.items():
        kind = "whole number" if number.whole else "number"
        metric = f"`{number.metric}`" if number.metric else ""
        yield f"| `{name}` | {kind} | {number.minimum:g} to {number.maximum:g} | {number.unit} | {number.meaning} | " \
              f"{metric} |"
    for name, word in WORDS.items():
        values = ", ".join(f"`{each}`" for each in word.values) if word.values else f"a name, `{WORD.pattern}`"
        yield f"| `{name}` | text | {values} | | {word.meaning} | |"
    for name, meaning in FLAGS.items():
        yield f"| `{name}` | true or false | | | {meaning} | |"


def metrics() -> Iterator[str]:
    sources = {
        "candlefish_frame_drop_rate": "100 × `frameDrops` / `frames` of an event",
        "candlefish_error_rate": "100 for an event of type `error`, else 0: the average is the percentage",
        "candlefish_interaction_rate": "60 × `interactions` / `sessionDurationS` of a `session` event: a minute",
        "candlefish_return_rate": "100 for a `session` event with `returning` true, 0 with false",
        "candlefish_events_accepted": "new events of a batch",
        "candlefish_events_rejected": "refused events of a batch",
        ACTIVE_CONNECTIONS: "open WebSocket connections, once a minute and instance of the stream",
        **{metric: f"`{name}`" for metric, name in STREAMED.items()}}
    yield "| metric | unit | from | in the stream |"
    yield "|---|---|---|---|"
    for metric, unit in sorted(UNITS.items()):
        yield f"| `{metric}` | {unit} | {sources[metric]} | {'yes' if metric in STREAMED else ''} |"


def experiments() -> Iterator[str]:
    yield f"* `segments`: {', '.join(f'`{each}`' for each in SEGMENTS)}"
    yield f"* `goal`: {', '.join(f'`{each}`' for each in GOALS)}"


TABLES = {"events": events, "metrics": metrics, "experiments": experiments}


def written(text: str) -> str:
    """The document with its tables as the code has them."""
    for name, lines in TABLES.items():
        begin, end = f"<!-- table: {name} -->", f"<!-- end of table: {name} -->"
        pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"{DOCUMENT} has no place for the table {name}: {begin} … {end}")
        before, after = pattern.split(text)
        text = before + "\n".join([begin, *lines(), end]) + after
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))
