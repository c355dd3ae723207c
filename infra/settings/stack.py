"""Settings of the stack that runs: the configuration as Pulumi hands it to the program."""

from __future__ import annotations

import json
from typing import Any

import pulumi

from infra.settings.load import PREFIX, load
from infra.settings.model import Settings


def from_stack() -> Settings:
    """The settings of the current stack. Raises SettingsError, before anything is created."""
    given = pulumi.runtime.config.CONFIG.get() or pulumi.runtime.config.get_config_env()
    values = {key.removeprefix(PREFIX): _parse(text) for key, text in given.items() if key.startswith(PREFIX)}
    return load(values, f"Pulumi.{pulumi.get_stack()}.yaml")


def _parse(text: Any) -> Any:
    """Pulumi passes structured values as JSON and scalars as their text."""
    if not isinstance(text, str):
        return text
    if text[:1] in "{[":
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text
