"""A small client of the Kubernetes API: typed errors, server-side apply, watches that survive a break.

Objects are plain dictionaries as the API spells them (`{"apiVersion": …, "kind": …, "metadata": …}`).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import httpx

from kube.errors import (
    ApiError,
    Cause,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    ServerError,
    Throttled,
    Unavailable,
    UnknownKind,
    from_status,
)
from kube.kubeconfig import Access, KubeconfigError, access
from kube.transport import Transport, body_of

__all__ = ["Access", "ApiError", "Cause", "Client", "Conflict", "Event", "Expired", "Forbidden", "Invalid",
           "KubeconfigError", "NotFound", "Object", "ResourceType", "ServerError", "Throttled", "Unavailable",
           "UnknownKind"]

Object: TypeAlias = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
IDLE_SECONDS = 2.0  # how often a watch looks whether it is still wanted


@dataclass(frozen=True)
class ResourceType:
    api_version: str  # "apps/v1"
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str]

    def path(self, name: str | None = None, namespace: str | None = None, subresource: str | None = None) -> str:
        """URL path of one object, or of the collection when `name` is None (over all namespaces without one)."""
        parts = ["/apis" if "/" in self.api_version else "/api", self.api_version]
        if self.namespaced and namespace is not None:
            parts += ["namespaces", namespace]
        parts += [self.plural, *([name] if name is not None else []), *([subresource] if subresource else [])]
        return "/".join(parts)


@dataclass(frozen=True)
class Event:
    """One change: `type` is ADDED, MODIFIED or DELETED."""

    type: str
    object: Object


class Client:
    """Thread-safe. Namespaced calls without a namespace use "default"."""

    def __init__(self, access: Access, *, timeout_seconds: float = 30.0,
                 pause: Callable[[float], None] = time.sleep) -> None:
        self.transport = Transport(access, timeout_seconds, pause)
        self._types: dict[tuple[str, str], ResourceType] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_kubeconfig(cls, kubeconfig: str | Path | Mapping[str, Any], context: str | None = None,
                        *, environment: Mapping[str, str] | None = None, timeout_seconds: float = 30.0) -> Client:
        """`kubeconfig`: path, content (YAML or JSON) or parsed document. Raises KubeconfigError."""
        return cls(access(kubeconfig, context, environment), timeout_seconds=timeout_seconds)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self.transport.close()

    # Discovery

    def discover(self, api_version: str, kind: str) -> ResourceType:
        """Cached; asks again for what it doesn't know, so that a new CRD is found. Raises UnknownKind."""
        found = self._types.get((api_version, kind))
        if found is None:
            self._load(api_version)
            found = self._types.get((api_version, kind))
        if found is None:
            raise UnknownKind(f"the cluster serves no {kind} of {api_version}; is its CustomResourceDefinition "
                              "installed, and is the apiVersion right?", code=404, reason="NoKindMatch")
        return found

    def forget_types(self) -> None:
        """Drops the discovery cache, after CustomResourceDefinitions were changed or removed."""
        with self._lock:
            self._types.clear()

    def _load(self, api_version: str) -> None:
        prefix = "/apis" if "/" in api_version else "/api"
        try:
            listing = body_of(self.transport.request("GET", f"{prefix}/{api_version}", counted=False))
        except NotFound:
            return
        with self._lock:
            for entry in listing.get("resources") or ():
                if "/" not in entry["name"]:
                    self._types[(api_version, entry["kind"])] = ResourceType(
                        api_version, entry["kind"], entry["name"], bool(entry["namespaced"]),
                        frozenset(entry.get("verbs") or ()))

    def path(self, api_version: str, kind: str, name: str | None = None, namespace: str | None = None,
             subresource: str | None = None) -> str:
        found = self.discover(api_version, kind)
        if found.namespaced and name is not None and namespace is None:
            namespace = "default"
        return found.path(name, namespace, subresource)

    # Reading

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object:
        return self.raw("GET", self.path(api_version, kind, name, namespace))

    def list(self, api_version: str, kind: str, namespace: str | None = None, *, labels: str = "",
             fields: str = "") -> list[Object]:
        """All of them, in all namespaces when `namespace` is None, with apiVersion and kind filled in."""
        listing = self.raw("GET", self.path(api_version, kind, None, namespace), query=_selectors(labels, fields))
        return [{**item, "apiVersion": api_version, "kind": kind} for item in listing.get("items") or ()]

    def watch(self, path: str, resource_version: str | None = None, *, labels: str = "", fields: str = "",
              stopped: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """Changes of a collection (or of one object by `fields="metadata.name=x"`) until `stopped()`.

        Without `resource_version` it lists first and yields what is there as ADDED. After a break it goes on where
        it was; when the server no longer knows that point (410), or was away, it lists again and yields ADDED for
        everything and DELETED for what went away unseen. `stopped` is asked at least every 2 seconds.
        """
        known: dict[str, Object] = {}
        version = resource_version
        while not stopped():
            try:
                if version is None:
                    version, events = self._relist(path, _selectors(labels, fields), known)
                    yield from events
                for event in self._stream(path, version, _selectors(labels, fields)):
                    version = event.object["metadata"]["resourceVersion"]
                    if event.type != "BOOKMARK":
                        _remember(known, event)
                        yield event
                    if stopped():
                        return
            except Expired:
                version = None
            except Unavailable:
                if stopped():
                    return
                self.transport.pause(0.2)

    def _relist(self, path: str, query: Mapping[str, str], known: dict[str, Object]) -> tuple[str, Sequence[Event]]:
        listing = self.raw("GET", path, query=query)
        kind = str(listing.get("kind", "")).removesuffix("List")
        items = [{"apiVersion": listing.get("apiVersion"), "kind": kind, **item} for item in listing.get("items") or ()]
        present = {_key(item) for item in items}
        gone = [Event("DELETED", item) for key, item in known.items() if key not in present]
        known.clear()
        known.update({_key(item): item for item in items})
        return listing["metadata"]["resourceVersion"], [*gone, *(Event("ADDED", item) for item in items)]

    def _stream(self, path: str, version: str, query: Mapping[str, str]) -> Iterator[Event]:
        """Events of one connection; ends quietly when the connection does or nothing came for IDLE_SECONDS."""
        parameters = {**query, "watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true"}
        try:
            with self.transport.stream(path, parameters, IDLE_SECONDS) as response:
                for line in response.iter_lines():
                    entry = json.loads(line)
                    if entry["type"] == "ERROR":
                        status = entry["object"]
                        raise from_status(int(status.get("code") or 500), str(status.get("reason", "")),
                                          str(status.get("message", "")), (), f"WATCH {path}")
                    yield Event(entry["type"], entry["object"])
        except (httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError):
            return

    # Writing

    def create(self, body: Object, *, dry_run: bool = False, field_manager: str | None = None) -> Object:
        path = self._collection(body)
        return self.raw("POST", path, body=body, query=_write(dry_run, field_manager))

    def apply(self, body: Object, *, field_manager: str, force: bool = False, dry_run: bool = False,
              subresource: str | None = None) -> Object:
        """Server-side apply with strict field validation. Raises Conflict when another manager owns a field and
        `force` is off, Invalid for an unknown field."""
        metadata = body["metadata"]
        path = self.path(body["apiVersion"], body["kind"], metadata["name"], metadata.get("namespace"), subresource)
        query = {**_write(dry_run, field_manager), "force": "true" if force else "false"}
        return self.raw("PATCH", path, body=body, query=query, content_type=APPLY_PATCH)

    def patch(self, api_version: str, kind: str, name: str, namespace: str | None, body: Any, *,
              content_type: str = MERGE_PATCH, subresource: str | None = None, field_manager: str | None = None,
              dry_run: bool = False) -> Object:
        """`content_type`: MERGE_PATCH, JSON_PATCH (body is a list of operations) or STRATEGIC_PATCH."""
        return self.raw("PATCH", self.path(api_version, kind, name, namespace, subresource), body=body,
                        query=_write(dry_run, field_manager), content_type=content_type)

    def replace(self, body: Object, *, subresource: str | None = None, dry_run: bool = False) -> Object:
        """With metadata.resourceVersion in `body`: only if it is still that version, else Conflict."""
        metadata = body["metadata"]
        path = self.path(body["apiVersion"], body["kind"], metadata["name"], metadata.get("namespace"), subresource)
        return self.raw("PUT", path, body=body, query=_write(dry_run, None))

    def update_status(self, body: Object) -> Object:
        return self.replace(body, subresource="status")

    def delete(self, api_version: str, kind: str, name: str, namespace: str | None = None, *,
               propagation: str = "Background", grace_seconds: int | None = None, uid: str | None = None,
               resource_version: str | None = None) -> Object:
        """`propagation`: Background, Foreground or Orphan. `uid`, `resource_version`: only if it is still that one,
        else Conflict. Raises NotFound when there is none. Doesn't wait."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        preconditions = {key: value for key, value in (("uid", uid), ("resourceVersion", resource_version)) if value}
        if preconditions:
            options["preconditions"] = preconditions
        return self.raw("DELETE", self.path(api_version, kind, name, namespace), body=options)

    def raw(self, method: str, path: str, *, body: Any = None, query: Mapping[str, str] | None = None,
            content_type: str = "application/json") -> Object:
        """Any request; the answer's JSON object."""
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        return body_of(self.transport.request(method, path, query=query, content=content, content_type=content_type))

    def _collection(self, body: Object) -> str:
        found = self.discover(body["apiVersion"], body["kind"])
        return found.path(None, body["metadata"].get("namespace", "default") if found.namespaced else None)


def _selectors(labels: str, fields: str) -> dict[str, str]:
    return {key: value for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value}


def _write(dry_run: bool, field_manager: str | None) -> dict[str, str]:
    query = {"fieldValidation": "Strict"}
    if dry_run:
        query["dryRun"] = "All"
    if field_manager:
        query["fieldManager"] = field_manager
    return query


def _key(item: Object) -> str:
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"


def _remember(known: dict[str, Object], event: Event) -> None:
    if event.type == "DELETED":
        known.pop(_key(event.object), None)
    else:
        known[_key(event.object)] = event.object
