"""The part of Go's templates that ExternalSecrets use: `{{ .name }}`, `{{ index . "a-b" }}`, pipes of functions."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)

FUNCTIONS: dict[str, Callable[[str], str]] = {
    "toString": lambda text: text,
    "trim": str.strip,
    "upper": str.upper,
    "lower": str.lower,
    "quote": json.dumps,
    "b64enc": lambda text: base64.b64encode(text.encode()).decode(),
    "b64dec": lambda text: base64.b64decode(text).decode(),
    "urlquery": lambda text: quote(text, safe=""),
}


class TemplateError(Exception):
    """What a template asks for is not there, or not known here."""


def render(template: str, data: Mapping[str, str]) -> str:
    """Raises TemplateError for a missing value or a function that is not in FUNCTIONS."""
    return _ACTION.sub(lambda found: _evaluate(found[1], data), template)


def _evaluate(expression: str, data: Mapping[str, str]) -> str:
    first, *functions = [part.strip() for part in expression.split("|")]
    value = _operand(first, data)
    for name in functions:
        try:
            value = _function(name)(value)
        except ValueError as error:  # base64 that is none, bytes that are no text
            raise TemplateError(f"{name}: {error}") from error
    return value


def _function(name: str) -> Callable[[str], str]:
    if name not in FUNCTIONS:
        raise TemplateError(f"function {name!r} is not known here; known are {', '.join(FUNCTIONS)}")
    return FUNCTIONS[name]


def _operand(text: str, data: Mapping[str, str]) -> str:
    literal = re.fullmatch(r'"([^"]*)"', text)
    if literal:
        return literal[1]
    name = re.fullmatch(r'\.([A-Za-z0-9_]+)|index \. "([^"]+)"', text)
    if name:
        key = name[1] or name[2]
        if key not in data:
            raise TemplateError(f"map has no entry for key {key!r}; it has {', '.join(sorted(data)) or 'none'}")
        return data[key]
    call = re.fullmatch(r"(\w+)\s+(\S+|index \. \S+)", text)
    if call:
        return _function(call[1])(_operand(call[2].strip("()"), data))
    raise TemplateError(f"{{{{ {text} }}}} is more than this stand-in of the operator understands")
