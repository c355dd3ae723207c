"""Which provider serves a resource, and with which configuration; default providers come into being on demand."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.engine import urns
from rehearsal.engine.errors import StepRefused
from rehearsal.engine.provider import Provider
from rehearsal.engine.state import State
from rehearsal.engine.values import UNKNOWN, Properties
from rehearsal.engine.wire import UNKNOWN_TEXT, contains_unknown, plain

_NAMESPACE = uuid.UUID("7f2c1c66-0f7c-5d0f-9d4e-6a1f0a6f5c11")


@dataclass(frozen=True)
class Served:
    """A provider resource with the implementation behind it."""

    provider: Provider
    state: State
    config: Properties

    @property
    def reference(self) -> str:
        return self.state.reference

    @property
    def configured(self) -> bool:
        """False in a preview whose configuration is not known yet."""
        return not contains_unknown(self.config)


class Registry:
    """Finds the implementation by package. `register_default(package, version)` makes the default provider's state."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._by_package = {package: provider for provider in providers for package in provider.packages}
        self._lock = threading.Lock()
        self._packages: dict[str, tuple[str, str]] = {}  # package reference -> (package, version)

    def implementation(self, package: str) -> Provider:
        """Raises StepRefused for a package that nothing serves."""
        try:
            return self._by_package[package]
        except KeyError:
            served = ", ".join(sorted(self._by_package)) or "none"
            raise StepRefused(f"no provider serves the package `{package}` in the rehearsal (served: {served})") \
                from None

    def served(self, state: State) -> Served:
        provider = self.implementation(urns.package_of(state.type))
        return Served(provider, state, config_of(state.inputs))

    def register_package(self, name: str, version: str) -> str:
        """A reference for later requests (`packageRef`)."""
        reference = str(uuid.uuid5(_NAMESPACE, f"{name}@{version}"))
        with self._lock:
            self._packages[reference] = (name, version)
        return reference

    def package(self, reference: str) -> tuple[str, str]:
        return self._packages[reference]


def provider_id(seed: int, urn: str, generation: str = "") -> str:
    """The id of a provider resource: a UUID, the same for the same seed."""
    return str(uuid.uuid5(_NAMESPACE, f"{seed}:{urn}:{generation}"))


def default_name(version: str) -> str:
    """`default_7_51_1`, or `default` for a program that names no version."""
    cleaned = "".join(character if character.isalnum() else "_" for character in version.removeprefix("v"))
    return f"default_{cleaned}" if cleaned else "default"


def config_of(inputs: Properties) -> Properties:
    """The SDK sends provider inputs that aren't strings as JSON text; here they are values again. Text that looks
    like a bare number stays text: an account id is no number."""
    return {key: _parsed(value) for key, value in plain(inputs).items() if key not in ("version", "__internal")}


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and (value[:1] in ("{", "[") or value in ("true", "false")):
        try:
            return json.loads(value, object_hook=_unknowns)
        except ValueError:
            return value
    return value


def _unknowns(item: dict[str, Any]) -> dict[str, Any]:
    return {key: UNKNOWN if value == UNKNOWN_TEXT else value for key, value in item.items()}


ResolveDefault = Callable[[str, str], State]


class ProviderResolver:
    """From a provider reference, or none, to what serves the resource."""

    def __init__(self, registry: Registry, registered: Mapping[str, State], default: ResolveDefault) -> None:
        self.registry = registry
        self._registered = registered
        self._default = default
        self._served: dict[int, tuple[Properties, Served]] = {}

    def resolve(self, reference: str, type: str, version: str) -> Served:
        """`type` is that of the resource, or the token of a function. Raises StepRefused."""
        if not reference:
            return self._of(self._default(urns.package_of(type), version))
        urn, _ = urns.split_reference(reference)
        state = self._registered.get(urn)
        if state is None:
            raise StepRefused(f"its provider {urn} is not registered in this run")
        return self._of(state)

    def _of(self, state: State) -> Served:
        known = self._served.get(id(state))
        if known is None or known[0] is not state.inputs:
            known = (state.inputs, self.registry.served(state))
            self._served[id(state)] = known
        return known[1]
