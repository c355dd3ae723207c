"""Settings of the stack that runs: the configuration as Pulumi hands it to the program."""

from __future__ import annotations

import json
from typing import Any

import pulumi

from infra.settings.errors import SettingsError
from infra.settings.load import load, own
from infra.settings.model import Settings


def from_stack() -> Settings:
    """The settings of the current stack. Raises pulumi.RunError, before anything is created: Pulumi shows its text,
    and a traceback of any other error."""
    given = pulumi.runtime.config.CONFIG.get() or pulumi.runtime.config.get_config_env()
    source = f"Pulumi.{pulumi.get_stack()}.yaml"
    try:
        return load(own({key: _parse(text) for key, text in given.items()}, source), source)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


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
