"""`--config network.zoneCount=2`: a stack's configuration with values changed for one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        keys = [first if ":" in first else f"{PREFIX}{first}", *rest]
        place: Any = changed
        for key in keys[:-1]:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise SettingsError(f"--config {override} on {source}", [Problem(path, place, "a path through maps")])
        place[keys[-1]] = yaml.safe_load(text)
    return changed
