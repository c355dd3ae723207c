"""The endpoints of a Service's port, from its EndpointSlices."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.kubernetes.controllers.api import Object

SERVICE_LABEL = "kubernetes.io/service-name"


def endpoints_of(service: Object, port: str, slices: Iterable[Object]) -> list[tuple[str, int]]:
    """Address and port of the ready endpoints. `port` is the Service port's number or name."""
    metadata = service["metadata"]
    found = next((each for each in service["spec"].get("ports") or () if port in (str(each["port"]), each.get("name"))),
                 None)
    if found is None:
        return []
    name = found.get("name", "")
    endpoints: list[tuple[str, int]] = []
    for each in slices:
        labels = each["metadata"].get("labels") or {}
        if each["metadata"].get("namespace") != metadata["namespace"] or labels.get(SERVICE_LABEL) != metadata["name"]:
            continue
        numbers = [known["port"] for known in each.get("ports") or () if (known.get("name") or "") == name]
        for endpoint in each.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready", True):
                endpoints += [(address, number) for address in endpoint["addresses"] for number in numbers]
    return sorted(set(endpoints))
