"""What an animation event may say (F1): the one table that the processor, the stream and the documentation share.

No field takes free text: numbers have bounds, words are one of a list or a name from the settings, identifiers are
hashed. What is not in the table is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Number:
    """A measured value: its bounds, and under which metric CloudWatch gets it (None: it is only kept).

    unit: for people. metric_unit: CloudWatch's (`MetricDatum` of its API reference).
    """

    unit: str
    minimum: float
    maximum: float
    meaning: str
    whole: bool = False
    metric: str | None = None
    metric_unit: str = "None"


@dataclass(frozen=True)
class Word:
    """One of a list; `values` None: a name of the settings (`common.values.WORD`)."""

    meaning: str
    values: tuple[str, ...] | None = None


TYPES = ("assessment", "error", "frame", "funnel", "interaction", "load", "session", "trust", "web_vitals")

NUMBERS: dict[str, Number] = {
    "fps": Number("frames/s", 0, 1000, "frame rate", metric="candlefish_animation_fps"),
    "frames": Number("frames", 0, 1_000_000, "frames due since the last report", whole=True),
    "frameDrops": Number("frames", 0, 1_000_000, "of these, frames that came late or not at all", whole=True),
    "memoryMb": Number("MB", 0, 65_536, "memory of the animation (WebGL)", metric="candlefish_webgl_memory_usage",
                       metric_unit="Megabytes"),
    "renderTimeMs": Number("ms", 0, 600_000, "time to render a frame", metric="candlefish_render_time",
                           metric_unit="Milliseconds"),
    "loadTimeMs": Number("ms", 0, 600_000, "time until the animation ran", metric="candlefish_load_time",
                         metric_unit="Milliseconds"),
    "apiResponseTimeMs": Number("ms", 0, 600_000, "the API's time to answer, seen by the browser",
                                metric="candlefish_api_response_time", metric_unit="Milliseconds"),
    "largestContentfulPaintMs": Number("ms", 0, 600_000, "web vital LCP", metric="candlefish_largest_contentful_paint",
                                       metric_unit="Milliseconds"),
    "firstInputDelayMs": Number("ms", 0, 600_000, "web vital FID", metric="candlefish_first_input_delay",
                                metric_unit="Milliseconds"),
    "cumulativeLayoutShift": Number("1", 0, 100, "web vital CLS", metric="candlefish_cumulative_layout_shift"),
    "trustLevel": Number("points", 0, 100, "trust that the visitor has gained"),
    "trustProgression": Number("points", -100, 100, "trust gained in the session, at its end",
                               metric="candlefish_trust_progression"),
    "interactions": Number("1", 0, 100_000, "clicks, taps and gestures since the last report", whole=True),
    "sessionDurationS": Number("s", 0, 86_400, "length of the session, at its end",
                               metric="candlefish_session_duration", metric_unit="Seconds"),
    "assessmentCompletions": Number("1", 0, 100, "assessments finished since the last report", whole=True),
    "funnelStep": Number("1", 1, 50, "position in the funnel that was reached", whole=True),
}
FLAGS: dict[str, str] = {
    "returning": "the visitor has been here before",
}
WORDS: dict[str, Word] = {
    "emotionalState": Word("mood of the animation", ("curious", "playful", "shy", "excited", "trusting", "lonely")),
    "errorKind": Word("what went wrong", ("context_lost", "memory", "network", "other", "resource", "script", "shader",
                                          "timeout")),
    "experiment": Word("experiment that the visitor takes part in"),
    "variant": Word("variant that the visitor has in it"),
}
HASHED: dict[str, tuple[str, str]] = {  # field: (kind of hash, attribute that is kept)
    "visitorId": ("visitor", "visitorHash"),
    "sessionId": ("session", "sessionHash"),
}
# Metrics that follow from several fields: `analytics_processor.metrics`.
DERIVED: dict[str, str] = {
    "candlefish_frame_drop_rate": "Percent",
    "candlefish_error_rate": "Percent",
    "candlefish_interaction_rate": "None",  # a minute
    "candlefish_return_rate": "Percent",
    "candlefish_events_accepted": "Count",
    "candlefish_events_rejected": "Count",
}
ACTIVE_CONNECTIONS = "candlefish_active_connections"  # emitted by the stream
UNITS: dict[str, str] = {
    **{field.metric: field.metric_unit for field in NUMBERS.values() if field.metric}, **DERIVED,
    ACTIVE_CONNECTIONS: "Count",
}
# What subscribers of the stream can ask for: metrics that are one field of an event.
STREAMED: dict[str, str] = {field.metric: name for name, field in NUMBERS.items() if field.metric}
