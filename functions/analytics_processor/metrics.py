"""The metrics of a batch's new events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from common import metrics
from common.schema import NUMBERS, UNITS

from .events import Event


def lines(events: Iterable[Event], environment: str, now: datetime, *, rejected: int) -> Iterator[str]:
    """Embedded metric format: the values of all events, and the counts of the batch."""
    values: dict[str, list[float]] = defaultdict(list)
    accepted = 0
    for event in events:
        accepted += 1
        for name, value in event.numbers.items():
            if metric := NUMBERS[name].metric:
                values[metric].append(value)
        for metric, value in _derived(event):
            values[metric].append(value)
    values["candlefish_events_accepted"] = [float(accepted)]
    values["candlefish_events_rejected"] = [float(rejected)]
    return metrics.lines(values, UNITS, environment, now)


def _derived(event: Event) -> Iterator[tuple[str, float]]:
    """What follows from several fields. Rates are 0 or 100 for one event: their average is the percentage."""
    yield "candlefish_error_rate", 100.0 if event.type == "error" else 0.0
    if event.numbers.get("frames") and "frameDrops" in event.numbers:
        yield "candlefish_frame_drop_rate", 100 * event.numbers["frameDrops"] / event.numbers["frames"]
    if event.type == "session":
        if event.numbers.get("sessionDurationS") and "interactions" in event.numbers:
            yield "candlefish_interaction_rate", 60 * event.numbers["interactions"] / event.numbers["sessionDurationS"]
        if "returning" in event.flags:
            yield "candlefish_return_rate", 100.0 if event.flags["returning"] else 0.0
