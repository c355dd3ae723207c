"""Events as they are sent, checked against the schema. What the schema has not is dropped before anything is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from common.hashing import Keys
from common.schema import FLAGS, HASHED, NUMBERS, TYPES, WORDS
from common.values import WORD, Invalid, identifier, number

MAXIMUM_EVENTS = 100  # of a batch: one transaction of the table
PAST = timedelta(days=1)  # a browser that was offline sends what it kept
FUTURE = timedelta(minutes=5)  # clocks differ
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_WHEN = "`timestamp` must be RFC 3339 with a time zone, or milliseconds since 1970"

Catalogue = Mapping[str, frozenset[str]]  # variants by experiment


@dataclass(frozen=True)
class Event:
    """A valid event. Nothing in it can be personal; `hashes` are by the name of the attribute."""

    id: str
    type: str
    at: datetime
    numbers: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, bool] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)


def parse(raw: Any, now: datetime, keys: Keys, catalogue: Catalogue | None = None) -> Event:
    """One event of a batch. `catalogue`: the experiments that there are; None: any name passes. Raises Invalid."""
    if not isinstance(raw, dict):
        raise Invalid("not_an_object", "an event must be an object")
    id, type = raw.get("id"), raw.get("type")
    if not (isinstance(id, str) and _ID.fullmatch(id.lower())):
        raise Invalid("invalid_id", "`id` must be a UUID")
    if not (isinstance(type, str) and type in TYPES):
        raise Invalid("unknown_type", f"`type` must be one of {', '.join(TYPES)}")
    given = {name: value for name, value in raw.items() if value is not None}
    event = Event(
        id=id.lower(), type=type, at=_time(raw.get("timestamp"), now),
        numbers={name: number(name, given[name], bounds.minimum, bounds.maximum, whole=bounds.whole)
                 for name, bounds in NUMBERS.items() if name in given},
        words={name: _word(name, given[name]) for name in WORDS if name in given},
        flags={name: _flag(name, given[name]) for name in FLAGS if name in given},
        hashes={attribute: keys.hash(kind, identifier(name, given[name]))
                for name, (kind, attribute) in HASHED.items() if name in given})
    _fits_together(event, catalogue)
    return event


def _fits_together(event: Event, catalogue: Catalogue | None) -> None:
    if not (event.numbers or event.words or event.flags):
        raise Invalid("empty", f"an event must have at least one of {', '.join([*NUMBERS, *WORDS, *FLAGS])}")
    if event.type == "error" and "errorKind" not in event.words:
        raise Invalid("incomplete", "an event of type `error` must have `errorKind`")
    if event.numbers.get("frameDrops", 0) > event.numbers.get("frames", float("inf")):
        raise Invalid("inconsistent", "`frameDrops` must be at most `frames`")
    experiment, variant = event.words.get("experiment"), event.words.get("variant")
    if (experiment is None) != (variant is None):
        raise Invalid("incomplete", "`experiment` and `variant` belong together")
    if experiment and catalogue is not None and variant not in catalogue.get(experiment, frozenset()):
        raise Invalid("unknown_variant", "`experiment` and `variant` must be those of an experiment that there is")


def _time(value: Any, now: datetime) -> datetime:
    """In UTC, from RFC 3339 or from milliseconds as browsers have them."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value / 1000, UTC)
        else:
            raise Invalid("invalid_timestamp", _WHEN)
        if found.tzinfo is None:
            raise Invalid("invalid_timestamp", _WHEN)
        in_range = now - PAST <= found <= now + FUTURE
    except Invalid:
        raise
    except (ValueError, OverflowError, OSError):
        raise Invalid("invalid_timestamp", _WHEN) from None
    if not in_range:
        raise Invalid("timestamp_out_of_range",
                      f"`timestamp` must be at most {PAST.days} day old and {FUTURE.seconds // 60} min ahead")
    return found.astimezone(UTC)


def _word(name: str, value: Any) -> str:
    values = WORDS[name].values
    if not isinstance(value, str) or (value not in values if values else not WORD.fullmatch(value)):
        rule = f"be one of {', '.join(values)}" if values else f"match {WORD.pattern}"
        raise Invalid("invalid_word", f"`{name}` must {rule}")
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid("invalid_flag", f"`{name}` must be true or false")
    return value
