"""What an animation event may say. Everything else, personal data above all, is dropped before anything is kept."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

MAXIMUM_EVENTS = 100
PAST = timedelta(days=1)  # a browser that was offline sends what it kept
FUTURE = timedelta(minutes=5)  # clocks differ
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

TYPES = frozenset({
    "frame", "load", "web_vitals", "interaction", "error", "trust", "assessment", "funnel",
})


@dataclass(frozen=True)
class Number:
    """A measured value: its bounds, and under which name and unit CloudWatch gets it (None: it is only kept)."""

    minimum: float
    maximum: float
    metric: str | None = None
    unit: str = "None"


NUMBERS: dict[str, Number] = {
    "fps": Number(0, 1000, "candlefish_animation_fps"),
    "frameDrops": Number(0, 100_000),
    "memoryMb": Number(0, 65_536, "candlefish_webgl_memory_usage", "Megabytes"),
    "renderTimeMs": Number(0, 600_000, "candlefish_render_time", "Milliseconds"),
    "apiResponseTimeMs": Number(0, 600_000, "candlefish_api_response_time", "Milliseconds"),
    "loadTimeMs": Number(0, 600_000),
    "largestContentfulPaintMs": Number(0, 600_000),
    "firstInputDelayMs": Number(0, 600_000),
    "cumulativeLayoutShift": Number(0, 100),
    "trustLevel": Number(0, 100),
    "interactions": Number(0, 100_000),
}
WORDS: dict[str, re.Pattern[str]] = {
    "sessionId": _ID,
    "emotionalState": re.compile(r"[a-z_]{1,32}"),
    "experiment": re.compile(r"[a-z0-9_-]{1,64}"),
    "variant": re.compile(r"[a-z0-9_-]{1,64}"),
    "step": re.compile(r"[a-z0-9_-]{1,64}"),
    "errorCode": re.compile(r"[A-Za-z0-9_.-]{1,64}"),
}


class InvalidEvent(ValueError):
    """An event that is refused. `code` is for programs, the message for people; neither repeats the value, which may
    be personal."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Event:
    """A valid event. Fields that are not known to this module do not reach it."""

    id: str
    type: str
    at: datetime
    numbers: Mapping[str, float]
    words: Mapping[str, str]


def parse(raw: Any, now: datetime) -> Event:
    """One event of a batch. Raises InvalidEvent."""
    if not isinstance(raw, dict):
        raise InvalidEvent("not_an_object", "an event must be an object")
    id = raw.get("id")
    if not (isinstance(id, str) and _ID.fullmatch(id)):
        raise InvalidEvent("invalid_id", "`id` must be 8 to 64 letters, digits, `-` or `_`")
    type = raw.get("type")
    if not (isinstance(type, str) and type in TYPES):
        raise InvalidEvent("unknown_type", f"`type` must be one of {', '.join(sorted(TYPES))}")
    return Event(id=id, type=type, at=_time(raw.get("timestamp"), now),
                 numbers={name: _number(name, raw[name]) for name in NUMBERS if raw.get(name) is not None},
                 words={name: _word(name, raw[name]) for name in WORDS if raw.get(name) is not None})


def _time(value: Any, now: datetime) -> datetime:
    """RFC 3339 with a zone, or milliseconds since 1970 as browsers have them."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value / 1000, UTC)
        else:
            raise InvalidEvent("invalid_timestamp", "`timestamp` must be RFC 3339 or milliseconds since 1970")
    except (ValueError, OverflowError, OSError) as error:
        if isinstance(error, InvalidEvent):
            raise
        raise InvalidEvent("invalid_timestamp", "`timestamp` must be RFC 3339 or milliseconds since 1970") from error
    if found.tzinfo is None:
        raise InvalidEvent("invalid_timestamp", "`timestamp` must say its time zone")
    if not now - PAST <= found <= now + FUTURE:
        raise InvalidEvent("timestamp_out_of_range",
                           f"`timestamp` must be at most {PAST.days} day old and {FUTURE.seconds // 60} min ahead")
    return found.astimezone(UTC)


def _number(name: str, value: Any) -> float:
    bounds = NUMBERS[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) \
            or not bounds.minimum <= value <= bounds.maximum:
        raise InvalidEvent("invalid_number",
                           f"`{name}` must be a number from {bounds.minimum:g} to {bounds.maximum:g}")
    return float(value)


def _word(name: str, value: Any) -> str:
    if not isinstance(value, str) or not WORDS[name].fullmatch(value):
        raise InvalidEvent("invalid_word", f"`{name}` must match {WORDS[name].pattern}")
    return value
