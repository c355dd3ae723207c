"""One resource in a deployment, and its JSON (Pulumi's `apitype.ResourceV3`)."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from rehearsal.engine import urns
from rehearsal.engine.crypt import Crypter
from rehearsal.engine.masking import Masker
from rehearsal.engine.values import UNKNOWN, Archive, Asset, Properties, ResourceReference, Secret
from rehearsal.engine.wire import ARCHIVE, ASSET, RESOURCE, SECRET, SIGNATURE, UNKNOWN_TEXT, secret, spell_content


def now() -> str:
    """RFC 3339 with microseconds, as Go's time.Time reads it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Codec:
    """Values to and from the state's JSON. A secret that has not changed keeps its ciphertext, per resource."""

    def __init__(self, crypter: Crypter, masker: Masker | None = None) -> None:
        self.crypter = crypter
        self.masker = masker or Masker()
        self._ciphertexts: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def read(self, urn: str, value: Any) -> Any:
        if isinstance(value, dict):
            signature = value.get(SIGNATURE)
            if signature is None:
                return {key: self.read(urn, item) for key, item in value.items()}
            return self._special(urn, signature, value)
        if isinstance(value, list):
            return [self.read(urn, item) for item in value]
        return value

    def _special(self, urn: str, signature: Any, value: dict[str, Any]) -> Any:
        if signature == SECRET:
            if "ciphertext" in value:
                plaintext = self.crypter.decrypt(value["ciphertext"])
                with self._lock:
                    self._ciphertexts[urn, plaintext] = value["ciphertext"]
            else:
                plaintext = value["plaintext"]
            found = secret(self.read(urn, json.loads(plaintext)))
            self.masker.learn(found)
            return found
        content = {key: self.read(urn, item) for key, item in value.items() if key != SIGNATURE}
        if signature == RESOURCE:
            return ResourceReference(content["urn"], content.get("id"), content.get("packageVersion", ""))
        if signature == ASSET:
            return Asset(**content)
        if signature == ARCHIVE:
            return Archive(**content)
        raise ValueError(f"unknown signature {signature}")

    def write(self, urn: str, value: Any) -> Any:
        if value is None or isinstance(value, str | bool | int | float):
            return value
        if isinstance(value, dict):
            return {key: self.write(urn, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.write(urn, item) for item in value]
        if isinstance(value, Secret):
            return {SIGNATURE: SECRET, "ciphertext": self._encrypt(urn, value.value)}
        if isinstance(value, ResourceReference):
            spelled = {SIGNATURE: RESOURCE, "urn": value.urn}
            if value.id is not None:
                spelled["id"] = value.id
            if value.package_version:
                spelled["packageVersion"] = value.package_version
            return spelled
        if isinstance(value, Asset | Archive):
            return {key: self.write(urn, item) for key, item in spell_content(value).items()}
        if value is UNKNOWN:
            raise ValueError(f"{urn}: an unknown value can't be kept in the state")
        raise TypeError(f"{urn}: a {type(value).__name__} can't be kept in the state")

    def _encrypt(self, urn: str, value: Any) -> str:
        plaintext = json.dumps(self.write(urn, value), separators=(",", ":"), ensure_ascii=False)
        with self._lock:
            known = self._ciphertexts.get((urn, plaintext))
        if known is None:
            known = self.crypter.encrypt(plaintext)
            with self._lock:
                known = self._ciphertexts.setdefault((urn, plaintext), known)
        return known


# JSON key -> attribute, in the order of Go's struct; values that are empty are left out, except `custom`.
_FIELDS: Final[Mapping[str, str]] = {
    "urn": "urn", "custom": "custom", "delete": "delete", "id": "id", "type": "type", "inputs": "inputs",
    "outputs": "outputs", "parent": "parent", "protect": "protect", "external": "external",
    "dependencies": "dependencies", "initErrors": "init_errors", "provider": "provider",
    "propertyDependencies": "property_dependencies", "pendingReplacement": "pending_replacement",
    "additionalSecretOutputs": "additional_secret_outputs", "aliases": "aliases", "customTimeouts": "custom_timeouts",
    "importID": "import_id", "retainOnDelete": "retain_on_delete", "deletedWith": "deleted_with",
    "created": "created", "modified": "modified", "ignoreChanges": "ignore_changes",
    "replaceOnChanges": "replace_on_changes", "resourceHooks": "hooks", "replaceWith": "replace_with",
    "replacementTrigger": "replacement_trigger",
}
_caching = threading.Lock()
_ENCODED = frozenset({"inputs", "outputs", "replacementTrigger"})


@dataclass(eq=False)
class State:
    """One resource. Change it only by `revise`, which drops the cached JSON."""

    urn: str
    type: str
    custom: bool
    id: Any = ""  # UNKNOWN in a preview
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    parent: str = ""
    provider: str = ""  # "urn::id"
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    protect: bool = False
    external: bool = False
    delete: bool = False
    pending_replacement: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    init_errors: list[str] = field(default_factory=list)
    additional_secret_outputs: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    custom_timeouts: dict[str, float] = field(default_factory=dict)
    import_id: str = ""
    created: str = ""
    modified: str = ""
    ignore_changes: list[str] = field(default_factory=list)
    replace_on_changes: list[str] = field(default_factory=list)
    hooks: dict[str, list[str]] = field(default_factory=dict)
    replace_with: list[str] = field(default_factory=list)
    replacement_trigger: Any = None
    unread: dict[str, Any] = field(default_factory=dict, repr=False)  # fields of other engines, kept as they are
    cached: bytes | None = field(default=None, repr=False)
    revision: int = 0

    @property
    def name(self) -> str:
        return urns.name_of(self.urn)

    @property
    def reference(self) -> str:
        """How others name it as their provider."""
        return f"{self.urn}::{self.id if isinstance(self.id, str) and self.id else UNKNOWN_TEXT}"

    def revise(self, **changes: Any) -> bool:
        """Sets attributes; returns whether any of them differed."""
        different = {key: value for key, value in changes.items() if getattr(self, key) != value}
        for key, value in different.items():
            setattr(self, key, value)
        if different:
            with _caching:
                self.revision += 1
                self.cached = None
        return bool(different)

    def rename(self, renamed: Mapping[str, str]) -> bool:
        """Follows URNs that an alias has moved, in every reference to another resource."""
        def moved(urn: str) -> str:
            return renamed.get(urn, urn)

        provider = self.provider
        if provider:
            provider_urn, id = urns.split_reference(provider)
            provider = f"{moved(provider_urn)}::{id}"
        return self.revise(
            parent=moved(self.parent), deleted_with=moved(self.deleted_with), provider=provider,
            dependencies=[moved(urn) for urn in self.dependencies],
            property_dependencies={key: [moved(urn) for urn in found]
                                   for key, found in self.property_dependencies.items()})

    def references(self) -> set[str]:
        """URNs that must stand before this one in a snapshot."""
        found = {self.parent, *self.dependencies}
        if self.provider:
            found.add(urns.split_reference(self.provider)[0])
        for named in self.property_dependencies.values():
            found.update(named)
        found.discard("")
        found.discard(self.urn)
        return found

    def json(self, codec: Codec) -> bytes:
        """One line of JSON; cached until the next `revise`."""
        cached = self.cached
        if cached is None:
            revision = self.revision
            cached = json.dumps(self.spell(codec), separators=(",", ":"), ensure_ascii=False).encode()
            with _caching:
                if self.revision == revision:
                    self.cached = cached
        return cached

    def spell(self, codec: Codec) -> dict[str, Any]:
        spelled: dict[str, Any] = {}
        for key, attribute in _FIELDS.items():
            value = getattr(self, attribute)
            if not value and key not in ("custom",):
                continue
            spelled[key] = codec.write(self.urn, value) if key in _ENCODED else value
        return {**spelled, **self.unread}


def read_state(raw: Mapping[str, Any], codec: Codec) -> State:
    """Raises KeyError, TypeError or ValueError for something that is not a resource."""
    known = {attribute: codec.read(raw["urn"], raw[key]) if key in _ENCODED else raw[key]
             for key, attribute in _FIELDS.items() if key in raw}
    unread = {key: value for key, value in raw.items() if key not in _FIELDS}
    return State(**known, unread=unread)
