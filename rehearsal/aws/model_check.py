"""What botocore's own validation leaves out of the service models: enums and patterns of strings.

The emulators take almost any string; AWS does not. Patterns that Python's `re` cannot read are left to the server.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ParamValidationError

# Models whose enums or patterns are narrower than the service: shape names, with why.
_TOO_NARROW = {
    "Runtime",  # Lambda: new runtimes come before the model that knows them
    "AuthorizationType",
    "LockToken",  # WAFv2: the emulator's tokens for IP sets are shorter than AWS's
    "BucketCannedACL",  # S3: `log-delivery-write` is documented, and missing in the model
}


def check(model: Any, params: dict[str, Any]) -> None:
    """Raises botocore's ParamValidationError, with all problems, for parameters of an operation model."""
    if model.input_shape is None:
        return
    problems = list(_problems(model.input_shape, params, ""))
    if problems:
        raise ParamValidationError(report="\n".join(problems))


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        members = shape.members
        for name, item in value.items():
            if name in members:
                yield from _problems(members[name], item, f"{path}.{name}" if path else name)
    elif kind == "list" and isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _problems(shape.member, item, f"{path}[{index}]")
    elif kind == "map" and isinstance(value, dict):
        for key, item in value.items():
            yield from _problems(shape.value, item, f"{path}.{key}")
    elif kind == "string" and isinstance(value, str) and shape.name not in _TOO_NARROW:
        if shape.enum and value not in shape.enum:
            allowed = ", ".join(shape.enum) if len(shape.enum) <= 20 else f"{len(shape.enum)} values"
            yield f"Invalid value for parameter {path}, value: {value}, allowed: {allowed}"
        pattern = shape.metadata.get("pattern")
        if pattern and (expression := _expression(pattern)) is not None and not expression.fullmatch(value):
            yield f"Invalid value for parameter {path}, value: {value}, must match {pattern}"


@functools.cache
def _expression(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern, re.S)
    except re.error:
        return None  # Java's classes, such as \p{L}
