"""Which change of a property forces a replacement, and which source says so.

`provider.json` is read by hand from the sources of the provider, and complete for each type that it has:
    {type: {"source": "…", "replaces": ["cidrBlock", "launchTemplate.id"], "kinds": ["cidrIpv4", "cidrIpv6"]}}
`kinds`: properties that replace when one comes or goes, but not when its value changes.
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

_INDEX = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True)
class Verdict:
    """`assumed`: no source says either; then `source` is empty."""

    replaces: bool
    assumed: bool
    source: str


class Replacements:
    """The two tables. Lookups are by type token and Pulumi's property path."""

    def __init__(self, provider: Mapping[str, Any], documented: Mapping[str, Mapping[str, str]]) -> None:
        self._provider = provider
        self._documented = documented

    def forces(self, type: str, path: str, appears: bool = False) -> Verdict:
        """`appears`: the property was not set before, or is not any more."""
        plain = _INDEX.sub("", path)
        prefixes = [plain, *(plain[:found.start()] for found in re.finditer(r"\.", plain))]
        if plain == "region" and type.startswith("aws:"):
            return Verdict(True, False, "pulumi-aws 7: a resource's region is part of its identity")
        table = self._provider.get(type)
        if table is not None:
            listed = any(prefix in table["replaces"] for prefix in prefixes) or (
                appears and plain in table.get("kinds", ()))
            return Verdict(listed, False, table["source"])
        said = self._documented.get(type, {})
        sentence = next((said[prefix] for prefix in prefixes if prefix in said), None)
        return Verdict(sentence is not None, sentence is None, f"SDK documentation: {sentence}" if sentence else "")

    def types(self) -> list[str]:
        """Those that the table from the provider's sources has."""
        return sorted(self._provider)


@functools.cache
def installed() -> Replacements:
    """The tables of this package."""
    folder = Path(__file__).parent
    return Replacements(json.loads((folder / "provider.json").read_text()),
                        json.loads((folder / "documented.json").read_text()))
