"""What a rollout would write: the same code, on a client that keeps its writes to itself, and nothing waited for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kube.client import Client, Conflict, NotFound, Object
from operations.rollout.waits import Waits


@dataclass(frozen=True)
class Write:
    """One call. path: of the object, or of the collection for a POST. body: the object, or the patch."""

    method: str
    path: str
    body: Any

    def document(self) -> dict[str, Any]:
        return asdict(self)


class Recorder(Client):
    """Reads go to the cluster; writes are listed, and later reads see what they would have left."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.writes: list[Write] = []
        self._seen: dict[str, Object | None] = {}  # path → the object; None: it is gone
        self._answers: Mapping[str, Callable[[str, Any], Object]] = {
            "POST": self._create, "PUT": self._replace, "PATCH": self._patch, "DELETE": self._delete}

    def raw(self, method: str, path: str, *, body: Any = None, query: Mapping[str, str] | None = None,
            content_type: str = "application/json") -> Object:
        if method == "GET":
            if path in self._seen:
                return copy.deepcopy(self._present(path))
            return super().raw(method, path, body=body, query=query, content_type=content_type)
        self.writes.append(Write(method, path, copy.deepcopy(body)))
        return copy.deepcopy(self._answers[method](path, copy.deepcopy(body)))

    def _present(self, path: str) -> Object:
        """Raises NotFound."""
        if path not in self._seen:
            self._seen[path] = super().raw("GET", path)
        found = self._seen[path]
        if found is None:
            raise NotFound(f"GET {path}: not found", code=404, reason="NotFound")
        return found

    def _create(self, collection: str, body: Object) -> Object:
        path = f"{collection}/{body['metadata']['name']}"
        try:
            self._present(path)
        except NotFound:
            return self._keep(path, body, "0")
        raise Conflict(f"POST {collection}: {body['metadata']['name']} exists", code=409, reason="AlreadyExists")

    def _replace(self, path: str, body: Object) -> Object:
        return self._keep(path, body, self._present(path)["metadata"]["resourceVersion"])

    def _patch(self, path: str, patch: Any) -> Object:
        found = copy.deepcopy(self._present(path))
        if isinstance(patch, list):
            for operation in patch:
                if operation["op"] == "replace":
                    *folders, last = operation["path"].strip("/").split("/")
                    place = found
                    for folder in folders:
                        place = place[folder]
                    place[last] = operation["value"]
                elif operation["op"] != "test":
                    raise ValueError(f"a dry run does not know the JSON patch operation {operation['op']!r}")
        else:
            found = merged(found, patch)
        return self._keep(path, found, found["metadata"]["resourceVersion"])

    def _delete(self, path: str, body: Any) -> Object:
        found = self._present(path)
        self._seen[path] = None
        return found

    def _keep(self, path: str, body: Object, version: str) -> Object:
        kept = {**body, "metadata": {**body["metadata"], "resourceVersion": version}}
        self._seen[path] = kept
        return kept


def merged(found: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(found) if isinstance(found, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


class Unhurried(Waits):
    """Waits for nothing: what a dry run would wait for does not come."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(lambda: None, say)

    def unhindered(self, what: str, hindrance: Callable[[], str | None], seconds: float) -> None:
        pass

    def hold(self, seconds: float, over: Callable[[], bool]) -> None:
        pass
