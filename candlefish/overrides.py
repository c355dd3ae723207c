"""`--config network.zoneCount=2`: a stack's configuration with values changed for one run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import yaml

from infra.settings.errors import Problem, SettingsError
from infra.settings.load import PREFIX


def apply(config: Mapping[str, Any], overrides: Sequence[str], source: str) -> dict[str, Any]:
    """`config` is a stack file's, with prefixed keys. Each override is `path=value`; the value is read as YAML.

    Raises SettingsError for one without `=` or through something that is no map.
    """
    changed = deepcopy(dict(config))
    for override in overrides:
        path, equals, text = override.partition("=")
        if not equals or not path:
            raise SettingsError("--config", [Problem("", override, "path=value, such as network.natGatewayCount=3")])
        first, *rest = path.removeprefix(PREFIX).split(".")
        steps = [_full(first), *rest]
        place: Any = changed
        for key in steps[:-1]:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise SettingsError(f"--config {override} on {source}", [Problem(path, place, "a path through maps")])
        place[steps[-1]] = yaml.safe_load(text)
    return changed


def keys(overrides: Sequence[str]) -> Iterator[str]:
    """The top-level keys that the overrides touch, with their prefixes."""
    return (_full(override.partition("=")[0].removeprefix(PREFIX).split(".")[0]) for override in overrides)


def as_text(value: Any) -> str:
    """A value as Pulumi hands it to a program: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _full(key: str) -> str:
    return key if ":" in key else f"{PREFIX}{key}"
