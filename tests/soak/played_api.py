"""The API of a played cluster: objects with their versions, and what kube-apiserver answers to a rollout's calls."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kube.client import Conflict, NotFound
from operations.rollout.dry_run import merged

KINDS = {"v1": ("Namespace:namespaces", "ConfigMap:configmaps", "Service:services", "Pod:pods",
                "PodTemplate:podtemplates", "ServiceAccount:serviceaccounts"),
         "apps/v1": ("Deployment:deployments",),
         "autoscaling/v2": ("HorizontalPodAutoscaler:horizontalpodautoscalers",),
         "networking.k8s.io/v1": ("Ingress:ingresses",), "coordination.k8s.io/v1": ("Lease:leases",),
         "discovery.k8s.io/v1": ("EndpointSlice:endpointslices",)}
PATH = re.compile(r"/(?:api|apis)/(?P<version>v1|[^/]+/[^/]+)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[a-z]+)"
                  r"(?:/(?P<name>[^/]+))?(?:/(?P<sub>\w+))?$")
Object = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a client reads of a response."""

    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class Api:
    """In place of `kube.transport.Transport`."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}  # (plural, name)
        self.version = 1

    def request(self, method: str, path: str, *, query: Mapping[str, str] | None = None, content: bytes | None = None,
                content_type: str = "application/json", counted: bool = True) -> Answer:
        return Answer(json.dumps(self._answer(method, path, query or {}, json.loads(content) if content else None)))

    def put(self, plural: str, item: Object) -> Object:
        """Written by a controller: nobody asks for a version."""
        self.version += 1
        metadata = item.setdefault("metadata", {})
        before = self.objects.get((plural, metadata["name"]), {})
        changed = before.get("spec") != item.get("spec")
        metadata["generation"] = before.get("metadata", {}).get("generation", 0) + (1 if changed else 0)
        metadata["resourceVersion"] = str(self.version)
        self.objects[plural, metadata["name"]] = item
        return item

    def of(self, plural: str) -> list[Object]:
        return [item for (kind, _), item in list(self.objects.items()) if kind == plural]

    def _answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Object | str:
        version = path.removeprefix("/apis/").removeprefix("/api/")
        if version in KINDS:
            return {"resources": [{"name": plural, "kind": kind, "namespaced": plural != "namespaces", "verbs": []}
                                  for kind, _, plural in (each.partition(":") for each in KINDS[version])]}
        found = PATH.fullmatch(path)
        assert found is not None, path
        plural, name = found["plural"], found["name"]
        if plural == "namespaces":
            return {"metadata": {"name": name}}
        if found["sub"] == "log":
            return ""
        if method == "POST":
            if (plural, body["metadata"]["name"]) in self.objects:
                raise Conflict(f"{method} {path}", code=409, reason="AlreadyExists")
            return self.put(plural, body)
        if name is None:
            wanted = [pair.split("=") for pair in query.get("labelSelector", "").split(",") if pair]
            return {"items": [item for item in self.of(plural) if all(
                item["metadata"].get("labels", {}).get(key) == value for key, value in wanted)]}
        item = self.objects.get((plural, name))
        if item is None:
            raise NotFound(f"{method} {path}", code=404, reason="NotFound")
        if method == "DELETE":
            self.version += 1
            self.objects.pop((plural, name))
            return item
        if method == "GET":
            return item
        return self._written(method, path, plural, json.loads(json.dumps(item)), body)

    def _written(self, method: str, path: str, plural: str, item: Object, body: Any) -> Object:
        version = item["metadata"]["resourceVersion"]
        if method == "PUT":
            item = {**item, **body, "metadata": {**item["metadata"], **body["metadata"]}}
        elif isinstance(body, list):
            for each in body:
                *parents, last = each["path"].strip("/").split("/")
                place = item
                for parent in parents:
                    place = place[parent]
                place[last] = each["value"]
        else:
            item = merged(item, body)
        if item["metadata"]["resourceVersion"] != version:
            raise Conflict(f"{method} {path}", code=409, reason="Conflict")
        return self.put(plural, item)
