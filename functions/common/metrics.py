"""CloudWatch metrics as log lines (embedded metric format): no call, and no metric is lost when CloudWatch is slow.

Source of the shapes and limits: "Specification: Embedded metric format", CloudWatch user guide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

NAMESPACE = "Candlefish/Animation"
MAXIMUM_VALUES = 100  # of one metric in one line


def lines(values: Mapping[str, Sequence[float]], units: Mapping[str, str], environment: str,
          now: datetime) -> Iterator[str]:
    """As few lines as the format allows. A metric without values is left out."""
    longest = max((len(each) for each in values.values()), default=0)
    for start in range(0, longest, MAXIMUM_VALUES):
        part = {name: list(each[start:start + MAXIMUM_VALUES]) for name, each in sorted(values.items())
                if len(each) > start}
        yield json.dumps({
            "_aws": {
                "Timestamp": int(now.timestamp() * 1000),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [["Environment"]],
                    "Metrics": [{"Name": name, "Unit": units[name]} for name in part],
                }],
            },
            "Environment": environment,
            **part,
        })
