"""Small graphs for the tests of this folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from operations.preview.compare import compare
from operations.preview.model import Change, Graph, Resource, StackPreview, Verdict

STACK = "urn:pulumi:staging::candlefish::pulumi:pulumi:Stack::candlefish-staging"
INSTANCE = "aws:rds/instance:Instance"


def urn(name: str, type: str = INSTANCE) -> str:
    return f"urn:pulumi:staging::candlefish::{type}::{name}"


def resource(name: str, type: str = INSTANCE, **fields: Any) -> Resource:
    return Resource(urn(name, type), type, name, **fields)


class Rules:
    """`forcing`: paths that replace, of any type. `sets`: paths of lists without an order."""

    def __init__(self, forcing: Collection[str] = (), sets: Collection[str] = ()) -> None:
        self._forcing, self._sets = forcing, sets

    def verdict(self, path: str, before: Resource, after: Resource, provider: Mapping[str, Any]) -> Verdict:
        return Verdict(path in self._forcing)

    def unordered(self, type: str) -> Collection[str]:
        return self._sets

    def covers(self, pattern: str, path: str) -> bool:
        return path == pattern or path.startswith((f"{pattern}.", f"{pattern}["))


def changes(before: list[Resource], after: list[Resource], *forcing: str) -> tuple[Change, ...]:
    return compare(Graph(tuple(before)), Graph(tuple(after)), Rules(forcing))[0]


def preview_of(stack: str, *found: Change, **fields: Any) -> StackPreview:
    return StackPreview(stack, tuple(found), fields.pop("same", 0), **fields)
