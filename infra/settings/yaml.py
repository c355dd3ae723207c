"""YAML as Pulumi reads it: a key that is given twice is an error, not the last one's victory.

What would break the reader itself is refused before it is built: a document nested so deeply that libyaml overflows the
stack, and aliases that contain themselves or multiply.
"""

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


DEEPEST = 32  # levels; the deepest stack file has 7


class _Strict(SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is no text; put it in quotes", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """With the place of a scalar that looks like a date or a number and is none: PyYAML raises without it."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError, AttributeError) as error:
            raise yaml.constructor.ConstructorError(
                None, None, f"{_short(getattr(node, 'value', ''))} is no {node.tag.rpartition(':')[2]}; a text is put "
                "in quotes", node.start_mark) from error


def read_yaml(path: Path) -> dict[str, Any]:
    """The document's top-level map. Raises SettingsError with line and column when it is no such thing."""
    try:
        text = path.read_text(encoding="utf-8")
        _guard(text)
        document = yaml.load(text, Loader=_Strict)
    except OSError as error:
        raise SettingsError(path.name, [Problem("", error.strerror or str(error), "a file that can be read")]) from None
    except UnicodeDecodeError as error:
        raise SettingsError(path.name, [Problem("", f"not UTF-8 at byte {error.start}", "text in UTF-8")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SettingsError(f"{path.name}{place}", [Problem("", error.problem, "valid YAML, every key once")]) from None
    except yaml.reader.ReaderError as error:
        raise SettingsError(path.name, [Problem("", f"{error.reason} (character {error.position})",
                                                "valid YAML, every key once")]) from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise SettingsError(path.name, [Problem("", type(document).__name__, "a map of keys to values")])
    return document


def _guard(text: str) -> None:
    """Raises a MarkedYAMLError for a document that is too deep, or has an alias inside an anchored value."""
    anchored: list[bool] = []  # of each open collection: whether it, or one around it, has an anchor
    for event in yaml.parse(text, Loader=SafeLoader):
        place: Any = event.start_mark  # libyaml's own kind of mark
        if isinstance(event, yaml.CollectionStartEvent):
            anchored.append(event.anchor is not None or (bool(anchored) and anchored[-1]))
            if len(anchored) > DEEPEST:
                raise yaml.MarkedYAMLError(None, None, f"more than {DEEPEST} levels inside each other", place)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchored.pop()
        elif isinstance(event, yaml.AliasEvent) and anchored and anchored[-1]:
            raise yaml.MarkedYAMLError(
                None, None, f"the alias *{event.anchor} inside a value that has an anchor itself", place)


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
