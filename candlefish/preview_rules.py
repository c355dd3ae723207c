"""What the rehearsal's providers know of their types, for the comparison of two graphs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from operations.preview.model import Resource, Verdict
from rehearsal.engine import paths, urns
from rehearsal.kubernetes import provider_names as names
from rehearsal.kubernetes.provider_diff import force_new
from rehearsal.sdk import replacements

_RELEASE = ("name", "namespace")  # of a chart: what Helm can't change


class ProviderRules:
    """Implements operations.preview.compare.Rules."""

    def __init__(self) -> None:
        self._aws = replacements.installed()

    def verdict(self, path: str, before: Resource, after: Resource, provider: Mapping[str, Any]) -> Verdict:
        """Random values are fixed at their creation; a provider is configured anew."""
        package = urns.package_of(after.type)
        if urns.is_provider(after.type):
            return Verdict(False)
        if package == "random":
            return Verdict(True)
        if package == "kubernetes":
            return Verdict(any(paths.covers(forced, path) for forced in _forced(after, provider)))
        top = path.partition(".")[0].partition("[")[0]
        appears = before.inputs.get(top) is None or after.inputs.get(top) is None
        found = self._aws.forces(after.type, path, appears, dict(before.inputs), dict(after.inputs))
        return Verdict(found.replaces, found.assumed)

    def unordered(self, type: str) -> Collection[str]:
        return self._aws.sets(type)

    def covers(self, pattern: str, path: str) -> bool:
        return paths.covers(pattern, path)


def _forced(resource: Resource, provider: Mapping[str, Any]) -> tuple[str, ...]:
    if resource.type == names.RELEASE:
        return _RELEASE
    token = names.parse(resource.type)
    option = {"ConfigMap": "enableConfigMapMutable", "Secret": "enableSecretMutable"}.get(token.kind, "")
    return force_new(token.api_version, token.kind, resource.inputs, provider.get(option) in (True, "true"))
