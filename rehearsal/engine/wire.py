"""Property values on Pulumi's wire: `google.protobuf.Struct` with signature keys for what JSON has no word for.

The signatures are those of the SDK (`pulumi/runtime/rpc.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from google.protobuf.struct_pb2 import Value as WireValue

from rehearsal.engine.assets import absolute, hashed_archive, hashed_asset, relative
from rehearsal.engine.values import UNKNOWN, Archive, Asset, Properties, ResourceReference, Secret

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"

UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@dataclass
class Decoder:
    """Reads structs. `dependencies` collects the URNs that output values carry along."""

    directory: Path = Path()
    dependencies: set[str] = field(default_factory=set)

    def properties(self, struct: Struct) -> Properties:
        return {key: self.value(value) for key, value in struct.fields.items()}

    def value(self, value: WireValue) -> Any:
        kind = value.WhichOneof("kind")
        if kind == "string_value":
            text = value.string_value
            return UNKNOWN if text == UNKNOWN_TEXT else text
        if kind == "struct_value":
            fields = value.struct_value.fields
            if SIGNATURE in fields:
                return self._special(fields)
            return {key: self.value(item) for key, item in fields.items()}
        if kind == "list_value":
            return [self.value(item) for item in value.list_value.values]
        if kind == "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        if kind == "bool_value":
            return value.bool_value
        return None

    def _special(self, fields: Mapping[str, WireValue]) -> Any:
        signature = fields[SIGNATURE].string_value
        if signature == SECRET:
            return secret(self.value(fields["value"]))
        if signature == OUTPUT:
            if "dependencies" in fields:
                self.dependencies.update(self.value(fields["dependencies"]))
            inner = self.value(fields["value"]) if "value" in fields else UNKNOWN
            return secret(inner) if "secret" in fields and fields["secret"].bool_value else inner
        if signature == RESOURCE:
            id = self.value(fields["id"]) if "id" in fields else None
            version = fields["packageVersion"].string_value if "packageVersion" in fields else ""
            return ResourceReference(fields["urn"].string_value, UNKNOWN if id == "" else id, version)
        if signature == ASSET:
            return hashed_asset(Asset(**self._content(fields, "text", "path", "uri", "hash")), self.directory)
        if signature == ARCHIVE:
            archive = Archive(**self._content(fields, "path", "uri", "hash", "assets"))
            return hashed_archive(archive, self.directory)
        raise ValueError(f"the program sent a value with the unknown signature {signature}")

    def _content(self, fields: Mapping[str, WireValue], *names: str) -> dict[str, Any]:
        return {name: self.value(fields[name]) for name in names if name in fields}


def secret(value: Any) -> Secret:
    """A secret of a secret is a secret."""
    return value if isinstance(value, Secret) else Secret(value)


def decode(struct: Struct, directory: Path = Path()) -> Properties:
    return Decoder(directory).properties(struct)


def encode(properties: Properties, *, secrets: bool = True, resources: bool = True, outputs: bool = False) -> Struct:
    """`secrets`, `resources`: what the receiver understands. `outputs`: spell secrets and unknowns as output values,
    so that a callback of the program sees `Output`s."""
    struct = Struct()
    _Encoder(secrets, resources, outputs).fill(struct, properties)
    return struct


@dataclass(frozen=True)
class _Encoder:
    secrets: bool
    resources: bool
    outputs: bool

    def fill(self, struct: Struct, properties: Mapping[str, Any]) -> None:
        fields = struct.fields
        for key, value in properties.items():
            self.put(fields[key], value)

    def put(self, target: WireValue, value: Any) -> None:
        if isinstance(value, str):
            target.string_value = value
        elif value is None:
            target.null_value = 0
        elif isinstance(value, bool):
            target.bool_value = value
        elif isinstance(value, int | float):
            target.number_value = value
        elif isinstance(value, dict):
            self.fill(target.struct_value, value)
            if not value:
                target.struct_value.SetInParent()
        elif isinstance(value, list | tuple):
            self._list(target, value)
        elif value is UNKNOWN:
            if self.outputs:
                self.fill(target.struct_value, {SIGNATURE: OUTPUT})
            else:
                target.string_value = UNKNOWN_TEXT
        elif isinstance(value, Secret):
            self._secret(target, value)
        elif isinstance(value, ResourceReference):
            self._reference(target, value)
        elif isinstance(value, Asset | Archive):
            self.fill(target.struct_value, spell_content(value))
        else:
            raise TypeError(f"a provider returned a {type(value).__name__}, which has no place in a property value")

    def _list(self, target: WireValue, items: Iterable[Any]) -> None:
        values = target.list_value.values
        target.list_value.SetInParent()
        for item in items:
            self.put(values.add(), item)

    def _secret(self, target: WireValue, value: Secret) -> None:
        if self.outputs:
            known = {} if value.value is UNKNOWN else {"value": value.value}
            self.fill(target.struct_value, {SIGNATURE: OUTPUT, **known, "secret": True})
        elif self.secrets:
            self.fill(target.struct_value, {SIGNATURE: SECRET, "value": value.value})
        else:
            self.put(target, value.value)

    def _reference(self, target: WireValue, value: ResourceReference) -> None:
        if not self.resources:
            self.put(target, value.urn if value.id is None else value.id)
            return
        spelled = {SIGNATURE: RESOURCE, "urn": value.urn}
        if value.id is not None:
            spelled["id"] = "" if value.id is UNKNOWN else value.id
        if value.package_version:
            spelled["packageVersion"] = value.package_version
        self.fill(target.struct_value, spelled)


def spell_content(value: Asset | Archive) -> dict[str, Any]:
    """An asset or archive as the wire and the state file spell it."""
    spelled: dict[str, Any] = {SIGNATURE: ASSET if isinstance(value, Asset) else ARCHIVE}
    if value.hash:
        spelled["hash"] = value.hash
    if isinstance(value, Asset) and value.text is not None:
        spelled["text"] = value.text
    if isinstance(value, Archive) and value.assets is not None:
        spelled["assets"] = dict(value.assets.items())
    for name in ("path", "uri"):
        if getattr(value, name) is not None:
            spelled[name] = getattr(value, name)
    return spelled


def plain(value: Any, directory: Path = Path()) -> Any:
    """What a provider sees: no secrets, content with absolute paths."""
    if isinstance(value, Secret):
        return plain(value.value, directory)
    if isinstance(value, dict):
        return {key: plain(item, directory) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, directory) for item in value]
    if isinstance(value, Asset | Archive):
        return absolute(value, directory)
    return value


def portable(value: Any, directory: Path) -> Any:
    """What the state keeps of a provider's answer: content with paths relative to the project."""
    if isinstance(value, Secret):
        return Secret(portable(value.value, directory))
    if isinstance(value, dict):
        return {key: portable(item, directory) for key, item in value.items()}
    if isinstance(value, list):
        return [portable(item, directory) for item in value]
    return relative(value, directory) if isinstance(value, Asset | Archive) else value


def contains_secret(value: Any) -> bool:
    if isinstance(value, Secret):
        return True
    if isinstance(value, dict):
        return any(contains_secret(item) for item in value.values())
    return isinstance(value, list) and any(contains_secret(item) for item in value)


def contains_unknown(value: Any) -> bool:
    if value is UNKNOWN:
        return True
    if isinstance(value, Secret):
        return contains_unknown(value.value)
    if isinstance(value, dict):
        return any(contains_unknown(item) for item in value.values())
    return isinstance(value, list) and any(contains_unknown(item) for item in value)


def mark_secrets(target: Properties, like: Properties) -> Properties:
    """`target` with secrets where `like` has them: at the same key, and in the same objects; a list that has a secret
    anywhere is secret as a whole, since its elements may have moved."""
    if not like or not contains_secret(like):
        return target
    return {key: _mark(value, like[key]) if key in like else value for key, value in target.items()}


def _mark(value: Any, like: Any) -> Any:
    if isinstance(value, Secret):
        return value
    if isinstance(like, Secret):
        return Secret(value)
    if isinstance(value, dict) and isinstance(like, dict):
        return mark_secrets(value, like)
    if isinstance(like, list) and contains_secret(like):
        return Secret(value)
    return value
