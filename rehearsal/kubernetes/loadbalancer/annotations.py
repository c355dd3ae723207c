"""Annotations of the AWS Load Balancer Controller as typed values."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.kubernetes.controllers.api import Object

PREFIX = "alb.ingress.kubernetes.io/"


class ModelError(Exception):
    """An Ingress that the controller refuses; the message names object, annotation and what is wrong."""


class Annotations:
    """Of one Ingress, or of a Service over those of its Ingress."""

    def __init__(self, owner: str, *objects: Object) -> None:
        self.owner = owner
        self._values: dict[str, str] = {}
        for each in reversed(objects):
            self._values.update({name.removeprefix(PREFIX): value
                                 for name, value in (each["metadata"].get("annotations") or {}).items()
                                 if name.startswith(PREFIX)})

    def text(self, name: str, default: str = "") -> str:
        return self._values.get(name, default).strip()

    def number(self, name: str, default: int) -> int:
        text = self._values.get(name)
        if text is None:
            return default
        try:
            return int(text)
        except ValueError:
            raise ModelError(f"{self.owner}: {PREFIX}{name}: {text!r} is not a whole number") from None

    def listed(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self._values.get(name, "").split(",") if part.strip())

    def pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        """`a=b,c=d`, in the order of the names."""
        found = []
        for part in self.listed(name):
            key, sign, value = part.partition("=")
            if not sign:
                raise ModelError(f"{self.owner}: {PREFIX}{name}: {part!r} is not of the form name=value")
            found.append((key.strip(), value.strip()))
        return tuple(sorted(found))

    def document(self, name: str) -> Any:
        """The JSON value, or None when there is no such annotation."""
        text = self._values.get(name)
        if text is None:
            return None
        try:
            return json.loads(text)
        except ValueError as error:
            raise ModelError(f"{self.owner}: {PREFIX}{name} is not JSON: {error}") from None
