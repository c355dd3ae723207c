"""Keeps known secrets out of everything that is shown."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from typing import Any

from rehearsal.engine.values import UNKNOWN, Archive, Asset, ResourceReference, Secret

MASK = "[secret]"
_SHORTEST = 3  # shorter secrets are not searched for in text: they would mask half of it
_SHORTEST_LINE = 8
# Of a secret document (a kubeconfig, say) the values under such keys are secret by themselves; `aws`, `v1` or the
# cluster's name in it are not, and masking them would make every message unreadable.
_TELLING = re.compile(r"pass|pw|pin|cert|dsn|conn|token|secret|key|credential|auth|data|private|result|url",
                      re.IGNORECASE)
_SHORTEST_VALUE = 8


class Masker:
    """Learns secret values and replaces them in text."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def learn(self, value: Any) -> None:
        """Remembers every secret inside the value."""
        if isinstance(value, Secret):
            self._learn_plain(value.value)
        elif isinstance(value, dict):
            for item in value.values():
                self.learn(item)
        elif isinstance(value, list):
            for item in value:
                self.learn(item)

    def _learn_plain(self, value: Any) -> None:
        if isinstance(value, str):
            words = {value, json.dumps(value)[1:-1], repr(value)[1:-1]}
            if "\n" in value:
                words |= {line for line in value.splitlines() if len(line.strip()) >= _SHORTEST_LINE}
            words = {word for word in words if len(word) >= _SHORTEST}
            if not words <= self._words:
                with self._lock:
                    self._words |= words
                    self._pattern = None
            with contextlib.suppress(ValueError):
                self._learn_document(json.loads(value))
        elif isinstance(value, Secret):
            self._learn_plain(value.value)
        else:
            self._learn_document(value, telling=True)

    def _learn_document(self, value: Any, telling: bool = False) -> None:
        """What is secret by itself in a document that is secret as a whole."""
        if isinstance(value, Secret):
            self._learn_plain(value.value)
        elif isinstance(value, dict):
            for key, item in value.items():
                self._learn_document(item, bool(_TELLING.search(str(key))))
        elif isinstance(value, list):
            for item in value:
                self._learn_document(item, telling)
        elif isinstance(value, str) and telling and len(value) >= _SHORTEST_VALUE:
            self._learn_plain(value)

    def mask(self, text: str) -> str:
        if not self._words:
            return text
        with self._lock:
            if self._pattern is None:
                longest_first = sorted(self._words, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, longest_first)))
            pattern = self._pattern
        return pattern.sub(MASK, text)


def shown(value: Any) -> Any:
    """A value as a screen may show it."""
    if isinstance(value, Secret):
        return MASK
    if value is UNKNOWN:
        return "[unknown]"
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, ResourceReference):
        return value.urn
    if isinstance(value, Asset | Archive):
        return f"[{type(value).__name__.lower()} {value.path or value.uri or ''} {value.hash[:12]}]"
    return value
