"""Pulumi's property paths: `tags.Name`, `ingress[0].cidrBlocks`, `tags["a.b"]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r'\[(?P<index>\d+)\]|\["(?P<quoted>(?:[^"\\]|\\.)*)"\]|\.?(?P<name>[^.\[\]"]+)')


def at(value: Any, path: str) -> Any:
    """None where there is nothing."""
    for step in _STEP.finditer(path):
        if step["index"] is not None and isinstance(value, list):
            index = int(step["index"])
            value = value[index] if index < len(value) else None
        elif isinstance(value, Mapping):
            name = step["name"] or re.sub(r"\\(.)", r"\1", step["quoted"] or "") or step["index"]
            value = value.get(name)
        else:
            return None
    return value
