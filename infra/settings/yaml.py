"""YAML as Pulumi reads it: a key that is given twice is an error, not the last one's victory."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from infra.settings.errors import Problem, SettingsError

if TYPE_CHECKING or not yaml.__with_libyaml__:
    from yaml import SafeLoader
else:
    from yaml import (
        CSafeLoader as SafeLoader,  # ten times as fast, where PyYAML was built with libyaml, as its wheels are
    )


class _Strict(SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """The document's top-level map. Raises SettingsError with line and column when it is no such thing."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Strict)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SettingsError(f"{path.name}{place}", [Problem("", error.problem, "valid YAML, every key once")]) from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise SettingsError(path.name, [Problem("", type(document).__name__, "a map of keys to values")])
    return document
