"""Objects of one namespace, and writes that say what they expect to find there."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from kube.client import Client, Conflict, Forbidden, NotFound, Object
from operations.errors import Contested, OperationError
from operations.patience import FIRST_PAUSE, PASSING, PATIENCE_SECONDS, patiently

T = TypeVar("T")
FIELD_MANAGER = "candlefish-operations"
Patch: TypeAlias = Object | list[Object]  # a merge patch, or the operations of a JSON patch


@dataclass(frozen=True)
class Field:
    """One value that operations own: where it is, how it is read from the object, and the patch that sets it."""

    api_version: str
    kind: str
    name: str
    read: Callable[[Object], Any]
    patch: Callable[[Object, Any], Patch]
    what: str


def expect_namespace(client: Client, stack: str, namespace: str) -> None:
    """Raises OperationError when the kubeconfig's cluster is not the stack's."""
    try:
        client.get("v1", "Namespace", namespace)
    except NotFound:
        raise OperationError(
            f"the cluster of this kubeconfig has no namespace {namespace}; point KUBECONFIG (or --kubeconfig, "
            f"--context) at that of {stack}: aws eks update-kubeconfig, or "
            f'eval "$(candlefish rehearse env --stack {stack})"') from None
    except Forbidden:
        return  # an operator's role has the namespace's objects alone; what is missing is told by the first of them


class Objects:
    """Of one namespace. Calls are repeated while the API server is away, up to PATIENCE_SECONDS."""

    def __init__(self, client: Client, namespace: str, pause: Callable[[float], None] = time.sleep,
                 now: Callable[[], float] = time.monotonic) -> None:
        self.client, self.namespace, self._pause, self._now = client, namespace, pause, now

    def get(self, api_version: str, kind: str, name: str) -> Object:
        return self.patiently(lambda: self.client.get(api_version, kind, name, self.namespace))

    def labelled(self, kind: str, labels: Mapping[str, str], api_version: str = "v1") -> list[Object]:
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return self.patiently(lambda: self.client.list(api_version, kind, self.namespace, labels=selector))

    def endpoints(self, service: str) -> dict[str, bool]:
        """Pod → whether it is ready, of all slices of a Service."""
        slices = self.labelled("EndpointSlice", {"kubernetes.io/service-name": service}, "discovery.k8s.io/v1")
        return {endpoint.get("targetRef", {}).get("name", ""): bool(endpoint.get("conditions", {}).get("ready", True))
                for each in slices for endpoint in each.get("endpoints") or ()}

    def read(self, field: Field) -> Any:
        return field.read(self.get(field.api_version, field.kind, field.name))

    def move(self, field: Field, wanted: Any, expected: Collection[Any] | None = None, mark: Any = None) -> bool:
        """Sets the field; whether a write was needed. Only from a value in `expected` (None: from any), only if the
        object is still the one that was looked at, and once, whatever answers get lost.

        mark: what `field.read` gives when it is done, where that is not `wanted` itself. Raises Contested.
        """
        done = wanted if mark is None else mark
        written, until = False, self._now() + PATIENCE_SECONDS
        while True:
            item = self.get(field.api_version, field.kind, field.name)
            found = field.read(item)
            if found == done:
                return written
            if expected is not None and found not in expected:
                raise Contested(f"{field.what} ({field.kind} {field.name}) is {found}, not {either(expected)}: "
                                f"{last_writer(item)} changed it meanwhile; nothing more is written")
            try:
                self._patch(field, item, wanted)
                written = True
            except Conflict:
                continue  # looked at again: a status, or somebody else's value
            except PASSING as error:
                written = True  # it may have taken effect
                if self._now() > until:
                    raise OperationError(f"{field.what} can't be written ({error}); run the command again") from error
                self._pause(FIRST_PAUSE)

    def _patch(self, field: Field, item: Object, wanted: Any) -> None:
        body = field.patch(item, wanted)
        version = item["metadata"]["resourceVersion"]
        if isinstance(body, list):  # a JSON patch
            # Not `test`, whose failure is a 422 as any other bad patch is: a version that is old is a Conflict.
            body = [{"op": "replace", "path": "/metadata/resourceVersion", "value": version}, *body]
            content = "application/json-patch+json"
        else:
            body.setdefault("metadata", {})["resourceVersion"] = version
            content = "application/merge-patch+json"
        self.client.patch(field.api_version, field.kind, field.name, self.namespace, body,
                          content_type=content, field_manager=FIELD_MANAGER)

    def create(self, body: Object) -> None:
        """Of a name that nobody else uses: one that is there already is ours, whose answer was lost."""
        def attempt() -> None:
            try:
                self.client.create(body, field_manager=FIELD_MANAGER)
            except Conflict as error:
                if error.reason != "AlreadyExists":
                    raise

        self.patiently(attempt)

    def patiently(self, call: Callable[[], T]) -> T:
        """Raises OperationError when the API server is away for too long."""
        return patiently(call, self._pause, self._now)


def last_writer(item: Object) -> str:
    """`kubectl-edit at 2026-…`: who wrote to the object last, but for ourselves and its status."""
    entries = [entry for entry in item["metadata"].get("managedFields") or ()
               if entry.get("manager") != FIELD_MANAGER and entry.get("subresource") != "status"]
    latest = max(entries, key=lambda entry: str(entry.get("time") or ""), default=None)
    return f"{latest['manager']} (at {latest.get('time')})" if latest else "somebody"


def either(values: Collection[Any]) -> str:
    return " or ".join(str(value) for value in values)
