"""Values from the emulated Secrets Manager and Parameter Store, as an ExternalSecret refers to them."""

from __future__ import annotations

import json
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.kubernetes.controllers.api import Object
from rehearsal.kubernetes.controllers.aws import Aws


class SourceError(Exception):
    """The value can't be had: missing, refused, or without the property."""


class Source(Protocol):
    def text(self, service: str, key: str, version: str) -> str:
        """The whole secret as text. `service`: SecretsManager or ParameterStore. Blocks; raises SourceError."""
        ...


class AwsSource:
    def __init__(self, aws: Aws) -> None:
        self._secrets, self._parameters = aws.client("secretsmanager"), aws.client("ssm")

    def text(self, service: str, key: str, version: str) -> str:
        try:
            if service == "ParameterStore":
                found = self._parameters.get_parameter(Name=key, WithDecryption=True)
                return str(found["Parameter"]["Value"])
            which = ({"VersionId": version.removeprefix("uuid/")} if version.startswith("uuid/")
                     else {"VersionStage": version or "AWSCURRENT"})
            answer = self._secrets.get_secret_value(SecretId=key, **which)
            return str(answer["SecretString"]) if "SecretString" in answer else answer["SecretBinary"].decode()
        except (BotoCoreError, ClientError) as error:
            raise SourceError(f"{key}: {error}") from error


def property_of(text: str, path: str, key: str) -> str:
    """The property of a JSON secret; without one the whole text. Names with dots win over paths."""
    if not path:
        return text
    value = _document(text, key)
    if path in value:
        return _shown(value[path])
    found: Any = value
    for part in path.split("."):
        if not isinstance(found, dict) or part not in found:
            raise SourceError(f"key {path} does not exist in secret {key}")
        found = found[part]
    return _shown(found)


def entries_of(text: str, key: str) -> dict[str, str]:
    return {name: _shown(value) for name, value in _document(text, key).items()}


def _document(text: str, key: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise SourceError(f"secret {key} is not a JSON object")
    return value


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def data_of(external: Object, store_kind: str, source: Source) -> dict[str, str]:
    """All values that the ExternalSecret asks for: dataFrom first, data over it. Blocks; raises SourceError."""
    found: dict[str, str] = {}
    for entry in external["spec"].get("dataFrom") or ():
        if "extract" not in entry or "rewrite" in entry:
            raise SourceError(f"dataFrom: {', '.join(sorted(entry))} is not known here, only extract")
        ask = entry["extract"]
        text = source.text(store_kind, ask["key"], ask.get("version", ""))
        found.update(entries_of(property_of(text, ask.get("property", ""), ask["key"]), ask["key"]))
    for entry in external["spec"].get("data") or ():
        ask = entry["remoteRef"]
        text = source.text(store_kind, ask["key"], ask.get("version", ""))
        found[entry["secretKey"]] = property_of(text, ask.get("property", ""), ask["key"])
    return found
