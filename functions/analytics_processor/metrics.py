"""CloudWatch metrics as log lines (embedded metric format): no call, and no metric is lost when CloudWatch is slow."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from .events import NUMBERS, Event

NAMESPACE = "Candlefish/Animation"
MAXIMUM_VALUES = 100  # of one metric in one line (the format's specification)


def line(events: Iterable[Event], environment: str, now: datetime, *, rejected: int) -> str:
    """One line with the values of all events and the counts of the batch. At most MAXIMUM_VALUES events."""
    values: dict[str, list[float]] = defaultdict(list)
    units = {"candlefish_events_accepted": "Count", "candlefish_events_rejected": "Count"}
    accepted = 0
    for event in events:
        accepted += 1
        for name, value in event.numbers.items():
            number = NUMBERS[name]
            if number.metric:
                values[number.metric].append(value)
                units[number.metric] = number.unit
    if accepted > MAXIMUM_VALUES:
        raise ValueError(f"{accepted} events in one metric line; the format allows {MAXIMUM_VALUES} values")
    values["candlefish_events_accepted"] = [float(accepted)]
    values["candlefish_events_rejected"] = [float(rejected)]
    return json.dumps({
        "_aws": {
            "Timestamp": int(now.timestamp() * 1000),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Environment"]],
                "Metrics": [{"Name": name, "Unit": units[name]} for name in sorted(values)],
            }],
        },
        "Environment": environment,
        **values,
    })
