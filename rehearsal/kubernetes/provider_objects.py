"""Create, update, read and delete one object, with the waits around them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from kube.client import (
    JSON_PATCH,
    ApiError,
    Client,
    Conflict,
    NotFound,
    Object,
    Unavailable,
    UnknownKind,
)
from rehearsal.engine import provider as contract
from rehearsal.engine.provider import Context, ProviderError
from rehearsal.engine.values import Properties
from rehearsal.kubernetes import crds
from rehearsal.kubernetes import provider_diff as diffs
from rehearsal.kubernetes import provider_ownership as ownership
from rehearsal.kubernetes.call_faults import call_site
from rehearsal.kubernetes.provider_names import Token, identifier, split
from rehearsal.kubernetes.waits import NotReady, Waiter

CREATE_ATTEMPTS = 5  # as the real provider: a namespace or a definition may be on its way
# EKS calls an add-on active when its objects are there; here the agent follows it, seconds later on a busy machine.
ADDON_ATTEMPTS = 9
FIRST_PAUSE_SECONDS = 0.2
ADOPT_ATTEMPTS = 10
# The provider deletes in the foreground; for kinds that own no other objects that only takes the garbage collector's
# time, with the same result: for a custom kind up to half a minute, until the collector has heard of it.
_OWN_NOTHING = frozenset({
    "ClusterRole", "ClusterRoleBinding", "ConfigMap", "HorizontalPodAutoscaler", "Ingress", "LimitRange",
    "NetworkPolicy", "PodDisruptionBudget", "PriorityClass", "ResourceQuota", "Role", "RoleBinding", "Secret",
    "StorageClass"})
ToOutputs = Callable[[Object], Properties]


@contextlib.contextmanager
def errors(context: Context, gone: bool = False) -> Iterator[list[str]]:
    """Turns what the client raises into ProviderError, and marks the calls inside as this resource's. With `gone`
    (deleteUnreachable), an unreachable cluster ends the block quietly: the yielded list then holds the reason."""
    unreachable: list[str] = []
    try:
        with call_site(context.urn):
            yield unreachable
    except Unavailable as error:
        if error.reason == "Timeout":
            raise ProviderError(str(error), in_doubt=True) from error
        if not gone:
            raise ProviderError(f"configured Kubernetes cluster is unreachable: {error}") from error
        unreachable.append(str(error))
        context.report(f"the cluster is unreachable and deleteUnreachable is set: {context.name} counts as gone")
    except Conflict as error:
        raise ProviderError(f"{ownership.CONFLICT_HELP}\n{error}") from error
    except UnknownKind as error:
        raise ProviderError(f"{error}. Verify that any required CRDs have been created.") from error
    except ApiError as error:
        raise ProviderError(f"the Kubernetes API server refused {context.name}: {error}") from error


class Objects:
    """The calls of one resource's step."""

    def __init__(self, client: Client, context: Context, addon_attempts: int = ADDON_ATTEMPTS) -> None:
        self.client = client
        self.context = context
        self.addon_attempts = addon_attempts

    def create(self, body: Object, manager: str, outputs: ToOutputs) -> Object:
        """An upsert, as with the real provider: an object of that name is taken over unless another manager owns a
        field of it with another value. Retries while the namespace or the kind is missing."""
        pause = FIRST_PAUSE_SECONDS
        attempts = self.addon_attempts if crds.is_of_addon(body["apiVersion"], body["kind"]) else CREATE_ATTEMPTS
        for attempt in range(1, attempts + 1):
            try:
                applied = self._apply(body, manager)
                break
            except NotFound as error:
                if attempt == attempts or self.context.cancelled.wait(pause):
                    raise
                self.context.report(f"Retry #{attempt}; creation failed: {error}")
                pause *= 2
        self._after_definition(body)
        self._tell_respelled(body, applied)
        return self._settled(applied, outputs)

    def update(self, id: str, body: Object, manager: str, ignored: Sequence[str], outputs: ToOutputs,
               patch: bool = False) -> Object:
        """`patch`: a Patch resource, which takes no fields over from other managers."""
        namespace, name = split(id)
        try:
            live = self.client.get(body["apiVersion"], body["kind"], name, namespace)
        except NotFound as error:
            raise contract.NotFound(str(error)) from error
        if body["kind"] == "CustomResourceDefinition":
            version = live["metadata"]["resourceVersion"]
            applied = self.client.replace({**body, "metadata": {**body["metadata"], "resourceVersion": version}})
        else:
            live = live if patch else self._adopt(live, manager)
            applied = self._apply(ownership.with_ignored(body, live, manager, ignored), manager)
        self._after_definition(body)
        self._tell_respelled(body, applied)
        return self._settled(applied, outputs)

    def read(self, token: Token, id: str) -> Object | None:
        namespace, name = split(id)
        try:
            return self.client.get(token.api_version, token.kind, name, namespace)
        except NotFound:
            return None

    def delete(self, token: Token, id: str, inputs: Properties, manager: str, outputs: ToOutputs) -> None:
        namespace, name = split(id)
        if token.patch:
            self._relinquish(token, namespace, name, manager)
            return
        annotations: Mapping[str, str] = (inputs.get("metadata") or {}).get("annotations") or {}
        alone = token.kind in _OWN_NOTHING or crds.is_of_chart(token.api_version, token.kind)
        usual = "background" if alone else "foreground"
        propagation = str(annotations.get(ownership.PROPAGATION) or usual).capitalize()
        try:
            answer = self.client.delete(token.api_version, token.kind, name, namespace, propagation=propagation)
            if answer.get("kind") == token.kind:  # else a Status: it is gone already
                self._waiter().gone(answer)
        except NotFound:
            pass
        except NotReady as error:
            raise ProviderError(str(error), partial=(id, outputs(error.object))) from error
        self._after_definition({"kind": token.kind})

    def _apply(self, body: Object, manager: str) -> Object:
        annotations = body["metadata"].get("annotations") or {}
        force = str(annotations.get(ownership.PATCH_FORCE)).lower() == "true"
        try:
            return self.client.apply(body, field_manager=manager, force=force)
        except Conflict as error:
            raise Conflict(f"The resource managed by field manager {manager!r} had an apply conflict: {error}",
                           code=error.code, reason=error.reason, causes=error.causes) from error

    def _adopt(self, live: Object, manager: str) -> Object:
        """Asks again when a controller was faster, where the real provider fails and `up` has to be run again: whether
        a rehearsal passes must not be a matter of luck."""
        for attempt in range(1, ADOPT_ATTEMPTS + 1):
            entries = ownership.adopted(live, manager)
            if entries is None:
                return live
            kind, metadata = (live["apiVersion"], live["kind"]), live["metadata"]
            patch = [{"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
                     {"op": "replace", "path": "/metadata/managedFields", "value": entries}]
            try:
                return self.client.patch(*kind, metadata["name"], metadata.get("namespace"), patch,
                                         content_type=JSON_PATCH)
            except ApiError as error:
                if error.code != 422 or attempt == ADOPT_ATTEMPTS:  # what a failed `test` answers
                    raise
                live = self.client.get(*kind, metadata["name"], metadata.get("namespace"))
        raise AssertionError("unreachable")

    def _relinquish(self, token: Token, namespace: str | None, name: str, manager: str) -> None:
        """Gives up the fields of a Patch resource: those that nobody else owns go, the object stays."""
        metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
        try:
            self.client.get(token.api_version, token.kind, name, namespace)  # an apply would create it
        except NotFound:
            return
        self.client.apply({"apiVersion": token.api_version, "kind": token.kind, "metadata": metadata},
                          field_manager=manager)

    def _settled(self, applied: Object, outputs: ToOutputs) -> Object:
        try:
            return self._waiter().ready(applied)
        except NotReady as error:
            raise ProviderError(
                f"{identifier(error.object)} was applied, but the Kubernetes API server reported that it failed to "
                f"fully initialize or become live: {error}",
                partial=(identifier(error.object), outputs(error.object))) from error
        except Unavailable as error:
            raise ProviderError(f"the cluster became unreachable while {identifier(applied)} was waited for: {error}",
                                partial=(identifier(applied), outputs(applied))) from error

    def _waiter(self) -> Waiter:
        return Waiter(self.client, self.context.timeout_seconds, self.context.cancelled, self.context.report)

    def _after_definition(self, body: Object) -> None:
        if body["kind"] == "CustomResourceDefinition":
            self.client.forget_types()

    def _tell_respelled(self, body: Object, live: Object) -> None:
        paths = diffs.respelled(body, live)
        if paths:
            self.context.report(f"warning: {', '.join(paths)}: the API server keeps the quantity in another spelling; "
                                "write it so (1Gi, not 1024Mi), or the provider shows a change at every update")
