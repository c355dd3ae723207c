"""`kubernetes:helm.sh/v3:Release`: recorded in the cluster as Helm records it, so that `helm list` shows it.

The chart is not fetched. One that is at hand (charts.py) is rendered, so that its values are validated. Its objects
don't exist in either case, except the definitions of its custom kinds (crds.py), without which the program's own
objects could not be created, and Services that others know by name (release_services.py), without pods.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from kube.client import ApiError, Client, NotFound, Object, Unavailable
from rehearsal.engine.provider import Checked, Context, Diff, Failure, Found, ProviderError
from rehearsal.engine.provider import NotFound as Gone
from rehearsal.engine.values import UNKNOWN, Properties
from rehearsal.engine.wire import contains_unknown
from rehearsal.kubernetes import charts, crds, release_services
from rehearsal.kubernetes import provider_diff as diffs
from rehearsal.kubernetes.provider_names import autoname, split
from rehearsal.kubernetes.waits import NotReady, Waiter

FIELD_MANAGER = "candlefish-helm"
DEPLOYED, PENDING = "deployed", "pending-install"
_REPLACES = ("name", "namespace")


def check(context: Context, old: Properties | None, new: Properties) -> Checked:
    defaults = {"name": (old or {}).get("name") or autoname(context.name, context.random),
                "namespace": context.config.get("namespace") or "default"}
    inputs = {**defaults, **{key: value for key, value in new.items() if value is UNKNOWN or value not in ("", None)}}
    chart = inputs.get("chart")
    if chart is None:
        return Checked(inputs, (Failure("chart", "is required"),))
    failures = []
    if chart is not UNKNOWN:
        try:
            crds.of_chart(str(chart))
        except crds.UnknownChart as error:
            failures.append(Failure("chart", str(error)))
    if "version" not in inputs:
        failures.append(Failure("version", f"is not set; pin the version of the chart {chart}"))
    try:
        _rendered(inputs)
    except charts.ChartError as error:
        failures.append(Failure("values", str(error)))
    return Checked(inputs, tuple(failures))


def _rendered(inputs: Properties) -> Counter[str] | None:
    """What the chart makes of the values, by kind; None when it is not at hand, or while not all values are known."""
    named = {key: inputs.get(key) for key in ("chart", "version", "name", "namespace", "values")}
    archive = None if contains_unknown(named) else charts.at_hand(str(named["chart"]), str(named["version"]))
    if archive is None:
        return None
    return charts.rendered(archive, str(named["name"]), str(named["namespace"]), named["values"] or {})


def _tell(context: Context, inputs: Properties) -> None:
    made = _rendered(inputs)
    if made is None:
        context.report("the chart is recorded, not rendered: its values are not validated")
    else:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(made.items()))
        context.report(f"the chart takes its values and renders to {kinds}; it is recorded, its objects are not made")


def diff(old_inputs: Properties, new_inputs: Properties) -> Diff:
    found = diffs.differences(diffs.normalize(old_inputs), diffs.normalize(new_inputs), _REPLACES)
    return Diff(found, delete_before_replace=False)


def create(client: Client, context: Context, inputs: Properties) -> tuple[str, Properties]:
    namespace, name = str(inputs["namespace"]), str(inputs["name"])
    _namespace(client, namespace, bool(inputs.get("createNamespace")))
    client.apply(_record(inputs, 1, PENDING), field_manager=FIELD_MANAGER, force=True)
    try:
        _install(client, context, inputs, 1)
    except (ApiError, NotReady) as error:
        if isinstance(error, Unavailable) and error.reason == "Timeout":
            raise
        if inputs.get("atomic"):
            delete(client, f"{namespace}/{name}")
            raise ProviderError(f"the Helm release {namespace}/{name} failed and was rolled back: {error}") from error
        # Helm leaves what it made, and its record says so.
        raise ProviderError(f"the Helm release {namespace}/{name} was begun and failed: {error}",
                            partial=(f"{namespace}/{name}", _outputs(inputs, 1, PENDING))) from error
    _tell(context, inputs)
    return f"{namespace}/{name}", _outputs(inputs, 1)


def update(client: Client, context: Context, id: str, inputs: Properties) -> Properties:
    found = _records(client, id)
    if not found:
        raise Gone(f"there is no Helm release {id}")
    revision = max(found) + 1
    _install(client, context, inputs, revision)
    for old, name in found.items():
        if old < revision:
            _delete_secret(client, id, name)
    return _outputs(inputs, revision)


def read(client: Client, id: str, inputs: Properties | None) -> Found | None:
    found = _records(client, id)
    if not found:
        return None
    revision = max(found)
    namespace, _ = split(id)
    recorded = _decode(client.get("v1", "Secret", found[revision], namespace))
    kept: Properties = recorded["candlefish"]
    return Found(id, _outputs(kept, revision), diffs.pruned(kept, inputs) if inputs else kept)


def delete(client: Client, id: str) -> None:
    """The record, and the definitions and Services that came with this release: with the definitions go the objects of
    those kinds."""
    label = f"{crds.RELEASE_LABEL}={id.replace('/', '.')}"
    definitions = client.list("apiextensions.k8s.io/v1", "CustomResourceDefinition", labels=label)
    _delete(client, [*definitions, *client.list("v1", "Service", split(id)[0] or "default", labels=label)])
    client.forget_types()
    for name in _records(client, id).values():
        _delete_secret(client, id, name)


def _install(client: Client, context: Context, inputs: Properties, revision: int) -> None:
    _definitions(client, context, inputs)
    _services(client, inputs)
    client.apply(_record(inputs, revision), field_manager=FIELD_MANAGER, force=True)


def _definitions(client: Client, context: Context, inputs: Properties) -> None:
    """All of them first, then the waits: the server establishes them side by side."""
    release = f"{inputs['namespace']}.{inputs['name']}"
    applied = [client.apply(crds.definition(kind, release), field_manager=FIELD_MANAGER, force=True)
               for kind in crds.of_chart(str(inputs["chart"]))]
    for definition in applied:
        Waiter(client, context.timeout_seconds, context.cancelled, context.report).ready(definition)
    client.forget_types()


def _services(client: Client, inputs: Properties) -> None:
    """Those that the values ask for, and none that former values asked for."""
    namespace, name = str(inputs["namespace"]), str(inputs["name"])
    wanted = release_services.services(str(inputs["chart"]), name, namespace, inputs.get("values") or {})
    kept = {service["metadata"]["name"] for service in wanted}
    _delete(client, [each for each in client.list("v1", "Service", namespace,
                                                  labels=f"{crds.RELEASE_LABEL}={namespace}.{name}")
                     if each["metadata"]["name"] not in kept])
    for service in wanted:
        client.apply(service, field_manager=FIELD_MANAGER, force=True)


def _namespace(client: Client, name: str, create_it: bool) -> None:
    try:
        client.get("v1", "Namespace", name)
    except NotFound as error:
        if not create_it:
            raise ProviderError(f"namespaces {name!r} not found; create it before the release, or set "
                                "create_namespace=True") from error
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"name": name}}}
        client.apply(body, field_manager=FIELD_MANAGER)


def _record(inputs: Properties, revision: int, status: str = DEPLOYED) -> Object:
    """The Secret `sh.helm.release.v1.NAME.vREVISION` of Helm's storage driver."""
    name, namespace = str(inputs["name"]), str(inputs["namespace"])
    chart = str(inputs["chart"]).rpartition("/")[2]
    moment = "2000-01-01T00:00:00Z"  # Helm demands a time; a fixed one keeps the record the same for the same inputs
    release: Object = {
        "name": name, "namespace": namespace, "version": revision, "config": inputs.get("values") or {},
        "info": {"status": status, "description": "Recorded by a rehearsal; not rendered",
                 "first_deployed": moment, "last_deployed": moment},
        "chart": {"metadata": {"name": chart, "version": str(inputs.get("version") or ""), "apiVersion": "v2"}},
        "manifest": "", "candlefish": inputs}
    packed = base64.b64encode(gzip.compress(json.dumps(release).encode(), mtime=0))
    return {
        "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {"name": f"sh.helm.release.v1.{name}.v{revision}", "namespace": namespace,
                     "labels": {"owner": "helm", "name": name, "status": status, "version": str(revision)}},
        "data": {"release": base64.b64encode(packed).decode()}}


def _decode(secret: Object) -> Mapping[str, Any]:
    packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    release: Mapping[str, Any] = json.loads(gzip.decompress(packed))
    return release


def _records(client: Client, id: str) -> dict[int, str]:
    """Revision → name of the Secret."""
    namespace, name = split(id)
    secrets = client.list("v1", "Secret", namespace or "default", labels=f"owner=helm,name={name}")
    return {int(each["metadata"]["labels"]["version"]): str(each["metadata"]["name"]) for each in secrets}


def _outputs(inputs: Properties, revision: int, state: str = DEPLOYED) -> Properties:
    chart = str(inputs["chart"]).rpartition("/")[2]
    status = {"appVersion": "", "chart": chart, "name": inputs["name"], "namespace": inputs["namespace"],
              "revision": revision, "status": state, "version": inputs.get("version") or ""}
    made = release_services.services(chart, str(inputs["name"]), str(inputs["namespace"]), inputs.get("values") or {})
    names = {"CustomResourceDefinition.apiextensions.k8s.io/apiextensions.k8s.io/v1":
             [kind.name for kind in crds.of_chart(chart)],
             "Service/v1": [f"{inputs['namespace']}/{each['metadata']['name']}" for each in made]}
    return {**inputs, "status": status, "resourceNames": {kind: each for kind, each in names.items() if each}}


def _delete_secret(client: Client, id: str, name: str) -> None:
    with contextlib.suppress(NotFound):
        client.delete("v1", "Secret", name, split(id)[0] or "default")


def _delete(client: Client, items: Iterable[Object]) -> None:
    """All of them first, then the waits: the server takes them down side by side."""
    going = []
    for item in items:
        with contextlib.suppress(NotFound):
            answer = client.delete(item["apiVersion"], item["kind"], item["metadata"]["name"],
                                   item["metadata"].get("namespace"))
            if answer.get("kind") == item["kind"]:
                going.append(answer)
    for each in going:
        Waiter(client).gone(each)
