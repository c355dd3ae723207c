"""A batch of the table's stream, read as one sample of each metric: subscribers get the latest, not all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from common.schema import STREAMED
from common.table import unpack


@dataclass
class Sample:
    """`at`: RFC 3339, when the latest value arose. Batches of different shards overtake each other: a subscriber
    drops what is older than what it has."""

    at: str
    latest: float
    minimum: float
    maximum: float
    total: float
    count: int

    def add(self, at: str, value: float) -> None:
        if at >= self.at:
            self.at, self.latest = at, value
        self.minimum, self.maximum = min(self.minimum, value), max(self.maximum, value)
        self.total += value
        self.count += 1

    def shown(self) -> dict[str, Any]:
        return {"at": self.at, "latest": self.latest, "minimum": self.minimum, "maximum": self.maximum,
                "mean": self.total / self.count, "count": self.count}


@dataclass(frozen=True)
class Batch:
    """poisoned: sequence number of the first record that cannot be read; those behind it are not in `samples`, as they
    come again with it. id: the same when the batch comes again."""

    samples: Mapping[str, Sample]
    id: str
    poisoned: str | None = None


def read(records: Iterable[Mapping[str, Any]], oldest: float) -> Batch:
    """`oldest`: records from before, in seconds since 1970, are left out: nobody watches the past live."""
    samples: dict[str, Sample] = {}
    last = ""
    for record in records:
        sequence = str(record["dynamodb"]["SequenceNumber"])
        try:
            if record["eventName"] == "INSERT" and _created(record) >= oldest:
                _add(samples, unpack(record["dynamodb"]["NewImage"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            return Batch(samples, last, sequence)
        last = sequence
    return Batch(samples, last)


def _created(record: Mapping[str, Any]) -> float:
    created = record["dynamodb"].get("ApproximateCreationDateTime", float("inf"))
    return float(created)


def _add(samples: dict[str, Sample], image: Mapping[str, Any]) -> None:
    at = image["occurredAt"]
    if not isinstance(at, str):
        raise TypeError("occurredAt must be text")
    values = {metric: float(image[name]) for metric, name in STREAMED.items() if name in image}
    for metric, value in values.items():
        if metric in samples:
            samples[metric].add(at, value)
        else:
            samples[metric] = Sample(at, value, value, value, value, 1)
