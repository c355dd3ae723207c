"""A project's and a stack's configuration, as `pulumi` reads it: Pulumi.yaml and Pulumi.{stack}.yaml."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rehearsal.engine.crypt import Crypter
from rehearsal.engine.errors import ConfigInvalid
from rehearsal.engine.values import Secret


@dataclass(frozen=True)
class StackConfig:
    """`values`: full keys (`project:key`) to text; structured values are JSON. `secret_keys`: those with a secret
    inside. `salt`: the file's `encryptionsalt`, which the state is encrypted with too."""

    values: Mapping[str, str] = field(default_factory=dict)
    secret_keys: frozenset[str] = frozenset()
    salt: str | None = None

    def of_package(self, package: str) -> dict[str, Any]:
        """Inputs of the package's default provider; secret ones are `Secret`."""
        return {key.removeprefix(f"{package}:"): Secret(value) if key in self.secret_keys else value
                for key, value in self.values.items() if key.startswith(f"{package}:")}

    @staticmethod
    def load(directory: Path, stack: str, passphrase: str, project: str = "") -> StackConfig:
        """Raises ConfigInvalid or WrongPassphrase. A stack without a file has the project's defaults only."""
        described = _read(directory / "Pulumi.yaml")
        project = project or described.get("name", "")
        path = directory / described.get("stackConfigDir", ".") / f"Pulumi.{stack}.yaml"
        stacked = _read(path) if path.exists() else {}
        salt = stacked.get("encryptionsalt")
        crypter = Crypter(passphrase, salt) if salt else None

        def decrypt(text: str) -> str:
            if crypter is None:
                raise ConfigInvalid(f"{path} has a `secure:` value but no `encryptionsalt`; "
                                    "set the value again with `pulumi config set --secret`")
            return crypter.decrypt(text)

        if crypter is not None:
            crypter.start()
        values: dict[str, str] = {}
        secrets: set[str] = set()
        given = stacked.get("config") or {}
        if not isinstance(given, dict):
            raise ConfigInvalid(f"{path}: `config` must be a mapping, not a {type(given).__name__}")
        for key, raw in {**_defaults(described), **given}.items():
            full = key if ":" in key else f"{project}:{key}"
            value, secret = _open(raw, decrypt)
            values[full] = _text(value)
            if secret:
                secrets.add(full)
            else:
                secrets.discard(full)
        return StackConfig(values, frozenset(secrets), salt)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigInvalid(f"{path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigInvalid(f"{path} is not YAML: {error}") from error
    if not isinstance(content or {}, dict):
        raise ConfigInvalid(f"{path} must be a mapping, not a {type(content).__name__}")
    return content or {}


def _defaults(project: Mapping[str, Any]) -> dict[str, Any]:
    """Values that Pulumi.yaml sets for every stack: `key: value`, `key: {value: …}` or `key: {default: …}`."""
    found: dict[str, Any] = {}
    for key, declared in (project.get("config") or {}).items():
        if not isinstance(declared, dict):
            found[key] = declared
        elif "value" in declared:
            found[key] = declared["value"]
        elif "default" in declared:
            found[key] = declared["default"]
    return found


def _open(raw: Any, decrypt: Callable[[str], str]) -> tuple[Any, bool]:
    """The value with its `secure:` parts decrypted, and whether there were any."""
    if isinstance(raw, dict):
        if set(raw) == {"secure"} and isinstance(raw["secure"], str):
            return decrypt(raw["secure"]), True
        opened = {str(key): _open(item, decrypt) for key, item in raw.items()}
        return {key: value for key, (value, _) in opened.items()}, any(secret for _, secret in opened.values())
    if isinstance(raw, list):
        items = [_open(item, decrypt) for item in raw]
        return [value for value, _ in items], any(secret for _, secret in items)
    return raw, False


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return "" if value is None else json.dumps(value, separators=(",", ":"), default=str)


@dataclass(frozen=True)
class Project:
    """A Pulumi project: where its Pulumi.yaml is, and which interpreter runs its program."""

    name: str
    directory: Path
    main: str = "__main__.py"
    python: Path | None = None  # None: the one that runs the engine

    @staticmethod
    def load(directory: Path, python: Path | None = None) -> Project:
        """Raises ConfigInvalid when Pulumi.yaml is missing or isn't a Python project's."""
        described = _read(directory / "Pulumi.yaml")
        runtime = described.get("runtime")
        runtime = runtime.get("name") if isinstance(runtime, dict) else runtime
        if runtime != "python":
            raise ConfigInvalid(f"{directory / 'Pulumi.yaml'}: runtime is `{runtime}`; only `python` can be rehearsed")
        if not described.get("name"):
            raise ConfigInvalid(f"{directory / 'Pulumi.yaml'}: `name` is missing")
        return Project(described["name"], directory, described.get("main", "__main__.py"), python)
