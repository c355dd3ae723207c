"""Which change of a property forces a replacement, and which source says so.

`provider.json` is read by hand from the sources of the provider; the keys of a type's entry:
    source       `terraform-provider-aws path@commit`; the schema at that commit was read as a whole
    replaces     property paths that force a replacement (ForceNew, RequiresReplace): ["cidrBlock", "launchTemplate.id"]
    kinds        properties that replace when one comes or goes, but not when its value changes
    conditions   {path: name in `conditions.CONDITIONS`}: what replaces for some values only
    sets         paths whose lists have no order (TypeSet, SetNestedBlock)
    deleteFirst  where it says that pulumi-aws deletes the old one before it creates its replacement
    unread       inputs of the SDK that are newer than the schema that was read: assumed, unless documented
    assumed      true: the source has not been found; the entry is a conclusion, and every verdict is assumed
`documented.json` is extracted from the SDK's docstrings by `python -m rehearsal.sdk.replacements.extract`:
    {type: {property: "the sentence"}}
A property path stands for everything below it. What neither has is taken as an update, and called assumed.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.sdk.replacements.conditions import CONDITIONS, Inputs

_INDEX = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True)
class Verdict:
    """`assumed`: no source of the provider says it; `source` then says what it was concluded from, or is empty."""

    replaces: bool
    assumed: bool
    source: str


class Replacements:
    """The two tables. Lookups are by type token and Pulumi's property path."""

    def __init__(self, provider: Mapping[str, Any], documented: Mapping[str, Mapping[str, str]]) -> None:
        self._provider = provider
        self._documented = documented

    def forces(self, type: str, path: str, appears: bool = False, old: Inputs | None = None,
               new: Inputs | None = None) -> Verdict:
        """`appears`: the property was not set before, or is not any more. Without the inputs `old` and `new`, what
        depends on values counts as an update."""
        plain = without_indices(path)
        prefixes = [plain, *(plain[:found.start()] for found in re.finditer(r"\.", plain))]
        if plain == "region" and type.startswith("aws:"):
            return Verdict(True, False, "pulumi-aws 7: a resource's region is part of its identity")
        table = self._provider.get(type, {})
        if table and not any(prefix in table.get("unread", ()) for prefix in prefixes):
            listed = any(prefix in table["replaces"] for prefix in prefixes) or (
                appears and plain in table.get("kinds", ())) or _holds(table, plain, prefixes, old, new)
            return Verdict(listed, table.get("assumed", False), table["source"])
        said = self._documented.get(type, {})
        sentence = next((said[prefix] for prefix in prefixes if prefix in said), None)
        if sentence is not None:
            return Verdict(True, False, f"SDK documentation: {sentence}")
        return Verdict(any(prefix in table.get("replaces", ()) for prefix in prefixes), True, "")

    def sets(self, type: str) -> frozenset[str]:
        """Paths, without indices, of the lists that the provider holds as sets: their order means nothing."""
        return frozenset(self._provider.get(type, {}).get("sets", ()))

    def deletes_first(self, type: str) -> bool:
        """Whether the provider asks for the old resource to be gone before its replacement is made."""
        return "deleteFirst" in self._provider.get(type, {})

    def types(self) -> list[str]:
        """Those that the table from the provider's sources has."""
        return sorted(self._provider)


def without_indices(path: str) -> str:
    """`rules[0].filters[1].key` as `rules.filters.key`; a quoted key goes with its map."""
    return _INDEX.sub("", path)


@functools.cache
def installed() -> Replacements:
    """The tables of this package."""
    folder = Path(__file__).parent
    return Replacements(json.loads((folder / "provider.json").read_text()),
                        json.loads((folder / "documented.json").read_text()))


def _holds(table: Mapping[str, Any], plain: str, prefixes: list[str], old: Inputs | None, new: Inputs | None) -> bool:
    """A block that comes or goes as a whole is told by its own path, so a condition below it is asked too."""
    if old is None or new is None:
        return False
    return any(CONDITIONS[name](old, new, path) for path, name in table.get("conditions", {}).items()
               if path in prefixes or path.startswith(f"{plain}."))
