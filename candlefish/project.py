"""The project's folder, and the stacks in it."""

from __future__ import annotations

import os
from pathlib import Path

from infra.settings.errors import Problem, SettingsError
from infra.settings.load import load_file
from infra.settings.model import Environment, Settings

HOME_VARIABLE = "CANDLEFISH_REHEARSAL_HOME"


def project_directory() -> Path:
    """The nearest folder, from here upwards, with a Pulumi.yaml. Raises SettingsError."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / "Pulumi.yaml").exists():
            return folder
    raise SettingsError(str(Path.cwd()), [Problem("project", "no Pulumi.yaml here or above", "the project's folder")])


def home_directory(project: Path) -> Path:
    return Path(os.environ.get(HOME_VARIABLE) or project / ".rehearsal").absolute()


def stacks() -> list[str]:
    """In the order of the environments; stacks of other names behind them."""
    known = [name.value for name in Environment]
    names = [path.name.removeprefix("Pulumi.").removesuffix(".yaml")
             for path in project_directory().glob("Pulumi.*.yaml")]
    return sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name))


def settings_of(stack: str) -> Settings:
    """Raises SettingsError, also for a stack that has no file."""
    return load_file(project_directory() / f"Pulumi.{stack}.yaml")
