"""Which metrics a PromQL expression names. promtool is what parses; this only finds the names."""

from __future__ import annotations

import re

_IGNORED = re.compile(r'"(?:\\.|[^"\\])*"|\[[^\]]*\]|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)')
_LABELS = re.compile(r"\{[^}]*\}")
_NAME = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])")
_KEYWORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring"})


def metrics(expression: str) -> set[str]:
    bare = _LABELS.sub("", _IGNORED.sub("", expression))
    return set(_NAME.findall(bare)) - _KEYWORDS
