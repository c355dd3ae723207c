"""Policy documents whose parts are known only when other resources exist."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pulumi


def rendered(build: Callable[..., Mapping[str, Any]], **inputs: Any) -> pulumi.Output[str]:
    """The document `build(**inputs)` as JSON, once every input is known."""
    if not inputs:
        return pulumi.Output.from_input(json.dumps(build()))
    return pulumi.Output.all(**inputs).apply(lambda values: json.dumps(build(**values)))
