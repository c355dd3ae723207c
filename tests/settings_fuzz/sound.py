"""What in a previewed graph Kubernetes or AWS would refuse, whatever the types of the SDK say."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

from infra.settings.kinds import LogDays
from rehearsal.engine.state import State
from rehearsal.engine.values import Secret
from rehearsal.recording import Graph

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123, as Kubernetes' validation has it
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_TAG = re.compile(r"[\w\s.:/=+\-@]*")  # letters, digits and spaces of any script (Tagging API reference)
_RECORD = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.?")
_RETENTION = {0, *get_args(LogDays)}  # 0: never expires, as pulumi-aws spells it
_AS_LABELS = ("kubernetes:core/v1:Namespace", "kubernetes:core/v1:Service")


def unsound(graph: Graph) -> set[str]:
    return {f"{state.type} {state.name}: {problem}" for state in graph.resources if state.custom
            for check in _CHECKS for problem in check(state)}


def _plain(state: State) -> Iterator[str]:
    """No text that can't be sent, no number that JSON hasn't."""
    for path, value in leaves(state.inputs):
        if isinstance(value, float) and not math.isfinite(value):
            yield f"{path} is {value}"
        if isinstance(value, str) and ("\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value)):
            yield f"{path} has signs that can't be sent: {value[:40]!r}"


def _named(state: State) -> Iterator[str]:
    metadata = state.inputs.get("metadata") if state.type.startswith("kubernetes:") else None
    if not isinstance(metadata, dict):
        return
    form, longest = (_LABEL, 63) if state.type in _AS_LABELS else (_SUBDOMAIN, 253)
    for what in ("name", "namespace"):
        name = metadata.get(what)
        if isinstance(name, str) and (not (_LABEL if what == "namespace" else form).fullmatch(name)
                                      or len(name) > longest):
            yield f"metadata.{what} is {name[:80]!r}"
    for key, value in (metadata.get("labels") or {}).items():
        if isinstance(value, str) and not _LABEL_VALUE.fullmatch(value):
            yield f"the label {key} is {value[:80]!r}"


def _tagged(state: State) -> Iterator[str]:
    tags = state.inputs.get("tags")
    for key, value in (tags.items() if isinstance(tags, dict) else ()):
        if isinstance(value, str) and (len(key) > 128 or len(value) > 256 or not _TAG.fullmatch(value)):
            yield f"the tag {key} is {value[:80]!r}"


def _kept(state: State) -> Iterator[str]:
    days = state.inputs.get("retentionInDays")
    if state.type == "aws:cloudwatch/logGroup:LogGroup" and isinstance(days, int | float) and days not in _RETENTION:
        yield f"retentionInDays is {days}"


def _recorded(state: State) -> Iterator[str]:
    name = state.inputs.get("name")
    if state.type == "aws:route53/record:Record" and isinstance(name, str) and (
            not _RECORD.fullmatch(name) or len(name) > 255):
        yield f"name is {name[:80]!r}"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Secret):
        value = value.value
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path, value


_CHECKS: tuple[Callable[[State], Iterator[str]], ...] = (_plain, _named, _tagged, _kept, _recorded)
