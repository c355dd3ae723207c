"""What every message becomes before it is told: an alert."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SEVERITIES = ("P0", "P1", "P2", "P3")  # response times 15 min, 30 min, 2 h, 1 business day (M3)
DEFAULT_SEVERITY = "P2"
# As a word of its own: "[P0] …", "staging-candlefish-P1-errors", "severity: p2".
_SEVERITY = re.compile(r"(?<![a-z0-9])p([0-3])(?![a-z0-9])", re.IGNORECASE)
_LINK = r"(?im)\b{word}:\s*(\S+)"


class State(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"
    NOTE = "note"  # happened once: nothing will say that it is over


@dataclass(frozen=True)
class Alert:
    """`key`: the same for everything that is said about one matter, so that "resolved" finds its "firing".

    `runbook`: a URL, or a page's name below the runbooks' address. `fields`: shown as a table, in their order.
    """

    title: str
    text: str
    severity: str
    state: State
    source: str
    key: str
    at: str = ""  # RFC 3339
    fields: Mapping[str, str] = field(default_factory=dict)
    runbook: str = ""
    dashboard: str = ""


def severity_of(*texts: str, default: str = DEFAULT_SEVERITY) -> str:
    """The first severity that one of the texts names, in their order."""
    for text in texts:
        if match := _SEVERITY.search(text):
            return f"P{match[1]}"
    return default


def link(word: str, text: str) -> str:
    """What stands behind `Runbook: ` or `Dashboard: ` in a description; empty: nothing does."""
    match = re.search(_LINK.format(word=word), text)
    return match[1].rstrip(".,;)") if match else ""


def key_of(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
