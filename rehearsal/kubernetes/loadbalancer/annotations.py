"""Annotations of the AWS Load Balancer Controller as typed values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rehearsal.kubernetes.controllers.api import Object

PREFIX = "alb.ingress.kubernetes.io/"


class ModelError(Exception):
    """An Ingress that the controller refuses; the message names object, annotation and what is wrong."""


def with_class(ingress: Object, parameters: Object | None) -> Object:
    """The Ingress with its class's IngressClassParams over its annotations, as the controller ranks them. Raises
    ModelError for a field of the parameters that is not known here."""
    spec: Object = (parameters or {}).get("spec") or {}
    if unknown := sorted(set(spec) - {*_PARAMETERS, "group"}):
        raise ModelError(f"IngressClassParams {parameters and parameters['metadata']['name']}: {', '.join(unknown)} is "
                         f"not known here; known are group, {', '.join(_PARAMETERS)}")
    over = {f"{PREFIX}{name}": show(spec[key]) for key, (name, show) in _PARAMETERS.items() if key in spec}
    if "group" in spec:
        over[f"{PREFIX}group.name"] = spec["group"]["name"]
    metadata = ingress["metadata"]
    return {**ingress, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), **over}}}


def _pairs(listed: list[dict[str, str]]) -> str:
    return ",".join(f"{each['key']}={each['value']}" for each in listed)


# Field of an IngressClassParams → annotation, and how its value is written there.
_PARAMETERS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "certificateArn": ("certificate-arn", ",".join), "scheme": ("scheme", str), "sslPolicy": ("ssl-policy", str),
    "inboundCIDRs": ("inbound-cidrs", ",".join), "ipAddressType": ("ip-address-type", str),
    "tags": ("tags", _pairs), "loadBalancerAttributes": ("load-balancer-attributes", _pairs)}


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
